package server

import (
	"errors"
	"net"
	"os"
	"time"

	"github.com/tidwall/redcon"

	"github.com/shardlab/shardlab/server/wire"
)

// redconTransport is the server of the module tidwall/redcon around our sessions: a baseline that many Go servers share. It accepts, reads,
// parses and writes; a goroutine a connection. It knows RESP only, copies every command, and gathers whatever comes until a request
// is whole: of Options.Limits only MaxRequest binds it, an inline request included.
type redconTransport struct {
	netConns
	quit chan struct{} // closed by stop
}

func newRedcon(s *Server) *redconTransport {
	return &redconTransport{netConns: newNetConns(s), quit: make(chan struct{})}
}

func (t *redconTransport) start() error {
	for _, b := range t.s.bound {
		ln := &redconListener{netAcceptor{s: t.s, bound: b}, t}
		t.wg.Go(func() { redcon.Serve(ln, handleRedcon, t.accepted, t.closed) })
	}
	t.wg.Go(t.sweep)
	return nil
}

func (t *redconTransport) stop() {
	close(t.quit)
	t.netConns.stop()
}

// accepted is called once for each connection, before it is read: it is there from now on, also if it never says anything.
func (t *redconTransport) accepted(rc redcon.Conn) bool {
	c := rc.NetConn().(*redconConn)
	c.sess = t.s.backend.NewSession(c.place)
	return true
}

// closed is called once for each connection, on its goroutine.
func (t *redconTransport) closed(rc redcon.Conn, err error) {
	defer t.wg.Done()
	c := rc.NetConn().(*redconConn)
	if err != nil {
		t.s.ended(c.place.ID, c, err)
	}
	c.sess.Close()
	t.remove(&c.netConn)
}

// redconListener is what redcon accepts from.
type redconListener struct {
	netAcceptor
	t *redconTransport
}

// Accept implements net.Listener. When the address is closed it fails only after the connections have been drained: redcon's
// server ends then, and cuts those that are left.
func (ln *redconListener) Accept() (net.Conn, error) {
	for {
		nc, at, err := ln.next()
		if err != nil {
			<-ln.t.quit
			return nil, err
		}
		c := &redconConn{Conn: nc, netConn: netConn{t: &ln.t.netConns, nc: nc, place: at, done: make(chan struct{}, 1)}}
		c.place.Conn = c
		c.b.OnDone = c.isDone
		if ln.t.add(&c.netConn) {
			ln.t.wg.Add(1)
			return c, nil
		}
	}
}

// redconConn is a connection as redcon's server sees it, with our session.
type redconConn struct {
	net.Conn
	netConn
	b        wire.Batch
	known    bool // the first byte has been seen
	gathered int  // bytes read since a command was last whole
	draining bool
}

var (
	errSCNP   = errors.New("a client that speaks SCNP")
	errTooBig = errors.New("too big request")
)

// Read implements net.Conn. Draining, it returns what has arrived before it fails.
func (c *redconConn) Read(p []byte) (int, error) {
	if c.gathered > c.t.s.limits().WithDefaults().MaxRequest {
		c.nc.Write(errorIn(wire.RESP, "ERR Protocol error: too big request"))
		return 0, errTooBig
	}
	n, err := c.nc.Read(p)
	if !c.known && n > 0 {
		if c.known = true; p[0] == wire.RequestMagic { // redcon would wait for the end of a line
			c.nc.Write(errorIn(wire.Typed, "ERR transport redcon knows RESP only"))
			return 0, errSCNP
		}
	}
	if !c.draining && errors.Is(err, os.ErrDeadlineExceeded) {
		// The deadline of drain. A read whose time has passed fails without looking at the socket: look once more.
		c.draining = true
		c.nc.SetReadDeadline(time.Now().Add(drainGrace))
		n, err = c.nc.Read(p)
	}
	if c.draining && n == len(p) {
		c.nc.SetReadDeadline(time.Now().Add(drainGrace)) // there may be more
	}
	c.seen()
	c.gathered += n
	c.meter.in.Add(uint64(n))
	return n, err
}

// Write implements net.Conn.
func (c *redconConn) Write(p []byte) (int, error) { return c.send(p) }

// handleRedcon answers a command and those that were read with it.
func handleRedcon(rc redcon.Conn, cmd redcon.Command) {
	c := rc.NetConn().(*redconConn)
	c.gathered = 0
	b := &c.b
	b.Reset()
	b.Reqs = append(b.Reqs, wire.Request{Args: cmd.Args})
	for _, next := range rc.ReadPipeline() {
		b.Reqs = append(b.Reqs, wire.Request{Args: next.Args})
	}
	for !b.Executed() {
		for !c.sess.Exec(b) {
			<-c.done
		}
		rc.WriteRaw(b.Out)
		b.Out = b.Out[:0]
		if !b.Executed() && redcon.BaseWriter(rc).Flush() != nil {
			b.Close = true
		}
	}
	if b.Close {
		rc.Close()
	}
	clear(b.Reqs) // redcon's copies of the commands
}
