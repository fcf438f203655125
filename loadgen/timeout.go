package loadgen

// A request that has timed out keeps its place on its connection. Replies come in the order of the requests, so nothing that is
// sent behind it could be answered before it, and on a new connection the server would first finish what it has read on the old
// one: a client that reconnects waits as long and adds a connection to the server's work. So its reply, when it comes, is matched,
// and dropped; only then is there room for another (in a closed loop for the client's next), and load does not pile up on a
// server that is stuck.
//
// It stands in the histograms with the timeout, in response time from when it was due: it took at least that. So percentiles
// beyond the share that timed out are lower bounds, and nothing that was slow is missing from the others.

// expired reports whether the reply to p, read at s.now, comes too late.
func (s *share) expired(p *pending) bool {
	return p.lapsed || s.window.timeout > 0 && s.now-p.sent > s.window.timeout
}

// lapse counts p as timed out, once.
func (s *share) lapse(p *pending) {
	if p.lapsed {
		return
	}
	p.lapsed = true
	s.rec.timedOut++
	s.rec.service[p.op].add(s.window.timeout)
	if s.open {
		s.rec.response[p.op].add(p.sent - p.due + s.window.timeout)
	}
}

// lapseAll counts what has timed out by now, although no reply says so. Edges of intervals and the end of a drain call it.
func (s *share) lapseAll() {
	if s.window.timeout == 0 {
		return
	}
	for i := range s.conns {
		c := &s.conns[i]
		for n := c.head; n != c.stamped; n++ {
			p := &c.ring[n&c.mask]
			if !s.expired(p) {
				if s.plan.steps {
					continue
				}
				break // those behind were sent later
			}
			if p.counted {
				s.lapse(p)
			}
		}
	}
}
