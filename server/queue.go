package server

import "sync/atomic"

// taskQueue hands tasks from any goroutine to one consumer: a stack of tasks linked through themselves, pushed by
// compare-and-swap and taken whole. No lock, no allocation, and order is kept by reversing what was taken.
type taskQueue struct{ head atomic.Pointer[Task] }

func (q *taskQueue) push(t *Task) {
	for {
		t.next = q.head.Load()
		if q.head.CompareAndSwap(t.next, t) {
			return
		}
	}
}

// takeAll returns the queued tasks, the oldest first.
func (q *taskQueue) takeAll() *Task {
	var oldest *Task
	for t := q.head.Swap(nil); t != nil; {
		next := t.next
		t.next = oldest
		oldest, t = t, next
	}
	return oldest
}
