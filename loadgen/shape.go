package loadgen

import "fmt"

// Shape changes what the session's load is from its next window on: Rate, RateTo, Arrival, Active and Churn. All else must be
// as it was, and a session that is to churn must have been connected with Churn. The operations go on where they were.
// No window may be running.
func (s *Session) Shape(l Load) error {
	if err := l.check(); err != nil {
		return err
	}
	next := s.load
	next.Rate, next.RateTo, next.Arrival, next.Active, next.Churn = l.Rate, l.RateTo, l.Arrival, l.Active, l.Churn
	switch {
	case l.Mode != next.Mode || l.Connections != next.Connections || l.Pipeline != next.Pipeline:
		return fmt.Errorf("load %s: %v loop of %d connections × %d cannot become %v, %d × %d; connect again",
			s.target.Addr, next.Mode, next.Connections, next.Pipeline, l.Mode, l.Connections, l.Pipeline)
	case l.Churn > 0 && !s.plan.churns:
		return fmt.Errorf("load %s: the session was not connected to churn", s.target.Addr)
	}
	s.load = next
	for _, sh := range s.shares {
		sh.load = next
		if next.Mode == Open {
			sh.schedule.reshape(s.plan.workload.Seed, next)
		}
	}
	return nil
}

// active returns how many clients send.
func (l *Load) active() int {
	if l.Active > 0 {
		return l.Active
	}
	return l.Connections
}

// active returns how many clients of the share send: the first ones.
func (s *share) active() int {
	of := min(s.load.active()-s.load.First, s.load.Clients)
	return max(shareOf(of, int(s.stride), int(s.index)), 0)
}

// reshape goes on with another law. What has been drawn is not drawn again.
func (c *schedule) reshape(seed uint64, l Load) {
	n, states := c.n, c.states
	c.arrivals = newArrivals(seed, l)
	c.n, c.states = n, states
	if c.clients = uint32(l.active()); c.client >= c.clients {
		c.client = 0
		c.turn++
	}
}

func (l *Load) checkShape() error {
	switch {
	case l.Active < 0 || l.Active > l.Connections:
		return fmt.Errorf("load: %d of %d connections are active; use 1 to all, or 0 for all", l.Active, l.Connections)
	case !(l.Churn >= 0 && l.Churn <= MaxChurn):
		return fmt.Errorf("load: %v connections/s opened anew; use 0 to %.0f", l.Churn, MaxChurn)
	}
	return l.checkRamp()
}
