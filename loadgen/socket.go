package loadgen

import (
	"context"
	"fmt"
	"net"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// network parts an address, host:port or unix:PATH, into what package net wants.
func network(addr string) (network, address string) {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		return "unix", path
	}
	return "tcp", addr
}

// dial connects to addr and returns a nonblocking socket, of TCP without Nagle's algorithm, that Go's runtime knows nothing of.
func dial(ctx context.Context, addr string) (int, error) {
	d := net.Dialer{KeepAlive: -1}
	to, address := network(addr)
	c, err := d.DialContext(ctx, to, address) // sets TCP_NODELAY
	if err != nil {
		return -1, err
	}
	defer c.Close() // the runtime's descriptor; the duplicate keeps the connection
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		return -1, err
	}
	fd := -1
	if e := raw.Control(func(old uintptr) {
		fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0)
	}); e != nil {
		return -1, e
	}
	if err != nil {
		return -1, fmt.Errorf("dial %s: fcntl: %w", addr, err)
	}
	return fd, nil
}

// receive and send are bare system calls: they never block, so the scheduler need not know.

func receive(fd int, buf []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(buf))),
		uintptr(len(buf)), unix.MSG_DONTWAIT, 0, 0)
	return int(n), errno
}

func send(fd int, buf []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(buf))),
		uintptr(len(buf)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}

// socketError turns the errno of a connection into words that go on from "connection 3: ".
func socketError(errno unix.Errno) error {
	return fmt.Errorf("%s", strings.TrimPrefix(errno.Error(), "connection "))
}
