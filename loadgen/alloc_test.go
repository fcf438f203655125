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
		var before, after runtime.MemStats
		var operations uint64
		runtime.ReadMemStats(&before)
		const windows = 10
		for range windows {
			operations += run(t, s, window).Replies
		}
		runtime.ReadMemStats(&after)
		each := float64(after.Mallocs-before.Mallocs) / windows
		if operations < 100 || each > 40 {
			t.Errorf("%v, %v: %.1f objects a window of %d operations; want a few, whatever the operations",
				load.Mode, target.Protocol, each, operations/windows)
		}
		if bytes := (after.TotalAlloc - before.TotalAlloc) / windows; bytes > 8<<10 {
			t.Errorf("%v, %v: %d bytes a window", load.Mode, target.Protocol, bytes)
		}
	}
}
