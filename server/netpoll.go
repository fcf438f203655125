package server

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shardlab/shardlab/server/wire"
)

// netpoll serves each connection on a goroutine of its own, with Go's network poller.
type netpoll struct {
	netConns
	buffers sync.Pool // *[readSize]byte, of connections that are at work
	batches sync.Pool // *wire.Batch, likewise
}

func newNetpoll(s *Server) *netpoll {
	t := &netpoll{netConns: newNetConns(s)}
	t.buffers.New = func() any { return new([readSize]byte) }
	t.batches.New = func() any { return new(wire.Batch) }
	return t
}

func (t *netpoll) start() error {
	for _, b := range t.s.bound {
		t.wg.Go(func() { t.accept(&netAcceptor{s: t.s, bound: b}) })
	}
	t.wg.Go(t.sweep)
	return nil
}

func (t *netpoll) accept(from *netAcceptor) {
	for {
		nc, at, err := from.next()
		if err != nil {
			return
		}
		c := &pollConn{pools: t}
		c.netConn = netConn{t: &t.netConns, nc: nc, place: at, done: make(chan struct{}, 1)}
		c.place.Conn = c
		if t.add(&c.netConn) {
			t.wg.Go(c.serve)
		}
	}
}

// pollConn is one connection and the state of its goroutine.
type pollConn struct {
	netConn
	pools *netpoll

	in     input
	b      *wire.Batch // nil while nothing is being answered
	onDone func(int)

	try  func(fd uintptr) bool // tryRead
	room int                   // of the last read: what it asked for,
	n    int                   // what it got
	err  error                 // and what was wrong
}

func (c *pollConn) serve() {
	defer c.t.remove(&c.netConn)
	defer c.nc.Close()
	raw, err := c.nc.(syscall.Conn).SyscallConn()
	if err != nil {
		return // closed already
	}
	c.sess = c.t.s.backend.NewSession(c.place)
	defer c.sess.Close()
	c.in = input{parser: wire.NewParser(c.t.s.limits())}
	c.try, c.onDone = c.tryRead, c.isDone
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
			c.seen()
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
func (c *pollConn) tryRead(fd uintptr) bool {
	if c.in.buf == nil {
		c.in.buf = c.pools.buffers.Get().(*[readSize]byte)[:]
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
func (c *pollConn) release() {
	if c.in.r < c.in.w {
		return
	}
	if len(c.in.buf) == readSize {
		c.pools.buffers.Put((*[readSize]byte)(c.in.buf))
	}
	c.in.buf, c.in.r, c.in.w = nil, 0, 0
	if c.b != nil {
		c.b.Reset()
		c.pools.batches.Put(c.b)
		c.b = nil
	}
}

// answerAll executes every complete request that has arrived and writes the replies, a batch at a time. It returns
// false when the connection is to be closed.
func (c *pollConn) answerAll() bool {
	if c.in.r == c.in.w {
		return true
	}
	if c.b == nil {
		c.b = c.pools.batches.Get().(*wire.Batch)
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

func (c *pollConn) write(b *wire.Batch) bool {
	_, err := c.send(b.Out)
	b.Out = b.Out[:0]
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
