package store

import (
	"math"
	"math/bits"
	"sort"
)

// Sampling looks at whole cache lines of slots: eight neighbours are as random a sample as any, because the hash placed
// them, and cost one miss. The best candidates seen so far wait in a pool, as Redis has it: with ten samples a victim
// that makes an LRU hard to tell from an exact one.
const (
	sampleWant = 10 // entries
	sampleMost = 64 // slots looked at when few hold an entry that may go
	poolSize   = 16

	anyColdness = math.MinInt64
)

type candidate struct {
	slot     uint64 // as it was seen
	coldness int64
}

// is reports whether a slot is the candidate's still, whatever its meta.
func (c *candidate) is(slot uint64) bool { return (slot^c.slot)&^metaMask == 0 }

// pool holds candidates, the coldest last.
type pool struct {
	random uint64 // seed of the next number
	n      int
	best   [poolSize]candidate
}

func (p *pool) next() uint64 {
	p.random++
	return mix(p.random)
}

// offer keeps c if it is colder than the warmest of a full pool.
func (p *pool) offer(c candidate) {
	i := sort.Search(p.n, func(i int) bool { return p.best[i].coldness >= c.coldness })
	switch {
	case p.n < poolSize:
		copy(p.best[i+1:p.n+1], p.best[i:p.n])
		p.n++
	case i == 0:
		return
	default:
		i--
		copy(p.best[:i], p.best[1:i+1])
	}
	p.best[i] = c
}

// evictSampled samples, and evicts the coldest candidate that still is what it was.
func (s *Shard) evictSampled(least int64) (coldness int64, ok bool) {
	if s.entries == 0 || s.keep.policy == VolatileTTL && s.ttls == 0 {
		s.keep.pool.n = 0
		return 0, false
	}
	p := &s.keep.pool
	for range 4 {
		s.sample()
		if p.n == 0 {
			break
		}
		for p.n > 0 {
			c := p.best[p.n-1]
			if c.coldness < least {
				return 0, false
			}
			p.n--
			if at, found := s.findSlot(tagOf(c.slot), c.is); found && s.coldness(*s.slotAt(at)) >= c.coldness {
				r := s.arena.record(c.slot)
				s.drop(Hash(r.key()), r, at)
				return c.coldness, true
			}
		}
	}
	return 0, false
}

// sample offers some entries to the pool. In a shard with few entries, or few that may go, it falls back on the expiry
// hand, which comes past all of them.
func (s *Shard) sample() {
	x, p := &s.index, &s.keep.pool
	seen := 0
	for looked := 0; seen < sampleWant && looked < sampleMost; {
		random := p.next()
		g := x.lookup(random)
		hi, _ := bits.Mul64(random, uint64(g.size/lineSlots))
		for _, slot := range g.slots()[hi*lineSlots:][:lineSlots] {
			if slot != 0 && s.consider(slot) {
				seen++
			}
		}
		looked += lineSlots
	}
	if seen > 0 {
		return
	}
	h := &s.keep.expiry
	for looked := 0; seen == 0 && looked < maxSlots; looked += lineSlots {
		h.sweep(x, lineSlots, func(at *uint64) {
			if s.consider(*at) {
				seen++
			}
		})
	}
}

// consider offers the entry of a slot to the pool if it may go.
func (s *Shard) consider(slot uint64) bool {
	coldness := s.coldness(slot)
	if coldness == anyColdness {
		return false
	}
	s.keep.pool.offer(candidate{slot, coldness})
	return true
}

// coldness returns how much speaks for giving up the entry of a slot; anyColdness: it must stay.
func (s *Shard) coldness(slot uint64) int64 {
	switch s.keep.policy {
	case AllKeysLRU:
		return int64(age(metaOf(slot), s.keep.tick))
	case AllKeysLFU:
		return 255 - int64(metaOf(slot))
	case VolatileTTL:
		if at := s.arena.record(slot).deadline(); at != 0 {
			return -at
		}
	}
	return anyColdness
}
