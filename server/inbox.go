package server

import (
	"sync"
	"sync/atomic"
)

// inbox is where a loop's tasks arrive: a common queue for whoever posts, and a ring from each loop that has ever sent one.
type inbox struct {
	queue taskQueue

	mu    sync.Mutex
	rings atomic.Pointer[[]*ring] // by producing loop, nil where there is none; copied on change
}

// ring returns the ring from the given loop, which calls it on its own thread.
func (in *inbox) ring(from int) *ring {
	if rings := in.rings.Load(); rings != nil && from < len(*rings) && (*rings)[from] != nil {
		return (*rings)[from]
	}
	return in.addRing(from)
}

func (in *inbox) addRing(from int) *ring {
	in.mu.Lock()
	defer in.mu.Unlock()
	var old []*ring
	if p := in.rings.Load(); p != nil {
		old = *p
	}
	rings := make([]*ring, max(from+1, len(old)))
	copy(rings, old)
	rings[from] = new(ring)
	in.rings.Store(&rings)
	return rings[from]
}

func (in *inbox) empty() bool {
	if in.queue.head.Load() != nil {
		return false
	}
	if p := in.rings.Load(); p != nil {
		for _, r := range *p {
			if r != nil && !r.empty() {
				return false
			}
		}
	}
	return true
}

// run runs the tasks that are there now. The queue is taken before the rings are emptied and run after: a task in it that
// had found its ring full comes behind what the ring held.
func (in *inbox) run() {
	queued := in.queue.takeAll()
	if p := in.rings.Load(); p != nil {
		for _, r := range *p {
			if r != nil {
				r.run()
			}
		}
	}
	for t := queued; t != nil; {
		next := t.next // t may be posted again as soon as it runs
		if r := t.spilled; r != nil {
			t.spilled = nil
			r.taken.Add(1)
		}
		t.Run()
		t = next
	}
}
