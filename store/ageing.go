package store

// ageing keeps the meta of slots true while time passes: a hand that goes round, as fast as the clock asks.
type ageing struct {
	hand    hand
	left    int   // slots to pass now
	convert bool  // this round makes the meta of another policy that of this one
	faded   int64 // counts are as of then
	turns   uint32
	fade    uint8 // what this round takes off counts
	fadeNew bool  // this round takes one off counts of entries that were never used
}

// follow takes up what changed in the budget since the shard last looked: the tick and the policy.
func (s *Shard) follow() {
	k := &s.keep
	k.mode = s.budget.mode.Load()
	if p := Policy(k.mode >> metaBits); p != k.policy {
		s.adopt(p)
	}
	a := &k.ageing
	tick := uint8(k.mode)
	s.mode = uint32(k.kind) | uint32(tick)
	if tick != k.tick {
		slots := s.index.slots
		passed := int(age(k.tick, tick))
		k.tick = tick
		if k.kind == kindClock && !a.convert {
			a.left = min(a.left+passed*slots/sweepTicks+1, slots)
		}
		if k.policy == AllKeysLRU {
			for i := range k.pool.best[:k.pool.n] {
				k.pool.best[i].coldness += int64(passed)
			}
		}
	}
	if a.faded == 0 {
		a.faded = k.now
	}
	if k.kind == kindCounts && a.left <= 0 {
		s.followCounts()
	}
}

// followCounts starts a round that lets counts fade, if it is time to.
func (s *Shard) followCounts() {
	k := &s.keep
	a := &k.ageing
	if turns := s.budget.clock.turns.Load(); turns-a.turns >= turnsToFade {
		a.turns, a.fadeNew = turns, true
	}
	if n := (k.now - a.faded) / countFade; n > 0 {
		a.faded += n * countFade
		a.fade = uint8(min(n, 255))
	}
	if a.fade > 0 || a.fadeNew {
		s.startRound()
	}
}

func (s *Shard) adopt(p Policy) {
	k := &s.keep
	k.pool.n = 0
	k.policy, k.queues = p, nil
	if p == AllKeysS3FIFO {
		k.queues = new(queues)
	}
	s.settle()
	if p.kind() != k.kind {
		k.kind = p.kind()
		k.ageing.convert, k.ageing.fade, k.ageing.faded = true, 0, k.now
		s.startRound()
	}
}

func (s *Shard) startRound() {
	s.keep.ageing.hand = hand{}
	s.keep.ageing.left = 2*s.index.slots + maxSlots // the index may grow meanwhile
}

// ageSome lets the hand pass up to n slots, if there are any to pass.
func (s *Shard) ageSome(n int) {
	k := &s.keep
	a := &k.ageing
	if a.left <= 0 {
		return
	}
	if a.convert {
		s.convertSome(n)
		return
	}
	passed, round := a.hand.sweep(&s.index, min(n, a.left), s.ageSlot)
	a.left -= passed
	if round && k.kind == kindCounts {
		a.left, a.fade, a.fadeNew = 0, 0, false
	}
}

// convertSome goes on with a round that makes the meta of another policy that of this one, by whole segments: an entry
// that is missed would never be queued.
func (s *Shard) convertSome(n int) {
	a := &s.keep.ageing
	for n > 0 {
		passed, round := a.hand.sweepSegment(&s.index, s.convertSlot)
		if n -= passed; round {
			for i := range s.index.spill {
				s.convertSlot(&s.index.spill[i])
			}
			a.left, a.convert = 0, false
			return
		}
	}
}

// convertSlot gives an entry that came under another policy the meta of one that was used now.
func (s *Shard) convertSlot(at *uint64) {
	meta := uint8(0)
	if q := s.keep.queues; q != nil {
		meta = q.enter(Hash(s.arena.record(*at).key()), true, s.keep.now)
	} else {
		meta = s.newMeta(0)
	}
	*at = withMeta(*at, meta)
}

func (s *Shard) ageSlot(at *uint64) {
	k := &s.keep
	meta := metaOf(*at)
	switch {
	case k.kind == kindCounts:
		if meta -= min(meta, k.ageing.fade); k.ageing.fadeNew && meta <= countNew && meta > 0 {
			meta--
		}
	case age(meta, k.tick) > ageMax:
		meta = k.tick - ageMax
	default:
		return
	}
	*at = withMeta(*at, meta)
}

// forget forgets what was about entries.
func (k *keeper) forget() {
	k.pool.n = 0
	k.expiry = hand{}
	k.ageing = ageing{}
	k.grown, k.roomAt = 0, 0
	if k.queues != nil {
		k.queues = new(queues)
	}
}
