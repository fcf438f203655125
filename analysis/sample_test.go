package analysis

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestMedian(t *testing.T) {
	check := func(want float64, values ...float64) {
		t.Helper()
		if got := NewSample(values).Median(); got != want {
			t.Errorf("median of %v is %v, want %v", values, got, want)
		}
	}
	check(0)
	check(3, 3)
	check(2.5, 3, 2)
	check(2, 9, 1, 2)
	check(2, 9, math.NaN(), 1, math.Inf(1), 2)
	check(math.MaxFloat64, math.MaxFloat64, math.MaxFloat64)
}

// TestMedianRank has coverages as exact fractions: 1 - 2 (C(n,0) + ... + C(n,k-1)) / 2^n.
func TestMedianRank(t *testing.T) {
	check := func(n, want int, coverage float64) {
		t.Helper()
		k, got := medianRank(n)
		if k != want || math.Abs(got-coverage) > 1e-9 {
			t.Errorf("n=%d: rank %d covering %v, want %d covering %v", n, k, got, want, coverage)
		}
	}
	check(0, 0, 0)
	check(5, 0, 0) // minimum to maximum covers 0.9375
	check(6, 1, 1-2*1/64.)
	check(8, 1, 1-2*1/256.)
	check(9, 2, 1-2*10/512.)
	check(10, 2, 1-2*11/1024.)
	check(24, 7, 1-2*190051/16777216.)
}

func TestMedianIntervalCoverage(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for _, n := range []int{6, 10, 24} {
		hit, coverage := 0, 0.0
		const runs = 4000
		for range runs {
			x := make([]float64, n)
			for i := range x {
				x[i] = rng.ExpFloat64() // its median is ln 2
			}
			i, c, ok := NewSample(x).MedianInterval()
			if !ok {
				t.Fatalf("no interval of %d values", n)
			}
			coverage = c
			if i.Contains(math.Ln2) {
				hit++
			}
		}
		got := float64(hit) / runs
		if math.Abs(got-coverage) > 4*math.Sqrt(coverage*(1-coverage)/runs) {
			t.Errorf("n=%d: covered %.4f, claimed %.4f", n, got, coverage)
		}
	}
}

func TestSummaryOfFewBlocksHasNoInterval(t *testing.T) {
	e := NewSample([]float64{1, 2, 3}).Summarize()
	if e.Interval != nil || e.Value != 2 || e.N != 3 {
		t.Errorf("got %+v", e)
	}
	if len(e.Warnings) != 1 || e.Warnings[0].Error() != "need >= 6 blocks for a 95% interval, have 3" {
		t.Errorf("warnings %q", e.Warnings)
	}
	if e := NewSample([]float64{1, 2, 3, 4, 5, 6}).Summarize(); e.Interval == nil || *e.Interval != (Interval{1, 6}) ||
		len(e.Warnings) != 0 {
		t.Errorf("six blocks: %+v", e)
	}
}
