package store

import (
	"sync/atomic"
	"unsafe"
)

// Memory says what a shard holds, in bytes where not said otherwise.
type Memory struct {
	Entries int // number of entries, as Len
	Stored  int // keys and values
	// Reserved is all that the shard has from the Go heap, used or not: pages of records and their table, segments
	// and their directory. The Shard itself is its holder's and not counted.
	Reserved int
}

// Memory returns what the shard holds now, in constant time. It is a pure read.
func (s *Shard) Memory() Memory {
	return Memory{
		Entries:  s.entries,
		Stored:   s.stored,
		Reserved: s.index.heldBytes() + s.arena.heldBytes() + s.keep.queues.held(),
	}
}

// SizeOf returns the bytes that a live entry takes: the cell its record lies in and its slot. ok is false if there is no
// such entry. It is a pure read.
func (s *Shard) SizeOf(hash uint64, key []byte, now int64) (bytes int, ok bool) {
	r, p := s.find(hash, key, noUse)
	if !r.exists() || r.expired(now) {
		return 0, false
	}
	return len(s.arena.cell(atomic.LoadUint64(s.slotAt(p)))) + wordSize, true
}

// heldBytes returns what the arena has from the Go heap.
func (a *arena) heldBytes() int {
	return a.reserved + cap(a.compactor.free)*wordSize +
		cap(a.pages)*int(unsafe.Sizeof(page{})) + cap(a.meta)*int(unsafe.Sizeof(pageMeta{}))
}

// heldBytes returns what the index has from the Go heap.
func (x *index) heldBytes() int {
	return (x.slots+cap(x.spill))*wordSize + cap(x.dir)*segmentSize
}
