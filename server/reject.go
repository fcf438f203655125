package server

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shardlab/shardlab/server/wire"
)

const (
	// rejectWait is how long a connection that finds no room is given for its first byte, which says what protocol to answer in.
	rejectWait = 100 * time.Millisecond
	// maxRejecting is how many such connections may wait at once. More are answered at once, in RESP unless the byte is there.
	maxRejecting = 64
)

// The rejection in both protocols.
var (
	rejectRESP = errorIn(wire.RESP, "ERR max connections reached")
	rejectSCNP = errorIn(wire.Typed, "ERR max connections reached")
)

func errorIn(f wire.Form, text string) []byte {
	var w wire.Writer
	w.Begin(&wire.Request{Frame: wire.Frame{Form: f}})
	w.Error(text)
	w.End()
	return w.Buf
}

func rejectionFor(first []byte) []byte {
	if len(first) > 0 && first[0] == wire.RequestMagic {
		return rejectSCNP
	}
	return rejectRESP
}

// socket is what a rejection needs of a connection: a net.Conn, or an *os.File around a descriptor.
type socket interface {
	io.ReadWriteCloser
	syscall.Conn
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// rejector turns connections away without holding up whoever accepts them.
type rejector struct {
	waiting chan struct{}
	wg      sync.WaitGroup
	said    seldom
}

// reject answers fd, which it takes over, that there is no room.
func (r *rejector) rejectFD(fd int) {
	if r.enter() {
		f := os.NewFile(uintptr(fd), "connection")
		r.wg.Go(func() { r.answer(f) })
		return
	}
	rejectNow(fd)
	unix.Close(fd)
}

// reject is rejectFD for a connection of Go's.
func (r *rejector) reject(nc net.Conn) {
	c, ok := nc.(socket)
	switch {
	case ok && r.enter():
		r.wg.Go(func() { r.answer(c) })
		return
	case ok:
		onFD(c, rejectNow)
	}
	nc.Close()
}

func (r *rejector) enter() bool {
	select {
	case r.waiting <- struct{}{}:
		return true
	default:
		return false
	}
}

// answer waits for the first byte, answers, and reads what else comes until the client goes or its time is over: closing a socket
// with unread bytes in it resets the connection, and the client might never see what it was told.
func (r *rejector) answer(c socket) {
	defer func() { <-r.waiting }()
	defer c.Close()
	var buf [4096]byte
	now := time.Now()
	c.SetReadDeadline(now.Add(rejectWait))
	c.SetWriteDeadline(now.Add(2 * rejectWait))
	n, _ := c.Read(buf[:])
	c.Write(rejectionFor(buf[:n]))
	onFD(c, func(fd int) { unix.Shutdown(fd, unix.SHUT_WR) })
	c.SetReadDeadline(now.Add(2 * rejectWait))
	for {
		if _, err := c.Read(buf[:]); err != nil {
			return
		}
	}
}

// rejectNow answers without waiting for anything.
func rejectNow(fd int) {
	var buf [4096]byte
	n, errno := rawRead(fd, buf[:])
	if errno != 0 {
		n = 0
	}
	rawWrite(fd, rejectionFor(buf[:n]))
}

// onFD calls f with the descriptor of c, unless c is closed.
func onFD(c syscall.Conn, f func(fd int)) {
	if raw, err := c.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { f(int(fd)) })
	}
}

// spare is a descriptor held in reserve. When there are no more, giving it up lets one connection be accepted and told so, where it
// would otherwise hang in the kernel's queue.
type spare struct {
	mu sync.Mutex
	fd int // -1 when we have none
}

func openSpare() int {
	fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	return fd
}

// lend calls f while a descriptor is free for it. It reports false if there is none to give up.
func (s *spare) lend(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd < 0 {
		if s.fd = openSpare(); s.fd < 0 {
			return false
		}
	}
	unix.Close(s.fd)
	f()
	s.fd = openSpare()
	return true
}

func (s *spare) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd >= 0 {
		unix.Close(s.fd)
		s.fd = -1
	}
}

func outOfDescriptors(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE)
}

// seldom says yes at most once a second: for log lines that a client could cause at will.
type seldom struct{ last atomic.Int64 }

func (s *seldom) now() bool {
	now := time.Now().UnixNano()
	last := s.last.Load()
	return now-last >= int64(time.Second) && s.last.CompareAndSwap(last, now)
}
