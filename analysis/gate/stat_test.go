package gate

import (
	"math"
	"math/rand/v2"
	"testing"
)

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

// Expected values are R's: t.test(x, alternative = "greater")$p.value, t.test(x, conf.level = 0.99)$conf.int,
// with(pairwise Walsh averages, median(...)).
func TestSample(t *testing.T) {
	s := newSample([]float64{0.02, 0.05, -0.01, 0.04, 0.03, 0.06})
	if !near(s.mean, 0.0316666667, 1e-9) || !near(s.sd, 0.0248327740, 1e-9) {
		t.Errorf("mean %.10f, sd %.10f", s.mean, s.sd)
	}
	// t = 3.1236 on 5 degrees of freedom
	if !near(s.pAbove(), 0.0130713, 1e-4) || !near(s.half(0.005), 4.0321430*0.0101379, 1e-6) {
		t.Errorf("p %.7f, half %.7f", s.pAbove(), s.half(0.005))
	}
	if got := hodgesLehmann([]float64{1, 2, 10}); got != 3.75 { // Walsh averages 1 1.5 2 5.5 6 10
		t.Error(got)
	}
	same := newSample([]float64{0.1, 0.1, 0.1, 0.1})
	if same.sd != 0 || same.pAbove() != 0 || same.negated().pAbove() != 1 {
		t.Errorf("%+v", same)
	}
	if one := newSample([]float64{1}); one.pAbove() != 1 || !math.IsInf(one.half(0.1), 1) {
		t.Error("one value says nothing")
	}
}

// The test that meets in the middle gives what trying all signs gives.
func TestSignFlipAgainstAllSigns(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for n := 1; n <= 12; n++ {
		for range 20 {
			x := make([]float64, n)
			total := 0.0
			for i := range x {
				x[i] = math.Round(10*(rng.NormFloat64()+0.5)) / 10 // with ties
				total += x[i]
			}
			count := 0
			for signs := range 1 << n {
				sum := 0.0
				for i, v := range x {
					if signs>>i&1 == 1 {
						v = -v
					}
					sum += v
				}
				if sum >= total-1e-9 {
					count++
				}
			}
			if got, want := signFlip(x), float64(count)/math.Exp2(float64(n)); got != want {
				t.Fatalf("%v: %g, want %g", x, got, want)
			}
		}
	}
	if p := signFlip([]float64{1, 2, 3, 4, 5, 6}); p != 1.0/64 {
		t.Error(p)
	}
}

// With as many blocks as are said to be needed a sample of that spread is decided, and with fewer it is not.
func TestNeeded(t *testing.T) {
	plan := threePrimaries()
	last := plan.Looks[len(plan.Looks)-1]
	level := plan.level(last, 3, 0)
	for _, sd := range []float64{0.005, 0.02, 0.06} {
		s := sample{x: make([]float64, 6), mean: 0.01, sd: sd}
		n := needed(s, level, 0.025, 0.05)
		decided := func(n int) bool {
			s := sample{x: make([]float64, n), mean: 0.01, sd: sd}
			return s.mean+s.half(level) < 0.05
		}
		if n < MinBlocks || !decided(n) || n > MinBlocks && decided(n-1) {
			t.Errorf("sd %g: %d", sd, n)
		}
	}
}
