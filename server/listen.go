package server

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// listener is a bound socket: a *net.TCPListener or a *net.UnixListener.
type listener interface {
	net.Listener
	File() (*os.File, error)
	SetDeadline(time.Time) error
}

// bound is a listening socket of the server.
type bound struct {
	listener
	index int       // in Options.Listen
	loop  int       // that accepts, or AnyLoop
	file  *sockFile // of a unix socket
}

// bind binds every address, or none.
func (s *Server) bind() error {
	for i, l := range s.opts.Listen {
		if err := s.bindOne(i, l); err != nil {
			s.unbind()
			return err
		}
	}
	return nil
}

func (s *Server) bindOne(index int, l Listen) error {
	first := len(s.bound)
	if s.opts.Transport == Epoll && l.Loop != AnyLoop && (l.Loop < 0 || l.Loop >= s.opts.Loops) {
		return fmt.Errorf("listen on %s: event loop %d, have %d", l.Addr, l.Loop, s.opts.Loops)
	}
	switch l.Network {
	case "", "tcp":
		if err := s.bindTCP(index, l); err != nil {
			return err
		}
	case "unix":
		ln, file, err := listenUnix(l.Addr)
		if err != nil {
			return err
		}
		s.bound = append(s.bound, bound{ln, index, l.Loop, file})
	default:
		return fmt.Errorf("listen on %s: unknown network %q; have tcp, unix", l.Addr, l.Network)
	}
	s.addrs = append(s.addrs, s.bound[first].Addr())
	return nil
}

func (s *Server) bindTCP(index int, l Listen) error {
	ln, err := net.Listen("tcp", l.Addr)
	if err != nil {
		return err
	}
	if !l.ReusePort || l.Loop != AnyLoop || s.opts.Transport != Epoll {
		s.bound = append(s.bound, bound{ln.(*net.TCPListener), index, l.Loop, nil})
		return nil
	}
	// That first socket, without SO_REUSEPORT, has shown that no other server is there, which would otherwise be joined in
	// silence, and what port the kernel has chosen.
	addr := ln.Addr().String()
	ln.Close()
	config := net.ListenConfig{Control: reusePort}
	for loop := range s.opts.Loops {
		ln, err := config.Listen(context.Background(), "tcp", addr)
		if err != nil {
			return err
		}
		s.bound = append(s.bound, bound{ln.(*net.TCPListener), index, loop, nil})
	}
	return nil
}

func reusePort(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) {
		err = os.NewSyscallError("set SO_REUSEPORT", unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1))
	}); e != nil {
		return e
	}
	return err
}

// unbind closes the listening sockets and removes the files of unix sockets. It may be called more than once.
func (s *Server) unbind() {
	for _, b := range s.bound {
		b.file.remove()
		b.Close()
	}
	s.bound = nil
}

// takeFD takes the descriptor out of b, which is closed: our epoll watches it, not Go's.
func (b bound) takeFD() (int, error) {
	f, err := b.File()
	if err != nil {
		return -1, err
	}
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("dup", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return -1, os.NewSyscallError("set nonblock", err)
	}
	b.Close()
	return fd, nil
}

// peerAddr is an accepted peer's address as Conn.Remote returns it.
func peerAddr(sa unix.Sockaddr, at net.Addr) string {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)).String()
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port)).String()
	}
	return socketName(at)
}

// localAddr is the address of our side of an accepted socket, as Conn.Local returns it. name is that of the listener.
func localAddr(fd int, at net.Addr, name string) string {
	if tcp, ok := at.(*net.TCPAddr); !ok || !tcp.IP.IsUnspecified() {
		return name
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return name
	}
	return peerAddr(sa, at)
}

// socketName is the address of a listener: host:port, or a unix socket's path and ":0", as Redis writes it.
func socketName(a net.Addr) string {
	if a.Network() == "unix" {
		return a.String() + ":0"
	}
	return a.String()
}
