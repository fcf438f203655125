package loadgen

import (
	"math"
	"testing"
)

func zeta(n int, s float64) float64 {
	sum := 0.0
	for i := n; i > 0; i-- {
		sum += math.Pow(float64(i), -s)
	}
	return sum
}

// TestZipfIsTheOneAskedFor: the share of the hottest key of one million at 0.99 is 6.5 %, not the 3.8 % of a generator
// that draws from a fixed ten billion.
func TestZipfIsTheOneAskedFor(t *testing.T) {
	if got := newZipfTable(1_000_000, 0.99).probabilities()[0]; math.Abs(got-0.065) > 0.0005 {
		t.Errorf("the hottest key has %v, want 0.065", got)
	}
	const n = 1000
	for _, s := range []float64{0.01, 0.5, 0.99, 1, 1.5, 3} {
		z := zeta(n, s)
		for i, got := range newZipfTable(n, s).probabilities() {
			if want := math.Pow(float64(i+1), -s) / z; math.Abs(got-want) > 1e-9 {
				t.Fatalf("s=%v: key %d has probability %v, want %v", s, i, got, want)
			}
		}
	}
}

func TestKeysFitTheirDistribution(t *testing.T) {
	const keys, draws = 1000, 300_000
	for _, s := range []float64{0, 0.5, 0.99, 1, 1.5} {
		w := Workload{Keys: keys, KeySize: 16, ValueSize: 16, Mix: []OpShare{{Get, 1}}, Seed: 5}
		w.Distribution, w.Zipf = Zipf, s
		if s == 0 {
			w.Distribution = Uniform
		}
		p, err := newPlan(w)
		if err != nil {
			t.Fatal(err)
		}
		counts := make([]int, keys)
		for n := range uint64(draws) { // over three clients, as one stream
			counts[p.at(uint32(n%3), n/3).key]++
		}
		z := zeta(keys, s)
		off := chiSquare(counts, func(i int) float64 { return math.Pow(float64(i+1), -s) / z })
		if math.Abs(off) > 3.5 {
			t.Errorf("s=%v: chi-square is %.1f standard deviations off", s, off)
		}
		top, want := float64(counts[0])/draws, 1/z
		if math.Abs(top-want) > 4*math.Sqrt(want/draws) {
			t.Errorf("s=%v: the hottest key has %.4f of the draws, want %.4f", s, top, want)
		}
	}
}

func TestZipfTableIsShared(t *testing.T) {
	a, b := zipfTable(100, 1.1), zipfTable(100, 1.1)
	if &a[0] != &b[0] {
		t.Error("the same table was built twice")
	}
	if c := zipfTable(100, 1.2); c.probabilities()[0] <= a.probabilities()[0] {
		t.Error("another exponent gives the same table")
	}
}

func BenchmarkZipfTable(b *testing.B) {
	for b.Loop() {
		newZipfTable(1_000_000, 0.99)
	}
}
