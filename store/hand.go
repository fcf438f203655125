package store

import "math/bits"

// A hand goes round an index for ever, a few slots at a time. It stands at a point of the directory's bits reversed:
// in that order the directory entries of a segment lie side by side, and so do the two halves of one that splits.
// So a hand needs no news of splits and merges; an entry that moves while it passes may be missed in that round.
type hand struct {
	at   uint64 // of 1 << maxDepth points
	slot uint   // in the segment there
}

// segment returns where the hand stands. The index must not be empty.
func (h *hand) segment(x *index) *segment { return x.dir[h.entry(x)] }

// entry returns a directory entry of the segment where the hand stands.
func (h *hand) entry(x *index) uint64 {
	return uint64(bits.Reverse32(uint32(h.at))) & (1<<x.depth - 1)
}

// step goes on to the next segment, and reports whether that ended a round.
func (h *hand) step(x *index) (round bool) {
	size := uint64(1) << (maxDepth - h.segment(x).depth)
	h.at, h.slot = h.at&^(size-1)+size, 0
	if h.at < 1<<maxDepth {
		return false
	}
	h.at = 0
	return true
}

// sweepSegment is sweep of all slots of the segment where the hand stands: none of them can be missed.
func (h *hand) sweepSegment(x *index, fn func(slot *uint64)) (passed int, round bool) {
	if x.dir == nil {
		return 0, true
	}
	g := h.segment(x)
	for i := range g.slots {
		if g.slots[i] != 0 {
			fn(&g.slots[i])
		}
	}
	return len(g.slots), h.step(x)
}

// sweep calls fn with the used ones of the next n slots, or of those to the end of the round, which it reports with
// the number of slots. fn may change the slot's meta only.
func (h *hand) sweep(x *index, n int, fn func(slot *uint64)) (passed int, round bool) {
	if x.dir == nil {
		return 0, true
	}
	for passed < n {
		g := h.segment(x)
		for h.slot < uint(len(g.slots)) && passed < n {
			if at := &g.slots[h.slot]; *at != 0 {
				fn(at)
			}
			h.slot++
			passed++
		}
		if h.slot >= uint(len(g.slots)) && h.step(x) {
			return passed, true
		}
	}
	return passed, false
}
