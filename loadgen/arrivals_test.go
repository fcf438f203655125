package loadgen

import (
	"math"
	"testing"
)

func TestArrivalsArePoisson(t *testing.T) {
	const n, rate = 50_000, 20_000.0
	a := newArrivals(11, rate)
	gaps, last := make([]float64, 0, n), int64(0)
	perBin := make([]float64, 480) // of 5 ms; the arrivals fill some 500
	for range n {
		at := a.next()
		gaps = append(gaps, float64(at-last))
		if bin := at / 5e6; int(bin) < len(perBin) {
			perBin[bin]++
		}
		last = at
	}
	// Times are whole nanoseconds, gaps 50 µs on average: rounding is far below what the test can see.
	ks := kolmogorovSmirnov(gaps, func(x float64) float64 { return 1 - math.Exp(-x*rate/1e9) })
	if ks > 1.95 {
		t.Errorf("gaps are not exponential: √n·D = %.2f", ks)
	}
	var mean, variance, lag float64
	for _, c := range perBin {
		mean += c / float64(len(perBin))
	}
	for _, c := range perBin {
		variance += (c - mean) * (c - mean) / float64(len(perBin)-1)
	}
	if index := variance / mean; math.Abs(index-1) > 4*math.Sqrt(2/float64(len(perBin)-1)) {
		t.Errorf("index of dispersion %.2f, want 1", index)
	}
	if math.Abs(mean-100) > 4*math.Sqrt(100/float64(len(perBin))) {
		t.Errorf("%.1f arrivals in 5 ms, want 100", mean)
	}
	for i := range gaps[1:] {
		lag += (gaps[i]*rate/1e9 - 1) * (gaps[i+1]*rate/1e9 - 1) / n
	}
	if math.Abs(lag) > 4/math.Sqrt(n) {
		t.Errorf("gaps depend on the ones before: correlation %.4f", lag)
	}
}

func TestArrivalsStartAnew(t *testing.T) {
	a, b := newArrivals(1, 1000), newArrivals(1, 1000)
	first := a.next()
	if b.next() != first {
		t.Error("the same seed gives other arrivals")
	}
	a.restart()
	if again := a.next(); again == first {
		t.Error("a new schedule repeats the old one")
	}
	if c := newArrivals(2, 1000); c.next() == first {
		t.Error("another seed gives the same arrivals")
	}
	slow := newArrivals(1, 1e-300)
	if at := slow.next(); at != 1<<62 {
		t.Errorf("an arrival beyond all time is at %d", at)
	}
}

// TestWorkersShareOneSchedule: what the workers send is together the arrivals of the session, each client in turn.
func TestWorkersShareOneSchedule(t *testing.T) {
	const workers, clients, end = 3, 7, int64(1e8)
	whole := newArrivals(9, 10_000)
	var want []waitingArrival
	for j := uint64(0); ; j++ {
		due := whole.next()
		if due >= end {
			break
		}
		want = append(want, waitingArrival{due, j / clients, uint32(j % clients)})
	}
	got := make([]waitingArrival, 0, len(want))
	for w := range uint32(workers) {
		s := share{index: w, stride: workers, schedule: schedule{arrivals: newArrivals(9, 10_000), clients: clients}}
		s.window.end = end
		for s.nextArrival(); s.schedule.due != math.MaxInt64; s.nextArrival() {
			own := s.schedule.own
			own.client = s.client(own.client)
			got = append(got, own)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d arrivals, want %d", len(got), len(want))
	}
	missing := map[waitingArrival]bool{}
	for _, a := range want {
		missing[a] = true
	}
	for _, a := range got {
		delete(missing, a)
	}
	if len(missing) > 0 {
		t.Errorf("%d of %d arrivals belong to no worker", len(missing), len(want))
	}
}

func BenchmarkArrivals(b *testing.B) {
	a := newArrivals(1, 1e6)
	for b.Loop() {
		a.next()
	}
}
