package server

import (
	"golang.org/x/sys/unix"

	"github.com/shardlab/shardlab/server/wire"
)

// stepsPerTurn is how many reads and writes a connection gets before the others have their turn.
const stepsPerTurn = 16

// conn is a connection on an event loop. It is in one of these states: idle (no batch, no buffer); at work; waiting for
// the backend (executing); waiting for the socket to take replies (blocked); holding part of a request (in.buf).
// Nothing is read while it waits, so what it holds is bounded by one read, one request, and the replies of one Exec.
type conn struct {
	fd   int
	id   int64
	loop *loop
	sess Session
	peer string // its address
	self string // ours

	in    input
	batch *wire.Batch // nil unless requests are being answered
	sent  int         // of batch.Out
	perr  error       // what ended the input, to be said once the requests before it are answered

	readable  bool // the socket may have bytes: no read has come back short since the last event
	hungUp    bool // the peer has closed its side: read on to the end
	blocked   bool // the socket took less than we had
	executing bool // the backend owns batch
	killed    bool // to be closed as soon as the backend gives the batch back
	closed    bool
	queued    bool // on loop.again
	budget    int  // steps left in this turn

	active   uint32 // the loop's tick when the client last did something
	patience patience

	done   Task
	onDone func(from int)
}

// Remote implements Conn.
func (c *conn) Remote() string { return c.peer }

// Local implements Conn.
func (c *conn) Local() string { return c.self }

// Kill implements Conn.
func (c *conn) Kill() {
	c.loop.Post(&Task{Run: func() {
		if c.killed = true; !c.executing {
			c.close()
		}
	}})
}

// isDone is Batch.OnDone.
func (c *conn) isDone(from int) {
	if from < 0 {
		c.loop.Post(&c.done)
	} else {
		c.loop.PostFrom(from, &c.done)
	}
}

// event notes what the poller saw. It reports whether the connection should go on, unless its turn comes anyhow.
func (c *conn) event(events uint32) bool {
	if events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		c.readable = true
	}
	if events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		c.hungUp = true
	}
	if events&(unix.EPOLLOUT|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		c.blocked = false
	}
	if !c.blocked { // one that sends and never reads does nothing for us
		c.active = c.loop.ticks
	}
	return !c.queued
}

// gather reads the next requests, if nothing is to be done before, and reports whether there are any.
func (c *conn) gather() bool {
	return c.batch == nil && !c.executing && !c.blocked && !c.closed && c.read() && c.parse()
}

// resume goes on after the backend has called OnDone.
func (c *conn) resume() {
	c.executing = false
	if c.killed {
		c.close()
		return
	}
	c.advance()
}

// advance takes the connection as far as it can go now, or until its turn is over.
func (c *conn) advance() {
	for c.budget = stepsPerTurn; !c.executing && !c.blocked && !c.closed; {
		if c.batch != nil && !c.answer() {
			return
		}
		if c.parse() {
			continue
		}
		if c.turnOver() || !c.read() {
			return
		}
	}
}

// turnOver counts a read or a write that is not the last of its batch. When there have been enough, it queues the
// connection behind the others and reports true.
func (c *conn) turnOver() bool {
	if c.budget--; c.budget >= 0 {
		return false
	}
	c.waitTurn()
	return true
}

func (c *conn) waitTurn() {
	if !c.queued {
		c.queued = true
		c.loop.again = append(c.loop.again, c)
	}
}

// answer executes the batch and writes its replies. It returns false when it must wait or has closed the connection.
func (c *conn) answer() bool {
	b := c.batch
	for {
		if c.sent == 0 {
			if !b.Executed() && !b.ShouldFlush() && !c.exec() {
				return false
			}
			if b.Executed() && c.perr != nil {
				err := reworded(c.sess, c.perr)
				c.loop.s.ended(c.id, c, err)
				appendProtocolError(b, err)
				c.perr = nil
			}
		}
		if !c.write() {
			return false
		}
		if b.Executed() {
			break
		}
		if c.turnOver() {
			return false
		}
	}
	if b.Close {
		c.close()
		return false
	}
	c.batch = nil
	c.loop.putBatch(b)
	return true
}

func (c *conn) exec() bool {
	c.executing = true
	if !c.sess.Exec(c.batch) {
		return false
	}
	c.executing = false
	return true
}

// write sends what is left of the replies. It returns false when the socket is full or broken.
func (c *conn) write() bool {
	b := c.batch
	for c.sent < len(b.Out) {
		n, errno := rawWrite(c.fd, b.Out[c.sent:])
		if errno == unix.EAGAIN {
			c.blocked = true
			return false
		}
		if errno != 0 {
			c.close()
			return false
		}
		c.sent += n
		c.loop.moved.Out += uint64(n)
	}
	c.sent, b.Out = 0, b.Out[:0]
	return true
}

// parse makes a batch of the requests that have arrived. It returns false when there is none.
func (c *conn) parse() bool {
	if c.in.r == c.in.w {
		return false
	}
	b := c.loop.takeBatch()
	c.perr = c.in.parse(b)
	if len(b.Reqs) == 0 && c.perr == nil {
		c.loop.putBatch(b)
		return false
	}
	b.OnDone = c.onDone
	c.batch, c.sent = b, 0
	return true
}

// read takes in more bytes. It returns false when there are none now, or the connection is closed.
func (c *conn) read() bool {
	if !c.readable {
		c.idle()
		return false
	}
	if c.in.buf == nil {
		c.in.buf = c.loop.takeBuffer()
	}
	room := c.in.space()
	n, errno := rawRead(c.fd, room)
	switch {
	case errno == unix.EAGAIN:
		c.readable = false
		c.idle()
		return false
	case errno != 0 || n == 0:
		if c.in.r < c.in.w {
			c.loop.s.ended(c.id, c, errUnfinished)
		}
		c.close()
		return false
	}
	c.in.w += n
	c.loop.moved.In += uint64(n)
	// A stream socket that returns less than asked for is empty (epoll(7)); a peer that has hung up still has its end to
	// be read, and of a drained server the emptiness must be seen.
	if n < len(room) && !c.hungUp && !c.loop.draining {
		c.readable = false
	}
	return true
}

// idle gives back the buffer of a connection that holds no part of a request, and ends one that is being drained.
func (c *conn) idle() {
	if c.loop.draining {
		c.close()
		return
	}
	if c.in.buf != nil && c.in.r == c.in.w {
		c.loop.putBuffer(c.in.buf)
		c.in.buf, c.in.r, c.in.w = nil, 0, 0
	}
}

// close ends the connection. The backend must not own the batch, unless the loop itself has ended.
func (c *conn) close() {
	if c.closed {
		return
	}
	c.closed = true
	unix.Close(c.fd) // which also takes it out of the epoll instance
	if !c.executing {
		c.sess.Close()
		if c.batch != nil {
			c.loop.putBatch(c.batch)
			c.batch = nil
		}
		if c.in.buf != nil {
			c.loop.putBuffer(c.in.buf)
			c.in.buf = nil
		}
	}
	c.loop.forget(c)
}
