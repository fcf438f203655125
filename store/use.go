package store

import (
	"math/rand/v2"
	"sync/atomic"
)

// What meta is for counts of uses, those of Redis: a new entry starts at countNew, and a use raises the count above it
// with a probability of 1 in 10 times its excess plus 1. So 255 stands for a million uses. Each minute takes one off.
//
// Ours go on where Redis leaves the choice to chance: an entry that was not used since it came loses one for each eighth
// of the cache that comes after it, so that of those the oldest go first (0.2 to 0.7 points of hits, TestHitRatio).
const (
	countNew    = 5
	countFactor = 10
	countFade   = 60_000 // milliseconds
	turnsToFade = turnsInitial / 8
)

// noUse stands for a mode where a look is no use.
const noUse = 1 << 31

func metaOf(slot uint64) uint8 { return uint8(slot >> locationBits) }

func withMeta(slot uint64, meta uint8) uint64 { return slot&^metaMask | uint64(meta)<<locationBits }

// note notes a use of the entry at a slot, which was read as slot, where meta and mode differ: on a clock, most uses
// find that the entry was used in this tick already, and write nothing. It belongs to pure reads, and others may be doing
// the same.
func note(at *uint64, slot uint64, mode uint32) {
	meta := metaOf(slot)
	switch kind(mode &^ tickMask) {
	case kindClock:
		meta = uint8(mode)
	case kindCounts:
		excess := uint32(max(meta, countNew) - countNew)
		if meta == 255 || rand.Uint32() > (1<<32-1)/(excess*countFactor+1) {
			return
		}
		meta = max(meta, countNew) + 1
	case kindQueues:
		if meta&usesMask == usesMask {
			return
		}
		meta++
	}
	// If it fails another reader noted a use at the same time, which is as good.
	atomic.CompareAndSwapUint64(at, slot, withMeta(slot, meta))
}

// newMeta returns the meta of a new entry.
func (s *Shard) newMeta(hash uint64) uint8 {
	switch s.keep.kind {
	case kindCounts:
		return countNew
	case kindQueues:
		return s.admit(hash)
	}
	return uint8(s.mode)
}

// IdleTime returns for how long a live entry was not used, in milliseconds: no more than is true, and less by up to a
// tick of the access clock, which is 8 seconds or, when memory is limited, a fraction of the time that entries live in
// the cache. It stops growing at some 190 ticks. Under policies that keep no time of use, and without a Budget, it is 0.
// ok is false if there is no such entry. It is a pure read and no use.
func (s *Shard) IdleTime(hash uint64, key []byte, now int64) (ms int64, ok bool) {
	slot, ok := s.liveSlot(hash, key, now)
	if !ok || s.budget == nil || s.keep.kind != kindClock {
		return 0, ok
	}
	return s.budget.idle(metaOf(slot), now), true
}

// Freq returns how often a live entry was used, as the logarithmic count of Redis's OBJECT FREQ; 0 under other policies
// than AllKeysLFU. ok is false if there is no such entry. It is a pure read and no use.
func (s *Shard) Freq(hash uint64, key []byte, now int64) (n uint8, ok bool) {
	slot, ok := s.liveSlot(hash, key, now)
	if !ok || s.keep.kind != kindCounts {
		return 0, ok
	}
	return metaOf(slot), true
}

func (s *Shard) liveSlot(hash uint64, key []byte, now int64) (slot uint64, ok bool) {
	r, p := s.find(hash, key, noUse)
	if !r.exists() || r.expired(now) {
		return 0, false
	}
	return atomic.LoadUint64(s.slotAt(p)), true
}
