package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// rejection is what a connection above the limit is told, in RESP whatever it speaks.
const rejection = "-ERR max connections reached\r\n"

// Stats are the server's connection counts.
type Stats struct {
	Clients  int64  // connected now
	Accepted uint64 // since the start, without the rejected
	Rejected uint64 // for being above the limit
}

// Server accepts connections and drives them until Shutdown.
type Server struct {
	opts      Options
	backend   Backend
	bound     []bound    // what is listened at; empty when no more
	addrs     []net.Addr // by index in Options.Listen
	transport transport
	mayHold   bool // see Options.Dedicated

	nextID   atomic.Int64
	clients  atomic.Int64
	accepted atomic.Uint64
	rejected atomic.Uint64

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
	// eventLoops are the event loops, nil without.
	eventLoops() []Loop
}

// Start binds every address and serves b there. Either all addresses are served or none: the error of the first that
// cannot be bound is returned, and b is not closed.
func Start(opts Options, b Backend) (*Server, error) {
	s := &Server{opts: opts.withDefaults(), backend: b, mayHold: opts.Dedicated && preemptible()}
	if err := s.bind(); err != nil {
		return nil, err
	}
	var err error
	switch opts.Transport {
	case Netpoll:
		s.transport = newNetpoll(s)
	case Epoll:
		s.transport, err = newEpoll(s)
	default:
		err = fmt.Errorf("unknown transport %q; have %s, %s", opts.Transport, Epoll, Netpoll)
	}
	if err == nil {
		err = s.transport.start()
	}
	if err != nil {
		s.unbind()
		return nil, err
	}
	return s, nil
}

// Addrs are the addresses served, in the order of Options.Listen.
func (s *Server) Addrs() []net.Addr { return s.addrs }

// Loops are the event loops, nil for a transport without.
func (s *Server) Loops() []Loop { return s.transport.eventLoops() }

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
		err := s.transport.drain(ctx)
		s.transport.stop()
		s.closeErr = errors.Join(err, s.backend.Close())
	})
	return s.closeErr
}

// admit counts a new connection and returns its id, or false when the limit is reached.
func (s *Server) admit() (id int64, ok bool) {
	if s.clients.Add(1) > int64(s.opts.MaxConns) {
		s.clients.Add(-1)
		s.rejected.Add(1)
		return 0, false
	}
	s.accepted.Add(1)
	return s.nextID.Add(1), true
}

func (s *Server) leave() { s.clients.Add(-1) }

// acceptBackoff is how long to leave a listener alone after its n-th failure in a row. Accept fails for want of
// descriptors or memory, which only time mends; the connections wait in the kernel's queue meanwhile.
func acceptBackoff(n int) time.Duration {
	return min(5*time.Millisecond<<min(n, 10), time.Second)
}
