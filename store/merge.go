package store

// When segments give room back: below 5/8 of their slots they move to fewer; twins, the halves of a former segment, are
// joined below mergeAt entries together. Both leave inserts and deletes far from the next change.
const mergeAt = 800

// shrink gives back what a segment that lost an entry has too much, as often as it can. Without it a shard that shrank
// would keep the index of its largest day.
func (x *index) shrink(i uint64) {
	g := &x.dir[i]
	if n := int(g.count); n*8 < int(g.size)*5 {
		if step := stepFor(n + n/16); int(steps[step]) < int(g.size) {
			x.rebuild(i, step, g.slots())
		}
	}
	for x.dir[i].count <= mergeAt/2 && x.merge(&i) {
	}
}

// merge joins the segment whose first directory entry is i with its twin, and makes i the first entry of both.
func (x *index) merge(i *uint64) bool {
	g := &x.dir[*i]
	if g.depth == 0 {
		return false
	}
	n := uint64(1) << (x.depth - g.depth)
	first := *i &^ (2*n - 1)
	lower, upper := x.dir[first], x.dir[first+n]
	sum := int(lower.count) + int(upper.count)
	if lower.depth != upper.depth || lower.spills || upper.spills || sum > mergeAt {
		return false
	}
	g2, ok := x.built(g.depth-1, stepFor(sum), lower.slots(), upper.slots())
	if !ok {
		return false
	}
	if lower.depth == x.depth {
		x.deepest -= 2
	}
	for j := range 2 * n {
		x.dir[first+j] = g2
	}
	x.segments--
	x.slots += int(g2.size)
	x.discard(lower)
	x.discard(upper)
	*i = first
	x.halve(i)
	return true
}

// halve undoes doublings that no segment needs any more. i stays the directory entry of what it was.
func (x *index) halve(i *uint64) {
	for x.deepest == 0 && x.depth > 0 {
		x.depth--
		x.shift++
		*i /= 2
		n := len(x.dir) / 2
		for j := range n {
			x.dir[j] = x.dir[2*j]
			if x.dir[j].depth == x.depth {
				x.deepest++
			}
		}
		x.dir = x.dir[:n]
	}
	if cap(x.dir) > 2*len(x.dir) {
		x.dir = append(make([]segment, 0, len(x.dir)), x.dir...)
	}
}
