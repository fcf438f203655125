package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shardlab/shardlab/server/wire"
)

// Stats are the server's connection counts.
type Stats struct {
	Clients  int64  // connected now
	Accepted uint64 // since the start, without the rejected
	Rejected uint64 // for want of room: above the limit, or no descriptor left
}

// Server accepts connections and drives them until Shutdown.
type Server struct {
	opts      Options
	backend   Backend
	bound     []bound    // what is listened at; empty when no more
	addrs     []net.Addr // by index in Options.Listen
	transport transport
	mayHold   bool // see Options.Dedicated

	maxConns    atomic.Int64
	maxBulk     atomic.Int64 // 0: as Options say
	idleTimeout atomic.Int64 // nanoseconds

	nextID   atomic.Int64
	clients  atomic.Int64
	accepted atomic.Uint64
	rejected atomic.Uint64

	rejector rejector
	spare    spare
	ending   chan struct{} // closed when Shutdown begins
	asked    chan struct{} // closed by AskShutdown
	askOnce  sync.Once

	closeOnce sync.Once
	closeErr  error
}

// transport drives the connections of a server.
type transport interface {
	start() error
	// drain stops accepting, lets connections finish what has arrived, and closes them. It returns when none is left or, with
	// an error, when ctx is done.
	drain(ctx context.Context) error
	// stop cuts what is left and waits for every goroutine.
	stop()
	traffic() Traffic
	loopCPU() []time.Duration
	// eventLoops are the event loops, nil without.
	eventLoops() []Loop
}

// Start binds every address and serves b there. Either all addresses are served or none: the error of the first that
// cannot be bound is returned, and b is not closed.
func Start(opts Options, b Backend) (*Server, error) {
	s := &Server{
		opts: opts.withDefaults(), backend: b, mayHold: opts.Dedicated && preemptible(),
		ending: make(chan struct{}), asked: make(chan struct{}),
	}
	s.rejector.waiting = make(chan struct{}, maxRejecting)
	s.SetMaxConns(s.opts.MaxConns)
	s.SetIdleTimeout(s.opts.IdleTimeout)
	if err := s.bind(); err != nil {
		return nil, err
	}
	s.spare.fd = openSpare()
	var err error
	switch opts.Transport {
	case Netpoll:
		s.transport = newNetpoll(s)
	case Redcon:
		s.transport = newRedcon(s)
	case Epoll:
		s.transport, err = newEpoll(s)
	default:
		err = fmt.Errorf("unknown transport %q; have %s, %s, %s", opts.Transport, Epoll, Netpoll, Redcon)
	}
	if err == nil {
		err = s.transport.start()
	}
	if err != nil {
		s.unbind()
		s.spare.close()
		return nil, err
	}
	return s, nil
}

// Addrs are the addresses served, in the order of Options.Listen.
func (s *Server) Addrs() []net.Addr { return s.addrs }

// Loops are the event loops, nil for a transport without.
func (s *Server) Loops() []Loop { return s.transport.eventLoops() }

// Turn serves what is ready on the event loop of a server that is Driven, after waiting up to wait for something to be: negative, as
// long as it takes. One goroutine calls it, all the time that the server lives; it must go on while another is in Shutdown,
// and until Turn reports false: then the loop has ended.
func (s *Server) Turn(wait time.Duration) (more bool) {
	t, ok := s.transport.(*epoll)
	if !ok || !s.opts.Driven {
		panic("bug: server: Turn of a server that is not driven")
	}
	return t.turn(wait)
}

// Stats returns the connection counts.
func (s *Server) Stats() Stats {
	return Stats{s.clients.Load(), s.accepted.Load(), s.rejected.Load()}
}

// NewID returns an id that no connection has: for a session that none drives.
func (s *Server) NewID() int64 { return s.nextID.Add(1) }

// Shutdown stops accepting, answers what has already arrived, closes every connection, then the backend. When ctx ends
// first it cuts the connections that are left and returns the context's error. It may be called more than once.
func (s *Server) Shutdown(ctx context.Context) error {
	s.closeOnce.Do(func() {
		close(s.ending)
		err := s.transport.drain(ctx)
		s.transport.stop()
		s.rejector.wg.Wait()
		s.spare.close()
		s.closeErr = errors.Join(err, s.backend.Close())
	})
	return s.closeErr
}

// AskShutdown asks whoever runs the server to shut it down. It returns at once and may be called from a session.
func (s *Server) AskShutdown() { s.askOnce.Do(func() { close(s.asked) }) }

// ShutdownAsked is closed when AskShutdown has been called.
func (s *Server) ShutdownAsked() <-chan struct{} { return s.asked }

// SetMaxConns changes Options.MaxConns. Connections that there are stay.
func (s *Server) SetMaxConns(n int) { s.maxConns.Store(int64(n)) }

// SetMaxBulk changes Options.Limits.MaxBulk, for connections to come.
func (s *Server) SetMaxBulk(n int) { s.maxBulk.Store(int64(n)) }

// limits are what a new connection is held to.
func (s *Server) limits() wire.Limits {
	l := s.opts.Limits
	if n := int(s.maxBulk.Load()); n != 0 {
		l.MaxBulk, l.MaxRequest = n, max(l.MaxRequest, 2*n)
	}
	return l
}

// MaxConns is the most connections at once.
func (s *Server) MaxConns() int { return int(s.maxConns.Load()) }

// SetIdleTimeout changes Options.IdleTimeout, also for the connections that there are. It is kept to about a second.
func (s *Server) SetIdleTimeout(d time.Duration) { s.idleTimeout.Store(int64(d)) }

// IdleTimeout is how long a connection may be silent; 0: for ever.
func (s *Server) IdleTimeout() time.Duration { return time.Duration(s.idleTimeout.Load()) }

// admit counts a new connection and returns its id, or false when the limit is reached.
func (s *Server) admit() (id int64, ok bool) {
	if limit := s.maxConns.Load(); s.clients.Add(1) > limit {
		s.clients.Add(-1)
		s.rejected.Add(1)
		if s.rejector.said.now() {
			s.opts.Log.Warn("connections are turned away", "limit", limit)
		}
		return 0, false
	}
	s.accepted.Add(1)
	return s.nextID.Add(1), true
}

func (s *Server) leave() { s.clients.Add(-1) }

// turnAway makes room for one connection with the spare descriptor, for accept to take and reject. It reports false if
// that cannot be done now.
func (s *Server) turnAway(at string, err error, accept func() bool) (done bool) {
	if !outOfDescriptors(err) || !s.spare.lend(func() { done = accept() }) || !done {
		return false
	}
	s.rejected.Add(1)
	if s.rejector.said.now() {
		s.opts.Log.Error("connections are turned away", "address", at, "error", err)
	}
	return true
}

// acceptBackoff is how long to leave a listener alone after its n-th failure in a row. Accept fails for want of
// descriptors or memory, which only time mends; the connections wait in the kernel's queue meanwhile.
func acceptBackoff(n int) time.Duration {
	return min(5*time.Millisecond<<min(n, 10), time.Second)
}
