package loadgen

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// dueIn returns how many arrivals a session's first window has.
func dueIn(w Workload, l Load, window Window) (n uint64) {
	a := newArrivals(w.Seed, l)
	for {
		switch due := a.next(); {
		case due >= int64(window.Lead+window.Measure):
			return n
		case due >= int64(window.Lead):
			n++
		}
	}
}

func runTogether(t testing.TB, p *Pool, jobs ...Job) []*Result {
	t.Helper()
	results, err := p.RunTogether(t.Context(), jobs)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// TestStuckSessionDelaysNobody runs two sessions on one worker. The server of one answers nothing until the other session has
// sent its last arrival: a worker that waited for it would never send that.
func TestStuckSessionDelaysNobody(t *testing.T) {
	for _, stuckLoad := range []Load{
		{Mode: Open, Connections: 2, Rate: 5000, InFlight: 4, Drain: 20 * time.Second},
		{Mode: Closed, Connections: 2, Pipeline: 4, Drain: 20 * time.Second},
	} {
		t.Run(stuckLoad.Mode.String(), func(t *testing.T) {
			load := Load{Mode: Open, Connections: 2, Rate: 2000, Drain: 20 * time.Second}
			window := Window{Lead: 20 * time.Millisecond, Measure: 300 * time.Millisecond}
			want := dueIn(testWorkload, load, window)
			all := dueIn(testWorkload, load, Window{Measure: window.Lead + window.Measure})
			free := make(chan struct{})
			open := sync.OnceFunc(func() { close(free) })
			const waits = 50 * time.Millisecond // at the median whoever waits is 150 ms late; a busy machine alone makes it 8
			quick := newMapServer(t, func(n uint64, _ [][]byte) ([]byte, bool) {
				if n+1 == all {
					open()
				}
				return nil, false
			})
			stuck := newMapServer(t, func(uint64, [][]byte) ([]byte, bool) { <-free; return nil, false })
			t.Cleanup(open) // before the server is closed, which waits for its connections
			p := newTestPool(t, 1)
			a := connect(t, p, Target{Addr: quick.addr}, testWorkload, load)
			b := connect(t, p, Target{Addr: stuck.addr}, testWorkload, stuckLoad)
			r := runTogether(t, p, Job{b, window}, Job{a, window})
			got, other := r[1], r[0]
			if got.Intended != want || got.Total() != want || got.Unsent+got.InFlight+got.Errors != 0 {
				t.Errorf("of %d arrivals: %+v", want, got)
			}
			if p50 := time.Duration(got.Lateness.ValueAtQuantile(50)); p50 > waits {
				t.Errorf("half were sent more than %v late", p50)
			}
			if stuckLoad.Mode == Open {
				if want := dueIn(testWorkload, stuckLoad, window); other.Intended != want || other.Total() != want {
					t.Errorf("the stuck session: of %d arrivals: %+v", want, other)
				}
				if other.Lateness.ValueAtQuantile(50) < waits.Nanoseconds() {
					t.Errorf("the stuck session was not late: p50 %v", time.Duration(other.Lateness.ValueAtQuantile(50)))
				}
			}
			if d := got.Start.Sub(other.Start); d.Abs() > 50*time.Millisecond {
				t.Errorf("the windows begin %v apart", d)
			}
		})
	}
}

// TestSessionsTogetherReconcile mixes loops of both kinds, in and outside of the process, on fewer workers than they would like.
func TestSessionsTogetherReconcile(t *testing.T) {
	server := newMapServer(t, nil)
	p := newTestPool(t, 2)
	heavy := connect(t, p, Target{Addr: server.addr}, testWorkload, Load{Connections: 5, Pipeline: 8})
	if err := heavy.Preload(t.Context()); err != nil {
		t.Fatal(err)
	}
	probeLoad := Load{Mode: Open, Connections: 1, Rate: 1000}
	probe := connect(t, p, Target{Addr: server.addr}, testWorkload, probeLoad)
	local := connect(t, p, Target{InProcess: Null(testWorkload), Responder: true}, testWorkload, Load{Connections: 3, Pipeline: 4})
	window := Window{Lead: 5 * time.Millisecond, Measure: 150 * time.Millisecond}
	for range 2 {
		r := runTogether(t, p, Job{heavy, window}, Job{probe, window}, Job{local, window})
		for i, r := range r {
			if r.Total() == 0 || r.Errors+r.Misses+r.Corrupt+r.Unsent+r.InFlight != 0 {
				t.Errorf("job %d: %+v", i, r)
			}
			if _, service := counts(r); sum(service) != int64(r.Total()) {
				t.Errorf("job %d: %d recorded of %d", i, sum(service), r.Total())
			}
		}
		if r[1].Intended != r[1].Total() {
			t.Errorf("%d of %d arrivals were answered", r[1].Total(), r[1].Intended)
		}
	}
}

func sum(of [NumOps]int64) (n int64) {
	for _, x := range of {
		n += x
	}
	return n
}

// TestFailureEndsAllTogether: what is left of the others would be no measurement.
func TestFailureEndsAllTogether(t *testing.T) {
	quick := newMapServer(t, nil)
	full := make(chan struct{})
	broken := newMapServer(t, func(n uint64, _ [][]byte) ([]byte, bool) {
		if n == 50 {
			close(full)
		}
		return nil, false
	})
	var hanging sync.WaitGroup
	hanging.Go(func() {
		select {
		case <-full:
			broken.hangUp()
		case <-t.Context().Done():
		}
	})
	t.Cleanup(hanging.Wait)
	p := newTestPool(t, 2)
	load := Load{Connections: 3, Pipeline: 1}
	a := connect(t, p, Target{Addr: quick.addr}, testWorkload, load)
	b := connect(t, p, Target{Addr: broken.addr}, testWorkload, load)
	window := Window{Measure: 20 * time.Second}
	_, err := p.RunTogether(t.Context(), []Job{{a, window}, {b, window}})
	if err == nil || !strings.Contains(err.Error(), broken.addr) {
		t.Fatalf("a connection was closed: %v", err)
	}
	for _, s := range []*Session{a, b} {
		if _, err := s.Run(t.Context(), window); err == nil {
			t.Error("a session of a broken run goes on")
		}
	}
}

// BenchmarkTogether is what it costs to have a second, light session beside the one of the same load.
func BenchmarkTogether(b *testing.B) {
	w := Workload{Keys: 1_000_000, KeySize: 16, ValueSize: 64, Mix: []OpShare{{Get, 1}}}
	for _, probe := range []bool{false, true} {
		b.Run(fmt.Sprintf("probe=%v", probe), func(b *testing.B) {
			p := newTestPool(b, 1)
			target := Target{Addr: newCannedServer(b, w, RESP), Responder: true}
			window := Window{Lead: 3 * time.Millisecond, Measure: 50 * time.Millisecond}
			jobs := []Job{{connect(b, p, target, w, Load{Connections: 16, Pipeline: 16}), window}}
			if probe {
				jobs = append(jobs, Job{connect(b, p, target, w, Load{Mode: Open, Connections: 1, Rate: 1000}), window})
			}
			var cpu time.Duration
			var operations uint64
			var late int64
			for b.Loop() {
				r := runTogether(b, p, jobs...)
				cpu += r[0].ClientCPU[0]
				operations += r[0].Replies
				if probe {
					late = max(late, r[1].Lateness.ValueAtQuantile(50))
				}
			}
			b.ReportMetric(float64(cpu)/float64(operations), "client-ns/op")
			b.ReportMetric(float64(late), "probe-late-ns")
			b.ReportMetric(0, "ns/op")
		})
	}
}
