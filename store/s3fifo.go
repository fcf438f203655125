package store

// S3-FIFO keeps entries in two queues, a small one for the new and the main one for those that were used while they were
// in it, and remembers in a ghost queue what left the small one unused: if that comes again, it enters the main one. A use
// only raises a count up to 3; one that has uses when its turn comes in the main queue is queued again with one less.
//
// See J. Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023.
type queues struct {
	small, main fifo
	ghost       ghost
	stamp       uint8 // the last given
	pushes      uint8
}

// The meta of a queued entry, from below: its uses, whether it is in the main queue, the stamp of its block.
const (
	usesMask   = 3
	mainBit    = 4
	stampShift = 3

	smallShare = 10 // the small queue is a tenth of the entries
	promoteAt  = 1  // uses that lead to the main queue

	// What one eviction may cost: hashes passed over because they are stale, and entries queued again. Then the next
	// goes whatever its uses.
	staleMost   = 512
	requeueMost = 32
)

func (q *queues) held() int {
	if q == nil {
		return 0
	}
	return q.small.held() + q.main.held() + q.ghost.held()
}

// nextStamp returns the stamp for a new block.
func (q *queues) nextStamp() uint8 {
	q.stamp = (q.stamp + 1) & stampMask
	return q.stamp
}

// enter queues an entry and returns its meta.
func (q *queues) enter(hash uint64, main bool, now int64) uint8 {
	f, bit := &q.small, uint8(0)
	if main {
		f, bit = &q.main, mainBit
	}
	if f.atEnd() {
		f.extend(q.nextStamp(), now)
	}
	return f.push(hash)<<stampShift | bit
}

// admit queues a new entry of the shard and returns its meta.
func (s *Shard) admit(hash uint64) uint8 {
	q := s.keep.queues
	q.pushes++
	if n := q.small.n + q.main.n; q.pushes%64 == 0 && n > s.entries+s.entries/4+2*blockLen {
		s.cleanQueues()
	}
	return q.enter(hash, q.ghost.take(hash), s.keep.now)
}

// cleanQueues looks for stale hashes in a block of each queue.
func (s *Shard) cleanQueues() {
	q := s.keep.queues
	for _, main := range [...]bool{false, true} {
		f, bit := &q.small, uint8(0)
		if main {
			f, bit = &q.main, mainBit
		}
		f.clean(q.nextStamp(), func(hash uint64, old, stamp uint8) bool {
			p, ok := s.queued(hash, old<<stampShift|bit)
			if ok {
				at := s.slotAt(p)
				*at = withMeta(*at, metaOf(*at)&(usesMask|mainBit)|stamp<<stampShift)
			}
			return ok
		})
	}
}

// queued returns where the entry of a hash is whose meta is meta, its uses aside.
func (s *Shard) queued(hash uint64, meta uint8) (place, bool) {
	return s.findSlot(hash, func(slot uint64) bool {
		return metaOf(slot)&^usesMask == meta && Hash(s.arena.record(slot).key()) == hash
	})
}

// evictQueued takes what is due from the queues, until one goes. The coldness of an entry is how long, in milliseconds,
// it is in its queue.
func (s *Shard) evictQueued(least int64) (coldness int64, ok bool) {
	q := s.keep.queues
	if !q.ghost.fits(s.entries) {
		q.ghost.size(s.entries)
	}
	for stale, requeued := 0, 0; stale < staleMost; {
		f, bit := &q.main, uint8(mainBit)
		if q.small.n*smallShare >= s.entries || q.main.n == 0 {
			f, bit = &q.small, 0
		}
		b := f.oldest()
		if b == nil && !s.requeue() {
			return 0, false
		}
		if b == nil {
			continue
		}
		if coldness = s.keep.now - b.born; coldness < least {
			return 0, false
		}
		hash, stamp := f.pop()
		p, there := s.queued(hash, stamp<<stampShift|bit)
		if !there {
			stale++
			continue
		}
		at := s.slotAt(p)
		uses := metaOf(*at) & usesMask
		if requeued < requeueMost && (bit == 0 && uses >= promoteAt || bit != 0 && uses > 0) {
			requeued++
			meta := q.enter(hash, true, s.keep.now)
			if bit != 0 {
				meta |= uses - 1
			}
			*at = withMeta(*at, meta)
			continue
		}
		if bit == 0 {
			q.ghost.add(hash)
		}
		s.drop(hash, s.arena.record(*at), p)
		return coldness, true
	}
	return 0, false
}

// requeue lets the ageing hand queue entries that are in no queue, and reports whether it found any.
func (s *Shard) requeue() bool {
	if s.entries == 0 {
		return false
	}
	if !s.keep.ageing.convert {
		s.keep.ageing.convert = true
		s.startRound()
	}
	s.ageSome(maxSlots)
	return s.keep.queues.main.n > 0
}
