package series

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestTrendLevel: how often a series without a trend is said to have one, at 1 % and at 5 %, is no more than that, also where
// it has a memory; and a trend of three standard deviations over twenty values is found.
func TestTrendLevel(t *testing.T) {
	runs := 2000
	if testing.Short() {
		runs = 500
	}
	for _, c := range []struct {
		name string
		kind noise
		n    int
		most float64 // of 1 %; by chance more than 1.7 % of 2000 are one in 500
	}{
		{"white", white, 8, 0.017}, {"white", white, 20, 0.017}, {"white", white, 60, 0.017},
		{"heavy", heavy, 20, 0.017}, {"bimodal", bimodal, 20, 0.017},
		{"AR(1) 0.3", ar1(0.3), 10, 0.017}, {"AR(1) 0.3", ar1(0.3), 30, 0.017},
		{"AR(1) 0.6", ar1(0.6), 10, 0.025}, {"AR(1) 0.6", ar1(0.6), 30, 0.017}, {"AR(1) 0.6", ar1(0.6), 120, 0.017},
	} {
		rng := rand.New(rand.NewPCG(11, uint64(c.n)))
		hits := 0
		for range runs {
			x, draw := make([]float64, c.n), c.kind(rng)
			for i := range x {
				x[i] = draw()
			}
			if TrendOf(x).P < 0.01 {
				hits++
			}
		}
		t.Logf("%s, %d values: %d of %d", c.name, c.n, hits, runs)
		if float64(hits) > c.most*float64(runs) {
			t.Errorf("%s, %d values: %d of %d have a trend at 1 %%", c.name, c.n, hits, runs)
		}
	}
	rng := rand.New(rand.NewPCG(12, 1))
	found := 0
	for range runs {
		x := make([]float64, 20)
		for i := range x {
			x[i] = 3*float64(i)/19 + rng.NormFloat64()
		}
		if tr := TrendOf(x); tr.P < 0.01 && math.Abs(tr.Change-3) < 2.5 {
			found++
		}
	}
	t.Logf("found %d of %d", found, runs)
	if found < runs/2 {
		t.Errorf("only %d of %d trends are found", found, runs)
	}
}

// TestTrendReversed: time turned round turns the trend round, and changes nothing else.
func TestTrendReversed(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 1))
	for range 200 {
		x := make([]float64, MinTrend+rng.IntN(30))
		back := make([]float64, len(x))
		for i := range x {
			x[i] = rng.NormFloat64()
			back[len(x)-1-i] = x[i]
		}
		a, b := TrendOf(x), TrendOf(back)
		if math.Abs(a.Tau+b.Tau) > 1e-12 || math.Abs(a.Change+b.Change) > 1e-9 || math.Abs(a.P-b.P) > 0.02 {
			t.Fatalf("%v: %+v, reversed %+v", x, a, b)
		}
	}
	for _, x := range [][]float64{nil, {1, 2, 3}, make([]float64, 20), {1, 2, 3, 4, 5, 6, 7, math.NaN()}} {
		if tr, m := TrendOf(x), Lag1(x); tr.P != 1 || m.P != 1 {
			t.Errorf("%v: %+v, %+v", x, tr, m)
		}
	}
}

// TestLag1: its level on independent values, and its power on AR(1) of 0.5.
func TestLag1(t *testing.T) {
	const runs = 3000
	count := func(kind noise, n int) (hits int) {
		rng := rand.New(rand.NewPCG(14, uint64(n)))
		for range runs {
			x, draw := make([]float64, n), kind(rng)
			for i := range x {
				x[i] = draw()
			}
			if Lag1(x).P < 0.01 {
				hits++
			}
		}
		t.Logf("%d values: %d of %d", n, hits, runs)
		return hits
	}
	for _, n := range []int{8, 20, 60} {
		if hits := count(white, n); float64(hits) > 0.0155*runs {
			t.Errorf("%d of %d independent series of %d resemble themselves at 1 %%", hits, runs, n)
		}
	}
	if hits := count(ar1(0.5), 30); hits < runs/2 {
		t.Errorf("only %d of %d series with a memory of 0.5 are found", hits, runs)
	}
}
