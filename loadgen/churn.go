package loadgen

import (
	"fmt"
	"math"
	"os"

	"golang.org/x/sys/unix"

	"github.com/shardlab/shardlab/server/wire"
)

// MaxChurn is the most of Load.Churn. A closed connection keeps its port for a second at least, and there are 28,232.
const MaxChurn = 20e3

// churn closes a share's connections and opens them anew, one client at a time: the client sends nothing more, waits for the
// replies to what it has sent, closes its sockets, connects again and goes on. Nothing is lost and nothing is sent twice; what
// falls due for it meanwhile waits in the backlog, and its response time shows it. The worker waits for none of it.
type churn struct {
	gap  float64 // between the session's renewals, ns; 0: there are none
	n    uint64  // of the session, that have been looked at
	from uint64  // n at the start of the window
	due  int64   // when the next of this share's is; MaxInt64: there is none, or one is under way
	next uint32  // whose turn it is
	open int     // sockets that are not connected yet
	held int     // requests of a closed loop that wait until they are
}

// nobody is the client that is renewed when none is.
const nobody = -1

// beginChurn starts the renewals of a window: equally spaced, clients in turn.
func (s *share) beginChurn() {
	c := &s.churn
	c.from, c.due = c.n, math.MaxInt64
	if c.gap = 0; s.load.Churn > 0 {
		c.gap = 1e9 / s.load.Churn
		s.nextRenewal()
	}
}

// nextRenewal finds the next renewal of this share's clients, if there is one before the end of the window.
func (s *share) nextRenewal() {
	c := &s.churn
	c.due = math.MaxInt64
	if s.phase == draining || s.active() == 0 {
		return
	}
	clients := uint64(s.load.active())
	for {
		due := s.window.lead + int64((float64(c.n-c.from)+0.5)*c.gap)
		if due >= s.window.end {
			return
		}
		client := uint32(c.n % clients)
		c.n++
		if local, ours := s.local(client); ours {
			c.due, c.next = due, local
			return
		}
	}
}

// renew begins to renew a client, if that is due.
func (s *share) renew() error {
	c := &s.churn
	if c.due > s.now || s.phase == draining {
		return nil
	}
	c.due, c.open, c.held = math.MaxInt64, s.addrs, 0
	s.leaving = int64(c.next)
	for i := range s.addrs {
		x := &s.conns[int(c.next)*s.addrs+i]
		x.retiring = true
		if err := s.leave(x); err != nil {
			return err
		}
	}
	return nil
}

// leave replaces a retiring connection once nothing is under way on it.
func (s *share) leave(c *conn) error {
	if !c.retiring || c.connecting || c.outstanding() > 0 || c.out != nil {
		return nil
	}
	s.now = clock()
	c.began, c.connecting = s.now, true
	fd, err := redial(c.fd)
	if err != nil {
		return c.fail(fmt.Errorf("opened anew: %w", err))
	}
	unix.Close(c.fd) // which also takes it from the poller
	c.fd = fd
	c.scan = s.plan.protocol.scanner(s.limits())
	c.rest = c.rest[:0]
	return s.poll.add(fd, c.index)
}

// redial begins to connect to where an old socket leads.
func redial(old int) (int, error) {
	to, err := unix.Getpeername(old)
	if err != nil {
		return -1, os.NewSyscallError("getpeername", err)
	}
	family := unix.AF_INET
	switch to.(type) {
	case *unix.SockaddrInet6:
		family = unix.AF_INET6
	case *unix.SockaddrUnix:
		family = unix.AF_UNIX
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if family != unix.AF_UNIX {
		err = os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1))
	}
	if err == nil {
		if err = unix.Connect(fd, to); err == unix.EINPROGRESS {
			err = nil
		}
		err = os.NewSyscallError("connect", err)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// connected takes an event of a socket that connects. Once it has, the client may go on.
func (s *share) connected(c *conn) error {
	code, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 {
		err = unix.Errno(code)
	}
	if err != nil {
		return c.fail(fmt.Errorf("opened anew: %w", err))
	}
	if _, err := unix.Getpeername(c.fd); err != nil {
		return nil // the event was the old socket's
	}
	s.tick(clock())
	c.connecting, c.retiring = false, false
	if s.recording {
		s.rec.reconnects++
		s.rec.connect.add(s.now - c.began)
	}
	if s.churn.open--; s.churn.open > 0 {
		return nil
	}
	local := uint32(s.leaving)
	s.leaving = nobody
	if s.refill {
		for range s.churn.held {
			if err := s.issue(local); err != nil {
				return err
			}
		}
	}
	s.nextRenewal()
	return nil
}

// reissue sends the next request of a client of a closed loop, or keeps it until the client is back.
func (s *share) reissue(client uint32) error {
	if int64(client) == s.leaving {
		s.churn.held++
		return nil
	}
	return s.issue(client)
}

func (s *share) limits() wire.ReplyLimits {
	return wire.ReplyLimits{MaxBulk: max(2*s.plan.values.most, 1<<20), MaxReply: max(2*s.plan.longestReply(), 2<<20)}
}
