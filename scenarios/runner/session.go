package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shardlab/shardlab/loadgen"
)

// session is the clients of one arm: sockets of this process (a loadgen.Session), clients in the server's (hosted), or both
// (mixed).
type session interface {
	Preload(ctx context.Context) error
	Preloaded() int // keys that were there at its end
	Run(ctx context.Context, w loadgen.Window) (*loadgen.Result, error)
	controller
	Sockets() int
	Close() error
}

// hosted are clients in the process of the server, which is a host. Control commands go through a socket.
type hosted struct {
	*loadgen.Control
	conn    net.Conn
	orders  *json.Encoder
	reports *json.Decoder
	clients int
	keys    int
}

// openHosted makes the host c connect the clients of l.
func openHosted(ctx context.Context, c *child, l *hostLoad) (*hosted, error) {
	h := &hosted{
		Control: loadgen.NewControl(c.addr, loadgen.RESP), conn: c.host, orders: json.NewEncoder(c.host), reports: json.NewDecoder(c.host),
	}
	r, err := h.ask(ctx, hostOrder{Connect: l}, nil)
	h.clients = r.Sockets
	return h, err
}

// ask gives an order and waits until it is carried out. A host whose order was given up is of no more use.
func (h *hosted) ask(ctx context.Context, o hostOrder, observe func(loadgen.Interval)) (hostReport, error) {
	defer context.AfterFunc(ctx, func() { h.conn.SetDeadline(time.Unix(1, 0)) })()
	fail := func(err error) (hostReport, error) {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return hostReport{}, fmt.Errorf("clients in the server's process: %w", err)
	}
	if err := h.orders.Encode(o); err != nil {
		return fail(err)
	}
	for {
		var r hostReport
		if err := h.reports.Decode(&r); err != nil {
			return fail(err)
		}
		switch {
		case r.Error != "":
			return fail(errors.New(r.Error))
		case r.Interval == nil:
			return r, nil
		case observe != nil:
			res, err := r.Interval.unpack()
			if err != nil {
				return fail(err)
			}
			observe(loadgen.Interval{Result: res, Tail: r.Interval.Tail})
		}
	}
}

func (h *hosted) Preload(ctx context.Context) error {
	r, err := h.ask(ctx, hostOrder{Preload: true}, nil)
	h.keys = r.Keys
	return err
}

func (h *hosted) Preloaded() int { return h.keys }

// Run has the host run a window. The server's CPU time is that of its process, clients included, whatever the window asks.
func (h *hosted) Run(ctx context.Context, w loadgen.Window) (*loadgen.Result, error) {
	r, err := h.ask(ctx, hostOrder{Run: &hostWindow{w.Lead, w.Measure, w.Every, w.At}}, w.Observe)
	if err != nil {
		return nil, err
	}
	return r.Result.unpack()
}

func (h *hosted) ControlProtocol() loadgen.Protocol { return loadgen.RESP }
func (h *hosted) Sockets() int                      { return h.clients }

// socketPair makes the two ends of a conversation with a child, whose own is a file.
func socketPair() (ours net.Conn, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	own := os.NewFile(uintptr(fds[0]), "host")
	defer own.Close() // the connection has a duplicate
	theirs = os.NewFile(uintptr(fds[1]), "host")
	if ours, err = net.FileConn(own); err != nil {
		theirs.Close()
	}
	return ours, theirs, err
}
