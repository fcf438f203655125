package store

// What a slot passed by the ageing hand costs beside an entry looked at: the hand reads eight slots with one miss and
// no record, the others a record each.
const (
	slotsPerEntry = 8
	slotsPerWrite = 64 // that MakeRoom passes at most
	workPerVictim = 16 // entries' worth of an eviction
	workPerMove   = 4  // entries' worth of a record moved by compaction
)

// Maintain does a bounded slice of what needs doing beside the calls: it removes expired entries, moves records out of
// sparse pages, ages what the shard knows of its entries' use, and evicts while the store is over its limit or where this
// shard holds colder entries than those that others give up. work bounds the slice, in entries looked at (some 100 ns
// each when they are in no cache). more says that there was more to do than that, so that another call soon makes sense.
// The caller holds the shard for writing. now is not 0.
func (s *Shard) Maintain(now int64, work int) (more bool) {
	s.keep.now = max(s.keep.now, now)
	more = s.expire(work)
	more = s.compact(max(work/workPerMove, 1)) || more
	if s.budget == nil {
		return more
	}
	s.budget.pass(now)
	s.follow()
	s.ageSome(work * slotsPerEntry)
	more = s.giveWay(work) || more
	s.publish()
	return more || s.keep.ageing.left > 0
}

// Expiry looks at a quarter of the work, and goes on to all of it while more than a tenth of the deadlines it meets have
// passed, as Redis does: so a tenth of the entries with deadlines may be expired ones, and a shard where few expire
// spends little on looking.
const (
	expirySteps = 4
	expiryShare = 10
)

// expire removes expired entries as the expiry hand meets them.
func (s *Shard) expire(work int) (more bool) {
	for step := 0; step < expirySteps && s.ttls > 0; step++ {
		seen, expired := s.expireSome(max(work/expirySteps, 1))
		if expired*expiryShare <= seen {
			return false
		}
	}
	return s.ttls > 0
}

// expireSome looks at n entries and returns how many of them had a deadline, and whose had passed.
func (s *Shard) expireSome(n int) (seen, expired int) {
	h, x := &s.keep.expiry, &s.index
	// A stretch of empty slots costs as much as an eighth of the entries.
	for credit := n * slotsPerEntry; credit > 0 && s.ttls > 0; {
		g := h.segment(x)
		if h.slot >= uint(g.size) {
			h.step(x)
			continue
		}
		place := place{segment: g, slot: h.slot}
		slot := *h.look(g)
		if slot == 0 {
			credit--
			continue
		}
		credit -= slotsPerEntry
		r := s.arena.record(slot)
		if !r.hasDeadline() {
			continue
		}
		seen++
		if !r.expired(s.keep.now) {
			continue
		}
		expired++
		s.keep.stats.Expired++
		h.slot-- // what follows moves up
		s.remove(Hash(r.key()), r, place)
	}
	return seen, expired
}

// colderThan returns a coldness that is clearly above cut: of shards that are equally cold, half the candidates are above
// the average, and giving them up would only keep the store below its limit.
func (s *Shard) colderThan(cut int64) int64 {
	switch s.keep.policy {
	case AllKeysLRU: // ticks
		return cut + ageAim/16
	case AllKeysS3FIFO: // milliseconds
		return cut + cut/4 + 1
	}
	return cut + 1
}

// giveWay evicts while the store is over its limit, and in place of what others evicted that was warmer.
func (s *Shard) giveWay(work int) (more bool) {
	b := s.budget
	for n := max(work/workPerVictim, 1); n > 0; n-- {
		least := int64(anyColdness)
		if s.excess() <= 0 {
			if b.owed.Load() <= 0 {
				return false
			}
			least = s.colderThan(b.cut.Load() / cutUnit)
		}
		before := s.inUse()
		if _, ok := s.evict(least); !ok {
			return false
		}
		if b.owed.Load() > 0 {
			b.owed.Add(int64(s.inUse() - before))
		}
	}
	return s.excess() > 0 || b.owed.Load() > 0
}
