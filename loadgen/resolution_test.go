package loadgen

import (
	"bytes"
	"math"
	"testing"
	"time"
)

// TestHistogramsTellOnePercentApart: from 100 ns to a minute, no two latencies that differ by a hundredth are one.
func TestHistogramsTellOnePercentApart(t *testing.T) {
	h := newHistogram()
	for v := int64(100); v < int64(MaxLatency)*99/100; v += max(v/300, 1) {
		h.Reset()
		x := tally{hist: h}
		x.add(v)
		x.add(v + (v+99)/100)
		x.spill()
		low, high := h.ValueAtQuantile(50), h.ValueAtQuantile(100)
		if low == high || math.Abs(float64(low)/float64(v)-1) > 0.002 {
			t.Fatalf("%d ns is read as %d, a hundredth more as %d", v, low, high)
		}
	}
}

// TestPercentilesAreNotInSteps: of values that are spread evenly over a decade, percentiles are too, where a histogram with steps of
// 8 µs would say one number for many.
func TestPercentilesAreNotInSteps(t *testing.T) {
	x := tally{hist: newHistogram()}
	for v := int64(20_000); v < 200_000; v += 10 {
		x.add(v)
	}
	x.spill()
	last := int64(0)
	for q := 1.0; q < 100; q++ {
		v := x.hist.ValueAtQuantile(q)
		if want := 20_000 + 1800*q; math.Abs(float64(v)/want-1) > 0.002 {
			t.Errorf("p%g is %d, want %.0f", q, v, want)
		}
		if v == last {
			t.Errorf("p%g and p%g are both %d", q-1, q, v)
		}
		last = v
	}
}

// TestOneMicrosecondIsVisible: a server that takes a microsecond longer for one of three commands, which take turns on one
// connection so that the machine treats them alike, has that microsecond in its median and the others have not.
func TestOneMicrosecondIsVisible(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds, and a processor")
	}
	const shortest = 20 * time.Microsecond
	w := testWorkload
	w.Templates = []string{"WAITA {key}", "WAITB {key}", "WAITC {key}"}
	w.Mix = []OpShare{{FirstTemplate, 1}, {FirstTemplate + 1, 1}, {FirstTemplate + 2, 1}}
	reply := []byte("+OK\r\n")
	server := newSpinServer(t, w, func() {}, func(fd int, text []byte) {
		until := clock() + int64(shortest)
		if bytes.Contains(text, []byte("WAITC")) {
			until += int64(time.Microsecond)
		}
		for clock() < until {
		}
		send(fd, reply)
	})
	s := connect(t, newTestPool(t, 1), Target{Addr: server.addr, Responder: true}, w, Load{Connections: 1, Pipeline: 1, Drain: 20 * time.Second})
	var sums [3]tally
	for i := range sums {
		sums[i].hist = newHistogram()
	}
	// The error of a median falls with the root of the number; some tens of thousands do on an idle machine.
	var same float64
	for range 30 {
		r := run(t, s, Window{Measure: 200 * time.Millisecond})
		var median [3]float64
		for i := range sums {
			sums[i].hist.Merge(r.Service[FirstTemplate+Op(i)])
			median[i] = float64(sums[i].hist.ValueAtQuantile(50))
		}
		same = median[1] - median[0]
		more := median[2] - (median[0]+median[1])/2
		if n := sums[0].hist.TotalCount(); n > 2000 && math.Abs(same) < 250 && math.Abs(more-1000) < 250 {
			t.Logf("after %d of each: medians %v, %v and %v", n, time.Duration(median[0]), time.Duration(median[1]), time.Duration(median[2]))
			if median[0] < float64(shortest) {
				t.Errorf("the median is less than the server takes, %v", shortest)
			}
			return
		}
	}
	if math.Abs(same) >= 250 {
		t.Skipf("this machine, now, tells two equal commands %.0f ns apart", math.Abs(same))
	}
	t.Errorf("medians %d, %d and %d ns after %d of each; want the third 1000 above the others", sums[0].hist.ValueAtQuantile(50),
		sums[1].hist.ValueAtQuantile(50), sums[2].hist.ValueAtQuantile(50), sums[0].hist.TotalCount())
}
