package store

// addSpilled adds an entry of a full segment that will not split: one of more than 832 keys whose hashes are equal in
// more bits than the directory has reason to tell apart. That does not happen by chance (it takes keys made to
// collide), so the list is searched from end to end: such keys cost the time they ask for, and no more memory than
// others.
func (x *index) addSpilled(g *segment, slot uint64) {
	x.spill = append(x.spill, slot)
	g.spilled++
}

func (x *index) removeSpilled(p place) {
	last := len(x.spill) - 1
	x.spill[p.slot] = x.spill[last]
	x.truncate(last)
	p.segment.spilled--
}

// refill moves one spilled entry of a segment back into it, where a slot fell empty.
func (x *index) refill(g *segment, a *arena) {
	for i, slot := range x.spill {
		if x.dir[dirBits(slot, x.depth, a)] == g {
			g.insert(slot)
			x.removeSpilled(place{segment: g, slot: uint(i), spilled: true})
			return
		}
	}
	panic("bug: store: a segment counts spilled entries that are not there")
}

// respill gives the spilled entries of a segment that has just split to it and its twin, to their slots if it can.
func (x *index) respill(g, twin *segment, a *arena) {
	g.spilled = 0
	keep := x.spill[:0]
	for _, slot := range x.spill {
		owner := x.dir[dirBits(slot, x.depth, a)]
		switch {
		case owner != g && owner != twin:
			keep = append(keep, slot)
		case owner.count < splitAt:
			owner.insert(slot)
		default:
			owner.spilled++
			keep = append(keep, slot)
		}
	}
	x.truncate(len(keep))
}

// truncate shortens the list, and drops its memory with the last entry.
func (x *index) truncate(n int) {
	x.spill = x.spill[:n]
	if n == 0 {
		x.spill = nil
	}
}
