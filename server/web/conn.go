package web

import (
	"io"
	"net"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// conn is an accepted connection. Between requests it is idle; when the server drains, an idle one ends, by a deadline that fasthttp
// cannot put off, and an active one after its response.
type conn struct {
	*net.TCPConn

	mu       sync.Mutex
	idle     bool
	draining bool
	linger   bool // its request was refused half way
	closed   bool
}

// drainGrace is how long an idle connection of a draining server is still listened to. Go's blocking reads cannot be asked whether
// bytes have arrived, so a short wait stands for it.
const drainGrace = 10 * time.Millisecond

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.draining && c.idle {
		t = time.Now().Add(drainGrace)
	}
	return c.TCPConn.SetReadDeadline(t)
}

// become notes whether the connection waits for a request. timeout is how long one may take to arrive.
func (c *conn) become(idle bool, timeout time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = idle
	switch {
	case !c.draining:
	case idle:
		c.TCPConn.SetReadDeadline(time.Now().Add(drainGrace))
	default: // the request came in the very moment: it may still be read
		c.TCPConn.SetReadDeadline(time.Now().Add(timeout))
	}
}

func (c *conn) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
	if c.idle {
		c.TCPConn.SetReadDeadline(time.Now().Add(drainGrace))
	}
}

// How long, and for how many bytes, a refused client is listened to: until it has had the time to read why.
const (
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 1 << 20
)

func (c *conn) refuse() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.linger = true
}

// Close implements net.Conn. A connection whose request was refused half way is first read for a while: closing it with
// unread bytes would reset it, and the client would lose the response.
func (c *conn) Close() error {
	c.mu.Lock()
	linger := c.linger && !c.closed && !c.draining
	c.closed = true
	c.mu.Unlock()
	if linger && c.CloseWrite() == nil {
		c.TCPConn.SetReadDeadline(time.Now().Add(lingerTime))
		io.CopyN(io.Discard, c.TCPConn, lingerBytes)
	}
	return c.TCPConn.Close()
}

func (s *Server) connState(nc net.Conn, state fasthttp.ConnState) {
	if c, ok := nc.(*conn); ok && (state == fasthttp.StateIdle || state == fasthttp.StateActive) {
		c.become(state == fasthttp.StateIdle, s.opts.ReadTimeout)
	}
}
