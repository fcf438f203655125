package loadgen

// beginClosed fills the pipelines: from then on replies call for new requests, until the end of the window; then the pipelines
// run dry.
func (s *share) beginClosed() error {
	s.refill = true
	for range s.load.Pipeline {
		for local := range s.active() {
			if err := s.issue(uint32(local)); err != nil {
				return err
			}
		}
	}
	return s.flushAll()
}

func (s *share) stepClosed(until int64) (bool, error) {
	s.heedHalt()
	if err := s.renew(); err != nil {
		return false, err
	}
	n, err := s.pump(min(s.until(), until))
	if n == 0 && err == nil {
		s.tick(clock())
	}
	return n > 0, err
}
