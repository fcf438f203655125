package store

import "sync/atomic"

// Looking ahead: whoever has several keys to look up calls Hint for all of them, then Touch with every hint, and then does
// what it came for. A random access to a large shard waits for memory twice, for the slot and for the record; in passes
// the waits of different keys run side by side. Both are pure reads and change nothing but what is in the caches.

// Hint fetches the index slots of a hash and returns what Touch needs to find the record; 0 if there is none.
func (s *Shard) Hint(hash uint64) (hint uint64) {
	g := s.index.lookup(hash)
	if g == nil {
		return 0
	}
	want := hash << tagShift
	for i := homeOf(hash); ; i = after(i) {
		slot := atomic.LoadUint64(&g.slots[i])
		if slot == 0 || (slot^want)>>tagShift == 0 {
			return slot
		}
	}
}

// Touch fetches the record that a hint leads to. The shard must not have changed since Hint. The byte it returns means
// nothing; it is what keeps the access from being optimized away.
func (s *Shard) Touch(hint uint64) byte {
	if hint == 0 {
		return 0
	}
	mem := s.arena.at(hint)
	return mem[0] ^ mem[min(cacheLine, len(mem)-1)]
}

const cacheLine = 64
