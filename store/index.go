package store

import "sync/atomic"

// index finds the slot of a hash by extendible hashing: a directory, indexed by the hash bits above the home, of
// segments. A segment that fills splits into two by one more bit, and only when it had a single directory entry does
// the directory double, which is a copy of pointers: no insert ever rehashes more than one segment. The zero index is
// empty and ready.
//
// See R. Fagin et al., "Extendible hashing: a fast access method for dynamic files", ACM TODS 4(3), 1979. Their
// directory is indexed by the leading bits; by the low ones, doubling is appending the directory to itself.
type index struct {
	dir      []*segment // 1 << depth entries; a segment of depth d is in every 1<<d-th
	depth    uint8
	deepest  int // segments of depth depth: without any, the directory can halve
	segments int
	spill    []uint64 // slots of entries that no split could place, in no order
}

// maxDepth bounds the directory's bits, well below those that choose the shard. Memory ends before.
const maxDepth = 32

const wordSize = 8 // of a directory entry and of a slot

// lookup returns the segment a hash belongs to, nil if the index is empty.
func (x *index) lookup(hash uint64) *segment {
	if i := x.entry(hash); i < uint64(len(x.dir)) {
		return x.dir[i]
	}
	return nil
}

// entry returns the first directory entry of a hash.
func (x *index) entry(hash uint64) uint64 { return hash >> homeBits & (1<<x.depth - 1) }

// insert adds a slot for a hash whose key the index does not have. Its record must be in the arena already.
func (x *index) insert(hash, slot uint64, a *arena) {
	if x.dir == nil {
		x.dir = []*segment{new(segment)}
		x.segments, x.deepest = 1, 1
	}
	g := x.lookup(hash)
	for g.count >= splitAt {
		if !x.split(hash, a) {
			x.addSpilled(g, slot)
			return
		}
		g = x.lookup(hash)
	}
	g.insert(slot)
}

// split divides the segment of a hash in two. It refuses, false, where the directory would outweigh the segments: with
// hashes that spread it is a thousandth of them, so what calls for more are keys made to collide.
func (x *index) split(hash uint64, a *arena) bool {
	g := x.lookup(hash)
	if g.depth == x.depth {
		if x.depth == maxDepth || 2*len(x.dir)*wordSize > x.segments*segmentSize {
			return false
		}
		x.double()
	}
	bit := g.depth
	twin := &segment{depth: bit + 1}
	g.depth++
	x.segments++
	if g.depth == x.depth {
		x.deepest += 2
	}
	g.divide(twin, func(slot uint64) bool { return dirBits(slot, bit+1, a)>>bit != 0 })
	first := hash>>homeBits&(1<<bit-1) | 1<<bit
	for i := first; i < uint64(len(x.dir)); i += 2 << bit {
		x.dir[i] = twin
	}
	if g.spilled > 0 {
		x.respill(g, twin, a)
	}
	return true
}

func (x *index) double() {
	dir := make([]*segment, 2*len(x.dir))
	copy(dir, x.dir)
	copy(dir[len(x.dir):], x.dir)
	x.dir = dir
	x.depth++
	x.deepest = 0
}

// dirBits returns the lowest n directory bits of a slot's hash. A slot knows the first 14, enough for ten million
// entries; for more the key is hashed again.
func dirBits(slot uint64, n uint8, a *arena) uint64 {
	bits := tagOf(slot) >> homeBits
	if n > tagDirBits {
		bits = Hash(a.record(slot).key()) >> homeBits
	}
	return bits & (1<<n - 1)
}

// remove takes out what place points to; hash is its key's.
func (x *index) remove(hash uint64, p place, a *arena) {
	if p.spilled {
		x.removeSpilled(p)
		return
	}
	p.segment.remove(p.slot)
	if p.segment.spilled > 0 {
		x.refill(p.segment, a)
		return
	}
	// Looking at the twin on every delete would cost a cache miss each; every 32nd and the last will do.
	if c := p.segment.count; c <= mergeAt && c%32 == 0 {
		x.merge(hash)
	}
}

// each calls fn with every slot until it returns false.
func (x *index) each(fn func(slot uint64) bool) {
	for i, g := range x.dir {
		if i>>g.depth != 0 {
			continue // not its first entry
		}
		for i := range g.slots {
			if slot := atomic.LoadUint64(&g.slots[i]); slot != 0 && !fn(slot) {
				return
			}
		}
	}
	for _, slot := range x.spill {
		if !fn(slot) {
			return
		}
	}
}
