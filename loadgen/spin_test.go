package loadgen

import (
	"testing"
	"time"
)

// TestSpinningIsNoWork: a worker that never sleeps is not busy with load for that.
func TestSpinningIsNoWork(t *testing.T) {
	server := newMapServer(t, nil)
	for _, spin := range []time.Duration{0, 50 * time.Microsecond, time.Second} {
		load := Load{Mode: Open, Connections: 4, Rate: 500, Spin: spin, Drain: 20 * time.Second}
		s := connect(t, newTestPool(t, 1), Target{Addr: server.addr}, testWorkload, load)
		r := run(t, s, Window{Lead: 5 * time.Millisecond, Measure: 200 * time.Millisecond})
		if r.Total() == 0 || r.Total() != r.Intended {
			t.Errorf("spin %v: %d of %d answered", spin, r.Total(), r.Intended)
		}
		t.Logf("spin %v: work %v, spin %v, lateness p99 %v", spin, r.ClientCPU[0], r.Spin, time.Duration(r.Lateness.ValueAtPercentile(99)))
		switch {
		case spin == 0:
			if r.Spin != 0 {
				t.Errorf("%v spun without being asked to", r.Spin)
			}
			continue
		case r.Spin == 0:
			t.Errorf("spin %v: nothing was spun", spin)
		case r.Spin+r.ClientCPU[0] > r.Dur*102/100:
			t.Errorf("spin %v: %v spun and %v worked in %v", spin, r.Spin, r.ClientCPU[0], r.Dur)
		}
		// 100 operations of some 30 µs; the rest of what the thread had of a processor was spinning. On a busy machine it may
		// have had little.
		if had := r.Spin + r.ClientCPU[0]; spin == time.Second && had > r.Dur/2 && r.Busiest > 0.25 {
			t.Errorf("busy %.2f with %v spun", r.Busiest, r.Spin)
		}
	}
}

func TestPreemptionIsNoSpinning(t *testing.T) {
	s := share{spinning: true, now: 1000}
	s.spent(1300)
	s.spinning, s.now = true, 2000
	s.spent(2000 + 5e6)
	s.now = 6e6
	s.spent(6e6 + 300) // it had something to do
	if s.spun != 300 || s.spinning {
		t.Errorf("%d ns spun, want 300", s.spun)
	}
}
