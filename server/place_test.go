package server

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// placed is an echo that remembers its connections and counts ticks.
type placed struct {
	echo
	mu     sync.Mutex
	places []Place
	ticks  [3]atomic.Int64
}

func (p *placed) NewSession(at Place) Session {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.places = append(p.places, at)
	return p.echo.NewSession(at)
}

func (p *placed) Tick(loop int) { p.ticks[loop].Add(1) }

func (p *placed) conns() (cs []Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, at := range p.places {
		cs = append(cs, at.Conn)
	}
	return cs
}

func TestConnNamesItsEndsAndCanBeKilled(t *testing.T) {
	eachTransport(t, func(t *testing.T, opts Options, e *echo) {
		for _, addr := range []string{"127.0.0.1:0", ":0", "[::1]:0"} {
			p := &placed{}
			p.later = e.later
			opts.Listen = []Listen{{Addr: addr, Loop: AnyLoop}}
			s := startBackend(t, opts, p)
			first, other := dial(t, s), dial(t, s)
			for _, nc := range []net.Conn{first, other} {
				nc.Write(request("echo", "x"))
				mustRead(t, nc, "$1\r\nx\r\n")
			}
			named := map[string]Conn{}
			for _, c := range p.conns() {
				named[c.Remote()+" "+c.Local()] = c
			}
			c := named[first.LocalAddr().String()+" "+first.RemoteAddr().String()]
			if len(named) != 2 || c == nil {
				t.Fatalf("%s: no connection of %s to %s among %v", addr, first.LocalAddr(), first.RemoteAddr(), named)
			}
			c.Kill()
			mustEnd(t, first)
			waitFor(t, "the killed connection to be gone", func() bool { return s.Stats().Clients == 1 })
			c.Kill() // once more does no harm
			other.Write(request("echo", "y"))
			mustRead(t, other, "$1\r\ny\r\n")
		}
	})
}

// A connection is also killed while its replies wait for a reader that does not come.
func TestKillOfABlockedConnection(t *testing.T) {
	eachTransport(t, func(t *testing.T, opts Options, e *echo) {
		p := &placed{}
		p.later = e.later
		s := startBackend(t, opts, p)
		nc := dial(t, s)
		nc.Write([]byte(strings.Repeat(string(request("big")), 100)))
		waitFor(t, "the connection", func() bool { return p.executed.Load() > 0 })
		p.conns()[0].Kill()
		waitFor(t, "the killed connection to be gone", func() bool { return s.Stats().Clients == 0 })
	})
}

func TestEveryLoopTicks(t *testing.T) {
	p := &placed{}
	s := startBackend(t, Options{
		Transport: Epoll, Loops: 3, TickEvery: time.Millisecond, Listen: []Listen{{Addr: "127.0.0.1:0", Loop: 0}},
	}, p)
	nc := dial(t, s)
	waitFor(t, "ticks", func() bool {
		nc.Write(request("echo", "x")) // loop 0 is busy, the others sleep
		mustRead(t, nc, "$1\r\nx\r\n")
		return p.ticks[0].Load() > 5 && p.ticks[1].Load() > 5 && p.ticks[2].Load() > 5
	})
	if n := len(s.Loops()); n != 3 {
		t.Errorf("%d loops", n)
	}
}
