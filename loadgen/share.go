package loadgen

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/shardlab/shardlab/server/wire"
)

const (
	// readSize is how much is read at once: what a pipeline of 64 small values needs ten times over, and it stays in
	// the second-level cache.
	readSize = 64 << 10
	// copyLimit parts replies that are cut off: shorter ones are moved in front of the next read, longer ones
	// gather in memory of their connection's own, where no byte is moved twice.
	copyLimit = 16 << 10
	// longestWait bounds how long a worker does not look whether it should stop, ns.
	longestWait = 20e6
)

// share is one worker's part of a session: its clients, sockets and records. While load is on, only that worker touches
// it; in between, the session does.
type share struct {
	index, stride uint32 // client l of the share is client first + index + l·stride of the load
	first         uint32
	plan          *plan
	load          Load
	responder     bool
	open          bool         // what is running is an open loop
	stop          *atomic.Bool // set from outside to end the run
	halt          *atomic.Bool // set from outside to end the window

	conns []conn // of client l to address a: conns[l·addrs + a]
	addrs int
	route func(key []byte) int
	key   []byte   // scratch for route
	turns []uint64 // how many operations each client has begun

	poll    poller
	in      []byte   // what is read, behind up to copyLimit bytes of an earlier reply
	spare   [][]byte // memory for conn.out, the one used last on top
	touched []*conn

	inProcess bool    // there are no sockets: see local.go
	executing []*conn // what was touched, while it is executed
	executed  int     // of those, how many have been

	backlog  backlog
	schedule schedule
	churn    churn
	leaving  int64 // the client whose connections are being replaced, or nobody
	pacer    pacer

	rec         recorder
	phase       phase
	recording   bool // between the two edges of the window
	refill      bool // closed loop: replies call for new requests
	outstanding int
	yieldAt     int64 // when another share of the worker wants its turn
	now         int64 // when the clock was last read
	spinning    bool  // it was read before a look that had nothing to find, and nothing to send
	spun        int64 // time lost so, ns
	released    int   // arrivals, when last looked
	window      edges
	from, to    snapshot

	intervals *intervals
	mark      snapshot // the last edge of an interval
}

// client returns the number in the load of a client of this share.
func (s *share) client(local uint32) uint32 { return s.first + s.index + local*s.stride }

// local returns the number in this share of a client of the load, if it is this share's.
func (s *share) local(client uint32) (local uint32, ours bool) {
	own := client - s.first // beyond all clients where client is less
	return own / s.stride, own < uint32(s.load.Clients) && own%s.stride == s.index
}

// socket returns the connection that carries a client's operation on a key.
func (s *share) socket(local uint32, o *operation) (*conn, error) {
	if s.route == nil {
		return &s.conns[local], nil
	}
	key := s.key[:s.plan.keys.size(o.key)]
	s.plan.putKey(key, o)
	addr := s.route(key)
	if uint(addr) >= uint(s.addrs) {
		return nil, fmt.Errorf("route: key %s belongs to address %d; have %d", key, addr, s.addrs)
	}
	return &s.conns[int(local)*s.addrs+addr], nil
}

// issue sends a client's next operation.
func (s *share) issue(local uint32) error {
	turn := s.turns[local]
	s.turns[local]++
	client := s.client(local)
	var o operation
	s.plan.choose(&o, client, turn)
	c, err := s.socket(local, &o)
	if err != nil {
		return err
	}
	s.place(c, &o, client, turn).client = local
	return nil
}

// place encodes a request and enters it into c's ring, as one of client 0 that does not count. It is sent by the next flush.
func (s *share) place(c *conn, o *operation, writer uint32, version uint64) *pending {
	p := c.push()
	p.op, p.step, p.check, p.key = o.op, o.step, o.check, o.key
	if c.turns != nil {
		c.turns[(c.tail-1)&c.mask] = version
	}
	p.due, p.client, p.counted, p.lapsed = 0, 0, false, false
	switch {
	case o.op == putCounter:
		p.op = Set // whose reply it has
	case o.op == Exists && s.plan.protocol == HTTP:
		c.scan.Bodyless()
	}
	s.outstanding++
	if c.local != nil {
		s.plan.addRequest(c.local.next, o, writer, version)
	} else {
		if c.out == nil {
			c.out = s.borrow()
		}
		c.out = s.plan.appendRequest(c.out, o, writer, version)
	}
	if !c.touched {
		c.touched = true
		s.touched = append(s.touched, c)
	}
	return p
}

func (s *share) borrow() []byte {
	if n := len(s.spare) - 1; n >= 0 {
		b := s.spare[n]
		s.spare = s.spare[:n]
		return b
	}
	return make([]byte, 0, 4<<10)
}

// flushAll writes what place has gathered: one write for each socket. Without sockets pump does it all.
func (s *share) flushAll() error {
	if s.inProcess {
		return nil
	}
	for _, c := range s.touched {
		c.touched = false
		if err := s.flush(c); err != nil {
			return err
		}
	}
	s.touched = s.touched[:0]
	return nil
}

// flush sends what c has to send, as far as the kernel takes it. What it offers for the first time counts as sent now.
func (s *share) flush(c *conn) error {
	if c.blocked || c.out == nil {
		return nil
	}
	s.now = clock()
	s.stamp(c)
	for c.sent < len(c.out) {
		n, errno := send(c.fd, c.out[c.sent:])
		switch errno {
		case 0:
			c.sent += n
			if s.recording {
				s.rec.bytesOut += uint64(n)
			}
		case unix.EAGAIN:
			c.blocked = true
			return nil
		case unix.EINTR:
		default:
			return c.fail(socketError(errno))
		}
	}
	s.spare = append(s.spare, c.out[:0])
	c.out, c.sent = nil, 0
	return nil
}

// stamp notes when requests were sent.
func (s *share) stamp(c *conn) {
	for ; c.stamped != c.tail; c.stamped++ {
		p := &c.ring[c.stamped&c.mask]
		if p.step > 0 {
			continue
		}
		p.sent = s.now
		switch {
		case !s.open:
			if p.counted = s.recording; s.recording {
				s.rec.sent++
			}
		case p.counted:
			s.rec.sent++
			s.pacer.left(s.now, s.rec.left)
			late := s.now - p.due
			s.rec.lateness.add(late)
			if late > lateAfter {
				s.rec.late++
			}
		}
	}
}

// pump waits for the sockets, for at most as long as nothing else is to be done, and serves those that are ready, or as many as
// it can until yieldAt. It reports how many it has served.
func (s *share) pump(until int64) (int, error) {
	if s.inProcess {
		return s.executeAll(until)
	}
	p := &s.poll
	if p.first == p.ready {
		n, err := s.wait(until)
		p.first, p.ready = 0, n
		if err != nil {
			return 0, err
		}
	}
	served := 0
	for p.first < p.ready && (served == 0 || s.now < s.yieldAt) {
		ev := &p.events[p.first]
		p.first++
		served++
		if err := s.serve(&s.conns[ev.Fd], ev.Events); err != nil {
			return served, err
		}
		// The server should have the next requests while we go on. It is the same with one address and with many: to
		// gather the requests of all sockets first would save a server with shard ports 4 to 17 % of its CPU.
		if err := s.flushAll(); err != nil {
			return served, err
		}
	}
	return served, s.flushAll()
}

func (s *share) serve(c *conn, events uint32) error {
	if c.connecting {
		if err := s.connected(c); err != nil || c.connecting {
			return err
		}
	}
	if events&unix.EPOLLOUT != 0 && c.blocked {
		c.blocked = false
		if err := s.flush(c); err != nil {
			return err
		}
	}
	if events&^unix.EPOLLOUT != 0 {
		if err := s.read(c, events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0); err != nil {
			return err
		}
	}
	s.sendWaiting(c)
	return s.leave(c)
}

// read takes in what has arrived. A read that does not fill the buffer has emptied the socket (epoll(7), on
// edge-triggered stream sockets), unless the peer has hung up: then it goes on to the end, or the error.
func (s *share) read(c *conn, hungUp bool) error {
	for {
		n, full, err := s.readOnce(c)
		if err != nil {
			return c.fail(err)
		}
		if n == 0 || !full && !hungUp {
			return nil
		}
	}
}

// readOnce does one read and handles the replies in it. It returns the bytes read, 0 when there were none.
func (s *share) readOnce(c *conn) (n int, full bool, err error) {
	var buf, room []byte
	want := c.scan.Want()
	if want > copyLimit {
		c.rest = slices.Grow(c.rest, want-len(c.rest))
		buf, room = c.rest, c.rest[len(c.rest):want]
	} else {
		had := copy(s.in, c.rest)
		buf, room = s.in[:had], s.in[had:]
	}
	n, errno := receive(c.fd, room)
	switch {
	case errno == unix.EAGAIN:
		return 0, false, nil
	case errno == unix.EINTR:
		return s.readOnce(c)
	case errno != 0:
		return 0, false, socketError(errno)
	case n == 0:
		return 0, false, errors.New("closed by peer")
	}
	s.tick(clock())
	if s.recording {
		s.rec.bytesIn += uint64(n)
	}
	buf = buf[:len(buf)+n]
	used, err := s.replies(c, buf)
	if err != nil {
		return n, false, err
	}
	if want > copyLimit && used == 0 {
		c.rest = buf // is where it must be
	} else {
		c.rest = append(c.rest[:0], buf[used:]...)
	}
	return n, n == len(room), nil
}

// replies handles the complete replies at the front of buf, and returns their length.
func (s *share) replies(c *conn, buf []byte) (int, error) {
	used := 0
	var r wire.Reply
	for used < len(buf) {
		n, err := c.scan.Scan(buf[used:], &r)
		if n == 0 || err != nil {
			return used, err
		}
		used += n
		if r.Kind == wire.PushReply {
			continue
		}
		if c.head == c.stamped {
			return used, fmt.Errorf("%s that answers no request", r.Kind)
		}
		p := &c.ring[c.head&c.mask]
		client := p.client
		more := s.judge(p, &r)
		c.head++
		c.replies++
		s.outstanding--
		if more {
			s.follow(c, *p, c.turns[(c.head-1)&c.mask])
		} else if s.refill {
			if err := s.reissue(client); err != nil {
				return used, err
			}
		}
	}
	return used, nil
}

// tick takes note of the time, and of an edge of the window that it has reached.
func (s *share) tick(now int64) {
	s.spent(now)
	if s.now = now; now >= s.window.next {
		s.cross()
	}
}

// abandon closes the connections.
func (s *share) abandon() {
	for i := range s.conns {
		s.conns[i].close()
	}
}

func (s *share) close() {
	s.abandon()
	s.poll.close()
}

var errStopped = errors.New("stopped")

// stopped returns errStopped once the run is to end early.
func (s *share) stopped() error {
	if s.stop.Load() {
		return errStopped
	}
	return nil
}

// heedHalt makes now the end of the window if it is to end early.
func (s *share) heedHalt() {
	if !s.halt.Load() || s.now >= s.window.end {
		return
	}
	w := &s.window
	w.start, w.end = min(w.start, s.now), s.now
	w.next, w.drainBy = s.now, s.now+int64(s.load.Drain)
	if s.schedule.due >= s.now {
		s.schedule.due = math.MaxInt64
	}
	s.tick(s.now)
	s.tick(s.now) // from the lead-in there are two edges to pass
}
