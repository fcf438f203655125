package server

import (
	"time"

	"golang.org/x/sys/unix"
)

// accepted is a socket that is to become a connection.
type accepted struct {
	fd         int
	id         int64
	listener   int
	peer, self string
}

// listeners are the listening sockets of one poller. After a failed accept they rest for a while, out of the poller,
// because a level-triggered socket with a waiting connection would otherwise wake it without end.
type listeners struct {
	s        *Server
	p        *poller
	index    map[int]int // descriptor → index in Options.Listen
	names    []string    // of the addresses, by that index
	failures int
	resumeAt time.Time // not zero while they rest
}

func newListeners(s *Server, p *poller) listeners {
	ls := listeners{s: s, p: p, index: map[int]int{}}
	for _, a := range s.addrs {
		ls.names = append(ls.names, socketName(a))
	}
	return ls
}

// add takes over fd.
func (ls *listeners) add(fd, index int) error {
	ls.index[fd] = index
	return ls.p.add(fd, unix.EPOLLIN)
}

func (ls *listeners) close() {
	for fd := range ls.index {
		ls.p.remove(fd)
		unix.Close(fd)
	}
	clear(ls.index)
	ls.resumeAt = time.Time{}
}

// ready accepts what waits on fd and passes each connection to take. It reports whether fd is one of the listeners.
func (ls *listeners) ready(fd int, take func(accepted)) bool {
	index, ok := ls.index[fd]
	if !ok {
		return false
	}
	const most = 64 // then other descriptors get their turn; the poller reports fd again
	for range most {
		nfd, peer, err := unix.Accept4(fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch err {
		case nil:
			ls.failures = 0
			ls.welcome(nfd, peer, index, take)
		case unix.EAGAIN:
			return true
		case unix.EINTR, unix.ECONNABORTED:
		default:
			if !ls.s.turnAway(ls.names[index], err, func() bool { return rejectNext(fd) }) {
				ls.rest(index, err)
				return true
			}
		}
	}
	return true
}

func (ls *listeners) welcome(fd int, peer unix.Sockaddr, index int, take func(accepted)) {
	id, ok := ls.s.admit()
	if !ok {
		ls.s.rejector.rejectFD(fd)
		return
	}
	at := ls.s.addrs[index]
	if at.Network() == "tcp" {
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		keepAlive(fd)
	}
	take(accepted{fd, id, index, peerAddr(peer, at), localAddr(fd, at, ls.names[index])})
}

// rejectNext turns away the connection that waits longest on a listener.
func rejectNext(listener int) bool {
	fd, _, err := unix.Accept4(listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	if err != nil {
		return err == unix.EAGAIN // it has gone
	}
	rejectNow(fd)
	unix.Close(fd)
	return true
}

// keepAlive finds clients that have vanished without a word, with the values of Go's net package (15 s idle, 9 probes 15 s
// apart), so that the two transports differ in nothing that a socket can tell.
func keepAlive(fd int) {
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 15)
	unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 15)
	unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 9)
}

func (ls *listeners) rest(index int, err error) {
	pause := acceptBackoff(ls.failures)
	ls.s.opts.Log.Error("accept failed", "address", ls.names[index], "error", err, "next try in", pause)
	ls.failures++
	ls.resumeAt = time.Now().Add(pause)
	for fd := range ls.index {
		ls.p.remove(fd)
	}
}

// timeout is how long the poller may wait: for ever, or until the listeners have rested.
func (ls *listeners) timeout() time.Duration {
	if ls.resumeAt.IsZero() {
		return -1
	}
	return max(0, time.Until(ls.resumeAt))
}

// resume puts rested listeners back.
func (ls *listeners) resume() {
	if ls.resumeAt.IsZero() || time.Now().Before(ls.resumeAt) {
		return
	}
	ls.resumeAt = time.Time{}
	for fd, index := range ls.index {
		if err := ls.p.add(fd, unix.EPOLLIN); err != nil {
			ls.rest(index, err)
			return
		}
	}
}

// acceptor hands whole sockets to the loops in turn. It waits for no loop: the queues behind Post are not bounded, the
// number of connections is.
type acceptor struct {
	listeners
	loops   []*loop
	next    int
	quit    chan struct{}
	stopped chan struct{}
}

func newAcceptor(s *Server, loops []*loop) (*acceptor, error) {
	p, err := newPoller()
	if err != nil {
		return nil, err
	}
	return &acceptor{
		listeners: newListeners(s, p), loops: loops,
		quit: make(chan struct{}, 1), stopped: make(chan struct{}),
	}, nil
}

func (a *acceptor) run() {
	defer close(a.stopped)
	defer a.listeners.close()
	for {
		for _, ev := range a.p.wait(a.timeout()) {
			a.ready(int(ev.Fd), a.hand)
		}
		a.resume()
		select {
		case <-a.quit:
			return
		default:
		}
	}
}

func (a *acceptor) hand(c accepted) {
	l := a.loops[a.next%len(a.loops)]
	a.next++
	l.Post(&Task{Run: func() { l.adopt(c) }})
}

// stop makes run return. It may be called more than once.
func (a *acceptor) stop() {
	select {
	case a.quit <- struct{}{}:
	default:
	}
	a.p.wake()
}

func (a *acceptor) close() {
	a.listeners.close()
	a.p.close()
}
