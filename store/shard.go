package store

import "sync/atomic"

// Shard is one hash table: byte keys to byte values, each with an optional deadline. The zero Shard is empty and ready.
// It must not be copied after its first use.
//
// One goroutine at a time may use a Shard, except that any number may call the methods documented as pure reads while
// nobody calls another one: that is what a read lock around them gives.
//
// An entry whose deadline is at or before now is expired: every method that takes now treats it as absent. It stays,
// and counts in Len, TTLs and Memory, until Delete, DeleteExpired, a Set of its key or Clear removes it, because a
// read must not write.
type Shard struct {
	index   index
	mode    uint32 // what meta is (see kind), and the tick: as of the last follow
	arena   arena
	entries int
	ttls    int
	stored  int
	watches *watchTable // nil while nobody watches
	budget  *Budget     // nil: none
	keep    keeper
}

// place is where the index keeps an entry: slot of segment or, of an entry that the segment has no slot for, of the
// index's spill list.
type place struct {
	segment *segment
	slot    uint
	spilled bool
}

// New returns an empty shard. It holds no memory until the first Set.
func New() *Shard { return new(Shard) }

// Get returns the value of a live entry. The value aliases the shard's memory: it is good until the next change of the
// shard and must not be written to. Get is a pure read.
func (s *Shard) Get(hash uint64, key []byte, now int64) (value []byte, ok bool) {
	r, _ := s.find(hash, key, s.mode)
	if !r.exists() || r.expired(now) {
		return nil, false
	}
	return r.value(), true
}

// Deadline returns when a live entry expires, 0 if never. ok is false if there is no such entry. It is a pure read.
func (s *Shard) Deadline(hash uint64, key []byte, now int64) (expireAt int64, ok bool) {
	r, _ := s.find(hash, key, noUse)
	if !r.exists() || r.expired(now) {
		return 0, false
	}
	return r.deadline(), true
}

// Len returns the number of entries, expired ones that are still there included. It is a pure read.
func (s *Shard) Len() int { return s.entries }

// TTLs returns how many of the entries have a deadline. While it is 0 the now of every call is of no consequence, so
// that callers may skip the clock. It is a pure read.
func (s *Shard) TTLs() int { return s.ttls }

// Range calls fn with every entry, in no order, until fn returns false: expired ones too, since it is given no time.
// key and value alias the shard's memory, as in Get; expireAt is 0 for none. fn must not change the shard. Range is a
// pure read.
func (s *Shard) Range(fn func(key, value []byte, expireAt int64) bool) {
	s.index.each(func(slot uint64) bool {
		r := s.arena.record(slot)
		return fn(r.key(), r.value(), r.deadline())
	})
}

// Set stores a copy of value under a copy of key, in place of what was there, deadline included. expireAt is when the
// entry expires, 0 for never; a time that has passed makes it expired at once. value may alias the shard's memory, key
// may not. Set panics if key or value is longer than MaxKeyLen or MaxValueLen: callers bound what they read.
func (s *Shard) Set(hash uint64, key, value []byte, expireAt int64) {
	checkLengths(key, value)
	s.changed(hash, key)
	if r, p := s.find(hash, key, s.mode); r.exists() {
		s.overwrite(r, p, key, value, expireAt)
	} else {
		s.add(hash, key, value, expireAt)
	}
}

// SetKeepTTL is Set with the deadline the entry has: none, if there is no live entry of that key.
func (s *Shard) SetKeepTTL(hash uint64, key, value []byte, now int64) {
	checkLengths(key, value)
	s.changed(hash, key)
	r, p := s.find(hash, key, s.mode)
	switch {
	case !r.exists():
		s.add(hash, key, value, 0)
	case r.expired(now):
		s.keep.stats.Expired++
		s.overwrite(r, p, key, value, 0)
	default:
		s.overwrite(r, p, key, value, r.deadline())
	}
}

// SetDeadline gives a live entry another deadline, 0 for none, and reports whether there was such an entry.
func (s *Shard) SetDeadline(hash uint64, key []byte, expireAt, now int64) bool {
	r, p := s.find(hash, key, s.mode)
	if !r.exists() || r.expired(now) {
		return false
	}
	s.changed(hash, key)
	s.count(r, -1)
	r = s.resize(r, p, recordSize(len(r.key()), len(r.value()), expireAt), func(mem []byte) { rewrite(mem, r, expireAt) })
	s.count(r, 1)
	s.settle()
	return true
}

// Delete removes an entry and reports whether it was there and alive: an expired one is removed as well, but false.
func (s *Shard) Delete(hash uint64, key []byte, now int64) bool {
	r, p := s.find(hash, key, noUse)
	if !r.exists() {
		return false
	}
	alive := !r.expired(now)
	if !alive {
		s.keep.stats.Expired++
	}
	s.remove(hash, r, p)
	return alive
}

// DeleteExpired removes an entry if it is expired, and reports whether it did.
func (s *Shard) DeleteExpired(hash uint64, key []byte, now int64) bool {
	r, p := s.find(hash, key, noUse)
	if !r.exists() || !r.expired(now) {
		return false
	}
	s.keep.stats.Expired++
	s.remove(hash, r, p)
	return true
}

// Clear removes all entries and gives their memory back to the Go heap. The counters of Stats stay.
func (s *Shard) Clear() {
	s.clearing()
	*s = Shard{mode: s.mode, watches: s.watches, budget: s.budget, keep: s.keep}
	s.keep.forget()
	s.settle()
}

// SetMark sets or clears the mark of an entry, if it is there: one bit that is the callers' to give a meaning to. Set and
// SetKeepTTL clear it. It is no change of the entry to those who watch it.
func (s *Shard) SetMark(hash uint64, key []byte, on bool) {
	if r, _ := s.find(hash, key, noUse); r.exists() {
		r.mark(on)
	}
}

// Marked reports whether a live entry has the mark. It is a pure read.
func (s *Shard) Marked(hash uint64, key []byte, now int64) bool {
	r, _ := s.find(hash, key, noUse)
	return r.exists() && !r.expired(now) && r.marked()
}

// find returns the record of a key and where the index keeps it; a record that does not exist if there is none. mode
// is noUse, or s.mode: then this is a use of the entry, to be noted. That costs a Get 4 % with 64 hot keys and 2 % with
// 100,000, a flag beside s.mode as much again (BenchmarkGetNotes). Before the key is compared it would cost half of it,
// but note the use of every entry with the same tag: in a shard of ten million, of one in three.
func (s *Shard) find(hash uint64, key []byte, mode uint32) (record, place) {
	x := &s.index
	point := pointOf(hash)
	i := x.entry(point)
	if i >= uint64(len(x.dir)) {
		return record{}, place{} // an empty index
	}
	g := &x.dir[i]
	want := hash << tagShift
	at := g.home(point) // from here on it is seek, which a call would make a fifth of a hot Get slower
	at += 4 * g.window(at).quarter(want)
	at += before(g.at(at), want) + before(g.at(at+1), want) + before(g.at(at+2), want)
	slot := atomic.LoadUint64(g.at(at))
	if slot-1 < want {
		at, slot = g.seekOn(at, want)
	}
	for ; hasTag(slot, want); slot = atomic.LoadUint64(g.at(at)) {
		r, ok := loadShort(s.arena.at(slot))
		if !ok {
			r = loadLong(r.mem)
		}
		if r.hasKey(key) {
			if uint32(metaOf(slot)) != mode && mode != noUse {
				note(g.at(at), slot, mode)
			}
			return r, place{segment: g, slot: at}
		}
		at++
	}
	if g.spills {
		return s.findSpilled(g, want, key)
	}
	return record{}, place{}
}

func (s *Shard) findSpilled(g *segment, want uint64, key []byte) (record, place) {
	for i := range s.index.spill {
		slot := atomic.LoadUint64(&s.index.spill[i])
		if (slot^want)>>tagShift != 0 {
			continue
		}
		if r := s.arena.record(slot); r.hasKey(key) {
			return r, place{segment: g, slot: uint(i), spilled: true}
		}
	}
	return record{}, place{}
}

// findSlot returns where the index keeps the entry whose slot is what is looks for, among those that have the hash's tag.
func (s *Shard) findSlot(hash uint64, is func(slot uint64) bool) (place, bool) {
	g := s.index.lookup(hash)
	if g == nil {
		return place{}, false
	}
	want := hash << tagShift
	for at, slot := g.seek(g.home(pointOf(hash)), want); hasTag(slot, want); slot = *g.at(at) {
		if is(slot) {
			return place{segment: g, slot: at}, true
		}
		at++
	}
	if g.spills {
		for i, slot := range s.index.spill {
			if hasTag(slot, want) && is(slot) {
				return place{segment: g, slot: uint(i), spilled: true}, true
			}
		}
	}
	return place{}, false
}

// slotAt returns the slot that p stands for.
func (s *Shard) slotAt(p place) *uint64 {
	if p.spilled {
		return &s.index.spill[p.slot]
	}
	return p.segment.at(p.slot)
}

func (s *Shard) add(hash uint64, key, value []byte, expireAt int64) {
	size := recordSize(len(key), len(value), expireAt)
	location, mem := s.arena.alloc(size)
	write(mem, key, value, expireAt)
	s.index.insert(newSlot(hash, location, s.newMeta(hash)))
	s.count(load(&mem[0]), 1)
	s.keep.grown += int64(size)
	s.settle()
}

func (s *Shard) overwrite(r record, p place, key, value []byte, expireAt int64) {
	s.count(r, -1)
	r = s.resize(r, p, recordSize(len(key), len(value), expireAt), func(mem []byte) {
		write(mem, key, value, expireAt)
	})
	s.count(r, 1)
	s.settle()
}

// growthShare is the part of its size that a large record gets beside it when it grows, so that one that grows by many
// small steps is copied eight times as often as it doubles, and not at each.
const growthShare = 8

// resize finds room for size bytes in place of the record r, lets fill write the new record there, and returns it. The
// room is r's own where that fits; else r's is given back only after fill, which may read from it.
func (s *Shard) resize(r record, p place, size int, fill func(mem []byte)) record {
	slot := s.slotAt(p)
	old := *slot & locationMask
	if s.arena.fits(old, size) {
		fill(s.arena.cell(old))
		return s.arena.record(old)
	}
	if size > cellMax && size > int(r.end) {
		size += size / growthShare
	}
	location, mem := s.arena.alloc(size)
	fill(mem)
	*slot = *slot&^locationMask | location
	s.arena.free(old)
	return s.arena.record(location)
}

func (s *Shard) remove(hash uint64, r record, p place) {
	s.changed(hash, r.key())
	s.count(r, -1)
	location := *s.slotAt(p) & locationMask
	s.index.remove(hash, p)
	s.arena.free(location)
	if s.entries == 0 {
		s.arena.trim()
	}
	s.settle()
}

// count adds the record to the shard's counters, or takes it off them, by times 1 or -1.
func (s *Shard) count(r record, times int) {
	s.entries += times
	s.stored += times * r.stored()
	if r.hasDeadline() {
		s.ttls += times
	}
}

func checkLengths(key, value []byte) {
	if len(key) > MaxKeyLen || len(value) > MaxValueLen {
		panic("bug: store: a key or value longer than 512 MiB")
	}
}
