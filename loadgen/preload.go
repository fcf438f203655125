package loadgen

import (
	"fmt"
	"math"
)

const (
	// preloadDepth is how many keys are on their way through one socket.
	preloadDepth = 64
	// preloadBytes bounds how many bytes are, where values are large.
	preloadBytes = 1 << 20
)

// sweep does one operation, SET or GET, on every stride-th key from index on. Every value that is read is checked.
func (s *share) sweep(op Op) error {
	s.prepare(edges{start: math.MinInt64, end: math.MaxInt64}, Closed)
	s.tick(s.now) // records from the start: errors are wanted
	limit := min(max(preloadBytes/s.plan.requestSize(), 1), preloadDepth)
	if s.plan.protocol == HTTP {
		limit = 1
	}
	next, local := uint64(s.index), 0
	count := s.plan.workload.preloaded()
	for next < count || s.outstanding > 0 {
		if err := s.stopped(); err != nil {
			return err
		}
		for next < count {
			o := operation{op: op, check: true, key: uint32(next)}
			if t := s.plan.workload.Trace; t != nil {
				o.key, o.sized = t.preload[next].key, t.preload[next].sized()
			}
			c, err := s.socket(uint32(local), &o)
			if err != nil {
				return err
			}
			if !c.hasRoom(limit) {
				break
			}
			s.place(c, &o, preloader, 0)
			next += uint64(s.stride)
			local = (local + 1) % len(s.turns)
		}
		if err := s.flushAll(); err != nil {
			return err
		}
		if _, err := s.pump(math.MaxInt64); err != nil {
			return err
		}
		if s.rec.errors > 0 {
			return fmt.Errorf("preload %s: %s", s.conns[0].addr, s.rec.firstError)
		}
	}
	return nil
}
