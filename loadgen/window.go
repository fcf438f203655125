package loadgen

import (
	"math"
	"time"
)

// Window is one measurement.
type Window struct {
	Lead    time.Duration // load that is not recorded; a closed loop fills its pipelines, caches warm up again
	Measure time.Duration // load that is

	// At, unless zero, is when the lead-in begins, on the scale of [Monotonic], which all processes of a machine share: windows of
	// several processes can thus have the same edges. A closed loop sends until then as it does in the lead-in. A time that has
	// passed means now.
	At int64

	// ServerCPU, unless nil, returns the CPU time that the server has used so far, in ns. Worker 0 calls it at the two
	// edges of what is measured.
	ServerCPU func() int64

	// Every, unless zero, cuts what is measured into intervals of this length, each of which is handed to Observe soon after
	// it has ended. Load goes on meanwhile. Observe is called by one goroutine at a time, in order, and never after Run has
	// returned.
	Every   time.Duration
	Observe func(Interval)
}

type phase uint8

const (
	leading phase = iota
	measuring
	draining
)

// edges are the times, on clock's scale, that all workers of a run share.
type edges struct {
	lead, start, end int64 // load begins, is recorded, ends
	drainBy          int64 // replies are waited for
	next             int64 // the edge that this worker has not reached
	every            int64 // between the edges of intervals; 0: there are none
	timeout          int64 // of a request; 0: none
	serverCPU        func() int64
}

// snapshot is what a worker reads at an edge.
type snapshot struct{ at, threadCPU, spun, serverCPU int64 }

// prepare readies the share for a window. The records must be empty.
func (s *share) prepare(w edges, mode Mode) {
	s.open = mode == Open
	s.window = w
	s.window.next = w.start
	if s.index != 0 {
		s.window.serverCPU = nil
	}
	s.phase, s.recording = leading, false
	s.from, s.to = snapshot{}, snapshot{}
	s.schedule.due = math.MaxInt64
	s.yieldAt, s.churn.due = math.MaxInt64, math.MaxInt64
	s.pacer.restart()
	s.now = clock()
}

// begin starts a window of the share's load. Steps follow, until it is done.
func (s *share) begin(w edges) error {
	s.prepare(w, s.load.Mode)
	s.beginChurn()
	if s.open {
		s.beginOpen()
		return nil
	}
	return s.beginClosed()
}

// step does what there is to do, waiting for it until a time on clock's scale at most, and reports whether any socket had
// something: then there may be more. A time that has passed means not to wait.
func (s *share) step(until int64) (busy bool, err error) {
	if err := s.stopped(); err != nil {
		return false, err
	}
	if s.open {
		return s.stepOpen(until)
	}
	return s.stepClosed(until)
}

// done reports whether the window is over; then it has counted what is left.
func (s *share) done() bool {
	if !s.drained() {
		return false
	}
	s.settle()
	return true
}

// wake returns when the share must be stepped next even if none of its sockets has something.
func (s *share) wake() int64 {
	at := min(s.until(), s.schedule.due)
	if s.phase != draining {
		at -= int64(s.load.Spin)
	}
	return at
}

// cross passes an edge of the window at s.now: what was read up to here is on one side, all else on the other.
func (s *share) cross() {
	switch s.phase {
	case leading:
		s.from = s.snapshot()
		s.phase, s.recording = measuring, true
		s.mark = s.from
		s.window.next = s.window.end
		if s.window.every > 0 {
			s.window.next = min(s.window.start+s.window.every, s.window.end)
		}
	case measuring:
		s.to = s.snapshot()
		if s.window.every > 0 {
			s.lapseAll()
			s.publish(s.to)
		}
		if s.now < s.window.end {
			return
		}
		s.phase, s.recording, s.refill = draining, false, false
		s.window.next = math.MaxInt64
	}
}

func (s *share) snapshot() snapshot {
	r := snapshot{at: s.now, threadCPU: threadCPU(), spun: s.spun}
	if s.window.serverCPU != nil {
		r.serverCPU = s.window.serverCPU()
	}
	return r
}

// until returns when the worker has something to do even if no socket has.
func (s *share) until() int64 {
	if s.phase == draining {
		return s.window.drainBy
	}
	return min(s.window.next, s.churn.due)
}

// drained reports whether a closed loop, or the drain of an open one, is over: all is answered, or time is up.
func (s *share) drained() bool {
	if s.phase != draining {
		return false
	}
	idle := s.outstanding == 0 && s.backlog.count == 0 && s.schedule.due == math.MaxInt64 && s.leaving == nobody
	return idle || s.now >= s.window.drainBy
}

// settle counts what is left over when the drain has ended.
func (s *share) settle() {
	s.lapseAll()
	for i := range s.conns {
		c := &s.conns[i]
		for n := c.head; n != c.tail; n++ {
			p := &c.ring[n&c.mask]
			s.leftOver(p.counted && !p.lapsed, p.step > 0 || int32(c.stamped-n) > 0)
		}
		for !c.waiting.empty() {
			s.leftOver(s.backlog.take(&c.waiting).due >= s.window.start, false)
		}
	}
	for ; s.schedule.due != math.MaxInt64; s.nextArrival() { // the worker never got round to them
		if s.schedule.due >= s.window.start {
			s.rec.intended++
			s.rec.unsent++
		}
	}
	s.rec.finish()
}

func (s *share) leftOver(counted, sent bool) {
	switch {
	case !counted:
	case sent:
		s.rec.inFlight++
	default:
		s.rec.unsent++
	}
}
