package server

import (
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// poller is an epoll instance with an eventfd that wakes it from another thread.
type poller struct {
	ep, wakeFD int
	events     [256]unix.EpollEvent
}

func newPoller() (*poller, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		unix.Close(ep)
		return nil, os.NewSyscallError("eventfd", err)
	}
	p := &poller{ep: ep, wakeFD: wake}
	// Edge-triggered, so that a wake-up needs no read to be reset.
	if err := p.add(wake, unix.EPOLLIN|unix.EPOLLET); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *poller) close() {
	unix.Close(p.ep)
	unix.Close(p.wakeFD)
}

func (p *poller) add(fd int, events uint32) error {
	ev := unix.EpollEvent{Events: events, Fd: int32(fd)}
	return os.NewSyscallError("epoll_ctl add", unix.EpollCtl(p.ep, unix.EPOLL_CTL_ADD, fd, &ev))
}

func (p *poller) remove(fd int) { unix.EpollCtl(p.ep, unix.EPOLL_CTL_DEL, fd, nil) }

// wake ends a wait in progress, or the next one.
func (p *poller) wake() {
	one := uint64(1)
	rawWrite(p.wakeFD, (*[8]byte)(unsafe.Pointer(&one))[:])
}

// poll returns the events that are there now. It does not tell the Go scheduler that it is in the kernel: the call does
// not block, and telling costs about 50 ns.
func (p *poller) poll() []unix.EpollEvent {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.ep), uintptr(unsafe.Pointer(&p.events[0])),
		uintptr(len(p.events)), 0, 0, 0)
	if errno != 0 {
		return nil
	}
	return p.events[:n]
}

// wait blocks until there is an event or the time is over; a negative time never is.
func (p *poller) wait(d time.Duration) []unix.EpollEvent {
	ms := -1
	if d >= 0 {
		ms = int((d + time.Millisecond - 1) / time.Millisecond)
	}
	n, err := unix.EpollWait(p.ep, p.events[:], ms)
	if err != nil {
		return nil
	}
	return p.events[:n]
}

// timer makes its poller return at fixed intervals. As a descriptor it needs no clock to be read in every turn, and a loop that
// waits needs no time to be given.
type timer struct{ fd int }

func newTimer(p *poller, every time.Duration) (timer, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return timer{-1}, os.NewSyscallError("timerfd_create", err)
	}
	interval := unix.NsecToTimespec(int64(every))
	err = unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Interval: interval, Value: interval}, nil)
	if err == nil {
		err = p.add(fd, unix.EPOLLIN)
	}
	if err != nil {
		unix.Close(fd)
		return timer{-1}, os.NewSyscallError("timerfd_settime", err)
	}
	return timer{fd}, nil
}

// read returns how many intervals have passed since the last call, and sets the timer going again.
func (t timer) read() (intervals uint64) {
	rawRead(t.fd, (*[8]byte)(unsafe.Pointer(&intervals))[:])
	return intervals
}

func (t timer) close() {
	unix.Close(t.fd)
}

// rawRead and rawWrite are read(2) and write(2) on a nonblocking descriptor, without the scheduler's bookkeeping.
func rawRead(fd int, b []byte) (int, unix.Errno) { return rawIO(unix.SYS_READ, fd, b) }

func rawWrite(fd int, b []byte) (int, unix.Errno) { return rawIO(unix.SYS_WRITE, fd, b) }

func rawIO(call uintptr, fd int, b []byte) (int, unix.Errno) {
	for {
		n, _, errno := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		if errno == unix.EINTR {
			continue
		}
		return int(n), unix.Errno(errno)
	}
}
