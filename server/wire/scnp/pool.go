package scnp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/shardlab/shardlab/server/wire"
)

// readSize is how much room a read has at least.
const readSize = 16 << 10

// keptSize is the most memory that a connection keeps of a long reply or request.
const keptSize = 256 << 10

// pool is the connections to one address. Those in use belong to their callers.
type pool struct {
	addr string
	opts *Options

	mu     sync.Mutex
	idle   []*conn // the one used last on top
	closed bool
}

var errClosed = errors.New("the client is closed")

// take returns a connection that nobody else uses.
func (p *pool) take(ctx context.Context) (*conn, error) {
	for {
		p.mu.Lock()
		closed, n := p.closed, len(p.idle)-1
		var cn *conn
		if n >= 0 {
			cn, p.idle = p.idle[n], p.idle[:n]
		}
		p.mu.Unlock()
		switch {
		case closed:
			return nil, fmt.Errorf("scnp %s: %w", p.addr, errClosed)
		case cn == nil:
			return p.dial(ctx)
		case cn.quiet():
			return cn, nil
		}
		cn.nc.Close()
	}
}

func (p *pool) dial(ctx context.Context) (*conn, error) {
	d := net.Dialer{Timeout: p.opts.DialTimeout}
	nc, err := d.DialContext(ctx, "tcp", p.addr)
	if err != nil {
		return nil, fmt.Errorf("scnp: %w", err)
	}
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("scnp %s: %w", p.addr, err)
	}
	cn := &conn{nc: nc, raw: raw, timeout: p.opts.Timeout, scan: wire.NewReplyScanner(p.opts.Replies)}
	cn.peek = cn.peekOnce
	return cn, nil
}

// put gives a connection back that has no reply outstanding.
func (p *pool) put(cn *conn) {
	cn.trim()
	p.mu.Lock()
	keep := !p.closed && !cn.spoiled && len(p.idle) < p.opts.MaxIdle
	if keep {
		p.idle = append(p.idle, cn)
	}
	p.mu.Unlock()
	if !keep {
		cn.nc.Close()
	}
}

// done ends a call: the connection is given back, or closed when the exchange failed and replies may still be under way. It
// returns what was wrong with the exchange or with the reply.
func (p *pool) done(cn *conn, name string, r wire.Reply, err error, want ...wire.ReplyKind) error {
	if err != nil {
		cn.nc.Close()
		return fmt.Errorf("%s %s: %w", name, p.addr, err)
	}
	switch {
	case slices.Contains(want, r.Kind):
	case r.Kind == wire.ErrorReply:
		err = Error(r.Payload)
	default:
		err = fmt.Errorf("%s %s: answered with %s", name, p.addr, r.Kind)
	}
	p.put(cn)
	return err
}

func (p *pool) close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, cn := range idle {
		cn.nc.Close()
	}
}

// conn is one connection. It belongs to one caller at a time.
type conn struct {
	nc      net.Conn
	raw     syscall.RawConn
	timeout time.Duration

	scan wire.ReplyScanner
	in   []byte // what has been read
	r    int    // where the next reply starts in it
	out  []byte // requests to be sent

	bounded bool // a deadline is set
	spoiled bool // somebody may still set one
	peek    func(fd uintptr) bool
	peekErr error
}

// quiet reports whether an idle connection is still open and has nothing to say.
func (c *conn) quiet() bool {
	if c.bounded {
		c.bounded = false
		c.nc.SetDeadline(time.Time{})
	}
	return c.raw.Read(c.peek) == nil && c.peekErr == syscall.EAGAIN
}

func (c *conn) peekOnce(fd uintptr) bool {
	var b [1]byte
	_, _, c.peekErr = syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return true
}

// exchange sends c.out and returns the one reply to it, which is good until the connection is used again.
func (c *conn) exchange(ctx context.Context) (wire.Reply, error) {
	defer c.during(ctx)()
	if err := c.flush(); err != nil {
		return wire.Reply{}, because(ctx, err)
	}
	r, err := c.next()
	return r, because(ctx, err)
}

// during bounds reads and writes by ctx and the timeout until what it returns is called.
func (c *conn) during(ctx context.Context) (end func()) {
	deadline, bounded := ctx.Deadline()
	if t := time.Now().Add(c.timeout); c.timeout > 0 && (!bounded || t.Before(deadline)) {
		deadline = t
	}
	if !deadline.IsZero() {
		c.bounded = true
		c.nc.SetDeadline(deadline)
	}
	if ctx.Done() == nil {
		return nothing
	}
	c.bounded = true
	stop := context.AfterFunc(ctx, func() { c.nc.SetDeadline(time.Unix(1, 0)) })
	return func() { c.spoiled = !stop() }
}

func nothing() {}

// because returns the context's reason, where that was what ended an exchange.
func because(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (c *conn) flush() error {
	_, err := c.nc.Write(c.out)
	c.out = c.out[:0]
	return err
}

// next reads the next reply, which is good until the next call.
func (c *conn) next() (wire.Reply, error) {
	for {
		r, n, err := c.scan.Next(c.in[c.r:])
		if err != nil {
			return wire.Reply{}, err
		}
		if n > 0 {
			c.r += n
			return r, nil
		}
		if c.r > 0 {
			c.in = c.in[:copy(c.in, c.in[c.r:])]
			c.r = 0
		}
		c.in = slices.Grow(c.in, max(c.scan.Want()-len(c.in), readSize))
		m, err := c.nc.Read(c.in[len(c.in):cap(c.in)])
		c.in = c.in[:len(c.in)+m]
		if m == 0 && err != nil {
			if errors.Is(err, io.EOF) {
				err = errors.New("closed by the server")
			}
			return wire.Reply{}, err
		}
	}
}

// trim gives back the memory of long replies and requests.
func (c *conn) trim() {
	if c.r == len(c.in) {
		c.in, c.r = c.in[:0], 0
	}
	if cap(c.in) > keptSize && len(c.in) == 0 {
		c.in = nil
	}
	if cap(c.out) > keptSize {
		c.out = nil
	}
}
