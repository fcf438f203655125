package loadgen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shardlab/shardlab/server/wire"
)

// Control sends single commands over a connection of its own, apart from any load. It connects when it is first used
// and again after a failure. Its methods may be called from any goroutine and take turns.
type Control struct {
	addr     string
	protocol Protocol

	mu    sync.Mutex
	local Executor // instead of a connection
	conn  net.Conn // nil when not connected
	scan  wire.ReplyScanner
	buf   []byte
}

// NewControl returns a Control for an address, host:port or unix:PATH.
//
// Commands are written in RESP, but for memcached as a line; HTTP has none.
func NewControl(addr string, protocol Protocol) *Control {
	return &Control{addr: addr, protocol: protocol}
}

// Do sends a command and returns the reply, which the caller owns. An error reply is returned both as the reply and as
// an error. Without a deadline in ctx it waits for as long as the server takes.
func (c *Control) Do(ctx context.Context, args ...string) (wire.Reply, error) {
	if len(args) == 0 {
		return wire.Reply{}, errors.New("control: no command")
	}
	if c.protocol == HTTP {
		return wire.Reply{}, fmt.Errorf("%s %s: http has no such commands", args[0], c.addr)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	exchange := c.exchange
	if c.local != nil {
		exchange = c.execute
	}
	r, err := exchange(ctx, args)
	if err != nil {
		c.hangUp() // whatever still arrives would be taken for the reply to the next command
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return wire.Reply{}, fmt.Errorf("%s %s: %w", args[0], c.addr, err)
	}
	if r.Kind == wire.ErrorReply {
		return r, fmt.Errorf("%s %s: %s", args[0], c.addr, r.Payload)
	}
	return r, nil
}

// execute is exchange with a server in the same process.
func (c *Control) execute(ctx context.Context, args []string) (wire.Reply, error) {
	if err := ctx.Err(); err != nil {
		return wire.Reply{}, err
	}
	var b wire.Batch
	req := wire.Request{}
	for _, a := range args {
		req.Args = append(req.Args, []byte(a))
	}
	b.Reqs = append(b.Reqs, req)
	if err := c.local.Exec(&b); err != nil {
		return wire.Reply{}, err
	}
	c.buf, c.scan = b.Out, RESP.scanner(wire.ReplyLimits{MaxBulk: maxLocalReply, MaxReply: maxLocalReply})
	r, ok, err := c.next()
	if err == nil && !ok {
		err = errors.New("no reply")
	}
	return r, err
}

func (c *Control) exchange(ctx context.Context, args []string) (wire.Reply, error) {
	if err := ctx.Err(); err != nil {
		return wire.Reply{}, err
	}
	if c.conn == nil {
		var d net.Dialer
		to, address := network(c.addr)
		conn, err := d.DialContext(ctx, to, address)
		if err != nil {
			return wire.Reply{}, err
		}
		c.conn, c.scan, c.buf = conn, c.protocol.scanner(wire.ReplyLimits{}), nil
	}
	deadline, _ := ctx.Deadline()
	c.conn.SetDeadline(deadline)
	conn := c.conn
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	command := wire.AppendCommand(nil, args...)
	if c.protocol == Memcached {
		command = []byte(strings.Join(args, " ") + "\r\n")
	}
	if _, err := c.conn.Write(command); err != nil {
		return wire.Reply{}, err
	}
	for {
		c.buf = slices.Grow(c.buf, max(c.scan.Want()-len(c.buf), 4<<10))
		n, err := c.conn.Read(c.buf[len(c.buf):cap(c.buf)])
		c.buf = c.buf[:len(c.buf)+n]
		if n == 0 && err != nil {
			if errors.Is(err, io.EOF) {
				err = errors.New("closed by peer")
			}
			return wire.Reply{}, err
		}
		if r, ok, err := c.next(); ok || err != nil {
			return r, err
		}
	}
}

// next takes a reply from what has been read, passing over push messages.
func (c *Control) next() (wire.Reply, bool, error) {
	for len(c.buf) > 0 {
		r, n, err := c.scan.Next(c.buf)
		if n == 0 || err != nil {
			return wire.Reply{}, false, err
		}
		if r.Kind != wire.PushReply {
			r.Payload = slices.Clone(r.Payload)
		}
		c.buf = append(c.buf[:0], c.buf[n:]...)
		if r.Kind != wire.PushReply {
			return r, true, nil
		}
	}
	return wire.Reply{}, false, nil
}

func (c *Control) hangUp() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// Close ends the connection, if there is one.
func (c *Control) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hangUp()
	if c.local != nil {
		c.local.Close()
	}
	return nil
}
