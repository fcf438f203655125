package analysis

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/shardlab/shardlab/results"
)

var someN = []float64{1, 2, 4, 8, 16, 32, 64}

func curve(u USL, n []float64) []float64 {
	x := make([]float64, len(n))
	for i := range n {
		x[i] = u.At(n[i])
	}
	return x
}

// Whatever law made the data is found again, at its bounds too.
func TestFitFindsTheLaw(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 500 {
		want := USL{Gamma: 1e3 * math.Exp(6*rng.Float64()), Alpha: rng.Float64() * 0.9, Beta: math.Exp(-12 + 9*rng.Float64())}
		switch rng.IntN(4) {
		case 0:
			want.Alpha = 0
		case 1:
			want.Beta = 0
		case 2:
			want.Alpha, want.Beta = 0, 0
		}
		got, err := FitUSL(someN, curve(want, someN))
		if err != nil {
			t.Fatalf("%+v: %v", want, err)
		}
		if math.Abs(got.Gamma/want.Gamma-1) > 1e-6 || math.Abs(got.Alpha-want.Alpha) > 1e-6 || math.Abs(got.Beta-want.Beta) > 1e-6 {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

// With noise no parameter leaves its bounds, and no other law near by fits better.
func TestFitIsTheBestWithinBounds(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	loss := func(u USL, x []float64) (sum float64) {
		for i, n := range someN {
			d := 1 - x[i]/u.At(n)
			sum += d * d
		}
		return sum
	}
	for range 300 {
		x := curve(USL{Gamma: 5e4, Alpha: rng.Float64() * 0.3, Beta: rng.Float64() * 0.002}, someN)
		for i := range x {
			x[i] *= math.Exp(0.1 * rng.NormFloat64())
		}
		u, err := FitUSL(someN, x)
		if err != nil {
			t.Fatal(err)
		}
		if u.Gamma <= 0 || u.Alpha < 0 || u.Beta < 0 {
			t.Fatalf("out of bounds: %+v", u)
		}
		least := loss(u, x)
		for range 20 {
			v := USL{u.Gamma * math.Exp(0.05*rng.NormFloat64()), max(0, u.Alpha+0.01*rng.NormFloat64()), max(0, u.Beta+1e-4*rng.NormFloat64())}
			if loss(v, x) < least-1e-9 {
				t.Fatalf("%+v loses %g, the neighbour %+v %g", u, least, v, loss(v, x))
			}
		}
	}
}

// The scale of throughput and the order of the points change nothing but γ.
func TestFitScalesWithThroughput(t *testing.T) {
	x := curve(USL{Gamma: 1e4, Alpha: 0.1, Beta: 0.001}, someN)
	for i := range x {
		x[i] *= 1 + 0.03*math.Sin(float64(i))
	}
	a, _ := FitUSL(someN, x)
	n, y := slices.Clone(someN), slices.Clone(x)
	for i := range y {
		y[i] *= 7
	}
	slices.Reverse(n)
	slices.Reverse(y)
	b, _ := FitUSL(n, y)
	if math.Abs(b.Gamma/a.Gamma-7) > 1e-9 || math.Abs(a.Alpha-b.Alpha) > 1e-9 || math.Abs(a.Beta-b.Beta) > 1e-12 {
		t.Errorf("%+v and %+v", a, b)
	}
}

// Intervals cover the truth about as often as they promise, at the fewest blocks that give any.
func TestScalingIntervalsCover(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	truth := USL{Gamma: 5e4, Alpha: 0.12, Beta: 0.002}
	const gates = 120
	var alpha, beta, gamma int
	for range gates {
		logs := make([][]float64, MinBlocks)
		for b := range logs {
			common := 0.03 * rng.NormFloat64()
			for _, n := range someN {
				logs[b] = append(logs[b], math.Log(truth.At(n))+common+0.03*rng.NormFloat64())
			}
		}
		i, ok := intervalsUSL(someN, logs, MinBlocks)
		if !ok {
			t.Fatal("no interval")
		}
		if i.alpha.Contains(truth.Alpha) {
			alpha++
		}
		if i.beta.Contains(truth.Beta) {
			beta++
		}
		if i.gamma.Contains(truth.Gamma) {
			gamma++
		}
	}
	for name, hits := range map[string]int{"α": alpha, "β": beta, "γ": gamma} {
		share := float64(hits) / gates
		t.Logf("%s is covered in %.1f %%", name, 100*share)
		if share < 0.90 {
			t.Errorf("%s is covered in %.1f %% of %d, want 95", name, 100*share, gates)
		}
	}
}

// sweep makes a report of a sweep over connections whose truth is known.
func sweep(t *testing.T, u USL, n []float64, blocks int, noise float64) *Report {
	t.Helper()
	return sweepOf(t, u.At, n, blocks, noise)
}

// sweepOf is sweep with a throughput that need not be of the law.
func sweepOf(t *testing.T, at func(n float64) float64, n []float64, blocks int, noise float64) *Report {
	t.Helper()
	rng := rand.New(rand.NewPCG(4, 4))
	m := results.Manifest{Status: results.Complete, Arms: []results.Arm{{Name: "a", Kind: "topology"}}}
	var lines []results.Slice
	var trials []results.Trial
	for _, c := range n {
		label := "connections=" + FormatSI(c)
		m.Points = append(m.Points, results.Point{Label: label, Mode: "closed", Connections: int(c), Slices: 1, Keys: 1,
			Params: []results.Param{{Name: "connections", Value: Digits3(c)}}})
		for b := range blocks {
			const dur = 1e9
			x := at(c) * math.Exp(noise*rng.NormFloat64())
			lines = append(lines, results.Slice{Point: label, Arm: "a", Block: b, Dur: dur, Replies: uint64(x), Valid: true,
				ServerCPU: int64(x) * 5000, CtxVol: int64(x * c), MinorFaults: 3, ClientBusy: 0.5})
			trials = append(trials, results.Trial{Point: label, Arm: "a", Block: b, Keys: 1})
		}
	}
	r, err := New(m, lines, trials, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestScalingSaysWhatItCanCarry(t *testing.T) {
	peaked := USL{Gamma: 5e4, Alpha: 0.1, Beta: 0.004} // most at 15
	check := func(name string, r *Report, want ...string) {
		t.Helper()
		if len(r.Scaling) != 1 {
			t.Fatalf("%s: %d fits", name, len(r.Scaling))
		}
		text := r.Scaling[0].Text()
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %q is not in\n%s", name, w, text)
			}
		}
	}
	r := sweep(t, peaked, someN, 8, 0.01)
	check("all is there", r, "most at connections = 1", "voluntary switches/op went from 1.00 to 64.0", "one does ", "N is connections")
	if s := r.Scaling[0]; math.Abs(s.Peak-15) > 2 || s.Alpha == nil || !s.Beta.Contains(0.004) || s.Fit == nil {
		t.Errorf("%+v", s)
	}
	check("it still grows", sweep(t, USL{Gamma: 5e4, Alpha: 0.05}, someN, 8, 0.01), "none is extrapolated")
	check("it falls from the first on", sweep(t, USL{Gamma: 5e4, Alpha: 0.1, Beta: 0.1}, []float64{8, 12, 16, 24, 32, 64}, 8, 0.01), "none is extrapolated")
	check("few values", sweep(t, peaked, []float64{1, 4, 16, 64}, 8, 0.01), "no peak: it takes at least 6 values of connections, have 4")
	check("too few values", sweep(t, peaked, []float64{1, 8, 64}, 8, 0.01), "no fit: three parameters need at least 4 values")
	check("few blocks", sweep(t, peaked, someN, 3, 0.01), "need >= 6 usable blocks at every value of connections, have 3")
	// As much from 8 connections on as a server has that is busy then: the blocks agree on a peak, and the law is not what they agree on.
	flat := []float64{74.3e3, 113.8e3, 108.5e3, 108.4e3, 109.1e3, 103.3e3}
	n := []float64{4, 8, 16, 32, 64, 128}
	r = sweepOf(t, func(c float64) float64 { return flat[slices.Index(n, c)] }, n, 8, 0.01)
	check("only near the law", r, "no peak up to connections = 128 that the data are sure of", "misfit 7.")
	if s := r.Scaling[0]; s.Beta == nil || s.Beta.Lo > 0.0001 {
		t.Errorf("β is told apart from 0 by blocks alone: %+v", s.Beta)
	}
	check("another curve", sweep(t, USL{Gamma: 5e4, Alpha: 0.1, Beta: -0.0012}, someN, 8, 0.01), "no fit: the law misses")
}

func TestNoSweepNoScaling(t *testing.T) {
	if r := sweep(t, USL{Gamma: 1e4}, []float64{1, 8}, 6, 0.01); r.Scaling != nil {
		t.Errorf("two values gave %+v", r.Scaling)
	}
}

func TestRankCorrelation(t *testing.T) {
	check := func(x, y []float64, want float64) {
		t.Helper()
		if got := rankCorrelation(x, y); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v %v: %g, want %g", x, y, got, want)
		}
	}
	check([]float64{1, 2, 3, 4}, []float64{1, 10, 100, 1000}, 1)
	check([]float64{1, 2, 3, 4}, []float64{9, 5, 2, 1}, -1)
	check([]float64{1, 2, 3}, []float64{5, 5, 5}, 0)
	check([]float64{1, 2, 3, 4}, []float64{2, 1, 4, 3}, 0.6) // cor(1:4, c(2,1,4,3), method="spearman")
}

func TestParseSI(t *testing.T) {
	for text, want := range map[string]float64{"50": 50, "1.5k": 1500, "2M": 2e6, "1G": 1e9} {
		if got, ok := ParseSI(text); !ok || got != want {
			t.Errorf("%s: %g %v", text, got, ok)
		}
	}
	if _, ok := ParseSI("lognormal(3, 1)"); ok {
		t.Error("a law is no count")
	}
}

// A block that is void at one value of N still counts at the others.
func TestScalingBearsVoidBlocks(t *testing.T) {
	whole := sweep(t, USL{Gamma: 5e4, Alpha: 0.1, Beta: 0.004}, someN, 8, 0.01)
	s := whole.Scaling[0]
	for i := range s.Points {
		c := s.Points[i].row.Cells[Throughput]
		c.Blocks = slices.Delete(slices.Clone(c.Blocks), i, i+1) // another block at each N
		s.Points[i].row.Cells[Throughput] = c
	}
	got := scalings(whole)[0]
	if got.Fit == nil || got.Beta == nil || !got.Beta.Contains(0.004) || math.Abs(got.Peak-15) > 2 {
		t.Errorf("%s", got.Text())
	}
}
