package loadgen

import (
	"math"
	"slices"
	"testing"
)

// byLastDigit is a sharding into ten that shows in the key.
func byLastDigit(t testing.TB) *Sharding {
	t.Helper()
	s, err := NewSharding(10, func(key []byte) int { return int(key[len(key)-1] - '0') })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// choices has every distribution, over 1,000 keys.
func choices(t testing.TB) map[string]Workload {
	base := Workload{Keys: 1000, KeySize: 16, ValueSize: 16, Mix: []OpShare{{Get, 0.9}, {Set, 0.1}}, Seed: 11}
	all := map[string]Workload{}
	add := func(name string, change func(w *Workload)) {
		w := base
		change(&w)
		all[name] = w
	}
	add("uniform", func(w *Workload) {})
	for name, s := range map[string]float64{"zipf 0.5": 0.5, "zipf 1": 1, "zipf 1.2": 1.2, "zipf 2.5": 2.5} {
		add(name, func(w *Workload) { w.Distribution, w.Zipf = Zipf, s })
	}
	add("zipf scrambled", func(w *Workload) { w.Distribution, w.Zipf, w.Scramble = Zipf, 0.99, true })
	add("hotspot", func(w *Workload) { w.Distribution, w.Hot = Hotspot, Hot{Ops: 0.8, Keys: 0.2} })
	add("hotspot scrambled", func(w *Workload) {
		w.Distribution, w.Hot, w.Scramble = Hotspot, Hot{Ops: 1, Keys: 0.05}, true
	})
	add("moving", func(w *Workload) {
		w.Distribution, w.Hot = Moving, Hot{Ops: 0.9, Keys: 0.1, Period: 5000, Drift: 0.5}
	})
	add("latest", func(w *Workload) { w.Distribution, w.Zipf = Latest, 0.99 })
	add("sequential", func(w *Workload) { w.Distribution = Sequential })
	add("hot-shard", func(w *Workload) {
		w.Distribution, w.Hot, w.Sharding = HotShard, Hot{Ops: 0.5, Shard: 3}, byLastDigit(t)
	})
	add("popularity", func(w *Workload) {
		w.Distribution, w.Weights = Popularity, []float64{100, 50, 50, 20, 10, 5, 5, 5, 1, 0}
	})
	return all
}

// TestRanksFitTheirDistribution holds what is drawn against what below promises, for each distribution, and what below
// promises against a sum for those that have one.
func TestRanksFitTheirDistribution(t *testing.T) {
	const draws = 300_000
	for name, w := range choices(t) {
		p, err := newPlan(w)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if w.Distribution == Sequential {
			continue // draws nothing
		}
		counts := make([]int, w.Keys)
		for n := range uint64(draws) {
			client, i := uint32(n%3), n/3
			counts[p.choice.rank(p.random.at(client, 2*i+1), p.at(client, i).op.writes())]++
		}
		off := chiSquare(counts, func(i int) float64 { return p.choice.below(i+1) - p.choice.below(i) })
		if math.Abs(off) > 3.5 {
			t.Errorf("%s: chi-square is %.1f standard deviations off", name, off)
		}
		if all := p.choice.below(w.Keys); math.Abs(all-1) > 1e-12 {
			t.Errorf("%s: all keys together have %v", name, all)
		}
	}
}

// TestRejectionIsExact draws from ten million keys without a table, and holds the distribution function against the
// draws (Kolmogorov and Smirnov), the first ranks apart.
func TestRejectionIsExact(t *testing.T) {
	const keys, draws = 10_000_000, 200_000
	for _, s := range []float64{0.3, 0.99, 1, 1.000001, 1.5, 4, 10} {
		r, ok := newZipfRanks(keys, s).(zipfRejection)
		if !ok {
			t.Fatal("ten million keys have a table")
		}
		random := newWords(9)
		first := make([]int, 101) // the ranks below 100, and all others
		logs := make([]float64, draws)
		for n := range logs {
			rank := r.draw(random.at(0, uint64(n)))
			if rank >= keys {
				t.Fatalf("s=%v: rank %d of %d", s, rank, keys)
			}
			first[min(rank, 100)]++
			logs[n] = float64(rank)
		}
		off := chiSquare(first, func(i int) float64 {
			if i == 100 {
				return 1 - r.below(100)
			}
			return r.below(i+1) - r.below(i)
		})
		if math.Abs(off) > 3.5 {
			t.Errorf("s=%v: chi-square is %.1f standard deviations off", s, off)
		}
		slices.Sort(logs)
		worst := 0.0 // the draws are of whole numbers: the function is looked at where it has jumped
		for i := 0; i < draws; i += draws / 500 {
			last, _ := slices.BinarySearch(logs, logs[i]+1)
			worst = max(worst, math.Abs(float64(last)/draws-r.below(int(logs[i])+1)))
		}
		if d := worst * math.Sqrt(draws); d > 1.95 {
			t.Errorf("s=%v: √n·D is %.2f, want at most 1.95", s, d)
		}
	}
	for _, word := range []uint64{0, math.MaxUint64} {
		for _, s := range []float64{0.001, 1, 10} {
			if k := newZipfRejection(MaxKeys, s).draw(word); k >= MaxKeys {
				t.Errorf("s=%v: word %#x draws %d", s, word, k)
			}
		}
	}
}

func TestPowerSum(t *testing.T) {
	for _, s := range []float64{0.01, 0.99, 1, 2, 7} {
		if got, want := powerSum(3_000_000, s), zeta(3_000_000, s); math.Abs(got/want-1) > 1e-11 {
			t.Errorf("s=%v: %v, want %v", s, got, want)
		}
	}
}

// TestWherePopularKeysAre: neighbours, or not, as asked for; and every rank is one key.
func TestWherePopularKeysAre(t *testing.T) {
	for name, w := range choices(t) {
		p, err := newPlan(w)
		if err != nil {
			t.Fatal(err)
		}
		for _, turn := range []uint64{0, 1, 4999, 5000, 1 << 40} {
			seen := make([]bool, w.Keys)
			for rank := range uint32(w.Keys) {
				key := p.choice.key(rank, turn)
				if seen[key] {
					t.Fatalf("%s: two ranks are key %d", name, key)
				}
				seen[key] = true
			}
		}
		apart := int64(p.choice.key(1, 0)) - int64(p.choice.key(0, 0))
		if far := apart > 100 || apart < -100; far != w.Scramble {
			t.Errorf("%s: the two most popular keys are %d apart", name, apart)
		}
	}
	w := choices(t)["moving"]
	p, _ := newPlan(w)
	if a, b, c := p.choice.key(0, 0), p.choice.key(0, 4999), p.choice.key(0, 5000); a != b || c != a+50 {
		t.Errorf("the hottest keys are %d, %d and, a period later, %d; want it 50 further on", a, b, c)
	}
}

// TestLatestReadsWhatWasWritten: writes go round all keys, and most reads ask for the last few of them.
func TestLatestReadsWhatWasWritten(t *testing.T) {
	w := choices(t)["latest"]
	p, err := newPlan(w)
	if err != nil {
		t.Fatal(err)
	}
	p.clients = 4
	written := make([]int, w.Keys)
	near, reads := 0, 0
	const turns = 40_000
	for n := range uint64(turns) {
		o := p.at(uint32(n%4), n/4)
		newest := (999 + n/10) % 1000
		if o.op == Set {
			written[o.key]++
			if uint64(o.key) != newest && uint64(o.key) != (newest+1)%1000 {
				t.Fatalf("operation %d writes key %d, the newest being %d", n, o.key, newest)
			}
			continue
		}
		reads++
		if behind := (newest + 1000 - uint64(o.key)) % 1000; behind < 10 {
			near++
		}
	}
	if slices.Min(written) > 12 || slices.Max(written) == 0 {
		t.Errorf("keys are written %d to %d times", slices.Min(written), slices.Max(written))
	}
	want := powerSum(10, 0.99) / powerSum(1000, 0.99)
	if got := float64(near) / float64(reads); math.Abs(got-want) > 0.02 {
		t.Errorf("%.3f of the reads ask for the ten newest keys, want %.3f", got, want)
	}
}

func TestSequentialIsOneWalk(t *testing.T) {
	p, err := newPlan(choices(t)["sequential"])
	if err != nil {
		t.Fatal(err)
	}
	p.clients = 7
	for n := range uint64(3000) {
		if o := p.at(uint32(n%7), n/7); uint64(o.key) != n%1000 {
			t.Fatalf("operation %d asks for key %d", n, o.key)
		}
	}
}

func TestHotShardIsHot(t *testing.T) {
	w := choices(t)["hot-shard"]
	p, err := newPlan(w)
	if err != nil {
		t.Fatal(err)
	}
	const draws = 100_000
	counts := make([]int, 10)
	for n := range uint64(draws) {
		counts[p.at(0, n).key%10]++
	}
	off := chiSquare(counts, func(i int) float64 {
		if i == 3 {
			return 0.5
		}
		return 0.5 / 9
	})
	if math.Abs(off) > 3.5 {
		t.Errorf("chi-square is %.1f standard deviations off: %v", off, counts)
	}
	w.Keys, w.Hot.Shard = 3, 9
	if _, err := newPlan(w); err == nil {
		t.Error("a shard without keys is hot")
	}
	w.Sharding, _ = NewSharding(2, func([]byte) int { return 2 })
	w.Hot.Shard = 0
	if _, err := newPlan(w); err == nil {
		t.Error("keys may belong to a shard that is not there")
	}
	if _, err := NewSharding(1, nil); err == nil {
		t.Error("one shard is a sharding")
	}
}

// TestSkew: what is promised of the top key and the top 1 %, and what is drawn.
func TestSkew(t *testing.T) {
	want := map[string][2]float64{
		"uniform": {0.001, 0.01}, "sequential": {0.001, 0.01}, "hotspot": {0.004, 0.04}, "hotspot scrambled": {0.02, 0.2},
		"moving": {0.009, 0.09}, "hot-shard": {0.005, 0.05}, "popularity": {100.0 / 246, 1},
		"zipf 1": {1 / powerSum(1000, 1), powerSum(10, 1) / powerSum(1000, 1)},
	}
	for name, w := range choices(t) {
		s, err := SkewOf(w, 3)
		if err != nil {
			t.Fatal(err)
		}
		if x, ok := want[name]; ok && (math.Abs(s.TopKey-x[0]) > 1e-9 || math.Abs(s.TopPercent-x[1]) > 1e-9) {
			t.Errorf("%s: %v and %v, want %v", name, s.TopKey, s.TopPercent, x)
		}
		for _, pair := range [][2]float64{{s.DrawnKey, s.TopKey}, {s.DrawnPercent, s.TopPercent}} {
			if sigma := math.Sqrt(pair[1] / skewDraws); math.Abs(pair[0]-pair[1]) > 4*sigma {
				t.Errorf("%s: drawn %v, promised %v", name, pair[0], pair[1])
			}
		}
	}
}

func BenchmarkRanks(b *testing.B) {
	for name, r := range map[string]ranks{
		"uniform": evenRanks(1_000_000), "table": newZipfRanks(1_000_000, 0.99), "large-table": newZipfRanks(maxZipfTable, 0.99),
		"rejection": newZipfRejection(100_000_000, 0.99), "hotspot": newHotRanks(1000, 1_000_000, 0.9),
	} {
		b.Run(name, func(b *testing.B) {
			random, n := newWords(1), uint64(0)
			for b.Loop() {
				r.draw(random.at(0, n))
				n++
			}
		})
	}
}
