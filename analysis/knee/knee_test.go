package knee

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// simulation skips a test in which the race detector has nothing to see.
func simulation(t *testing.T) {
	if raceDetector {
		t.Skip("a simulation on one goroutine: nothing to see for the race detector")
	}
}

// queue is a simulated server: one that takes requests one after the other.
type queue struct {
	rng     *rand.Rand
	service func(*rand.Rand) float64 // s
	// fatigue is by how much service takes longer after an overload; 1 is not at all.
	fatigue float64
	// hiccup is the chance that a probe is disturbed: for a tenth of it nothing is served.
	hiccup float64
	level  float64 // ns: of the probe, half of whose response times were above it
}

// exponential makes an M/M/1 queue, whose response times are exponential with mean 1/(capacity-rate).
func exponential(capacity float64) func(*rand.Rand) float64 {
	return func(r *rand.Rand) float64 { return r.ExpFloat64() / capacity }
}

// constant makes an M/D/1 queue.
func constant(capacity float64) func(*rand.Rand) float64 {
	return func(*rand.Rand) float64 { return 1 / capacity }
}

// probe lasts seconds, in as many batches, after a lead-in of a tenth of that.
func (q *queue) probe(b Bound, rate, seconds float64, batches int, slow float64) []Batch {
	out := make([]Batch, batches)
	var all []float64
	defer func() {
		if q.level == 0 {
			sorted := slices.Sorted(slices.Values(all))
			q.level = sorted[len(sorted)/2]
		}
		for i, ns := 0, 0; i < batches; i++ {
			for range out[i].N {
				if all[ns] > q.level {
					out[i].High++
				}
				ns++
			}
		}
	}()
	lead := seconds / 10
	var free float64
	if q.rng.Float64() < q.hiccup {
		free = lead + seconds/10
	}
	for t := 0.0; ; {
		t += q.rng.ExpFloat64() / rate
		i := int(math.Floor((t - lead) / seconds * float64(batches)))
		if i >= batches {
			return out
		}
		free = max(free, t) + slow*q.service(q.rng)
		if i < 0 || t < lead {
			continue
		}
		x, ns := &out[i], (free-t)*1e9
		all = append(all, ns)
		x.N++
		x.Mean += (ns - x.Mean) / float64(x.N)
		x.Max = max(x.Max, int64(ns))
		if int64(ns) > b.Limit {
			x.Over++
		}
	}
}

// search runs a whole search, with probes of n response times and, while they show nothing, up to eight times that, but no
// longer than limit, unless it is 0.
func (q *queue) search(b Bound, n, first float64, limit time.Duration) Result {
	least := 0.0
	if limit > 0 {
		least = b.Least(Plan{Most: limit, Share: 1})
	}
	s := NewSearch(first, least, 0)
	for step, ok := s.Next(); ok; step, ok = s.Next() {
		slow := 1.0
		if step.Approach == Above {
			slow = max(1, q.fatigue)
		}
		rate := Rate(step.Place)
		q.level = 0
		p := Plan{First: time.Duration(n / rate * 1e9), Most: limit, Share: 1}
		if limit == 0 {
			p.Most = 8 * p.First
		}
		lengths := b.Lengths(p, rate)
		o, _ := b.Sequential(lengths, func(_ int, length time.Duration) ([]Batch, error) {
			return q.probe(b, rate, length.Seconds(), int(length/(lengths[0]/Batches)), slow), nil
		})
		s.Report(step, o)
	}
	return s.Result()
}

var p99 = Bound{Quantile: 0.99, Limit: 1e6}

// kneeOf is the rate at which an M/M/1 queue's p99 is 1 ms.
func kneeOf(capacity float64) float64 { return capacity - math.Log(100)/1e-3 }

// TestSearchCoversTheKnee: of many searches the intervals of about 95 in a hundred must hold the true knee, and be of use.
func TestSearchCoversTheKnee(t *testing.T) {
	simulation(t)
	const searches = 80
	for _, c := range []struct {
		name     string
		capacity float64
		n        float64
		limit    time.Duration
		hiccup   float64
		least    float64 // coverage
		widest   float64 // median of Hi/Lo
	}{
		{"smooth", 20e3, 4e3, 0, 0, 0.95, 1.4},
		{"slow", 10e3, 4e3, 0, 0, 0.95, 1.5},
		{"disturbed", 20e3, 4e3, 0, 0.05, 0.93, 1.5},
		{"short of time", 10e3, 1e3, 1500 * time.Millisecond, 0, 0.95, 2},
	} {
		covered, steps, open := 0, 0, 0
		var widths []float64
		for seed := range uint64(searches) {
			q := queue{rng: rand.New(rand.NewPCG(seed, 1)), service: exponential(c.capacity), hiccup: c.hiccup}
			r := q.search(p99, c.n, 2e3, c.limit)
			// Where there is no time to show that the lowest rate meets the bound, an interval may be all that is below its upper end.
			if c.limit > 0 && r.Lo == 0 && r.Hi >= kneeOf(c.capacity) {
				open++
				continue
			}
			if !r.Over || r.Limited || r.Lo == 0 || r.Hi == 0 {
				t.Errorf("%s, seed %d: %+v", c.name, seed, r)
				continue
			}
			if k := kneeOf(c.capacity); r.Lo <= k && k <= r.Hi {
				covered++
			}
			widths = append(widths, r.Hi/r.Lo)
			steps += r.Steps
		}
		slices.Sort(widths)
		width := widths[len(widths)/2]
		t.Logf("%s: %d of %d cover, %d without a lower end; median Hi/Lo %.3f, 95 %% %.3f; %.1f steps", c.name, covered, searches, open, width,
			widths[len(widths)*95/100], float64(steps)/float64(len(widths)))
		// Three standard deviations of a binomial count.
		n := float64(searches - open)
		if slack := 3 * math.Sqrt(n*c.least*(1-c.least)); float64(covered) < c.least*n-slack || open > searches/8 {
			t.Errorf("%s: only %d of %d intervals hold the knee, and %d have no lower end", c.name, covered, searches-open, open)
		}
		if width > c.widest {
			t.Errorf("%s: half of the intervals are wider than %.2f", c.name, width)
		}
	}
}

// TestSearchOfQueuesWithConstantService: the same where the true knee is known by simulation only.
func TestSearchOfQueuesWithConstantService(t *testing.T) {
	simulation(t)
	const capacity, searches = 10e3, 60
	// The rate at which 1 % of 1,000,000 requests take more than 1 ms.
	q := queue{rng: rand.New(rand.NewPCG(1, 2)), service: constant(capacity)}
	truth := 0.0
	for lo, hi := 5e3, 10e3; hi-lo > 20; {
		mid := (lo + hi) / 2
		q.level = 1
		if x := q.probe(p99, mid, 1e6/mid, 1, 1)[0]; float64(x.Over) > 0.01*float64(x.N) {
			hi = mid
		} else {
			lo = mid
		}
		truth = (lo + hi) / 2
	}
	covered := 0
	for seed := range uint64(searches) {
		q := queue{rng: rand.New(rand.NewPCG(seed, 3)), service: constant(capacity)}
		if r := q.search(p99, 4e3, 1e3, 0); r.Lo <= truth && truth <= r.Hi {
			covered++
		}
	}
	t.Logf("knee %.0f/s: %d of %d cover", truth, covered, searches)
	if covered < searches*95/100-5 {
		t.Errorf("only %d of %d intervals hold the knee, %.0f/s", covered, searches, truth)
	}
}

// TestSearchFindsHysteresis: a server that an overload leaves slower has two knees, and the interval holds both.
func TestSearchFindsHysteresis(t *testing.T) {
	simulation(t)
	const searches = 40
	covered, found := 0, 0
	for seed := range uint64(searches) {
		q := queue{rng: rand.New(rand.NewPCG(seed, 4)), service: exponential(20e3), fatigue: 1.5}
		r := q.search(p99, 4e3, 2e3, 0)
		fresh, tired := kneeOf(20e3), kneeOf(20e3/1.5)
		if r.Lo <= tired && fresh <= r.Hi {
			covered++
		}
		if r.FromBelow > tired && r.FromAbove < fresh && r.FromAbove > 0 {
			found++
		}
	}
	if found < searches*9/10 || covered < searches*9/10-2 {
		t.Errorf("found in %d of %d searches, covered in %d", found, searches, covered)
	}
	for seed := range uint64(searches) {
		q := queue{rng: rand.New(rand.NewPCG(seed, 5)), service: exponential(20e3)}
		if r := q.search(p99, 4e3, 2e3, 0); r.FromAbove > 0 {
			t.Errorf("seed %d: found where there is none: %+v", seed, r)
		}
	}
}

// drive runs a search of a server that is known by a function, and returns the steps.
func drive(s *Search, of func(Step) Outcome) (steps []Step) {
	for step, ok := s.Next(); ok; step, ok = s.Next() {
		steps = append(steps, step)
		s.Report(step, of(step))
	}
	return steps
}

// below makes a server that meets the bound up to a rate, where another outcome begins.
func below(rate float64, then Outcome) func(Step) Outcome {
	return func(s Step) Outcome {
		if Rate(s.Place) <= rate {
			return Meets
		}
		return then
	}
}

func TestSearchOfIdealServers(t *testing.T) {
	for _, knee := range []float64{100, 1234, 9999, 10e3, 123456, 5e6} {
		for _, first := range []float64{100, 5e3, 1e6} {
			s := NewSearch(first, 0, 0)
			steps := drive(s, below(knee, Misses))
			r := s.Result()
			if knee < first/Floor {
				if r.Lo != 0 || r.Hi < knee || !r.Over {
					t.Errorf("knee %.0f, far below %.0f: %+v", knee, first, r)
				}
			} else if !r.Over || r.Lo > knee || r.Hi <= knee || r.Hi > 1.06*r.Lo && knee > MinRate || len(steps) > 24 {
				t.Errorf("knee %.0f from %.0f: %+v after %d steps", knee, first, r, len(steps))
			}
		}
	}
}

func TestSearchEnds(t *testing.T) {
	check := func(name string, s *Search, of func(Step) Outcome, want Result) {
		t.Helper()
		drive(s, of)
		got := s.Result()
		want.Steps = got.Steps
		if got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	check("nothing meets", NewSearch(5e3, 0, 0), below(0, Misses), Result{Hi: Rate(Place(Rate(Place(5e3)) / Floor)), Bottom: Misses, Over: true})
	check("all meet up to the highest rate", NewSearch(5e3, 0, 50e3), below(1e9, Misses), Result{Lo: Rate(Place(50e3)), Bottom: Meets, Over: true})
	limited := NewSearch(5e3, 0, 0)
	check("the client is the limit", limited, below(30e3, Limited), Result{Lo: Rate(Place(30e3)), Limited: true, Bottom: Meets, Over: true})
	check("nothing is decided", NewSearch(5e3, 0, 20e3), func(Step) Outcome { return Undecided }, Result{Over: true})
	check("late even at the lowest rate", NewSearch(5e3, 0, 0), below(0, Limited), Result{Limited: true, Bottom: Limited, Over: true})
	check("nothing at the lowest rate, late above", NewSearch(5e3, 0, 0), func(s Step) Outcome {
		if Rate(s.Place) > 1e3 {
			return Limited
		}
		return Undecided
	}, Result{Limited: true, Over: true})
	check("one that begins with the lowest", NewSearch(5e3, 6e3, 0), func(s Step) Outcome {
		if s.Place == Place(6e3)+1 {
			return Undecided
		}
		return below(30e3, Misses)(s)
	}, Result{Lo: Rate(Place(30e3)), Hi: Rate(Place(30e3) + 1), Over: true})
	// A miss by chance, far below the knee, is asked about again and costs nothing.
	first := true
	check("a miss by chance", NewSearch(5e3, 0, 0), func(s Step) Outcome {
		if Rate(s.Place) < 30e3 && Rate(s.Place) > 15e3 && first {
			first = false
			return Misses
		}
		return below(100e3, Misses)(s)
	}, Result{Lo: Rate(Place(100e3)), Hi: Rate(Place(100e3) + 1), Bottom: Meets, Over: true})
	s := NewSearch(5e3, 0, 0)
	if s.Result().Over {
		t.Error("over before it began")
	}
}

// TestSearchOfNoise: whatever the probes show, a search ends, never asks the same twice and returns an interval.
func TestSearchOfNoise(t *testing.T) {
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 6))
		s := NewSearch(math.Exp2(rng.Float64()*20), 0, float64(rng.IntN(2))*rng.Float64()*1e6)
		asked := map[Step]bool{}
		drive(s, func(step Step) Outcome {
			if asked[step] {
				t.Fatalf("seed %d: %v is asked again", seed, step)
			}
			if step.Approach == Above && s.Beyond() < Rate(step.Place) {
				t.Fatalf("seed %d: %v is above what it comes from", seed, step)
			}
			asked[step] = true
			return Outcome(rng.IntN(4))
		})
		if r := s.Result(); r.Hi > 0 && r.Lo >= r.Hi {
			t.Errorf("seed %d: %+v", seed, r)
		}
	}
}

// TestLengths: whole batches, no more than the time that there is, and at the lowest rate as many response times as are needed twice
// over.
func TestLengths(t *testing.T) {
	for _, b := range []Bound{{Quantile: 0.5}, {Quantile: 0.99}, {Quantile: 0.9999}, {Stat: Mean}, {Stat: Max}} {
		for _, p := range []Plan{
			{250 * time.Millisecond, 4 * time.Second, 1}, {time.Second, time.Second, 1}, {20 * time.Millisecond, time.Minute, 0.1},
		} {
			for rate := max(MinRate, b.Least(p)); rate < 1e7; rate *= 1.1 {
				looks := b.Lengths(p, rate)
				total := time.Duration(0)
				for _, x := range looks {
					total += x
					if x <= 0 || x%(looks[0]/Batches) != 0 {
						t.Fatalf("%+v, %+v, %.0f/s: %v", b, p, rate, looks)
					}
				}
				n := rate * p.Share * looks[0].Seconds()
				if len(looks) == 0 || len(looks) > Looks || total > p.Most || b.Stat == "" && n*(1-b.Quantile) < 2*needed-0.01 {
					t.Fatalf("%+v, %+v, %.0f/s: %v, %.0f at first", b, p, rate, looks, n)
				}
			}
		}
	}
	p := Plan{250 * time.Millisecond, 4 * time.Second, 1}
	if got := p99.Lengths(p, 10e3); !slices.Equal(got, []time.Duration{p.First, p.First, 2 * p.First, 4 * p.First}) {
		t.Errorf("%v where there is time", got)
	}
	if got := p99.Least(p); math.Abs(got-1000) > 1e-6 {
		t.Errorf("p99 in 4 s: from %v/s on", got)
	}
}

func TestLattice(t *testing.T) {
	for at := Place(MinRate); Rate(at) < 1e8; at++ {
		if Place(Rate(at)) != at || Rate(at+1) <= Rate(at) {
			t.Fatalf("place %d: rate %v is of place %d, the next is %v", at, Rate(at), Place(Rate(at)), Rate(at+1))
		}
	}
}

func TestDecide(t *testing.T) {
	check := func(name string, b Bound, want Outcome, batches ...Batch) {
		t.Helper()
		if got := b.Decide(batches); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	flat := func(over uint64) []Batch {
		return slices.Repeat([]Batch{{N: 1000, Over: over, High: 500, Mean: 1000, Max: 2e6}}, 10)
	}
	check("5 of 1000", p99, Meets, flat(5)...)
	check("10 of 1000", p99, Undecided, flat(10)...)
	check("15 of 1000", p99, Misses, flat(15)...)
	check("too few batches", p99, Undecided, flat(0)[:3]...)
	check("too few of them", p99, Undecided, slices.Repeat([]Batch{{N: 50}}, 10)...)
	bursts := flat(0)
	bursts[3].Over = 60 // 60 of 10,000, but all in one batch
	check("one burst", p99, Undecided, bursts...)
	check("mean", Bound{Stat: Mean, Limit: 1001}, Meets, flat(0)...)
	check("mean", Bound{Stat: Mean, Limit: 999}, Misses, flat(0)...)
	check("max", Bound{Stat: Max, Limit: 2e6}, Meets, flat(0)...)
	check("max", Bound{Stat: Max, Limit: 2e6 - 1}, Misses, flat(0)...)
	check("nothing", Bound{Stat: Max, Limit: 1}, Undecided)
}
