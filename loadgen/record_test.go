package loadgen

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestTallyRecordsWhatItIsGiven(t *testing.T) {
	a, b := tally{hist: newHistogram()}, newHistogram()
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		v := random.Int64N(1e9)
		for range random.IntN(4) {
			a.add(v)
			b.RecordValue(v)
		}
	}
	a.spill()
	if !a.hist.Equals(b) {
		t.Error("runs of equal values are recorded otherwise than one by one")
	}
	a.reset()
	if a.hist.TotalCount() != 0 {
		t.Error("reset leaves something")
	}
}

func TestTallyCountsOverflow(t *testing.T) {
	a := tally{hist: newHistogram()}
	for _, v := range []int64{5, int64(MaxLatency), int64(MaxLatency) + 1, int64(time.Hour), int64(time.Hour), -3} {
		a.add(v)
	}
	a.spill()
	if a.overflow != 3 || a.hist.TotalCount() != 6 {
		t.Errorf("overflow %d of %d, want 3 of 6", a.overflow, a.hist.TotalCount())
	}
	if max := a.hist.Max(); max < int64(MaxLatency) || a.hist.Min() != 0 {
		t.Errorf("from %d to %d, want 0 to a minute", a.hist.Min(), max)
	}
}

func TestFirstErrorIsTheEarliest(t *testing.T) {
	var sum counters
	for _, c := range []counters{
		{firstError: "b", firstErrorAt: 5}, {}, {firstError: "a", firstErrorAt: 2}, {firstError: "c", firstErrorAt: 9},
	} {
		sum.add(&c)
	}
	if sum.firstError != "a" {
		t.Errorf("first error %q, want a", sum.firstError)
	}
}

func BenchmarkTally(b *testing.B) {
	t := tally{hist: newHistogram()}
	for i := int64(0); b.Loop(); i++ {
		t.add(50_000 + i&1023)
	}
}
