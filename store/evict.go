package store

// keeper is what a shard keeps to stay within its budget and to remove what expired.
type keeper struct {
	stats     ShardStats
	mode      uint32 // the budget's that this shard follows
	policy    Policy
	kind      kind
	tick      uint8
	now       int64 // the latest time it was given
	published int   // the part of Budget.used that is this shard's
	grown     int64 // bytes of new entries since it last published
	roomAt    int   // bytes in use when MakeRoom last returned

	expiry hand
	ageing ageing
	pool   pool
	queues *queues // nil if the policy has none

	victims  int // of MakeRoom, since it last told the budget
	coldness int64
	freed    int64
}

// ShardStats counts what a shard did since it was made. Clear does not reset it.
type ShardStats struct {
	Expired uint64 // entries removed because their deadline had passed, by whichever call
	Evicted uint64 // entries given up for the budget
}

// Stats returns the shard's counters. It is a pure read.
func (s *Shard) Stats() ShardStats { return s.keep.stats }

// Attach puts the shard under a budget: before its first use, or while it is empty.
func (s *Shard) Attach(b *Budget) {
	if s.entries > 0 {
		panic("bug: store: Attach to a shard that holds entries")
	}
	if s.budget != nil {
		s.budget.used.Add(-int64(s.keep.published))
		s.budget.shards.Add(-1)
	}
	s.budget = b
	s.keep = keeper{stats: s.keep.stats}
	if b != nil {
		s.keep.pool.random = uint64(b.shards.Add(1)) << 48
		b.setSlack()
		s.follow()
	}
}

// inUse returns the bytes that the shard's entries take: their cells and their slots, and queues if the policy has any.
func (s *Shard) inUse() int { return s.arena.used + s.entries*wordSize + s.keep.queues.held() }

// settle tells the budget what has changed, if it is enough. Every change that allocates or frees ends with it.
func (s *Shard) settle() {
	b := s.budget
	if b == nil {
		return
	}
	slack := b.slack.Load()
	if off := int64(s.inUse() - s.keep.published); off >= slack || off <= -slack || s.keep.grown >= slack {
		s.publish()
	}
}

func (s *Shard) publish() {
	b, used := s.budget, s.inUse()
	if used != s.keep.published {
		b.used.Add(int64(used - s.keep.published))
		s.keep.published = used
	}
	if s.keep.grown > 0 {
		b.turnover.Add(s.keep.grown)
		s.keep.grown = 0
		b.pass(s.keep.now)
	}
}

// excess returns by how much the store is over its limit as this shard knows it; 0 or less: not at all.
func (s *Shard) excess() int64 {
	limit := s.budget.limit.Load()
	if limit == 0 {
		return 0
	}
	return s.budget.used.Load() + int64(s.inUse()-s.keep.published) - limit
}

// What a write may cost: this many victims, or more while they free less than twice what the writes since the last
// MakeRoom took. So a large value pays for itself, however small the victims are, and the limit is kept.
const victimsPerWrite = 32

// MakeRoom is called before a write that may take more memory. While the store is over its limit it evicts from this
// shard, a bounded number of entries. It returns false if the store is over its limit and this shard has nothing to
// give up, or if the shard is full: then the write must not be made.
//
// A shard that has nothing to give up may go over the limit while the store's other shards hold more: their Maintain
// will give way. Under a policy that may give up any entry such a shard is empty, so it borrows for one write and then
// has something; one with entries but none that may go, under VolatileTTL, borrows up to 1/64 of the limit.
func (s *Shard) MakeRoom(now int64) bool {
	b := s.budget
	if b == nil {
		return !s.arena.full()
	}
	s.keep.now = max(s.keep.now, now)
	if b.mode.Load() != s.keep.mode {
		s.follow()
	}
	if s.keep.ageing.left > 0 {
		s.ageSome(slotsPerWrite)
	}
	if s.excess() > 0 && !s.shrink() {
		return false
	}
	s.keep.roomAt = s.inUse()
	return !s.arena.full()
}

// shrink evicts on behalf of a write.
func (s *Shard) shrink() bool {
	repay := 2 * max(s.inUse()-s.keep.roomAt, 0)
	start := s.inUse()
	n := 0
	for s.excess() > 0 && (n < victimsPerWrite || start-s.inUse() < repay) {
		before := s.inUse()
		coldness, ok := s.evict(anyColdness)
		if !ok {
			break
		}
		n++
		s.keep.victims++
		s.keep.coldness += coldness
		s.keep.freed += int64(before - s.inUse())
	}
	if s.keep.victims >= 8 {
		s.budget.evicted(s.keep.victims, s.keep.coldness, s.keep.freed)
		s.keep.victims, s.keep.coldness, s.keep.freed = 0, 0, 0
	}
	if n > 0 || s.excess() <= 0 {
		return true
	}
	elsewhere := s.budget.used.Load() > int64(s.keep.published)
	return elsewhere && s.keep.policy != NoEviction && (s.entries == 0 || s.excess() <= s.budget.borrowable())
}

// evict gives up one entry that is at least so cold and returns how cold it was; ok is false if it found none. Under
// each policy coldness grows with what speaks for an entry's removal and is never below anyColdness.
func (s *Shard) evict(least int64) (coldness int64, ok bool) {
	switch s.keep.policy {
	case NoEviction:
		return 0, false
	case AllKeysS3FIFO:
		return s.evictQueued(least)
	default:
		return s.evictSampled(least)
	}
}

// drop removes an entry for the budget.
func (s *Shard) drop(hash uint64, r record, p place) {
	if r.expired(s.keep.now) {
		s.keep.stats.Expired++
	} else {
		s.keep.stats.Evicted++
	}
	s.changed(hash, r.key())
	s.remove(hash, r, p)
}
