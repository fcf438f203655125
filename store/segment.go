package store

// A slot is one entry of the index: a tag, the low 24 bits of the key's hash, above 8 bits of access meta, above the 32
// bits of its record's location. 0 is an empty slot: no record has location 0. Of the hash bits the lowest ten are the
// home, the others the directory's.
//
// The meta says how the entry was used of late, for eviction. It is in the slot and not in the record because choosing a
// victim then reads only the index, where eight entries share a cache line. Pure reads change it (atomically: several may
// run at once), so find loads slots atomically too; whoever may change the shard is alone and needs neither.
const (
	metaBits    = 8
	metaMask    = (1<<metaBits - 1) << locationBits
	tagShift    = locationBits + metaBits
	tagBits     = 64 - tagShift
	homeBits    = 10
	tagDirBits  = tagBits - homeBits // what a slot knows of the directory's bits
	segmentSize = 8 << 10

	// One word short of a power of two: the last word holds the counts, and 8 KiB are a size the Go heap gives exactly.
	segmentSlots = 1<<homeBits - 1
)

// When segments split and merge, in used slots. Splitting at 13/16 rather than 7/8 costs up to 1.4 bytes an entry and
// halves the probes of a miss just before; merging at 5/16 leaves both an insert and a delete far from the next change.
const (
	splitAt = 832
	mergeAt = 320
)

// segment is an open-addressed table with linear probing, one leaf of the index. It holds no pointers.
type segment struct {
	slots   [segmentSlots]uint64
	spilled uint32 // entries that belong here and are in index.spill
	count   uint16 // used slots
	depth   uint8  // how many directory bits all its entries share
}

func newSlot(hash, location uint64, meta uint8) uint64 {
	return hash<<tagShift | uint64(meta)<<locationBits | location
}

// tagOf returns the low bits of the hash that a slot knows.
func tagOf(slot uint64) uint64 { return slot >> tagShift }

// homeOf returns where to look for a hash first. Two of the 1,024 values share a home.
func homeOf(hash uint64) uint {
	home := uint(hash % (1 << homeBits))
	if home >= segmentSlots {
		home = 0
	}
	return home
}

// after returns the slot to probe next.
func after(i uint) uint {
	i++
	if i >= segmentSlots {
		i = 0
	}
	return i
}

// insert adds a slot. There must be an empty one beside it: probing ends at an empty slot.
func (g *segment) insert(slot uint64) {
	g.put(slot)
	g.count++
}

// put writes a slot into the first empty place from its home on.
func (g *segment) put(slot uint64) {
	i := homeOf(tagOf(slot))
	for g.slots[i] != 0 {
		i = after(i)
	}
	g.slots[i] = slot
}

// remove empties slot i and moves the slots behind it that the gap would hide back into it. So there are no tombstones,
// and a segment that lived long probes like a new one.
func (g *segment) remove(i uint) {
	for j := after(i); g.slots[j] != 0; j = after(j) {
		if distance(homeOf(tagOf(g.slots[j])), j) >= distance(i, j) {
			g.slots[i] = g.slots[j]
			i = j
		}
	}
	g.slots[i] = 0
	g.count--
}

// distance returns how many steps of after lead from one slot to another.
func distance(from, to uint) uint {
	if to < from {
		to += segmentSlots
	}
	return to - from
}

// divide moves the slots for which moves is true to another segment, which has room for them. It goes through the
// slots in probe order, from behind an empty one: then each that stays finds its new place at or before its old one,
// and the segment is rebuilt where it is.
func (g *segment) divide(to *segment, moves func(slot uint64) bool) {
	start := uint(0)
	for g.slots[start] != 0 {
		start = after(start)
	}
	for i := after(start); i != start; i = after(i) {
		slot := g.slots[i]
		if slot == 0 {
			continue
		}
		g.slots[i] = 0
		if moves(slot) {
			g.count--
			to.insert(slot)
		} else {
			g.put(slot)
		}
	}
}
