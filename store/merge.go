package store

// merge joins the segment of a hash with its twin, the segment it was once split from, as often as the two fill less
// than mergeAt together. Without it a shard that shrank would keep the index of its largest day.
func (x *index) merge(hash uint64) {
	for {
		g := x.lookup(hash)
		if g.depth == 0 || g.spilled > 0 {
			return
		}
		bit := g.depth - 1
		first := x.entry(hash)&(2<<bit-1) ^ 1<<bit
		twin := x.dir[first]
		if twin.depth != g.depth || twin.spilled > 0 || g.count+twin.count > mergeAt {
			return
		}
		for _, slot := range twin.slots {
			if slot != 0 {
				g.insert(slot)
			}
		}
		for i := first; i < uint64(len(x.dir)); i += 2 << bit {
			x.dir[i] = g
		}
		if g.depth == x.depth {
			x.deepest -= 2
		}
		g.depth--
		x.segments--
		x.halve()
	}
}

// halve undoes doublings that no segment needs any more.
func (x *index) halve() {
	if x.deepest > 0 {
		return
	}
	n := len(x.dir)
	for x.deepest == 0 && x.depth > 0 {
		x.depth--
		n /= 2
		for _, g := range x.dir[:n] {
			if g.depth == x.depth {
				x.deepest++
			}
		}
	}
	x.dir = append([]*segment(nil), x.dir[:n]...)
}
