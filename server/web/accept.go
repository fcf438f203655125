package web

import (
	"errors"
	"io"
	"net"
	"time"
)

// rejection is what a connection above the limit is told.
const rejection = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 36\r\n" +
	"Retry-After: 1\r\nConnection: close\r\n\r\n{\"error\":\"max connections reached\"}\n"

// accept serves every connection on a goroutine of its own until the listener is closed.
//
// fasthttp's own loop would do less: it takes a failing accept for the end, and its pool of workers outlives it by seconds.
func (s *Server) accept() {
	for failures := 0; ; {
		nc, err := s.ln.AcceptTCP()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // descriptors or memory are short, which time mends
			pause := min(5*time.Millisecond<<min(failures, 10), time.Second)
			failures++
			s.opts.Log.Warn("http: accept", "addr", s.Addr(), "err", err, "next", pause)
			select {
			case <-time.After(pause):
			case <-s.stopping:
				return
			}
			continue
		}
		failures = 0
		if s.nconns.Load() >= int64(s.opts.MaxConns) {
			s.rejected.Add(1)
			reject(nc)
			continue
		}
		s.accepted.Add(1)
		s.nconns.Add(1)
		c := &conn{TCPConn: nc, idle: true}
		s.add(c)
		s.running.Go(func() {
			s.http.ServeConn(c) // it has answered, and logs, what its error says
			s.remove(c)
			s.nconns.Add(-1)
		})
	}
}

// reject must not hold up the acceptor: a fresh socket's buffer takes these bytes at once, and the deadline is for the one
// that does not.
func reject(nc *net.TCPConn) {
	nc.SetWriteDeadline(time.Now().Add(time.Millisecond))
	io.WriteString(nc, rejection)
	nc.Close()
}

func (s *Server) add(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[c] = struct{}{}
	if s.draining.Load() {
		c.drain()
	}
}

func (s *Server) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// each calls f for every connection.
func (s *Server) each(f func(*conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		f(c)
	}
}
