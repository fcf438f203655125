package store

// A hand goes round an index for ever, a few slots at a time. It stands at a point in the order of the index, of which the
// slot is what it remembers as long as the segment there has the same slots: so it loses its way neither when the
// segment is rebuilt nor when it is split or merged.
type hand struct {
	at   uint64 // the point of the last entry looked at, or the start of a segment
	slot uint   // next to look at
	base *window
}

// segment returns where the hand stands. The index must not be empty.
func (h *hand) segment(x *index) *segment {
	g := &x.dir[x.entry(h.at)]
	if g.base != h.base {
		h.base, h.slot = g.base, g.home(h.at)
		for slot := *g.at(h.slot); slot != 0 && pointOf(tagOf(slot)) < h.at; slot = *g.at(h.slot) {
			h.slot++
		}
	}
	return g
}

// look returns the slot that the hand stands before, in the segment, and goes past it.
func (h *hand) look(g *segment) *uint64 {
	at := g.at(h.slot)
	if h.slot++; *at != 0 {
		h.at = pointOf(tagOf(*at))
	}
	return at
}

// step goes on to the next segment, and reports whether that ended a round.
func (h *hand) step(x *index) (round bool) {
	first, n := x.first(x.entry(h.at))
	h.at, h.slot, h.base = (first+n)<<x.shift, 0, nil
	if h.at < roots<<tagBits {
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
	for i := range uint(g.size) {
		if at := g.at(i); *at != 0 {
			fn(at)
		}
	}
	return int(g.size), h.step(x)
}

// sweep calls fn with the used ones of the next n slots, or of those to the end of the round, which it reports with
// the number of slots. fn may change the slot's meta only.
func (h *hand) sweep(x *index, n int, fn func(slot *uint64)) (passed int, round bool) {
	if x.dir == nil {
		return 0, true
	}
	for passed < n {
		g := h.segment(x)
		for h.slot < uint(g.size) && passed < n {
			if at := h.look(g); *at != 0 {
				fn(at)
			}
			passed++
		}
		if h.slot >= uint(g.size) && h.step(x) {
			return passed, true
		}
	}
	return passed, false
}
