package loadgen

import (
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// spinServer is a server on a thread of its own that never sleeps, for replies that are sent to the microsecond. All requests are of
// the length that the workload's first has.
type spinServer struct {
	addr    string
	size    int // of a request
	fds     chan int
	closing atomic.Bool
}

// newSpinServer starts a server that the end of the test stops. Its thread calls turn again and again, and request with each
// request and the socket that it came from.
func newSpinServer(t *testing.T, w Workload, turn func(), request func(fd int, text []byte)) *spinServer {
	t.Helper()
	p, err := newPlan(w)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var o operation
	p.choose(&o, 0, 0)
	s := &spinServer{addr: ln.Addr().String(), size: len(p.appendRequest(nil, &o, 0, 0)), fds: make(chan int)}
	var ended sync.WaitGroup
	ended.Go(func() { s.accept(ln) })
	ended.Go(func() { s.serve(turn, request) })
	t.Cleanup(func() { ln.Close(); s.closing.Store(true); ended.Wait() })
	return s
}

func (s *spinServer) accept(ln net.Listener) {
	defer close(s.fds)
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		raw, _ := c.(syscall.Conn).SyscallConn()
		fd := -1
		raw.Control(func(old uintptr) { fd, _ = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) })
		c.Close()
		s.fds <- fd
	}
}

func (s *spinServer) serve(turn func(), request func(fd int, text []byte)) {
	runtime.LockOSThread() // and never unlocked
	var conns []int
	parts := map[int][]byte{} // of requests that are not complete
	buf := make([]byte, 64<<10)
	for fds := s.fds; fds != nil || !s.closing.Load(); {
		select {
		case fd, ok := <-fds:
			if !ok {
				fds = nil
				continue
			}
			conns = append(conns, fd)
		default:
		}
		turn()
		for _, fd := range conns {
			n, errno := receive(fd, buf)
			if errno != 0 || n == 0 {
				continue
			}
			text := append(parts[fd], buf[:n]...)
			for ; len(text) >= s.size; text = text[s.size:] {
				request(fd, text[:s.size])
			}
			parts[fd] = append(parts[fd][:0], text...)
		}
	}
	for _, fd := range conns {
		unix.Close(fd)
	}
}
