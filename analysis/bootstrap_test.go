package analysis

import (
	"math"
	"math/rand/v2"
	"testing"
)

// blockNoise is distributions of the noise of a block's value around its truth, as an arm's throughput has it.
var blockNoise = []struct {
	name string
	draw func(*rand.Rand) float64 // relative to 1
}{
	{"normal", func(r *rand.Rand) float64 { return 1 + 0.03*r.NormFloat64() }},
	{"t3", func(r *rand.Rand) float64 { return math.Exp(0.03 * t3(r)) }},
	{"lognormal", func(r *rand.Rand) float64 { return math.Exp(0.3 * r.NormFloat64()) }},
}

func t3(r *rand.Rand) float64 {
	chi := 0.0
	for range 3 {
		z := r.NormFloat64()
		chi += z * z
	}
	return r.NormFloat64() / math.Sqrt(chi/3)
}

const (
	simulations  = 600 // the seeds are fixed; with 1500 no figure moved by more than 0.02
	fewResamples = 499 // an interval from 499 differs from one from 4999 by noise only
	wantCoverage = 0.93
)

// coverage is the share of simulated intervals that contain the truth.
func coverage(t *testing.T, interval func() Interval, truth float64) float64 {
	if raceDetector {
		t.Skip("a simulation on one goroutine: nothing to see for the race detector")
	}
	hit := 0
	for range simulations {
		if interval().Contains(truth) {
			hit++
		}
	}
	return float64(hit) / simulations
}

// TestPairedCoverage: two arms that truly differ by 4 %, each block with noise of its own in both and drift that they
// share. The log-ratio of two equal distributions is symmetric, so the truth is log 1.04.
func TestPairedCoverage(t *testing.T) {
	for _, noise := range blockNoise {
		for _, n := range []int{6, 10, 24} {
			rng := rand.New(rand.NewPCG(21, uint64(n)))
			x := make([]float64, n)
			got := coverage(t, func() Interval {
				for i := range x {
					drift := 1 + rng.Float64()
					l, _ := logRatio(1.04*drift*noise.draw(rng), drift*noise.draw(rng))
					x[i] = l
				}
				return meanInterval(x, fewResamples)
			}, math.Log(1.04))
			t.Logf("%-9s n=%2d: %.3f", noise.name, n, got)
			if got < wantCoverage || got > 0.995 {
				t.Errorf("%s, n=%d: covers %.3f, want 0.95", noise.name, n, got)
			}
		}
	}
}

// TestMeanIntervalCoverage: log-ratios that follow the distribution themselves. Skewed ones do not occur where both
// arms have the same noise; they are the hard case, and Student alone covers 0.81 there at n = 6.
func TestMeanIntervalCoverage(t *testing.T) {
	cases := []struct {
		name string
		draw func(*rand.Rand) float64
		want float64
	}{
		{"normal", func(r *rand.Rand) float64 { return r.NormFloat64() }, wantCoverage},
		{"t3", t3, wantCoverage},
		{"lognormal 0.5", func(r *rand.Rand) float64 { return math.Exp(0.5*r.NormFloat64()) - math.Exp(0.125) },
			wantCoverage},
		{"lognormal 1", func(r *rand.Rand) float64 { return math.Exp(r.NormFloat64()) - math.Exp(0.5) }, 0.86},
	}
	for _, c := range cases {
		for _, n := range []int{6, 10, 24} {
			rng := rand.New(rand.NewPCG(31, uint64(n)))
			x := make([]float64, n)
			got := coverage(t, func() Interval {
				for i := range x {
					x[i] = c.draw(rng)
				}
				return meanInterval(x, fewResamples)
			}, 0)
			t.Logf("%-13s n=%2d: %.3f", c.name, n, got)
			if got < c.want || got > 0.995 {
				t.Errorf("%s, n=%d: covers %.3f, want 0.95 and at least %.2f", c.name, n, got, c.want)
			}
		}
	}
}

func TestUnpairedCoverage(t *testing.T) {
	for _, noise := range blockNoise {
		for _, n := range [][2]int{{6, 6}, {6, 24}, {10, 10}} {
			rng := rand.New(rand.NewPCG(41, uint64(n[1])))
			x, y := make([]float64, n[0]), make([]float64, n[1])
			got := coverage(t, func() Interval {
				for i := range x {
					x[i], _ = logRatio(noise.draw(rng), 1)
				}
				for i := range y {
					y[i], _ = logRatio(1.04*noise.draw(rng), 1)
				}
				return differenceInterval(y, x, fewResamples, false)
			}, math.Log(1.04))
			t.Logf("%-9s n=%v: %.3f", noise.name, n, got)
			if got < wantCoverage || got > 0.997 {
				t.Errorf("%s, n=%v: covers %.3f, want 0.95", noise.name, n, got)
			}
		}
	}
}

func TestIntervalsAreDeterministic(t *testing.T) {
	x := []float64{0.1, 0.12, 0.09, 0.2, 0.11, 0.13}
	first := meanInterval(x, resamples)
	for range 3 {
		if got := meanInterval(x, resamples); got != first {
			t.Fatalf("%v, then %v", first, got)
		}
	}
}

// TestTies: quantiles that a histogram has rounded give log-ratios that are nearly all the same.
func TestTies(t *testing.T) {
	if got := meanInterval([]float64{2, 2, 2, 2, 2, 2}, resamples); got != (Interval{2, 2}) {
		t.Errorf("equal values have the interval %v", got)
	}
	got := meanInterval([]float64{0, 0, 0, 0, 0, 0.01}, resamples)
	if math.IsNaN(got.Lo) || math.IsInf(got.Lo, 0) || math.IsInf(got.Hi, 0) || !got.Contains(0.01/6) {
		t.Errorf("one value that differs gives %v", got)
	}
}
