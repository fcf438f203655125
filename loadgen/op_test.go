package loadgen

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shardlab/shardlab/server/wire"
)

// everyOp has all operations, in unequal shares.
func everyOp(t testing.TB) Workload {
	return Workload{
		Keys: 1000, KeySize: 16, ValueLaw: Law{Min: 8, Max: 400, Median: 60, Sigma: 1}, Seed: 3, KeysPerOp: 4,
		Mix: []OpShare{{Get, 8}, {Set, 7}, {Del, 1}, {Incr, 2}, {MGet, 3}, {MSet, 2}, {SetEx, 2}, {Expire, 1},
			{Decr, 1}, {Exists, 1}, {FirstTemplate, 1}, {FirstTemplate + 1, 2}, {FirstTemplate + 2, 1}},
		TTL: Law{Min: 500, Max: 90_000}, CrossShard: 0.25, Sharding: byLastDigit(t),
		Templates: []string{"HSET h:{key} f {value}", "getrange {key} 0 9", "GETRANGE {key} 2 3"},
	}
}

// requestOf parses one request.
func requestOf(t *testing.T, encoded []byte) [][]byte {
	t.Helper()
	parser, batch := wire.NewParser(wire.Limits{}), wire.Batch{}
	if n, err := parser.Parse(&batch, encoded); err != nil || n != len(encoded) || len(batch.Reqs) != 1 {
		t.Fatalf("%q: %d bytes parsed, %v", encoded, n, err)
	}
	return batch.Reqs[0].Args
}

// TestRequestsOfEveryOp reads each request back, and looks at what it says.
func TestRequestsOfEveryOp(t *testing.T) {
	w := everyOp(t)
	p, err := newPlan(w)
	if err != nil {
		t.Fatal(err)
	}
	p.clients = 5
	const n = 40_000
	counts := make([]int, NumOps)
	crossing, multi := 0, 0
	var sizes, ttls []float64
	for i := range uint64(n) {
		client, turn := uint32(i%5), i/5
		o := p.at(client, turn)
		counts[o.op]++
		encoded := p.appendRequest(nil, &o, client, turn)
		if len(encoded) > p.requestSize() {
			t.Fatalf("%q is longer than requestSize %d", encoded, p.requestSize())
		}
		args := requestOf(t, encoded)
		key := string(testKey(o.key, 16))
		value := func(v []byte, key uint32) {
			if !p.values.check(v, key) {
				t.Fatalf("%s: value %q is not one of key %d", args[0], v, key)
			}
			sizes = append(sizes, float64(len(v)))
		}
		ttl := func(text []byte) {
			ms, err := strconv.Atoi(string(text))
			if err != nil || ms < 500 || ms > 90_000 {
				t.Fatalf("time to live %q", text)
			}
			ttls = append(ttls, float64(ms))
		}
		text := fmt.Sprintf("%s", args)
		switch o.op {
		case Get, Del, Exists:
			if want := fmt.Sprintf("[%s %s]", o.op, key); text != want {
				t.Fatalf("%s, want %s", text, want)
			}
		case Set:
			value(args[2], o.key)
		case Incr, Decr:
			if want := fmt.Sprintf("[%s n%s]", o.op, key[1:]); text != want {
				t.Fatalf("%s, want %s", text, want)
			}
		case SetEx:
			ttl(args[2])
			value(args[3], o.key)
		case Expire:
			ttl(args[2])
		case MGet, MSet:
			var keys [][]byte
			for j := 1; j < len(args); j++ {
				keys = append(keys, args[j])
				if o.op == MSet {
					j++
					number, _ := strconv.Atoi(string(args[j-1][2:]))
					value(args[j], uint32(number))
				}
			}
			if len(keys) != 4 || string(keys[0]) != key {
				t.Fatalf("%s: want 4 keys, %s first", text, key)
			}
			multi++
			if slices.ContainsFunc(keys, func(k []byte) bool { return k[15] != keys[0][15] }) {
				crossing++
			}
		case FirstTemplate:
			if string(args[0]) != "HSET" || string(args[1]) != "h:"+key || string(args[2]) != "f" {
				t.Fatalf("%s is not the command asked for", text)
			}
			value(args[3], o.key)
		case FirstTemplate + 1:
			if want := "[getrange " + key + " 0 9]"; text != want {
				t.Fatalf("%s, want %s", text, want)
			}
		}
	}
	if z := chiSquare(counts, func(i int) float64 { return w.share(func(o Op) bool { return int(o) == i }) }); math.Abs(z) > 3.5 {
		t.Errorf("chi-square of the mix is %.1f standard deviations off: %v", z, counts)
	}
	if got := float64(crossing) / float64(multi); math.Abs(got-0.25) > 4*math.Sqrt(0.25*0.75/float64(multi)) {
		t.Errorf("%.3f of the operations on several keys cross shards, want 0.25", got)
	}
	if d := kolmogorovSmirnov(ttls, func(x float64) float64 { return (x - 499) / 89_501 }); d > 1.95 {
		t.Errorf("times to live: √n·D is %.2f", d)
	}
}

// TestLaws draws from each, and holds the draws against the distribution function.
func TestLaws(t *testing.T) {
	const draws = 100_000
	normal := func(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }
	for name, x := range map[string]struct {
		law   Law
		below func(n int) float64 // probability of n and less
	}{
		"fixed": {Fixed(64), func(n int) float64 { return map[bool]float64{true: 1}[n >= 64] }},
		"range": {Law{Min: 10, Max: 29}, func(n int) float64 { return float64(n-9) / 20 }},
		"lognormal": {Law{Min: 1, Max: 1 << 20, Median: 200, Sigma: 0.7}, func(n int) float64 {
			return normal((math.Log(float64(n)+0.5) - math.Log(200)) / 0.7)
		}},
		"cut off": {Law{Min: 50, Max: 300, Median: 200, Sigma: 1}, func(n int) float64 {
			switch {
			case n < 50:
				return 0
			case n >= 300:
				return 1
			}
			return normal(math.Log((float64(n)+0.5)/200) / 1)
		}},
		"weights": {Law{Min: 1, Max: 9, Values: []int{9, 1, 4}, Weights: []float64{1, 2, 5}}, func(n int) float64 {
			return map[int]float64{1: 0.25, 4: 0.875, 9: 1}[n]
		}},
	} {
		if err := x.law.check("numbers", 1<<20); err != nil {
			t.Fatal(err)
		}
		n, random := newNumbers(x.law), newWords(17)
		seen := map[int]int{}
		for i := range uint64(draws) {
			seen[n.draw(random.at(0, i))]++
		}
		so, worst := 0, 0.0
		for i := x.law.Min; i <= x.law.Max; i++ {
			if seen[i] > 0 {
				so += seen[i]
				worst = max(worst, math.Abs(float64(so)/draws-x.below(i)))
			}
		}
		if d := worst * math.Sqrt(draws); so != draws || d > 1.95 {
			t.Errorf("%s: √n·D is %.2f, %d of %d draws are in range", name, d, so, draws)
		}
	}
	for _, l := range []Law{{}, {Min: 2, Max: 1}, {Min: 1, Max: 200}, {Min: 1, Max: 9, Median: 3}, {Min: 1, Max: 9, Median: 3, Sigma: math.NaN()},
		{Min: 1, Max: 9, Values: []int{1}}, {Min: 1, Max: 9, Values: []int{10}, Weights: []float64{1}},
		{Min: 1, Max: 9, Values: []int{1}, Weights: []float64{0}}} {
		if l.check("numbers", 100) == nil {
			t.Errorf("%+v passes", l)
		}
	}
}

// TestValuesOfEveryLaw are verified whatever their sizes, and another size of the same beginning is not.
func TestValuesOfEveryLaw(t *testing.T) {
	for _, law := range []Law{{Min: 1, Max: 40}, {Min: 64, Max: 1024}, {Min: 16, Max: 4096, Median: 100, Sigma: 1}} {
		for _, random := range []float64{1, 0.25} {
			v := newValues(law, random)
			seen := map[string]bool{}
			for i := range uint64(500) {
				key, writer := uint32(i), uint32(i%3)
				n := v.size(key, mark(writer, i))
				value := v.append([]byte("before"), n, key, writer, i)[len("before"):]
				if !v.check(value, key) || len(value) != n {
					t.Fatalf("%+v: a good value of %d bytes is refused", law, n)
				}
				if n >= 16 && (v.check(value[:n-1], key) || seen[string(value)]) {
					t.Fatalf("%+v: a value of %d bytes is not unique, or passes when cut", law, n)
				}
				seen[string(value)] = true
			}
		}
	}
	v := newValues(Fixed(64<<10), 0.25)
	value := v.append(nil, 64<<10, 1, 2, 3)
	if got := float64(bytes.Count(value, []byte(" "))) / float64(len(value)); math.Abs(got-0.75) > 0.01 {
		t.Errorf("%.3f of a value is the same byte, want 0.75", got)
	}
	for want, w := range map[string]Workload{"carry no version": {ValueSize: 7}, "carry a hash": {ValueSize: 15}, "": {ValueSize: 16}} {
		if got := w.Unproven(); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("values of %d bytes: %q", w.ValueSize, got)
		}
	}
}

func TestOpsAreChecked(t *testing.T) {
	for want, change := range map[string]func(w *Workload){
		"":                          func(w *Workload) {},
		"0 keys an operation":       func(w *Workload) { w.KeysPerOp = 0 },
		"needs a Sharding":          func(w *Workload) { w.Sharding = nil },
		"cannot cross shards":       func(w *Workload) { w.KeysPerOp = 1 },
		"2 of the operations cross": func(w *Workload) { w.CrossShard = 2 },
		"times to live":             func(w *Workload) { w.TTL = Law{} },
		fmt.Sprintf("unknown operation %d", FirstTemplate+3): func(w *Workload) { w.Mix = []OpShare{{FirstTemplate + 3, 1}} },
		`"{key}" in the command`:                             func(w *Workload) { w.Templates = []string{"{key}"} },
		`"x{value}" in the command`:                          func(w *Workload) { w.Templates = []string{"SET k x{value}"} },
		`"{keys}" in the command`:                            func(w *Workload) { w.Templates = []string{"MGET {keys}"} },
		"a command without a word":                           func(w *Workload) { w.Templates = []string{" "} },
		"9 commands":                                         func(w *Workload) { w.Templates = slices.Repeat([]string{"PING"}, 9) },
		"value sizes from 9 to 8":                            func(w *Workload) { w.ValueLaw = Law{Min: 9, Max: 8} },
		"1.5 of a value's bytes random":                      func(w *Workload) { w.Random = 1.5 },
		"all 1 keys are of one shard":                        func(w *Workload) { w.Keys = 1 },
	} {
		w := everyOp(t)
		change(&w)
		_, err := newPlan(w)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	w := everyOp(t)
	if got := [3]string{w.OpName(FirstTemplate), w.OpName(FirstTemplate + 1), w.OpName(MGet)}; got != [3]string{"HSET", "GETRANGE.2", "MGET"} {
		t.Errorf("names %q", got)
	}
	w.Templates = []string{"set {key} x"}
	if got := w.OpName(FirstTemplate); got != "SET.1" {
		t.Errorf("a command that is an operation too is called %q", got)
	}
}

// TestEveryOpRuns sends all operations in both loops, and accounts for each.
func TestEveryOpRuns(t *testing.T) {
	w := everyOp(t)
	w.Templates = []string{"ECHO {value}", "ECHO {key}", "ECHO a"}
	for _, load := range []Load{{Connections: 4, Pipeline: 8}, {Mode: Open, Connections: 4, Rate: 20_000}} {
		server := newMapServer(t, nil)
		s := connect(t, newTestPool(t, 2), Target{Addr: server.addr}, w, load)
		if err := s.Preload(t.Context()); err != nil {
			t.Fatal(err)
		}
		r := runFor(t, 1000, s, Window{Measure: 100 * time.Millisecond})
		if r.Errors+r.Corrupt > 0 || r.Misses == 0 || r.Reads < r.Ops[Get]+4*r.Ops[MGet] {
			t.Errorf("%v: %d errors (%s), %d corrupt, %d misses, %d reads", load.Mode, r.Errors, r.FirstError, r.Corrupt, r.Misses, r.Reads)
		}
		for _, m := range w.Mix {
			if h := r.Service[m.Op]; r.Ops[m.Op] == 0 || uint64(h.TotalCount()) != r.Ops[m.Op] {
				t.Errorf("%v: %d of %s in the counts", load.Mode, r.Ops[m.Op], r.Names[m.Op])
			}
		}
		if load.Mode == Open && r.Intended != r.Total()+r.Errors+r.InFlight+r.Unsent {
			t.Errorf("%d due, %d done", r.Intended, r.Total())
		}
	}
	if !w.MayMiss() || testWorkload.MayMiss() {
		t.Error("misses are expected where nothing removes keys, or the other way round")
	}
}

// TestFramesOfEveryOp holds that both protocols say the same.
func TestFramesOfEveryOp(t *testing.T) {
	w := everyOp(t)
	w.Mix, w.Templates = []OpShare{{Get, 2}, {Set, 2}, {Del, 1}, {Incr, 1}, {SetEx, 2}, {Expire, 1}, {Decr, 1}, {Exists, 1}}, nil
	server := newMapServer(t, nil)
	s := connect(t, newTestPool(t, 1), Target{Addr: server.addr, Protocol: SCNP}, w, Load{Connections: 3, Pipeline: 4})
	if err := s.Preload(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := run(t, s, Window{Measure: 50 * time.Millisecond})
	if r.Errors+r.Corrupt > 0 || r.Ops[SetEx] == 0 || r.Ops[Incr] == 0 || r.Ops[Del] == 0 || r.Ops[Expire] == 0 || r.Ops[Decr] == 0 || r.Ops[Exists] == 0 {
		t.Errorf("%v: %d errors (%s), %d corrupt", r.Ops, r.Errors, r.FirstError, r.Corrupt)
	}
	_, err := newTestPool(t, 1).Connect(t.Context(), Target{Addr: server.addr, Protocol: SCNP}, everyOp(t), Load{Connections: 1, Pipeline: 1})
	if err == nil || !strings.Contains(err.Error(), "MGET has no counterpart in scnp, which has GET, SET, DEL, INCR, SETEX, EXPIRE, DECR, EXISTS, RMW; use resp") {
		t.Errorf("MGET in SCNP: %v", err)
	}
}

func TestEveryOpDoesNotAllocate(t *testing.T) {
	w := everyOp(t)
	p, err := newPlan(w)
	if err != nil {
		t.Fatal(err)
	}
	buf, i := make([]byte, 0, p.requestSize()), uint64(0)
	if n := testing.AllocsPerRun(2000, func() { p.appendTurn(buf, 0, i); i++ }); n != 0 {
		t.Errorf("an operation allocates %v times", n)
	}
}

// TestEveryOpOnRedis: redis-server takes every operation, and no value comes back wrong.
func TestEveryOpOnRedis(t *testing.T) {
	addr, _ := startRedis(t)
	w := everyOp(t)
	s := connect(t, newTestPool(t, 1), Target{Addr: addr}, w, Load{Connections: 4, Pipeline: 4})
	if err := s.Preload(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := run(t, s, Window{Measure: 200 * time.Millisecond})
	if r.Errors+r.Corrupt > 0 || r.Checked == 0 {
		t.Errorf("%d errors (%s), %d of %d values corrupt", r.Errors, r.FirstError, r.Corrupt, r.Checked)
	}
}
