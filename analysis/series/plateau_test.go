package series

import (
	"math"
	"math/rand/v2"
	"testing"
)

// noise is a stationary series of standard deviation 1.
type noise func(rng *rand.Rand) func() float64

func white(rng *rand.Rand) func() float64 { return rng.NormFloat64 }

func heavy(rng *rand.Rand) func() float64 { // Student's t of 3 degrees of freedom, scaled
	return func() float64 {
		s := 0.0
		for range 3 {
			z := rng.NormFloat64()
			s += z * z
		}
		return rng.NormFloat64() / math.Sqrt(s/3) / math.Sqrt(3)
	}
}

func ar1(rho float64) noise {
	return func(rng *rand.Rand) func() float64 {
		x := rng.NormFloat64()
		return func() float64 {
			x = rho*x + math.Sqrt(1-rho*rho)*rng.NormFloat64()
			return x
		}
	}
}

func bimodal(rng *rand.Rand) func() float64 {
	return func() float64 { return math.Copysign(0.95, rng.Float64()-0.5) + 0.3*rng.NormFloat64() }
}

// warmUp feeds three metrics with the level at each window, and noise of deviation sd, until there is a plateau. It returns after how
// many windows that was, or 0 for none by most.
func warmUp(rng *rand.Rand, most int, sd float64, kind noise, level func(i int) float64) int {
	var x [3][]float64
	draw := [3]func() float64{kind(rng), kind(rng), kind(rng)}
	for i := range most {
		for m := range x {
			x[m] = append(x[m], level(i)+sd*draw[m]())
		}
		if Look(i + 1) {
			if ok, _, _ := Plateau(x[:]...); ok {
				return i + 1
			}
		}
	}
	return 0
}

// TestPlateauRates: how often steady noise is refused by the maximum (false alarms), and how often a plateau is seen where the level is
// still to change by more than tolerated (misses).
func TestPlateauRates(t *testing.T) {
	const most, sd = 150, 0.03
	runs := 200
	if testing.Short() {
		runs = 50
	}
	flat := func(int) float64 { return 0 }
	for _, c := range []struct {
		name  string
		kind  noise
		alarm float64 // refused to the end
		early float64 // seen by 28 windows, at least
	}{
		{"white", white, 0, 0.98}, {"heavy tails", heavy, 0, 0.98}, {"bimodal", bimodal, 0, 0.98},
		{"AR(1) 0.3", ar1(0.3), 0.005, 0.90}, {"AR(1) 0.6", ar1(0.6), 0.05, 0.50},
	} {
		rng := rand.New(rand.NewPCG(1, 2))
		refused, early := 0, 0
		for range runs {
			switch n := warmUp(rng, most, sd, c.kind, flat); {
			case n == 0:
				refused++
			case n <= 32:
				early++
			}
		}
		t.Logf("%s: %d of %d refused, %d early", c.name, refused, runs, early)
		if float64(refused) > c.alarm*float64(runs) || float64(early) < c.early*float64(runs) {
			t.Errorf("%s: %d of %d refused, %d seen early", c.name, refused, runs, early)
		}
	}
	for _, c := range []struct {
		name  string
		level func(i int) float64
		left  float64 // of the level that may be to come
		miss  float64
	}{
		{"step at 8", func(i int) float64 { return step(i, 8, 0.15) }, 0.05, 0.01},
		{"two steps", func(i int) float64 { return step(i, 6, 0.3) - step(i, 15, 0.1) }, 0.05, 0.01},
		{"ramp to 40", func(i int) float64 { return 0.4 * min(1, float64(i)/40) }, 0.05, 0.02},
		{"slow ramp to 80", func(i int) float64 { return 0.4 * min(1, float64(i)/80) }, 0.05, 0.06},
		{"exponential, 6", func(i int) float64 { return -0.5 * math.Exp(-float64(i)/6) }, 0.05, 0.01},
		{"exponential, 20", func(i int) float64 { return -0.5 * math.Exp(-float64(i)/20) }, 0.05, 0.02},
		{"exponential, 40", func(i int) float64 { return -0.5 * math.Exp(-float64(i)/40) }, 0.05, 0.02},
	} {
		rng := rand.New(rand.NewPCG(3, 4))
		missed, never := 0, 0
		for range runs {
			n := warmUp(rng, most, sd, white, c.level)
			if n == 0 {
				never++
			} else if math.Abs(c.level(most)-c.level(n)) > c.left {
				missed++
			}
		}
		t.Logf("%s: %d of %d missed, %d never", c.name, missed, runs, never)
		if float64(missed) > c.miss*float64(runs) {
			t.Errorf("%s: %d of %d plateaus seen too early", c.name, missed, runs)
		}
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for range runs { // never settles
		if n := warmUp(rng, most, sd, white, func(i int) float64 { return 0.02 * float64(i) }); n != 0 {
			t.Fatalf("a plateau after %d windows of a climb without end", n)
		}
	}
}

func step(i, at int, height float64) float64 {
	if i < at {
		return 0
	}
	return height
}

// TestChangePoint: shuffled or not, ties or none, the level of the test is at most the nominal one, and a step is found where it is.
func TestChangePoint(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	const runs = 1000
	for _, n := range []int{8, 20, 37} {
		for name, draw := range map[string]func() float64{"white": rng.NormFloat64, "ties": func() float64 { return math.Round(rng.NormFloat64()) }} {
			x, hits := make([]float64, n), 0
			for range runs {
				for i := range x {
					x[i] = draw()
				}
				if ChangePoint(x).P <= 0.05 {
					hits++
				}
			}
			if hits > 72 { // the 99.9 % quantile of a binomial of 1000 and 5 %
				t.Errorf("%s, %d values: %d of %d are called a change at 5 %%", name, n, hits, runs)
			}
		}
	}
	x := make([]float64, 20)
	for i := range x {
		x[i] = step(i, 13, 1) + 0.1*rng.NormFloat64()
	}
	if c := ChangePoint(x); c.At != 13 || c.P > 0.01 || math.Abs(c.Shift-1) > 0.15 {
		t.Errorf("a step of 1 at 13 is found as %+v", c)
	}
	for _, x := range [][]float64{nil, {1, 2}, {3, 3, 3, 3, 3, 3, 3}, {1, 2, math.NaN(), 4, 5, 6}, {1, 2, math.Inf(1), 4, 5, 6}} {
		if c := ChangePoint(x); c != (Change{P: 1}) {
			t.Errorf("%v has a change: %+v", x, c)
		}
	}
}
