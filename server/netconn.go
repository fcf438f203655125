package server

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// drainGrace is how long a draining connection may stay silent before it is closed. Go's blocking reads cannot be
	// asked whether bytes have arrived, so a short wait stands for it.
	drainGrace = 10 * time.Millisecond
	// writeChunk is how much is given to a blocking write at once: what a client has taken of it is seen only at its end.
	writeChunk = 64 << 10
)

// netConns are the connections of a transport that gives each a goroutine.
type netConns struct {
	s     *Server
	wg    sync.WaitGroup
	ticks atomic.Uint32 // sweepTicks * Options.TickEvery each since the start

	mu       sync.Mutex
	conns    map[*netConn]struct{}
	draining bool
	gone     Traffic       // of connections that have ended
	empty    chan struct{} // closed when draining and the last connection has gone
}

func newNetConns(s *Server) netConns {
	return netConns{s: s, conns: map[*netConn]struct{}{}, empty: make(chan struct{})}
}

// add takes in a connection that is counted. It reports false, and has closed it, when there are to be no more.
func (t *netConns) add(c *netConn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.draining {
		c.nc.Close()
		t.s.leave()
		return false
	}
	c.seen()
	t.conns[c] = struct{}{}
	return true
}

func (t *netConns) remove(c *netConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, c)
	t.gone.add(c.meter.traffic())
	t.s.leave()
	if t.draining && len(t.conns) == 0 {
		close(t.empty)
	}
}

// sweep cuts connections whose clients have done nothing for too long.
func (t *netConns) sweep() {
	every := sweepTicks * t.s.opts.TickEvery
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-t.s.ending:
			return
		}
		now := t.ticks.Add(1)
		t.mu.Lock()
		for c := range t.conns {
			c.judge(now, every)
		}
		t.mu.Unlock()
	}
}

func (t *netConns) eventLoops() []Loop { return nil }

func (t *netConns) drain(ctx context.Context) error {
	t.s.unbind()
	t.mu.Lock()
	t.draining = true
	if len(t.conns) == 0 {
		close(t.empty)
	}
	for c := range t.conns {
		c.nc.SetReadDeadline(time.Now().Add(drainGrace))
	}
	t.mu.Unlock()
	silent := time.After(3 * drainGrace) // what the silent take to be closed; when ctx ends before, they are not cut
	select {
	case <-t.empty:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-t.empty:
		return nil
	case <-silent:
		return ctx.Err()
	}
}

func (t *netConns) stop() {
	t.mu.Lock()
	for c := range t.conns {
		c.nc.Close()
	}
	t.mu.Unlock()
	t.wg.Wait()
}

// netConn is a connection of Go's net package.
type netConn struct {
	t     *netConns
	nc    net.Conn
	place Place
	sess  Session

	done    chan struct{} // a token when the backend is done with the batch
	writing atomic.Int64  // bytes of replies that a blocking write still has to give to the kernel
	active  atomic.Uint32 // tick when the client last did something

	patience patience // of the sweeper's goroutine
	meter    meter
}

// Remote implements Conn.
func (c *netConn) Remote() string {
	if a := c.nc.RemoteAddr(); a.Network() != "unix" {
		return a.String()
	}
	return c.Local()
}

// Local implements Conn.
func (c *netConn) Local() string { return socketName(c.nc.LocalAddr()) }

// Kill implements Conn.
func (c *netConn) Kill() { c.nc.Close() }

// isDone is Batch.OnDone.
func (c *netConn) isDone(int) { c.done <- struct{}{} }

// seen notes that the client did something.
func (c *netConn) seen() { c.active.Store(c.t.ticks.Load()) }

// judge closes the connection when its client has done nothing for too long. It runs on the sweeper's goroutine.
func (c *netConn) judge(now uint32, every time.Duration) {
	var why verdict
	silent := time.Duration(now-c.active.Load()) * every
	waiting := int(c.writing.Load())
	onFD(c.nc.(syscall.Conn), func(fd int) {
		progress := false
		if why, progress = c.patience.judge(c.t.s, fd, waiting, silent); progress {
			c.active.Store(now)
		}
	})
	if why != "" {
		c.t.s.cut(c.place.ID, c, why, waiting)
		c.nc.Close()
	}
}

// send writes replies, so that the sweeper sees whether the client takes them.
func (c *netConn) send(out []byte) (n int, err error) {
	for err == nil && n < len(out) {
		c.writing.Store(int64(len(out) - n))
		var k int
		k, err = c.nc.Write(out[n:min(n+writeChunk, len(out))])
		c.meter.out.Add(uint64(k))
		if n += k; n < len(out) {
			c.seen()
		}
	}
	c.writing.Store(0)
	return n, err
}

// netAcceptor accepts at one address, with Go's network poller.
type netAcceptor struct {
	s *Server
	bound
	failures int // in a row
}

// next returns the next connection, counted: leave undoes it. The error is net.ErrClosed or that the server ends.
func (a *netAcceptor) next() (net.Conn, Place, error) {
	name := socketName(a.Addr())
	for {
		nc, err := a.Accept()
		if err == nil {
			a.failures = 0
			if id, ok := a.s.admit(); ok {
				return nc, Place{ID: id, Listener: a.index, Loop: -1}, nil
			}
			a.s.rejector.reject(nc)
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return nil, Place{}, net.ErrClosed
		}
		if a.s.turnAway(name, err, a.rejectNext) {
			continue
		}
		pause := acceptBackoff(a.failures)
		a.failures++
		a.s.opts.Log.Error("accept failed", "address", name, "error", err, "next try in", pause)
		select {
		case <-time.After(pause):
		case <-a.s.ending:
			return nil, Place{}, net.ErrClosed
		}
	}
}

// rejectNext turns away the connection that waits longest.
func (a *netAcceptor) rejectNext() bool {
	a.SetDeadline(time.Now().Add(time.Millisecond)) // it may have gone
	defer a.SetDeadline(time.Time{})
	nc, err := a.Accept()
	if err != nil {
		return errors.Is(err, os.ErrDeadlineExceeded)
	}
	onFD(nc.(socket), rejectNow)
	nc.Close()
	return true
}
