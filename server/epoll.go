package server

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// epoll serves connections on event loops.
type epoll struct {
	s     *Server
	loops []*loop
	acc   *acceptor // nil when every listener belongs to a loop
	wg    sync.WaitGroup
	ended bool // of a loop that is driven: belongs to who drives it
}

func newEpoll(s *Server) (*epoll, error) {
	if s.opts.Loops < 1 {
		return nil, fmt.Errorf("transport %s needs at least one event loop, have %d", Epoll, s.opts.Loops)
	}
	if s.opts.Driven && s.opts.Loops != 1 {
		return nil, fmt.Errorf("a server that its caller drives has one event loop, not %d", s.opts.Loops)
	}
	t := &epoll{s: s}
	if err := t.open(); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

// open makes the loops and gives each listener to its loop or to the acceptor.
func (t *epoll) open() error {
	for i := range t.s.opts.Loops {
		cpu := -1
		if pin := t.s.opts.PinTo; len(pin) > 0 {
			cpu = pin[i%len(pin)]
		}
		l, err := newLoop(t.s, i, cpu)
		if err != nil {
			return err
		}
		t.loops = append(t.loops, l)
	}
	for _, b := range t.s.bound {
		fd, err := b.takeFD()
		if err != nil {
			return err
		}
		if b.loop != AnyLoop {
			err = t.loops[b.loop].listeners.add(fd, b.index)
		} else {
			if t.acc == nil {
				if t.acc, err = newAcceptor(t.s, t.loops); err != nil {
					unix.Close(fd)
					return err
				}
			}
			err = t.acc.listeners.add(fd, b.index)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *epoll) close() {
	for _, l := range t.loops {
		l.close()
	}
	if t.acc != nil {
		t.acc.close()
	}
}

func (t *epoll) start() error {
	if lb, ok := t.s.backend.(LoopBackend); ok {
		lb.Bind(t.eventLoops())
	}
	if t.s.opts.Driven {
		t.wg.Add(1) // until turn ends the loop
		return nil
	}
	pinned := make(chan error, len(t.loops))
	for _, l := range t.loops {
		t.wg.Go(func() { l.run(pinned) })
	}
	var err error
	for range t.loops {
		if e := <-pinned; e != nil {
			err = e
		}
	}
	if err != nil {
		t.stop()
		return err
	}
	if t.acc != nil {
		t.wg.Go(t.acc.run)
	}
	return nil
}

// turn is a turn of a loop that is driven. It reports false once the loop has ended.
func (t *epoll) turn(limit time.Duration) (more bool) {
	l := t.loops[0]
	if t.ended {
		return false
	}
	if l.tid.Load() == 0 {
		l.tid.Store(int64(unix.Gettid()))
	}
	if l.turn(limit); l.stopping {
		l.end()
		t.ended = true
		t.wg.Done()
	}
	return !t.ended
}

func (t *epoll) eventLoops() []Loop {
	loops := make([]Loop, len(t.loops))
	for i, l := range t.loops {
		loops[i] = l
	}
	return loops
}

func (t *epoll) drain(ctx context.Context) error {
	t.s.unbind()
	if t.acc != nil {
		t.acc.stop()
		<-t.acc.stopped // so that no connection is handed over behind the drain
	}
	looked := make(chan struct{}, len(t.loops))
	for _, l := range t.loops {
		l.Post(&Task{Run: func() { l.drain(); looked <- struct{}{} }})
	}
	for range t.loops {
		<-looked // also when ctx has ended: whoever is silent is closed by this look, and not cut
	}
	for _, l := range t.loops {
		select {
		case <-l.drained:
			continue
		default:
		}
		select {
		case <-l.drained:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (t *epoll) stop() {
	if t.acc != nil {
		t.acc.stop()
	}
	for _, l := range t.loops {
		l.Post(&Task{Run: func() { l.stopping = true }})
	}
	t.wg.Wait()
	t.close()
}
