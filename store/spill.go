package store

import "slices"

// addSpilled adds an entry that its segment has no room for and that will not get any: one of many keys whose hashes are
// equal in more bits than the directory has reason to tell apart. That does not happen by chance (it takes keys made to
// collide), so the list is searched from end to end: such keys cost the time they ask for, and no more memory than
// others.
func (x *index) addSpilled(slot uint64) {
	x.spill = append(x.spill, slot)
	x.setSpills(x.home(slot), true)
}

// home returns the first directory entry of the segment that a slot belongs to.
func (x *index) home(slot uint64) uint64 {
	i, _ := x.first(x.entry(pointOf(tagOf(slot))))
	return i
}

func (x *index) setSpills(i uint64, spills bool) {
	_, n := x.first(i)
	for j := range n {
		x.dir[i+j].spills = spills
	}
}

func (x *index) removeSpilled(i uint) {
	last := len(x.spill) - 1
	x.spill[i] = x.spill[last]
	x.truncate(last)
}

// unspill moves spilled entries of a segment back into it, as far as there is room.
func (x *index) unspill(i uint64) {
	g := &x.dir[i]
	if !g.spills {
		return
	}
	x.widen(i)
	left := false
	least := uint64(1) << tagBits // of the tags that had no room: behind them there is none either
	x.spill = slices.DeleteFunc(x.spill, func(slot uint64) bool {
		if x.home(slot) != i {
			return false
		}
		tag := tagOf(slot)
		if tag < least && !g.full() {
			if g.insert(g.home(pointOf(tag)), slot) {
				return true
			}
			least = tag
		}
		left = true
		return false
	})
	x.truncate(len(x.spill))
	if !left {
		x.setSpills(i, false)
	}
}

// widen gives a segment slots for what of it is spilled, as far as one may have.
func (x *index) widen(i uint64) {
	g := &x.dir[i]
	n := int(g.count)
	for _, slot := range x.spill {
		if x.home(slot) == i {
			n++
		}
	}
	step := min(stepFor(n), len(steps)-1)
	if int(steps[step]) > int(g.size) && !x.lavish() {
		x.rebuild(i, step, g.slots())
	}
}

// truncate shortens the list, and drops its memory with the last entry.
func (x *index) truncate(n int) {
	x.spill = x.spill[:n]
	if n == 0 {
		x.spill = nil
	}
}
