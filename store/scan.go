package store

import (
	"math/bits"
	"sync/atomic"
)

// Scan calls fn with some entries and returns the cursor to go on with. 0 starts, and 0 is returned at the end. An entry
// that is there from the start of a scan to its end is shown at least once, whatever else happens to the shard meanwhile:
// the cursor is all the state there is. It stays below 1<<48.
//
// A call shows about count entries: it ends with the first home, one of 1,024 places of a segment, at which it has shown
// that many. Expired entries are shown too. key and value alias the shard's memory, as in Get; fn must not change
// the shard. Scan is a pure read.
func (s *Shard) Scan(cursor uint64, count int, fn func(key, value []byte, expireAt int64)) (next uint64) {
	x := &s.index
	if len(x.dir) == 0 || cursor>>scanBits != 0 {
		return 0
	}
	// Splits and merges act on the low directory bits first. Bit-reversed, the hashes of a segment are a range, of which
	// its twin's is the neighbour, so a position means the same however the segments are cut.
	reversed, home := uint32(cursor>>homeBits), cursor%(1<<homeBits)
	for shown := 0; ; home = 0 {
		g := x.dir[bits.Reverse32(reversed)&(1<<x.depth-1)]
		for ; home < 1<<homeBits; home++ {
			if shown >= count && shown > 0 {
				return uint64(reversed)<<homeBits | home
			}
			shown += s.scanHome(g, home, fn)
		}
		width := uint32(1) << (32 - g.depth) // 0 for all
		if reversed = reversed&^(width-1) + width; reversed == 0 {
			return 0
		}
	}
}

const scanBits = 32 + homeBits // of a cursor: 32 directory bits, reversed, and the home

// scanHome shows the entries of one home of a segment and returns how many they are.
func (s *Shard) scanHome(g *segment, home uint64, fn func(key, value []byte, expireAt int64)) (shown int) {
	show := func(slot uint64) {
		if tagOf(slot)%(1<<homeBits) == home {
			r := s.arena.record(slot)
			fn(r.key(), r.value(), r.deadline())
			shown++
		}
	}
	for i := homeOf(home); ; i = after(i) {
		slot := atomic.LoadUint64(&g.slots[i])
		if slot == 0 {
			break
		}
		show(slot)
	}
	if g.spilled > 0 {
		for _, slot := range s.index.spill {
			if s.index.dir[dirBits(slot, s.index.depth, &s.arena)] == g {
				show(slot)
			}
		}
	}
	return shown
}

// Random returns an entry that rnd, a random number, chooses, all with about the same chance; it may be an expired one.
// ok is false if the shard is empty. key and value alias the shard's memory, as in Get. Random is a pure read.
func (s *Shard) Random(rnd uint64) (key, value []byte, expireAt int64, ok bool) {
	if s.entries == 0 {
		return nil, nil, 0, false
	}
	r := s.arena.record(s.index.random(rnd, s.entries))
	return r.key(), r.value(), r.deadline(), true
}

// exactRandom is how many entries are few enough to count through.
const exactRandom = 64

// random returns the slot of one of the index's entries.
func (x *index) random(rnd uint64, entries int) (slot uint64) {
	if spilled := uint64(len(x.spill)); spilled > 0 && rnd>>1%uint64(entries) < spilled {
		return x.spill[rnd>>1%uint64(entries)]
	}
	// Of a segment that is a fifth full, a try finds nothing with chance 0.8; of 64 tries, with chance 6e-7.
	for range 64 {
		if entries <= exactRandom {
			break
		}
		rnd = mix(rnd)
		g := x.dir[rnd&uint64(len(x.dir)-1)]
		if slot = atomic.LoadUint64(&g.slots[rnd>>32%segmentSlots]); slot != 0 {
			return slot
		}
	}
	n := mix(rnd) % uint64(entries)
	x.each(func(have uint64) bool {
		slot = have
		n--
		return n+1 != 0
	})
	return slot
}

// mix turns a number into another, as SplitMix64 does: a step of a random sequence.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
