package runner

import (
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/shardlab/shardlab/loadgen"
	"github.com/shardlab/shardlab/results"
)

// window is what a window of a warm-up sees: so many replies of one latency.
func window(length time.Duration, replies int, latency int64) *loadgen.Result {
	h := results.NewHistogram()
	h.RecordValues(latency, int64(replies))
	r := &loadgen.Result{Dur: length, Replies: uint64(replies), ServerCPU: time.Duration(replies) * time.Microsecond}
	r.Names[loadgen.Get] = "GET"
	r.Response = [loadgen.NumOps]*hdrhistogram.Histogram{loadgen.Get: h}
	return r
}

func TestWarming(t *testing.T) {
	closed := loadgen.Load{Mode: loadgen.Closed, Connections: 5}
	w := newWarming(warmWindow, 3*time.Second, closed)
	for i := 0; !w.done(); i++ {
		w.add(window(w.window, 1000+20*min(i, 30)+i%3, 100e3))
	}
	if o := w.out; !o.Plateau || o.Found < 40 || o.Found > 90 || o.Found != o.Windows || o.Dur != int64(o.Windows)*20e6 || o.Metric != "" {
		t.Errorf("a climb of 30 windows: %+v", o)
	}
	w = newWarming(warmWindow, time.Second, closed)
	for i := 0; !w.done(); i++ {
		w.add(window(w.window, 1000+20*i, 100e3))
	}
	if o := w.out; o.Plateau || o.Windows != 50 || o.Metric != "throughput" || o.Shift < 0.1 {
		t.Errorf("a climb without end: %+v", o)
	}
	w = newWarming(warmWindow, 3*time.Second, closed)
	for i := 0; !w.done(); i++ {
		w.add(window(w.window, min(i%8, 1)*(1000+i%3), 100e3))
	}
	if o := w.out; !o.Plateau || o.Found != 25 {
		t.Errorf("a standstill now and then: %+v", o)
	}
	w = newWarming(warmWindow, time.Second, closed)
	for !w.done() {
		w.add(window(w.window, 0, 1))
	}
	if o := w.out; o.Plateau || o.Windows != 50 || o.Metric != "" {
		t.Errorf("no replies: %+v", o)
	}
}

// TestWarmingIsNotOfTheRate: in an open loop the rate is ours, and its ups and downs are no change of the server's.
func TestWarmingIsNotOfTheRate(t *testing.T) {
	w := newWarming(warmWindow, 3*time.Second, loadgen.Load{Mode: loadgen.Open, Rate: 10e3})
	for i := 0; !w.done(); i++ {
		w.add(window(w.window, 150+5*i, int64(100e3+i%4)))
	}
	if o := w.out; !o.Plateau || o.Found != 20 {
		t.Errorf("%+v", o)
	}
	stuck := window(w.window, 10, 1e6)
	stuck.Owed = 1
	for _, l := range []loadgen.Load{{Mode: loadgen.Open, Rate: 10e3}, {Mode: loadgen.Closed, Connections: 5}} {
		w = newWarming(warmWindow, 3*time.Second, l)
		if w.add(stuck); !w.done() || w.out.Plateau {
			t.Errorf("%v loop: goes on with a server that does not follow: %+v", l.Mode, w.out)
		}
	}
}

func TestWarmingWindows(t *testing.T) {
	check := func(most time.Duration, rate float64, window time.Duration, windows int) {
		t.Helper()
		l := loadgen.Load{Mode: loadgen.Closed}
		if rate > 0 {
			l = loadgen.Load{Mode: loadgen.Open, Rate: rate}
		}
		if w := newWarming(warmWindow, most, l); w.window != window || w.most != windows {
			t.Errorf("at most %v, rate %v: %d windows of %v, want %d of %v", most, rate, w.most, w.window, windows, window)
		}
	}
	check(3*time.Second, 0, 20*time.Millisecond, 150)
	check(3*time.Second, 1000, 50*time.Millisecond, 60)
	check(3*time.Second, 10, 150*time.Millisecond, 20)
	check(400*time.Millisecond, 0, 20*time.Millisecond, 20)
}
