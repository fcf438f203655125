package server

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shardlab/shardlab/server/wire"
)

const (
	// drainGrace is how long a draining connection may stay silent before it is closed. Go's blocking reads cannot be
	// asked whether bytes have arrived, so a short wait stands for it.
	drainGrace = 10 * time.Millisecond
	// writeChunk is how much is given to a blocking write at once: what a client has taken of it is seen only at its end.
	writeChunk = 64 << 10
)

// netpoll serves each connection on a goroutine of its own, with Go's network poller.
type netpoll struct {
	s  *Server
	wg sync.WaitGroup

	mu       sync.Mutex
	conns    map[*netConn]struct{}
	draining bool
	gone     Traffic       // of connections that have ended
	empty    chan struct{} // closed when draining and the last connection has gone

	ticks   atomic.Uint32 // sweepTicks * Options.TickEvery each since the start
	buffers sync.Pool     // *[readSize]byte, of connections that are at work
	batches sync.Pool     // *wire.Batch, likewise
}

func newNetpoll(s *Server) *netpoll {
	t := &netpoll{s: s, conns: map[*netConn]struct{}{}, empty: make(chan struct{})}
	t.buffers.New = func() any { return new([readSize]byte) }
	t.batches.New = func() any { return new(wire.Batch) }
	return t
}

func (t *netpoll) start() error {
	for _, b := range t.s.bound {
		t.wg.Go(func() {
			t.s.acceptNet(b, func(nc net.Conn, at Place) {
				c := &netConn{t: t, nc: nc, place: at}
				c.place.Conn = c
				if t.add(c) {
					t.wg.Go(c.serve)
				}
			})
		})
	}
	t.wg.Go(t.sweep)
	return nil
}

// acceptNet accepts at b, with Go's network poller, until b is closed. What it passes on is counted: leave undoes it.
func (s *Server) acceptNet(b bound, take func(nc net.Conn, at Place)) {
	name := socketName(b.Addr())
	for failures := 0; ; {
		nc, err := b.Accept()
		if err == nil {
			failures = 0
			if id, ok := s.admit(); ok {
				take(nc, Place{ID: id, Listener: b.index, Loop: -1})
			} else {
				s.rejector.reject(nc)
			}
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if s.turnAway(name, err, func() bool { return rejectNextNet(b) }) {
			continue
		}
		pause := acceptBackoff(failures)
		failures++
		s.opts.Log.Error("accept failed", "address", name, "error", err, "next try in", pause)
		select {
		case <-time.After(pause):
		case <-s.ending:
			return
		}
	}
}

// rejectNextNet turns away the connection that waits longest on a listener.
func rejectNextNet(b bound) bool {
	b.SetDeadline(time.Now().Add(time.Millisecond)) // it may have gone
	defer b.SetDeadline(time.Time{})
	nc, err := b.Accept()
	if err != nil {
		return errors.Is(err, os.ErrDeadlineExceeded)
	}
	onFD(nc.(socket), rejectNow)
	nc.Close()
	return true
}

func (t *netpoll) add(c *netConn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.draining {
		c.nc.Close()
		t.s.leave()
		return false
	}
	c.active.Store(t.ticks.Load())
	t.conns[c] = struct{}{}
	return true
}

func (t *netpoll) remove(c *netConn) {
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
func (t *netpoll) sweep() {
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
	b    *wire.Batch // nil while nothing is being answered
	sess Session

	try     func(fd uintptr) bool // read, for the poller
	room    int                   // of the last read: what it asked for,
	n       int                   // what it got
	err     error                 // and what was wrong
	done    chan struct{}         // a token when the backend is done with the batch
	onDone  func(int)
	writing atomic.Int64  // bytes of replies that a blocking write still has to give to the kernel
	active  atomic.Uint32 // tick when the client last did something

	patience patience
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

func (c *netConn) serve() {
	defer c.t.remove(c)
	defer c.nc.Close()
	raw, err := c.nc.(syscall.Conn).SyscallConn()
	if err != nil {
		return // closed already
	}
	c.sess = c.t.s.backend.NewSession(c.place)
	defer c.sess.Close()
	c.in = input{parser: wire.NewParser(c.t.s.opts.Limits)}
	c.done = make(chan struct{}, 1)
	c.onDone = func(int) { c.done <- struct{}{} }
	c.try = c.tryRead
	for draining := false; ; {
		c.n, c.err = 0, nil
		err := raw.Read(c.try)
		if err == nil {
			err = c.err
		}
		c.meter.in.Add(uint64(c.n))
		if c.in.w += c.n; !c.answerAll() {
			return
		}
		switch {
		case draining && c.n < c.room:
			return // the socket is empty: what had arrived is answered
		case err == nil:
			c.active.Store(c.t.ticks.Load())
		case !draining && errors.Is(err, os.ErrDeadlineExceeded):
			// The deadline of drain. A read whose time has passed fails without looking at the socket: look once more.
			draining = true
			c.nc.SetReadDeadline(time.Now().Add(drainGrace))
		default:
			if c.in.r < c.in.w {
				c.t.s.ended(c.place.ID, c, errUnfinished)
			}
			return
		}
	}
}

// tryRead reads what there is. Go's poller calls it when there may be something; between requests the connection holds no
// buffer, which is why this is not net.Conn.Read.
func (c *netConn) tryRead(fd uintptr) bool {
	if c.in.buf == nil {
		c.in.buf = c.t.buffers.Get().(*[readSize]byte)[:]
	}
	room := c.in.space()
	c.room = len(room)
	for {
		n, err := unix.Read(int(fd), room)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			c.release()
			return false
		case err == nil && n == 0:
			err = io.EOF
		}
		c.n, c.err = max(n, 0), err
		return true
	}
}

// release gives back what a connection that holds no part of a request does not need.
func (c *netConn) release() {
	if c.in.r < c.in.w {
		return
	}
	if len(c.in.buf) == readSize {
		c.t.buffers.Put((*[readSize]byte)(c.in.buf))
	}
	c.in.buf, c.in.r, c.in.w = nil, 0, 0
	if c.b != nil {
		c.b.Reset()
		c.t.batches.Put(c.b)
		c.b = nil
	}
}

// answerAll executes every complete request that has arrived and writes the replies, a batch at a time. It returns
// false when the connection is to be closed.
func (c *netConn) answerAll() bool {
	if c.in.r == c.in.w {
		return true
	}
	if c.b == nil {
		c.b = c.t.batches.Get().(*wire.Batch)
		c.b.OnDone = c.onDone
	}
	for b := c.b; ; {
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
			perr = reworded(c.sess, perr)
			c.t.s.ended(c.place.ID, c, perr)
			appendProtocolError(b, perr)
			c.write(b)
		}
		if b.Close {
			return false
		}
	}
}

func (c *netConn) write(b *wire.Batch) bool {
	out := b.Out
	b.Out = b.Out[:0]
	for len(out) > writeChunk {
		c.writing.Store(int64(len(out)))
		n, err := c.nc.Write(out[:writeChunk])
		c.meter.out.Add(uint64(n))
		if err != nil {
			return false
		}
		c.active.Store(c.t.ticks.Load())
		out = out[writeChunk:]
	}
	c.writing.Store(int64(len(out)))
	n, err := c.nc.Write(out)
	c.meter.out.Add(uint64(n))
	c.writing.Store(0)
	return err == nil
}

// reworded lets a session say what is wrong with input in its own words.
func reworded(s Session, err error) error {
	if r, ok := s.(Reworder); ok {
		return r.Reword(err)
	}
	return err
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
