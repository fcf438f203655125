package server

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shardlab/shardlab/server/wire"
)

// loop is an event loop: one locked OS thread, one epoll instance, the connections that live on it. Everything in it but
// the queue and the sleeping flag belongs to its thread.
type loop struct {
	*poller
	s         *Server
	id, cpu   int
	listeners listeners
	timer     timer
	ticker    Ticker // nil: the backend has nothing to do at times
	ticks     uint32 // Options.TickEvery each since the start: a clock that costs nothing to read
	swept     int    // in conns: the next to be looked at for its patience

	tasks    inbox
	sleeping atomic.Bool // in, or about to enter, a wait: a poster must wake it

	conns []*conn // by descriptor; nil where there is none
	count int     // connections
	again []*conn // connections with more to read whose turn was over
	ready []*conn // connections that the poller has just named
	busy  bool    // the last turn had connections to serve

	foresight Foresight // nil: the backend does not look ahead
	asked     []*wire.Batch

	// Buffers and batches of connections that are not at work; the last used is the first taken, being in the cache.
	buffers [][]byte
	batches []*wire.Batch

	tid   atomic.Int64 // of its thread, once it runs
	moved Traffic
	meter meter // moved, as of the last tick

	draining, stopping bool
	drained            chan struct{}
}

func newLoop(s *Server, id, cpu int) (*loop, error) {
	p, err := newPoller()
	if err != nil {
		return nil, err
	}
	l := &loop{
		poller: p, s: s, id: id, cpu: cpu, listeners: newListeners(s, p),
		drained: make(chan struct{}),
	}
	l.ticker, _ = s.backend.(Ticker)
	l.foresight, _ = s.backend.(Foresight)
	if l.timer, err = newTimer(p, s.opts.TickEvery); err != nil {
		p.close()
		return nil, err
	}
	return l, nil
}

// Post implements Loop.
func (l *loop) Post(t *Task) {
	l.tasks.queue.push(t)
	l.rouse()
}

// PostFrom implements Loop.
func (l *loop) PostFrom(from int, t *Task) {
	if !l.tasks.ring(from).push(t) {
		l.tasks.queue.push(t)
	}
	l.rouse()
}

// rouse wakes the loop after a task was posted. The loop sets sleeping, then looks for tasks; a poster posts, then looks
// at sleeping: one of them sees the other.
func (l *loop) rouse() {
	if l.sleeping.Load() && l.sleeping.CompareAndSwap(true, false) {
		l.wake()
	}
}

// run is the loop's thread. It reports on pinned whether it runs where it should.
func (l *loop) run(pinned chan<- error) {
	runtime.LockOSThread() // never unlocked: the thread's affinity dies with the thread
	l.tid.Store(int64(unix.Gettid()))
	pinned <- l.pin()
	for !l.stopping {
		l.turn(-1)
	}
	l.end()
}

// turn serves what is ready, after waiting up to limit for something to be; a negative limit is none.
func (l *loop) turn(limit time.Duration) {
	l.handle(l.next(limit))
	l.listeners.resume()
	l.tasks.run()
	l.continueReading()
}

// end closes what there is, on the loop's thread.
func (l *loop) end() {
	l.listeners.close()
	l.each((*conn).close)
	l.publish()
}

// each calls f for every connection; f may close it.
func (l *loop) each(f func(*conn)) {
	for _, c := range l.conns {
		if c != nil {
			f(c)
		}
	}
}

// close gives back the descriptors, also of a loop that never ran.
func (l *loop) close() {
	l.listeners.close()
	l.timer.close()
	l.poller.close()
}

func (l *loop) pin() error {
	if l.cpu < 0 {
		return nil
	}
	if err := PinThread(l.cpu); err != nil {
		return fmt.Errorf("event loop %d: %w", l.id, err)
	}
	return nil
}

// next returns the events to handle. A loop that is busy polls without blocking; only when nothing is there does it
// announce that it sleeps. It waits no longer than limit, unless that is negative.
func (l *loop) next(limit time.Duration) []unix.EpollEvent {
	if ev := l.poll(); len(ev) > 0 || len(l.again) > 0 || !l.tasks.empty() || limit == 0 {
		return ev
	}
	l.sleeping.Store(true)
	defer l.sleeping.Store(false)
	if !l.tasks.empty() {
		return nil
	}
	timeout := l.listeners.timeout()
	if limit >= 0 && (timeout < 0 || timeout > limit) {
		timeout = limit
	}
	if l.busy && l.s.mayHold && timeout < 0 {
		l.busy = false // a signal ends the hold, and the next wait lets the thread go
		return l.hold()
	}
	return l.wait(timeout)
}

func (l *loop) handle(events []unix.EpollEvent) {
	for i := range events {
		fd := int(events[i].Fd)
		if fd < len(l.conns) && l.conns[fd] != nil {
			if c := l.conns[fd]; c.event(events[i].Events) {
				l.ready = append(l.ready, c)
			}
			continue
		}
		if fd == l.timer.fd {
			l.tick()
			continue
		}
		l.listeners.ready(fd, l.adopt)
	}
	if len(l.ready) > 0 {
		l.busy = true
		l.serve()
	}
}

// foreseen is how many connections are read before the first is answered. Their buffers have to stay in the cache.
const foreseen = 8

// serve takes the ready connections as far as they can go, a few at a time: first all read, then all are answered, so
// that the backend can have the memory of all their keys fetched side by side.
func (l *loop) serve() {
	for ready := l.ready; len(ready) > 0; {
		few := ready[:min(foreseen, len(ready))]
		ready = ready[len(few):]
		if l.foresight != nil && len(few) > 1 {
			l.foresee(few)
		}
		for _, c := range few {
			c.advance()
		}
	}
	l.ready = l.ready[:0]
}

func (l *loop) foresee(few []*conn) {
	l.asked = l.asked[:0]
	for _, c := range few {
		if c.gather() {
			l.asked = append(l.asked, c.batch)
		}
	}
	if len(l.asked) > 1 {
		l.foresight.Foresee(l.id, l.asked)
	}
}

// tick does what is to be done at times.
func (l *loop) tick() {
	l.ticks += uint32(l.timer.read())
	l.publish()
	l.sweep()
	if l.ticker != nil {
		l.ticker.Tick(l.id)
	}
}

// adopt makes a connection of an accepted socket.
func (l *loop) adopt(a accepted) {
	fd, id := a.fd, a.id
	c := &conn{fd: fd, id: id, loop: l, peer: a.peer, self: a.self, active: l.ticks}
	c.done.Run, c.onDone = c.resume, c.isDone
	if l.stopping || l.draining {
		unix.Close(fd)
		l.s.leave()
		return
	}
	// Edge-triggered for both directions: no epoll_ctl is ever needed again, whoever waits for what.
	if err := l.add(fd, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLRDHUP|unix.EPOLLET); err != nil {
		l.s.opts.Log.Error("connection refused", "id", id, "error", err)
		unix.Close(fd)
		l.s.leave()
		return
	}
	c.in.parser = wire.NewParser(l.s.limits())
	c.sess = l.s.backend.NewSession(Place{ID: id, Listener: a.listener, Loop: l.id, Conn: c})
	for fd >= len(l.conns) {
		l.conns = append(l.conns, nil)
	}
	l.conns[fd] = c
	l.count++
}

func (l *loop) forget(c *conn) {
	l.conns[c.fd] = nil
	l.count--
	l.s.leave()
	l.checkDrained()
}

// continueReading gives connections that had more to read another turn.
func (l *loop) continueReading() {
	turn := l.again
	l.again = nil
	for _, c := range turn {
		c.queued = false
		c.advance()
	}
}

// drain stops accepting, answers what has arrived and closes every connection as it falls silent.
func (l *loop) drain() {
	l.draining = true
	l.listeners.close()
	l.each(func(c *conn) {
		c.readable = true
		c.advance()
	})
	l.checkDrained()
}

func (l *loop) checkDrained() {
	if l.draining && l.count == 0 {
		select {
		case <-l.drained:
		default:
			close(l.drained)
		}
	}
}

func (l *loop) takeBuffer() []byte {
	n := len(l.buffers)
	if n == 0 {
		return make([]byte, readSize)
	}
	b := l.buffers[n-1]
	l.buffers = l.buffers[:n-1]
	return b
}

// Most idle buffers and batches a loop keeps. More are in use only while that many connections wait at once.
const maxIdle = 64

func (l *loop) putBuffer(b []byte) {
	if len(b) == readSize && len(l.buffers) < maxIdle {
		l.buffers = append(l.buffers, b)
	}
}

func (l *loop) takeBatch() *wire.Batch {
	n := len(l.batches)
	if n == 0 {
		return &wire.Batch{}
	}
	b := l.batches[n-1]
	l.batches = l.batches[:n-1]
	return b
}

func (l *loop) putBatch(b *wire.Batch) {
	b.Reset()
	if len(l.batches) < maxIdle {
		l.batches = append(l.batches, b)
	}
}
