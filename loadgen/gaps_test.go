package loadgen

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestGapBins(t *testing.T) {
	last := 0
	for _, v := range []int64{0, 1, 31, 32, 63, 64, 65, 66, 127, 128, 1000, 1e6, 1e9, 6e10, math.MaxInt64} {
		bin := gapBin(v)
		if bin < last || bin >= gapBins {
			t.Errorf("%d is in bin %d, after %d of %d", v, bin, last, gapBins)
		}
		if mid := gapOf(bin); math.Abs(mid-float64(v)) > float64(v)/64+0.5 {
			t.Errorf("%d is in a bin around %g", v, mid)
		}
		if wide := v + v/32 + 1; v < math.MaxInt64/2 && gapBin(wide) == bin {
			t.Errorf("%d and %d are in one bin", v, wide)
		}
		last = bin
	}
	for v := int64(0); v < 1<<16; v++ {
		if step := gapBin(v+1) - gapBin(v); step != 0 && step != 1 {
			t.Fatalf("from %d to the next it is %d bins", v, step)
		}
	}
	if gapBin(-5) != 0 {
		t.Error("a negative gap is in no bin")
	}
}

// paced records arrivals of a law, each sent when a client would that is asked at at.
func paced(law Arrival, client func(due int64) int64) Pacing {
	r := recorder{due: new(gaps), left: new(gaps)}
	a := newArrivals(6, Load{Mode: Open, Rate: 5000, Arrival: law})
	var p pacer
	p.restart()
	for range 20_000 {
		due := a.next()
		p.fell(due, r.due)
		p.left(client(due), r.left)
	}
	return r.pacing()
}

// TestClumpsAreSeen: a client that sends what is due at every tick of 20 ms, as some do, or one that is late by chance.
func TestClumpsAreSeen(t *testing.T) {
	bursts := Arrival{Law: Bursts, On: 10 * time.Millisecond, Off: 40 * time.Millisecond, Share: 0.9}
	for name, c := range map[string]struct {
		law           Arrival
		client        func(int64) int64
		least, most   float64 // of Sent - Due
		near, farther float64 // of Distance
	}{
		"on time":         {Arrival{}, func(due int64) int64 { return due }, 0, 0, 0, 0},
		"always 1 s late": {Arrival{}, func(due int64) int64 { return due + 1e9 }, 0, 0, 0, 0},
		"ticks":           {Arrival{}, func(due int64) int64 { return (due/20e6 + 1) * 20e6 }, 50, 500, 0.9, 1},
		"ticks for even":  {Arrival{Law: Evenly}, func(due int64) int64 { return (due/20e6 + 1) * 20e6 }, 50, 500, 0.9, 1},
		"bursts":          {bursts, func(due int64) int64 { return due }, 0, 0, 0, 0},
		"stalls of 20 ms": {Arrival{}, func(due int64) int64 {
			if from := due / 1e9 * 1e9; due < from+20e6 {
				return from + 20e6 // what falls due in the first 20 ms of a second
			}
			return due
		}, -0.02, 0.05, 0, 0.03},
		"steps of 10 µs": {Arrival{}, func(due int64) int64 { return (due/10e3 + 1) * 10e3 }, -0.01, 0.01, 0.02, 0.1},
	} {
		p := paced(c.law, c.client)
		if d := p.Sent - p.Due; d < c.least || d > c.most || p.Distance < c.near || p.Distance > c.farther || p.Gaps != 19_999 {
			t.Errorf("%s: %+v, want %g to %g more, and a distance of %g to %g", name, p, c.least, c.most, c.near, c.farther)
		}
	}
	if p := paced(Arrival{}, func(due int64) int64 { return due }); math.Abs(p.Due-0.966) > 0.04 {
		t.Errorf("of Poisson arrivals the squared coefficient of variation is %.3f, want 0.966", p.Due)
	}
	if p := paced(Arrival{Law: Evenly}, func(due int64) int64 { return due }); p.Due > 1e-9 {
		t.Errorf("of even ones it is %g, want 0", p.Due)
	}
}

// TestGapsMerge: what workers have recorded apart is, put together, as if one had.
func TestGapsMerge(t *testing.T) {
	var a, b, all gaps
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		v := random.Int64N(1e6)
		all.add(v)
		[]*gaps{&a, &b}[random.IntN(2)].add(v)
	}
	a.merge(&b)
	if a.counts != all.counts || a.n != all.n || math.Abs(a.variation()-all.variation()) > 1e-9 || a.distance(&all) != 0 {
		t.Errorf("%d gaps, variation %g; want %d, %g", a.n, a.variation(), all.n, all.variation())
	}
	if (&gaps{}).variation() != 0 || all.distance(&gaps{}) != 0 {
		t.Error("no gaps have a variation, or a distance")
	}
}

func TestRunRecordsItsPacing(t *testing.T) {
	server := newMapServer(t, nil)
	for law, want := range map[ArrivalLaw]float64{Poisson: 1, Evenly: 0} {
		load := Load{Mode: Open, Connections: 5, Rate: 5000, Arrival: Arrival{Law: law}, Drain: 20 * time.Second}
		s := connect(t, newTestPool(t, 1), Target{Addr: server.addr}, testWorkload, load)
		for range 2 {
			r := run(t, s, Window{Lead: 5 * time.Millisecond, Measure: 200 * time.Millisecond})
			p := r.Pacing
			if math.Abs(p.Due-want) > 0.25 || p.Gaps+1 != r.Intended || p.Sent == 0 {
				t.Errorf("%v: %+v of %d arrivals, want about %g where they are due", law, p, r.Intended, want)
			}
		}
	}
	s := connect(t, newTestPool(t, 1), Target{Addr: server.addr}, testWorkload, Load{Connections: 1, Pipeline: 1})
	if r := run(t, s, Window{Measure: time.Millisecond}); r.Pacing != (Pacing{}) {
		t.Errorf("a closed loop has a pacing: %+v", r.Pacing)
	}
}
