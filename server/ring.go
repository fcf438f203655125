package server

import (
	"sync/atomic"

	"golang.org/x/sys/cpu"
)

// ringSize is how many tasks may be on their way from one loop to another before they go through the common queue. It
// is a power of two; at 2 KiB a pair, rings for 16 loops take half a megabyte.
const ringSize = 256

// ring carries tasks from one event loop to one other: a single producer, a single consumer, no compare-and-swap. Each
// side has cache lines of its own and a copy of the other's position that it refreshes only when it seems to be
// needed, so that a burst of tasks moves a line between the processors once.
type ring struct {
	_    cpu.CacheLinePad
	tail atomic.Uint64 // next slot to fill; written by the producer
	seen uint64        // the producer's copy of head
	// spilled counts the tasks that found the ring full and went through the common queue, taken those of them that have
	// begun, which the consumer counts. While the two differ every later task goes the same way: order is kept.
	spilled uint64
	taken   atomic.Uint64

	_    cpu.CacheLinePad
	head atomic.Uint64 // next slot to take; written by the consumer

	_     cpu.CacheLinePad
	slots [ringSize]*Task
}

// push appends t and reports true, or false when t must go through the common queue, for which it is marked.
func (r *ring) push(t *Task) bool {
	tail := r.tail.Load()
	if r.spilled == r.taken.Load() && r.room(tail) {
		r.slots[tail%ringSize] = t
		r.tail.Store(tail + 1)
		return true
	}
	r.spilled++
	t.spilled = r
	return false
}

func (r *ring) room(tail uint64) bool {
	if tail-r.seen < ringSize {
		return true
	}
	r.seen = r.head.Load()
	return tail-r.seen < ringSize
}

func (r *ring) empty() bool { return r.head.Load() == r.tail.Load() }

// run runs the tasks that are there now. Their slots are free when the last has run: one atomic store for all.
func (r *ring) run() {
	head, tail := r.head.Load(), r.tail.Load()
	if head == tail {
		return
	}
	for ; head != tail; head++ {
		slot := &r.slots[head%ringSize]
		t := *slot
		*slot = nil // what t refers to must not live as long as the ring
		t.Run()
	}
	r.head.Store(tail)
}
