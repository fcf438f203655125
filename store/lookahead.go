package store

import "unsafe"

// Looking ahead: whoever has several keys to look up calls Hint for all of them, then Touch with every hint, and then does
// what it came for. A random access to a large shard waits for memory twice, for the slot and for the record; in passes
// the waits of different keys run side by side. Both are pure reads and change nothing but what is in the caches.

// Hint fetches the index slots of a hash and returns what Touch needs to find the record; 0 if the shard is empty.
func (s *Shard) Hint(hash uint64) (hint uint64) {
	point := pointOf(hash)
	i := s.index.entry(point)
	if i >= uint64(len(s.index.dir)) {
		return 0
	}
	g := &s.index.dir[i]
	w := g.window(g.home(point))
	prefetch(uintptr(unsafe.Pointer(w)), uintptr(unsafe.Pointer(w))+cacheLine) // a third of the entries lie in the second line
	return hash&tagMask | 1<<tagBits
}

// Touch fetches the record that a hint leads to, its first two cache lines. The shard must not have changed since Hint.
// It returns whether there is one, as 1 or 0: of that key or of another with the same tag.
func (s *Shard) Touch(hint uint64) byte {
	if hint == 0 {
		return 0
	}
	point := pointOf(hint)
	g := &s.index.dir[s.index.entry(point)]
	want := hint << tagShift
	_, slot := g.seek(g.home(point), want)
	if !hasTag(slot, want) {
		return 0
	}
	record := uintptr(unsafe.Pointer(s.arena.at(slot)))
	prefetch(record, record+cacheLine)
	return 1
}
