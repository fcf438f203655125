package loadgen

// runClosed is a window of a closed loop: every client keeps its pipeline full until the end, and then lets it run dry.
func (s *share) runClosed(w edges) error {
	s.begin(w, Closed)
	s.refill = true
	for range s.load.Pipeline {
		for local := range s.turns {
			if err := s.issue(uint32(local)); err != nil {
				return err
			}
		}
	}
	if err := s.flushAll(); err != nil {
		return err
	}
	for !s.drained() {
		if err := s.stopped(); err != nil {
			return err
		}
		s.heedHalt()
		n, err := s.pump(s.until())
		if err != nil {
			return err
		}
		if n == 0 {
			s.tick(clock())
		}
	}
	s.settle()
	return nil
}
