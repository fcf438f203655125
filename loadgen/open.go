package loadgen

import "math"

const (
	// lateAfter is from when on a request counts as sent late, ns.
	lateAfter = 1e6
	// burst bounds how many arrivals are sent before the replies are looked at again: a worker that has fallen behind
	// must not stamp replies late as well.
	burst = 256
)

// schedule is a worker's view of the arrivals of the whole session: arrival j belongs to client j mod clients.
type schedule struct {
	arrivals
	clients uint32
	client  uint32 // whose turn the next arrival is
	turn    uint64 // which of its operations that will be

	due int64 // the next arrival of this share's; MaxInt64 when there is none in the window
	own waitingArrival
}

// beginOpen starts the schedule: from then on arrivals are sent when they are due, whatever has become of earlier ones.
func (s *share) beginOpen() {
	s.schedule.restart()
	s.schedule.span(&s.load, &s.window)
	s.nextArrival()
}

func (s *share) stepOpen(until int64) (bool, error) {
	s.tick(clock())
	s.heedHalt()
	if err := s.renew(); err != nil {
		return false, err
	}
	if err := s.release(); err != nil {
		return false, err
	}
	if s.drained() {
		return false, nil
	}
	n, err := s.pump(min(s.until(), s.schedule.due, until))
	return n > 0, err
}

// nextArrival goes through the schedule up to the next arrival of this share's clients, or the end of the window.
func (s *share) nextArrival() {
	for a := &s.schedule; ; {
		due := s.window.lead + a.next()
		if due >= s.window.end {
			a.due = math.MaxInt64
			return
		}
		client, turn := a.client, a.turn
		if a.client++; a.client == a.clients {
			a.client = 0
			a.turn++
		}
		if local, ours := s.local(client); ours {
			a.due, a.own = due, waitingArrival{due, turn, local}
			return
		}
	}
}

// release sends the arrivals that are due.
func (s *share) release() error {
	s.released = 0
	for ; s.released < burst && s.schedule.due <= s.now; s.released++ {
		if err := s.arrive(s.schedule.own); err != nil {
			return err
		}
		s.nextArrival()
	}
	return s.flushAll()
}

// arrive sends an operation, or puts it into the backlog, or gives it up.
func (s *share) arrive(a waitingArrival) error {
	counted := a.due >= s.window.start
	if counted {
		s.rec.intended++
		s.pacer.fell(a.due, s.rec.due)
	}
	var o operation
	s.plan.choose(&o, s.client(a.client), a.turn)
	c, err := s.socket(a.client, &o)
	if err != nil {
		return err
	}
	if c.waiting.empty() && c.hasRoom(s.load.InFlight) {
		s.placeArrival(c, &o, a)
	} else if !s.backlog.put(&c.waiting, a) && counted {
		s.rec.unsent++
	}
	return nil
}

// sendWaiting takes arrivals from the backlog while c has room.
func (s *share) sendWaiting(c *conn) {
	for !c.waiting.empty() && c.hasRoom(s.load.InFlight) {
		a := s.backlog.take(&c.waiting)
		var o operation
		s.plan.choose(&o, s.client(a.client), a.turn)
		s.placeArrival(c, &o, a)
	}
}

func (s *share) placeArrival(c *conn, o *operation, a waitingArrival) {
	p := s.place(c, o, s.client(a.client), a.turn)
	p.client, p.due, p.counted = a.client, a.due, a.due >= s.window.start
}
