package loadgen

import (
	"runtime"
	"testing"
	"time"
)

// TestRunDoesNotAllocate counts what the whole process allocates around windows of some hundreds of operations. What is
// left is per window: its Result, closures and the registration of its context.
func TestRunDoesNotAllocate(t *testing.T) {
	for _, c := range []struct {
		protocol Protocol
		op       Op
		load     Load
	}{
		{RESP, Set, Load{Mode: Closed, Connections: 3, Pipeline: 16}},
		{RESP, Set, Load{Mode: Open, Connections: 3, Rate: 30_000}},
		{RESP, Set, Load{Mode: Open, Connections: 3, Rate: 30_000, Spin: time.Second}},
		{SCNP, Set, Load{Mode: Closed, Connections: 3, Pipeline: 16}},
		{Memcached, Get, Load{Mode: Closed, Connections: 3, Pipeline: 16}},
		{Memcached, Set, Load{Mode: Closed, Connections: 3, Pipeline: 16}},
		{HTTP, Get, Load{Mode: Closed, Connections: 8, Pipeline: 1}},
		{HTTP, Set, Load{Mode: Open, Connections: 8, Rate: 30_000}},
	} {
		load, target := c.load, Target{Responder: true, Protocol: c.protocol}
		w := testWorkload
		w.Mix = []OpShare{{c.op, 1}}
		target.Addr = newCannedServer(t, w, target.Protocol)
		s := connect(t, newTestPool(t, 2), target, w, load)
		window := Window{Measure: 10 * time.Millisecond}
		run(t, s, window) // buffers find their size
		// On a busy machine more requests gather than ever before, and a buffer grows. What is allocated for each operation, or
		// each window, is so in every attempt.
		var each, bytes float64
		var operations uint64
		for range 10 {
			if each, bytes, operations = allocated(t, s, window); operations >= 100 && each <= 40 && bytes <= 8<<10 {
				break
			}
		}
		if operations < 100 || each > 40 || bytes > 8<<10 {
			t.Errorf("%v, %v: %.1f objects and %.0f bytes a window, %d operations in all; want a few, whatever the operations",
				load.Mode, target.Protocol, each, bytes, operations)
		}
	}
}

// allocated returns what the process allocates for each of ten windows, and how many operations they have together.
func allocated(t *testing.T, s *Session, w Window) (objects, bytes float64, operations uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const windows = 10
	for range windows {
		operations += run(t, s, w).Replies
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / windows, float64(after.TotalAlloc-before.TotalAlloc) / windows, operations
}
