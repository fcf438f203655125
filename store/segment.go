package store

import (
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// A slot is one entry of the index: a tag, the low 24 bits of the key's hash, above 8 bits of access meta, above the 32
// bits of its record's location. 0 is an empty slot: no record has location 0.
//
// The meta says how the entry was used of late, for eviction. It is in the slot and not in the record because choosing a
// victim then reads only the index, where eight entries share a cache line. Pure reads change it (atomically: several may
// run at once), so find loads slots atomically too; whoever may change the shard is alone and needs neither.
const (
	wordSize = 8 // of a slot
	metaBits = 8
	metaMask = (1<<metaBits - 1) << locationBits
	tagShift = locationBits + metaBits
	tagBits  = 64 - tagShift
	tagMask  = 1<<tagBits - 1
)

func newSlot(hash, location uint64, meta uint8) uint64 {
	return hash<<tagShift | uint64(meta)<<locationBits | location
}

// tagOf returns the low bits of the hash that a slot knows.
func tagOf(slot uint64) uint64 { return slot >> tagShift }

// pointOf returns the point of a hash in the order of the index, in [0, 3<<tagBits): greater tags have greater points.
//
// With hashes that spread, points are twice as dense at the upper end as at the lower one, t(2+t) for t in [0, 1). A
// segment is a range of points and grows with what falls into it; if all were alike, all would be almost empty after
// growing at the same number of entries, and a shard would take a tenth more or less memory for each entry as it
// grows. This way some segments have just grown whenever others are about to, and the average is always the same; and
// the array that one leaves is what another needs next. It is the idea of spiral storage: G. N. N. Martin, "Spiral
// storage: incrementally augmentable hash addressed storage", Theory of Computation Report 27, Warwick 1979.
func pointOf(hash uint64) uint64 {
	tag := hash & tagMask
	return tag * (2<<tagBits + tag) >> tagBits
}

// segment is an open-addressed table with linear probing, one leaf of the index: the slots of a range of points, in the
// order of their tags. So a probe ends at the first greater tag, which lets segments be filled to nine tenths, and a
// segment is rebuilt or divided by going through it once.
//
// Homes are cache lines, spread over the points in the same order: of entries in segments that are nine tenths full, four
// in five lie in their home line. There is no gap between an entry's home and the entry. The last lines are no home, and
// the very last slot is always empty: so probing need not wrap around, and ends.
type segment struct {
	base   *window // of size slots, which start at a cache line
	size   uint16
	homes  uint16 // lines
	count  uint16 // used slots; in the segment's first directory entry only
	depth  uint8  // the range is 1<<(tagBits-depth) points
	spills bool   // entries that belong here may be in index.spill
}

// window is the slots of two cache lines, which is what one lookup searches.
type window [2 * lineSlots]uint64

const (
	cacheLine = 64
	lineSlots = cacheLine / wordSize
)

// noSlots are the slots of a segment that never had an entry.
var noSlots window

// newSegment returns a segment of that depth which has those slots, as they are.
func newSegment(slots []uint64, depth uint8) segment {
	return segment{base: (*window)(slots), size: uint16(len(slots)), homes: uint16(homesOf(len(slots))), depth: depth}
}

// slots returns the slots of the segment.
func (g *segment) slots() []uint64 { return unsafe.Slice(&g.base[0], int(g.size)) }

// at and window return a slot and a window without looking at the segment's size: every lookup would look for what home,
// homesOf and the empty last slot ensure.
func (g *segment) at(i uint) *uint64 {
	return (*uint64)(unsafe.Add(unsafe.Pointer(g.base), i*wordSize))
}
func (g *segment) window(i uint) *window {
	return (*window)(unsafe.Add(unsafe.Pointer(g.base), i*wordSize))
}

// homesOf returns how many lines of n slots are homes. What is left takes the last ones' overflow; at full load one
// segment in fifty finds it too little and grows a step early.
func homesOf(n int) int { return n/lineSlots - max(n/lineSlots/48, 1) }

// limitOf returns how many entries a segment of n slots takes before it grows: 15/16 n.
func limitOf(n int) int { return n - n/16 - 1 }

// full reports whether the segment must grow before it takes another entry.
func (g *segment) full() bool { return int(g.count) >= limitOf(int(g.size)) || g.base == &noSlots }

// home returns the slot from which on to look for a point of the segment's range.
func (g *segment) home(point uint64) uint {
	hi, _ := bits.Mul64(point<<((64-tagBits+g.depth)&63), uint64(g.homes))
	return uint(hi) * lineSlots
}

// before returns 1 if a slot is not empty and comes before want, a slot of which only the tag is set; else 0. It takes no
// branch.
func before(slot *uint64, want uint64) uint {
	_, less := bits.Sub64(atomic.LoadUint64(slot)-1, want, 0) // an empty slot less one is greater than all
	return uint(less)
}

// hasTag reports whether a slot is used and has the tag of want.
func hasTag(slot, want uint64) bool { return slot-1-want < 1<<tagShift-1 }

// quarter returns in which four slots of a window the first one is that does not come before want. Nothing behind an empty
// slot of the first line comes before want.
func (w *window) quarter(want uint64) uint {
	return before(&w[3], want) + before(&w[7], want) + before(&w[11], want)
}

// seek returns where the first slot is that does not come before want, from a home on, and what it holds. The comparisons
// of a window do not wait for each other, but for three, and there are no branches: mispredicted ones would cost more
// than all else in a lookup.
func (g *segment) seek(i uint, want uint64) (at uint, slot uint64) {
	i += 4 * g.window(i).quarter(want)
	i += before(g.at(i), want) + before(g.at(i+1), want) + before(g.at(i+2), want)
	if slot = atomic.LoadUint64(g.at(i)); slot-1 < want {
		return g.seekOn(i, want)
	}
	return i, slot
}

// seekOn is seek from behind slot i, which comes before want: one lookup in thirty does not end in its window.
func (g *segment) seekOn(i uint, want uint64) (at uint, slot uint64) {
	return g.seek(min(i+1, uint(g.size-uint16(len(g.base)))), want)
}

// insert adds a slot, which belongs at home or behind it. It refuses, false, when the slots behind would overrun the end.
func (g *segment) insert(home uint, slot uint64) bool {
	slots := g.slots()
	i, _ := g.seek(home, slot&^(1<<tagShift-1))
	end := i
	for slots[end] != 0 {
		end++
	}
	if end+1 >= uint(len(slots)) {
		return false
	}
	copy(slots[i+1:end+1], slots[i:end])
	slots[i] = slot
	g.count++
	return true
}

// remove empties slot i and moves up the slots behind it, as far as they are not at home. So there are no tombstones, and
// a segment that lived long probes like a new one.
func (g *segment) remove(i uint) {
	slots := g.slots()
	end := i + 1
	// Homes are starts of lines: only there can a slot be at home.
	for slots[end] != 0 && (end%lineSlots != 0 || g.home(pointOf(tagOf(slots[end]))) < end) {
		end++
	}
	copy(slots[i:], slots[i+1:end])
	slots[end-1] = 0
	g.count--
}

// build fills the segment, whose slots hold anything, with the slots of others, in order. Those that overrun the end go
// to over; if that is nil, build stops there, false.
func (g *segment) build(over *[]uint64, from ...[]uint64) bool {
	g.count = 0
	to, next := g.slots(), uint(0)
	for _, slots := range from {
		for _, slot := range slots {
			if slot == 0 {
				continue
			}
			home := g.home(pointOf(tagOf(slot)))
			if next < home {
				clear(to[next:home])
				next = home
			}
			if next+1 >= uint(len(to)) {
				if over == nil {
					return false
				}
				*over = append(*over, slot)
				continue
			}
			to[next] = slot
			next++
			g.count++
		}
	}
	clear(to[next:])
	return true
}

// cut returns where the upper half of the segment's points starts in its slots, and how many slots before are used.
func (g *segment) cut() (at, below int) {
	half := uint64(1) << (tagBits - 1 - g.depth)
	for i, slot := range g.slots() {
		if slot == 0 {
			continue
		}
		if pointOf(tagOf(slot))&half != 0 {
			return i, below
		}
		below++
	}
	return int(g.size), below
}
