package server

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"github.com/shardlab/shardlab/server/wire"
)

// drainGrace is how long a draining connection may stay silent before it is closed. Go's blocking reads cannot be asked
// whether bytes have arrived, so a short wait stands for it.
const drainGrace = 10 * time.Millisecond

// netpoll serves each connection on a goroutine of its own, with Go's network poller.
type netpoll struct {
	s  *Server
	wg sync.WaitGroup

	mu       sync.Mutex
	conns    map[*netConn]struct{}
	draining bool
	empty    chan struct{} // closed when draining and the last connection has gone
}

func newNetpoll(s *Server) *netpoll {
	return &netpoll{s: s, conns: map[*netConn]struct{}{}, empty: make(chan struct{})}
}

func (t *netpoll) start() error {
	for _, b := range t.s.bound {
		t.wg.Go(func() { t.accept(b) })
	}
	return nil
}

func (t *netpoll) accept(ln bound) {
	for failures := 0; ; {
		nc, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			pause := acceptBackoff(failures)
			t.s.opts.Log.Error("accept failed", "address", ln.Addr(), "error", err, "next try in", pause)
			time.Sleep(pause)
			failures++
			continue
		}
		failures = 0
		id, ok := t.s.admit()
		if !ok {
			reject(nc)
			continue
		}
		c := &netConn{t: t, nc: nc, place: Place{ID: id, Listener: ln.index, Loop: -1}}
		c.place.Conn = c
		if t.add(c) {
			t.wg.Go(c.serve)
		}
	}
}

// reject tells a connection that there is no room. It must not hold up the acceptor: a fresh socket's buffer takes these
// bytes at once, and the deadline is for the one that does not.
func reject(nc net.Conn) {
	nc.SetWriteDeadline(time.Now().Add(time.Millisecond))
	nc.Write([]byte(rejection))
	nc.Close()
}

func (t *netpoll) add(c *netConn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.draining {
		c.nc.Close()
		t.s.leave()
		return false
	}
	t.conns[c] = struct{}{}
	return true
}

func (t *netpoll) remove(c *netConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, c)
	t.s.leave()
	if t.draining && len(t.conns) == 0 {
		close(t.empty)
	}
}

func (t *netpoll) eventLoops() []Loop { return nil }

func (t *netpoll) drain(ctx context.Context) error {
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
	select {
	case <-t.empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *netpoll) stop() {
	t.mu.Lock()
	for c := range t.conns {
		c.nc.Close()
	}
	t.mu.Unlock()
	t.wg.Wait()
}

// netConn is one connection and the state of its goroutine.
type netConn struct {
	t     *netpoll
	nc    net.Conn
	place Place

	in   input
	sess Session
	done chan struct{} // a token when the backend is done with the batch
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

func (c *netConn) serve() {
	defer c.t.remove(c)
	defer c.nc.Close()
	c.sess = c.t.s.backend.NewSession(c.place)
	defer c.sess.Close()
	c.done = make(chan struct{}, 1)
	c.in = input{parser: wire.NewParser(c.t.s.opts.Limits), buf: make([]byte, readSize)}
	b := &wire.Batch{OnDone: func(int) { c.done <- struct{}{} }}
	for draining := false; ; {
		room := c.in.space()
		n, err := c.nc.Read(room)
		c.in.w += n
		if !c.answerAll(b) {
			return
		}
		switch {
		case draining && n < len(room):
			return // the socket is empty: what had arrived is answered
		case err == nil:
		case !draining && errors.Is(err, os.ErrDeadlineExceeded):
			// The deadline of drain. A read whose time has passed fails without looking at the socket: look once more.
			draining = true
			c.nc.SetReadDeadline(time.Now().Add(drainGrace))
		default:
			return
		}
	}
}

// answerAll executes every complete request that has arrived and writes the replies, a batch at a time. It returns
// false when the connection is to be closed.
func (c *netConn) answerAll(b *wire.Batch) bool {
	for {
		b.Reset()
		perr := c.in.parse(b)
		if len(b.Reqs) == 0 && perr == nil {
			return true
		}
		for !b.Executed() {
			for !c.sess.Exec(b) {
				<-c.done
			}
			if perr != nil && b.Executed() {
				break
			}
			if !c.write(b) {
				return false
			}
		}
		if perr != nil {
			appendProtocolError(b, perr)
			c.write(b)
		}
		if b.Close {
			return false
		}
	}
}

func (c *netConn) write(b *wire.Batch) bool {
	_, err := c.nc.Write(b.Out)
	b.Out = b.Out[:0]
	return err == nil
}

// appendProtocolError answers input that is not a request and asks for the connection's end.
func appendProtocolError(b *wire.Batch, err error) {
	if b.Close {
		return // QUIT came first
	}
	w := wire.Writer{Buf: b.Out}
	w.ProtocolError(err)
	b.Out, b.Close = w.Buf, true
}
