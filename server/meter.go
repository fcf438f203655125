package server

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Traffic is what connections have read and written since the start, in bytes. Of event loops it is as of their last tick.
type Traffic struct{ In, Out uint64 }

// Traffic returns the bytes of all connections, those that are gone too.
func (s *Server) Traffic() Traffic { return s.transport.traffic() }

// LoopCPU returns the processor time that the thread of each event loop has taken; nil without event loops. It is the kernel's
// account, read from outside, so a loop pays nothing for it.
func (s *Server) LoopCPU() []time.Duration { return s.transport.loopCPU() }

// meter counts bytes for others to see.
type meter struct{ in, out atomic.Uint64 }

func (m *meter) traffic() Traffic { return Traffic{m.in.Load(), m.out.Load()} }

func (t *Traffic) add(o Traffic) {
	t.In += o.In
	t.Out += o.Out
}

func (t *epoll) traffic() (sum Traffic) {
	for _, l := range t.loops {
		sum.add(l.meter.traffic())
	}
	return sum
}

// publish shows what the loop has counted without atomics.
func (l *loop) publish() {
	l.meter.in.Store(l.moved.In)
	l.meter.out.Store(l.moved.Out)
}

func (t *epoll) loopCPU() []time.Duration {
	all := make([]time.Duration, len(t.loops))
	for i, l := range t.loops {
		all[i] = threadCPU(int(l.tid.Load()))
	}
	return all
}

// threadCPU is the processor time of a thread of this process, 0 when it has ended.
func threadCPU(tid int) time.Duration {
	// The kernel's name for the clock of another thread: its id inverted, then a bit for "thread" and two for "as the scheduler
	// counts" (CPUCLOCK_PERTHREAD_MASK and CPUCLOCK_SCHED, as in clock_getcpuclockid).
	clock := int32(^tid<<3 | 4 | 2)
	var ts unix.Timespec
	if tid == 0 || unix.ClockGettime(clock, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

func (t *netConns) traffic() Traffic {
	t.mu.Lock()
	defer t.mu.Unlock()
	sum := t.gone
	for c := range t.conns {
		sum.add(c.meter.traffic())
	}
	return sum
}

func (t *netConns) loopCPU() []time.Duration { return nil }
