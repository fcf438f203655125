package results

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestHistogramConfiguration(t *testing.T) {
	h := NewHistogram()
	for _, v := range []int64{1, 999, 1_000_000, MaxLatency} {
		h.Reset()
		if err := h.RecordValue(v); err != nil {
			t.Errorf("%d: %v", v, err)
		}
		if got := h.Max(); got < v || float64(got-v) > float64(v)/1000 {
			t.Errorf("%d came back as %d", v, got)
		}
	}
	if err := h.RecordValue(2 * MaxLatency); err == nil {
		t.Error("two minutes were recorded")
	}
	if n := testing.AllocsPerRun(100, func() { _ = h.RecordValue(12345) }); n != 0 {
		t.Errorf("recording allocates %v times", n)
	}
}

func TestLatencyNamesNoQuantileWithoutSamples(t *testing.T) {
	check := func(n int64, p50, p90, p99, p999 bool) {
		t.Helper()
		l := NewLatency(testHistogram(1000, n))
		if l.N != uint64(n) || (l.P50 > 0) != p50 || (l.P90 > 0) != p90 || (l.P99 > 0) != p99 || (l.P999 > 0) != p999 {
			t.Errorf("%d samples: got %+v", n, l)
		}
	}
	check(1, false, false, false, false)
	check(19, false, false, false, false)
	check(20, true, false, false, false)
	check(99, true, false, false, false)
	check(100, true, true, false, false)
	check(999, true, true, false, false)
	check(1000, true, true, true, false)
	check(9999, true, true, true, false)
	check(10000, true, true, true, true)
	if got := NewLatency(nil); got != (Latency{}) {
		t.Errorf("nil: got %+v", got)
	}
	if got := NewLatency(NewHistogram()); got != (Latency{}) {
		t.Errorf("empty: got %+v", got)
	}
}

func TestLatencyAgreesWithSortedValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	h := NewHistogram()
	values := make([]int64, 50_000)
	sum := 0.0
	for i := range values {
		values[i] = 1 + int64(rng.ExpFloat64()*200_000)
		sum += float64(values[i])
		must(t, h.RecordValue(values[i]))
	}
	slices.Sort(values)
	check := func(name string, got, want float64) {
		t.Helper()
		if got < want*0.998 || got > want*1.002 { // a bucket is 0.1 % wide
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	l := NewLatency(h)
	n := len(values)
	check("mean", l.Mean, sum/float64(n))
	check("p50", float64(l.P50), float64(values[n/2-1]))
	check("p90", float64(l.P90), float64(values[n*9/10-1]))
	check("p99", float64(l.P99), float64(values[n*99/100-1]))
	check("p999", float64(l.P999), float64(values[n*999/1000-1]))
	check("max", float64(l.Max), float64(values[n-1]))
}
