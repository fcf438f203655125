package loadgen

// preempted is from when on a look that found nothing has taken so long (it takes 0.3 µs) that the thread cannot have been on
// its processor, ns. That is no time of the processor's.
const preempted = 20e3

// wait waits for the sockets, until then at the latest. Within Load.Spin of the end it only looks whether they are ready.
func (s *share) wait(until int64) (int, error) {
	left := until - s.now
	if s.load.Spin > 0 && s.phase != draining { // what comes in a drain is in no hurry
		left -= int64(s.load.Spin)
	}
	if left > 0 || s.load.Spin == 0 {
		return s.poll.wait(min(left, longestWait))
	}
	n, err := s.poll.look()
	s.spinning = n == 0 && s.released == 0
	return n, err
}

// spent adds the time since the clock was last read to what was spent looking for nothing, if so it was.
func (s *share) spent(now int64) {
	if s.spinning {
		if d := now - s.now; d < preempted {
			s.spun += d
		}
		s.spinning = false
	}
}
