package store

import "sync/atomic"

// index finds the slot of a hash by extendible hashing: a directory, indexed by the leading bits of the hash's point, of
// segments. A segment that fills grows by a step, or splits into two by one more bit, and only when it had a single
// directory entry does the directory double, which is a copy of itself: no insert ever rehashes more than one segment.
// The zero index is empty and ready.
//
// See R. Fagin et al., "Extendible hashing: a fast access method for dynamic files", ACM TODS 4(3), 1979.
type index struct {
	dir      []segment // roots << depth; a segment of depth d is in 1<<(depth-d) entries side by side
	depth    uint8
	shift    uint8 // of a point to its directory entry: tagBits - depth
	deepest  int   // segments of depth depth: without any, the directory can halve
	segments int
	entries  int
	slots    int      // of all segments
	spill    []uint64 // slots of entries that no segment could take, in no order
}

// A directory of depth 0 has three entries, for points reach three times as far as tags.
const roots = 3

// maxDepth bounds the directory's bits. At 18 the tags of a segment still differ in four bits; there would be 700 million
// entries.
const maxDepth = 18

const segmentSize = 16 // bytes of a directory entry

// lookup returns the segment a hash belongs to, nil if the index is empty. Of a segment with several directory entries
// it may be another than the first.
func (x *index) lookup(hash uint64) *segment {
	if i := x.entry(pointOf(hash)); i < uint64(len(x.dir)) {
		return &x.dir[i]
	}
	return nil
}

// entry returns the directory entry of a point.
func (x *index) entry(point uint64) uint64 { return point >> (x.shift & 63) }

// first returns the first directory entry of the segment that entry i is one of, and how many it has.
func (x *index) first(i uint64) (first, n uint64) {
	n = 1 << (x.depth - x.dir[i].depth)
	return i &^ (n - 1), n
}

// insert adds a slot whose key the index does not have.
func (x *index) insert(slot uint64) {
	x.entries++
	if x.dir == nil {
		x.dir = make([]segment, roots)
		x.depth, x.shift, x.segments, x.deepest = 0, tagBits, roots, roots
		for i := range x.dir {
			x.dir[i] = newSegment(noSlots[:], 0)
		}
	}
	for {
		point := pointOf(tagOf(slot))
		i, _ := x.first(x.entry(point))
		g := &x.dir[i]
		if !g.full() {
			if g.insert(g.home(point), slot) {
				return
			}
			if x.lavish() {
				break
			}
		}
		if !x.grow(i) {
			break
		}
	}
	x.addSpilled(slot)
}

// grow moves the segment whose first directory entry is i to more slots, or splits it. It reports whether it could.
func (x *index) grow(i uint64) bool {
	g := &x.dir[i]
	step := stepFor(int(g.count))
	for step < len(steps) && int(steps[step]) <= int(g.size) {
		step++
	}
	if step < len(steps) && x.rebuild(i, step, g.slots()) {
		x.unspill(i)
		return true
	}
	return x.split(i)
}

// rebuild gives a segment the slots of a step, or of a greater one if it must, with what is in from, which may be its own.
func (x *index) rebuild(i uint64, step int, from ...[]uint64) bool {
	g, ok := x.built(x.dir[i].depth, step, from...)
	if ok {
		x.replace(i, g)
	}
	return ok
}

// built returns a segment of that depth, of that step or a greater one, with what is in from; false if the entries crowd
// too much at the end.
func (x *index) built(depth uint8, step int, from ...[]uint64) (segment, bool) {
	for ; step < len(steps); step++ {
		g := x.empty(depth, step)
		if g.build(nil, from...) {
			return g, true
		}
		giveSlots(g)
		if x.lavish() {
			break
		}
	}
	return segment{}, false
}

// empty returns a segment whose slots hold anything.
func (x *index) empty(depth uint8, step int) segment {
	return newSegment(takeSlots(step), depth)
}

// lavish reports whether entries have taken many more slots than they fill. By chance they crowd only in segments that are
// nearly full, and get more slots; made to, they shall not have more than two each.
func (x *index) lavish() bool { return x.slots > 2*x.entries+2*maxSlots }

// replace puts g in all directory entries of the segment whose first is i, and keeps the old slots for others.
func (x *index) replace(i uint64, g segment) {
	old := x.dir[i]
	g.spills = old.spills
	_, n := x.first(i)
	for j := range n {
		x.dir[i+j] = g
	}
	x.discard(old)
	x.slots += int(g.size)
}

// discard takes the slots of a segment out of the count and keeps them for others.
func (x *index) discard(g segment) {
	if g.base != &noSlots {
		x.slots -= int(g.size)
		giveSlots(g)
	}
}

// split divides a segment in two. It refuses, false, where the directory would outweigh an eighth of the segments: with
// hashes that spread it is a hundredth of them, so what calls for more are keys made to collide.
func (x *index) split(i uint64) bool {
	old := x.dir[i]
	if old.depth == x.depth && (x.depth == maxDepth || 2*len(x.dir)*segmentSize > max(x.slots, 1<<12)) {
		return false
	}
	at, below := old.cut()
	lower := x.half(old.depth+1, below, old.slots()[:at])
	upper := x.half(old.depth+1, int(old.count)-below, old.slots()[at:])
	if old.depth == x.depth {
		x.double()
		i *= 2
	}
	n := uint64(1) << (x.depth - old.depth - 1)
	spills := old.spills || lower.spills || upper.spills
	lower.spills, upper.spills = spills, spills
	for j := range n {
		x.dir[i+j], x.dir[i+n+j] = lower, upper
	}
	x.segments++
	if old.depth+1 == x.depth {
		x.deepest += 2
	}
	x.slots += int(lower.size) + int(upper.size)
	x.discard(old)
	x.unspill(i)
	x.unspill(i + n)
	return true
}

// half returns a segment with the n entries in from. What of them crowds too much at the end is spilled.
func (x *index) half(depth uint8, n int, from []uint64) segment {
	step := min(stepFor(n), len(steps)-1)
	g, ok := x.built(depth, step, from)
	if !ok {
		g = x.empty(depth, step)
		g.build(&x.spill, from)
		g.spills = true
	}
	return g
}

func (x *index) double() {
	dir := make([]segment, 2*len(x.dir))
	for i, g := range x.dir {
		dir[2*i], dir[2*i+1] = g, g
	}
	x.dir = dir
	x.depth++
	x.shift--
	x.deepest = 0
}

// remove takes out the slot that p points to.
func (x *index) remove(hash uint64, p place) {
	x.entries--
	i, _ := x.first(x.entry(pointOf(hash)))
	g := &x.dir[i]
	if p.spilled {
		x.removeSpilled(p.slot)
	} else {
		g.remove(p.slot)
	}
	if g.spills {
		x.unspill(i)
	} else {
		x.shrink(i)
	}
}

// each calls fn with every slot until it returns false.
func (x *index) each(fn func(slot uint64) bool) {
	for i := uint64(0); i < uint64(len(x.dir)); {
		_, n := x.first(i)
		slots := x.dir[i].slots()
		for j := range slots {
			if slot := atomic.LoadUint64(&slots[j]); slot != 0 && !fn(slot) {
				return
			}
		}
		i += n
	}
	for i := range x.spill {
		if !fn(atomic.LoadUint64(&x.spill[i])) {
			return
		}
	}
}
