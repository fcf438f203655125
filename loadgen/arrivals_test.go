package loadgen

import (
	"math"
	"slices"
	"testing"
	"time"
)

func poisson(seed uint64, rate float64) arrivals {
	return newArrivals(seed, Load{Mode: Open, Rate: rate})
}

func TestArrivalsArePoisson(t *testing.T) {
	const n, rate = 50_000, 20_000.0
	a := poisson(11, rate)
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
	// Times are whole nanoseconds, gaps 50 µs on average: rounding is far below what the tests can see. A gap of zero is one of
	// less than a nanosecond.
	exponential := func(x float64) float64 { return -math.Expm1(-max(x, 0.5) * rate / 1e9) }
	if ks := kolmogorovSmirnov(gaps, exponential); ks > 1.95 {
		t.Errorf("gaps are not exponential: √n·D = %.2f", ks)
	}
	if a2 := andersonDarling(gaps, exponential); a2 > 3.857 {
		t.Errorf("gaps are not exponential: A² = %.2f, above 3.857 once in a hundred times", a2)
	}
	if index := dispersion(perBin); math.Abs(index-1) > 4*math.Sqrt(2/float64(len(perBin)-1)) {
		t.Errorf("index of dispersion %.2f, want 1", index)
	}
	var mean, lag float64
	for _, c := range perBin {
		mean += c / float64(len(perBin))
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
	a, b := poisson(1, 1000), poisson(1, 1000)
	first := a.next()
	if b.next() != first {
		t.Error("the same seed gives other arrivals")
	}
	a.restart()
	if again := a.next(); again == first {
		t.Error("a new schedule repeats the old one")
	}
	if c := poisson(2, 1000); c.next() == first {
		t.Error("another seed gives the same arrivals")
	}
	slow := poisson(1, 1e-300)
	if at := slow.next(); at != 1<<62 {
		t.Errorf("an arrival beyond all time is at %d", at)
	}
}

// TestWorkersShareOneSchedule: what the workers send is together the arrivals of the session, each client in turn.
func TestWorkersShareOneSchedule(t *testing.T) {
	const workers, clients, end = 3, 7, int64(1e8)
	whole := poisson(9, 10_000)
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
		s := share{index: w, stride: workers, load: Load{Clients: clients}, schedule: schedule{arrivals: poisson(9, 10_000), clients: clients}}
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

// TestAndersonDarlingSeesWhatIsNotPoisson: the test that the arrivals pass fails for gaps that are nearly right.
func TestAndersonDarlingSeesWhatIsNotPoisson(t *testing.T) {
	const n, mean = 50_000, 50_000.0
	cdf := func(x float64) float64 { return -math.Expm1(-max(x, 0.5) / mean) }
	gaps := func(bend func(gap float64) float64) (all []float64) {
		a := poisson(5, 1e9/mean)
		for last := 0.0; len(all) < n; last = a.at {
			a.next()
			all = append(all, bend(a.at-last))
		}
		return all
	}
	if a2 := andersonDarling(gaps(func(x float64) float64 { return x }), cdf); a2 > 3.857 {
		t.Errorf("A² = %.2f of exponential gaps", a2)
	}
	for name, bend := range map[string]func(float64) float64{
		"3 % too long":     func(x float64) float64 { return 1.03 * x },
		"never below 2 µs": func(x float64) float64 { return max(x, 2000) },
		"in steps of 8 µs": func(x float64) float64 { return math.Floor(x/8000) * 8000 },
	} {
		if a2 := andersonDarling(gaps(bend), cdf); a2 < 3.857 {
			t.Errorf("%s: A² = %.2f, want more than 3.857", name, a2)
		}
	}
}

func TestEvenArrivals(t *testing.T) {
	a := newArrivals(1, Load{Mode: Open, Rate: 30_000, Arrival: Arrival{Law: Evenly}})
	for _, from := range []int{0, 100_000} { // a second schedule is like the first
		a.restart()
		for i := range 100_000 {
			if got, want := a.next(), (2*int64(i)+1)*1e9/60_000; got != want {
				t.Fatalf("arrival %d is due at %d, want %d", from+i, got, want)
			}
		}
	}
}

// TestBurstsHaveTheirIndexOfDispersion holds the counts in windows against the theory of the Markov-modulated Poisson process,
// their mean against the rate, and how many come at the high rate against the share.
func TestBurstsHaveTheirIndexOfDispersion(t *testing.T) {
	const rate, bin = 5000.0, 10 * time.Millisecond
	for _, law := range []Arrival{
		{Law: Bursts, On: 20 * time.Millisecond, Off: 80 * time.Millisecond, Share: 0.8},
		{Law: Bursts, On: 5 * time.Millisecond, Off: 5 * time.Millisecond, Share: 1},
		{Law: Bursts, On: 300 * time.Microsecond, Off: 100 * time.Millisecond, Share: 0.3},
		{Law: Bursts, On: 50 * time.Millisecond, Off: 50 * time.Millisecond, Share: 0.5}, // Poisson
	} {
		load := Load{Mode: Open, Connections: 1, Rate: rate, Arrival: law}
		if err := load.check(); err != nil {
			t.Fatal(err)
		}
		a := newArrivals(3, load)
		counts := make([]float64, 100_000)
		n, inBursts := 0.0, 0.0
		for {
			at := a.next()
			i := at / int64(bin)
			if i >= int64(len(counts)) {
				break
			}
			counts[i]++
			n++
			inBursts += float64(a.on)
		}
		// The estimate of a variance from correlated counts: 4 % is several standard deviations for the slowest of these.
		if got, want := dispersion(counts), law.Dispersion(rate, bin); math.Abs(got/want-1) > 0.04 {
			t.Errorf("%+v: index of dispersion %.3f, want %.3f", law, got, want)
		}
		span := time.Duration(len(counts)) * bin
		if want := rate * span.Seconds(); math.Abs(n-want) > 4*math.Sqrt(want*law.Dispersion(rate, span)) {
			t.Errorf("%+v: %.0f arrivals, want %.0f", law, n, want)
		}
		if got := inBursts / n; math.Abs(got-law.Share) > 0.02 {
			t.Errorf("%+v: %.3f of the arrivals are in bursts", law, got)
		}
	}
}

// TestScheduleBeginsInEitherState: a window is no more likely to begin with a burst than any other moment.
func TestScheduleBeginsInEitherState(t *testing.T) {
	law := Arrival{Law: Bursts, On: 20 * time.Millisecond, Off: 60 * time.Millisecond, Share: 0.9}
	a := newArrivals(8, Load{Mode: Open, Rate: 10_000, Arrival: law})
	const windows, length = 20_000, int64(2e6)
	due, on := 0.0, 0.0
	for range windows {
		a.restart()
		for first := true; ; first = false {
			if a.next() >= length {
				break
			}
			if due++; first {
				on += float64(a.on)
			}
		}
	}
	want := 10_000 * windows * float64(length) / 1e9
	if sd := math.Sqrt(want * law.Dispersion(10_000, time.Duration(length))); math.Abs(due-want) > 4*sd {
		t.Errorf("%.0f arrivals in %d windows, want %.0f ± %.0f", due, windows, want, sd)
	}
	if on == 0 || on > windows/2 {
		t.Errorf("%.0f of %d windows begin within a burst, want about a quarter", on, windows)
	}
}

func TestListedArrivals(t *testing.T) {
	times := []int64{1000, 1000, 1500, 4000} // three gaps, 1000 on average
	a := newArrivals(1, Load{Mode: Open, Rate: 1, Arrival: Arrival{Law: Listed, Times: times, Speed: 2}})
	check := func(want ...int64) {
		t.Helper()
		for i, w := range want {
			if got := a.next(); got != w {
				t.Errorf("arrival %d is due at %d, want %d", i, got, w)
			}
		}
	}
	check(0, 0, 250, 1500, 2000, 2000, 2250)
	a.restart()
	check(1250, 1750, 1750, 2000)
	if rate := RateOf(times, 2); rate != 2e6 {
		t.Errorf("rate %g, want two a microsecond", rate)
	}
}

// TestScheduleIsThatOfTheLaw: whatever the law, the workers' parts make up one schedule.
func TestScheduleIsThatOfTheLaw(t *testing.T) {
	const clients, end = 5, int64(50e6)
	for _, law := range []Arrival{
		{}, {Law: Evenly}, {Law: Bursts, On: time.Millisecond, Off: 4 * time.Millisecond, Share: 1},
		{Law: Listed, Times: []int64{0, 5000, 200_000, 210_000}},
	} {
		load := Load{Mode: Open, Connections: clients, Rate: 20_000, Arrival: law}
		var want []int64
		for whole := newArrivals(4, load); ; {
			due := whole.next()
			if due >= end {
				break
			}
			want = append(want, due)
		}
		for _, workers := range []uint32{1, 2, 5} {
			var got []int64
			for w := range workers {
				s := share{index: w, stride: workers, load: Load{Clients: clients}, schedule: schedule{arrivals: newArrivals(4, load), clients: clients}}
				s.window.end = end
				for s.nextArrival(); s.schedule.due != math.MaxInt64; s.nextArrival() {
					got = append(got, s.schedule.due)
				}
			}
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("%v: %d workers have %d arrivals, want the %d of the law", law.Law, workers, len(got), len(want))
			}
		}
	}
}

func BenchmarkArrivals(b *testing.B) {
	a := poisson(1, 1e6)
	for b.Loop() {
		a.next()
	}
}
