package store

import "sync/atomic"

// Scan calls fn with some entries and returns the cursor to go on with. 0 starts, and 0 is returned at the end. An entry
// that is there from the start of a scan to its end is shown at least once, whatever else happens to the shard meanwhile:
// a cursor is a point in the order of the index, which no growing or shrinking changes. It stays below 1<<48.
//
// A call shows count entries, and those of equal tags. Expired entries are shown too. key and value alias the shard's
// memory, as in Get; fn must not change the shard. Scan is a pure read.
func (s *Shard) Scan(cursor uint64, count int, fn func(key, value []byte, expireAt int64)) (next uint64) {
	x := &s.index
	count = max(count, 1)
	for shown := 0; shown < count; {
		i := x.entry(cursor)
		if i >= uint64(len(x.dir)) {
			return 0
		}
		i, n := x.first(i)
		g := &x.dir[i]
		end := (i + n) << x.shift // of the points to show
		last := uint64(0)
		for at := g.home(cursor); at < uint(g.size); at++ {
			slot := atomic.LoadUint64(g.at(at))
			point := pointOf(tagOf(slot))
			if slot == 0 || point < cursor {
				continue
			}
			if shown >= count && point != last {
				end = point
				break
			}
			s.show(slot, fn)
			shown++
			last = point
		}
		if g.spills {
			shown += s.scanSpilled(cursor, end, fn)
		}
		cursor = end
	}
	if x.entry(cursor) >= uint64(len(x.dir)) {
		return 0
	}
	return cursor
}

// scanSpilled shows the spilled entries from one point to before another, and returns how many they are.
func (s *Shard) scanSpilled(from, to uint64, fn func(key, value []byte, expireAt int64)) (shown int) {
	for i := range s.index.spill {
		slot := atomic.LoadUint64(&s.index.spill[i])
		if point := pointOf(tagOf(slot)); from <= point && point < to {
			s.show(slot, fn)
			shown++
		}
	}
	return shown
}

func (s *Shard) show(slot uint64, fn func(key, value []byte, expireAt int64)) {
	r := s.arena.record(slot)
	fn(r.key(), r.value(), r.deadline())
}

// Random returns an entry that rnd, a random number, chooses, all with about the same chance; it may be an expired one.
// ok is false if the shard is empty. key and value alias the shard's memory, as in Get. Random is a pure read.
func (s *Shard) Random(rnd uint64) (key, value []byte, expireAt int64, ok bool) {
	if s.entries == 0 {
		return nil, nil, 0, false
	}
	r := s.arena.record(s.index.random(rnd, s.entries))
	return r.key(), r.value(), r.deadline(), true
}

// exactRandom is how many entries are few enough to count through.
const exactRandom = 64

// random returns the slot of one of the index's entries.
func (x *index) random(rnd uint64, entries int) (slot uint64) {
	if spilled := uint64(len(x.spill)); spilled > 0 && rnd>>1%uint64(entries) < spilled {
		return x.spill[rnd>>1%uint64(entries)]
	}
	for tries := 0; entries > exactRandom && tries < 16; tries++ {
		rnd = mix(rnd)
		g := x.lookup(rnd)
		// Of slots that are half empty, 16 tries find nothing with chance 2e-5.
		for range 16 {
			rnd = mix(rnd)
			if slot = atomic.LoadUint64(g.at(uint(rnd) % uint(g.size))); slot != 0 {
				return slot
			}
		}
	}
	n := mix(rnd) % uint64(entries)
	x.each(func(have uint64) bool {
		slot = have
		n--
		return n+1 != 0
	})
	return slot
}

// mix turns a number into another, as SplitMix64 does: a step of a random sequence.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
