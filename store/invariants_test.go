package store

import (
	"encoding/binary"
	"fmt"
	"unsafe"
)

// checkInvariants walks a whole shard and returns the first thing it finds out of order.
func checkInvariants(s *Shard) error {
	cells := map[uint32]map[int]bool{} // page id -> offsets that hold a record
	if err := checkIndex(s, cells); err != nil {
		return err
	}
	if err := checkPages(&s.arena, cells); err != nil {
		return err
	}
	if err := checkQueues(s); err != nil {
		return err
	}
	return checkLists(&s.arena)
}

// checkIndex checks that every directory entry leads where it should, that every slot can be found, and that the counts
// are right; it notes the records' places in cells.
func checkIndex(s *Shard, cells map[uint32]map[int]bool) error {
	x := &s.index
	if len(x.dir) != 0 && (len(x.dir) != roots<<x.depth || x.shift != tagBits-x.depth) {
		return fmt.Errorf("directory has %d entries at depth %d, shift %d", len(x.dir), x.depth, x.shift)
	}
	spilled := map[uint64]bool{}
	for i, slot := range x.spill {
		key := s.arena.record(slot).key()
		g := x.lookup(Hash(key))
		spilled[x.home(slot)] = true
		if err := checkSlot(s, slot, place{g, uint(i), true}, cells); err != nil {
			return err
		}
	}
	segments, deepest, entries, slots := 0, 0, 0, 0
	for i := uint64(0); i < uint64(len(x.dir)); {
		first, n := x.first(i)
		g := x.dir[i]
		if first != i || g.depth > x.depth {
			return fmt.Errorf("directory entry %d of depth %d is not the first of %d", i, g.depth, n)
		}
		if err := checkSegment(s, i, n, cells); err != nil {
			return err
		}
		if g.spills != spilled[i] {
			return fmt.Errorf("segment %d spills: %v, has %v", i, g.spills, spilled[i])
		}
		i += n
		segments++
		if g.depth == x.depth {
			deepest++
		}
		entries += int(g.count)
		if g.base != &noSlots {
			slots += int(g.size)
		}
	}
	if segments != x.segments || deepest != x.deepest || slots != x.slots || entries+len(x.spill) != s.entries {
		return fmt.Errorf("index counts %d segments, %d deepest, %d slots, %d entries; has %d, %d, %d, %d",
			x.segments, x.deepest, x.slots, s.entries, segments, deepest, slots, entries+len(x.spill))
	}
	return checkIndexMemory(s)
}

func checkIndexMemory(s *Shard) error {
	x := &s.index
	held := (x.slots+cap(x.spill))*8 + cap(x.dir)*int(unsafe.Sizeof(segment{}))
	if got := s.Memory().Reserved - s.arena.heldBytes() - s.keep.queues.held(); got != held {
		return fmt.Errorf("index counts %d bytes, has %d", got, held)
	}
	return nil
}

// checkSegment checks the segment whose n directory entries start at first.
func checkSegment(s *Shard, first, n uint64, cells map[uint32]map[int]bool) error {
	x := &s.index
	g := &x.dir[first]
	for j := range n {
		if h := x.dir[first+j]; h.base != g.base || h.size != g.size || h.depth != g.depth || h.homes != g.homes || h.spills != g.spills {
			return fmt.Errorf("directory entry %d is not like its segment's first %d", first+j, first)
		}
	}
	count, last := 0, uint64(0)
	for i, slot := range g.slots() {
		if slot == 0 {
			continue
		}
		count++
		if tagOf(slot) < last {
			return fmt.Errorf("segment %d: slot %d is out of order", first, i)
		}
		last = tagOf(slot)
		if x.home(slot) != first {
			return fmt.Errorf("segment %d holds tag %#x", first, tagOf(slot))
		}
		if err := checkSlot(s, slot, place{g, uint(i), false}, cells); err != nil {
			return err
		}
	}
	if count != int(g.count) || *g.at(uint(g.size) - 1) != 0 || count > limitOf(int(g.size)) {
		return fmt.Errorf("segment %d of %d homes counts %d slots, has %d", first, g.homes, g.count, count)
	}
	return nil
}

// checkSlot checks that a slot's tag is its key's and that the key is found where the slot is.
func checkSlot(s *Shard, slot uint64, at place, cells map[uint32]map[int]bool) error {
	r := s.arena.record(slot)
	hash := Hash(r.key())
	if tagOf(slot) != hash%(1<<tagBits) {
		return fmt.Errorf("slot %#x of hash %#x", slot, hash)
	}
	if _, p := s.find(hash, r.key(), noUse); p.spilled != at.spilled || s.slotAt(p) != s.slotAt(at) {
		return fmt.Errorf("key %.40q is at %v, found at %v", r.key(), at, p)
	}
	location := slot & locationMask
	id, cell := uint32(location>>cellBits), int(location%pageCells)
	if cells[id] == nil {
		cells[id] = map[int]bool{}
	}
	if cells[id][cell] {
		return fmt.Errorf("two slots for page %d cell %d", id, cell)
	}
	cells[id][cell] = true
	if c := int(s.arena.meta[id].class); c != largeClass && classOf(int(r.end)) != c {
		return fmt.Errorf("record of %d bytes in a cell of %d", r.end, cellSize(c))
	}
	return nil
}

// checkPages checks that each page's cells are either a record's, on its free list, or fresh, and all counts.
func checkPages(a *arena, cells map[uint32]map[int]bool) error {
	reserved, live := 0, 0
	var used, held, room [classCount]int
	for i, page := range a.pages {
		id, m := uint32(i), a.meta[i]
		reserved += int(page.size)
		if page.base == nil {
			if len(cells[id]) != 0 || i > 0 && i < int(a.low) {
				return fmt.Errorf("page id %d has no page, %d records, free from %d", id, len(cells[id]), a.low)
			}
			continue
		}
		live++
		if int(m.used) != len(cells[id]) {
			return fmt.Errorf("page %d counts %d used cells, has %d", id, m.used, len(cells[id]))
		}
		if m.class == largeClass {
			continue
		}
		used[m.class] += int(m.used)
		held[m.class] += int(page.size)
		room[m.class] += int(m.cells)
		if err := checkCells(a, id, m, cells[id]); err != nil {
			return fmt.Errorf("page %d: %w", id, err)
		}
	}
	if live != a.live {
		return fmt.Errorf("arena counts %d pages, has %d", a.live, live)
	}
	for c, cl := range a.classes {
		if cl.used != used[c] || cl.cells != room[c] || cl.reserved != held[c] {
			return fmt.Errorf("class %d counts %d of %d cells in %d bytes, has %d of %d in %d",
				c, cl.used, cl.cells, cl.reserved, used[c], room[c], held[c])
		}
	}
	table := cap(a.compactor.free)*8 + cap(a.pages)*int(unsafe.Sizeof(a.pages[0])) + cap(a.meta)*int(unsafe.Sizeof(a.meta[0]))
	if a.heldBytes() != reserved+table {
		return fmt.Errorf("arena counts %d bytes, has %d", a.heldBytes(), reserved+table)
	}
	return nil
}

func checkCells(a *arena, id uint32, m pageMeta, records map[int]bool) error {
	page, size := a.pages[id], cellSize(int(m.class))
	if int(m.cells)*size > int(page.size) || int(page.cell) != size {
		return fmt.Errorf("%d cells of %d or %d bytes in %d", m.cells, size, page.cell, page.size)
	}
	if id == a.compactor.victim {
		return checkVictim(a, m, records)
	}
	seen := 0
	for cell := m.freed; cell != noCell; seen++ {
		if cell >= m.fresh || records[int(cell)] || seen > int(m.cells) {
			return fmt.Errorf("free list leads to cell %d, in use %v", cell, records[int(cell)])
		}
		cell = binary.LittleEndian.Uint16(a.cell(uint64(id)<<cellBits | uint64(cell)))
	}
	for cell := range records {
		if cell >= int(m.fresh) {
			return fmt.Errorf("record in cell %d, used up to %d", cell, m.fresh)
		}
	}
	if seen+len(records) != int(m.fresh) {
		return fmt.Errorf("%d cells free and %d used, of %d", seen, len(records), m.fresh)
	}
	return nil
}

func checkVictim(a *arena, m pageMeta, records map[int]bool) error {
	for cell := range int(m.fresh) {
		if free := a.compactor.free[cell/64]>>(cell%64)&1 != 0; free == records[cell] {
			return fmt.Errorf("victim's cell %d is free: %v, used: %v", cell, free, records[cell])
		}
	}
	return nil
}

// checkLists checks that pages with room, and no others, are on their class's list, and that spares are empty.
func checkLists(a *arena) error {
	listed := map[uint32]bool{}
	for c, cl := range a.classes {
		prev := uint32(0)
		for id := cl.room; id != 0; prev, id = id, a.meta[id].next {
			if m := a.meta[id]; listed[id] || int(m.class) != c || m.prev != prev {
				return fmt.Errorf("list of class %d: page %d listed %v, class %d, prev %d", c, id, listed[id], m.class, m.prev)
			}
			listed[id] = true
		}
		if cl.spare != 0 && (listed[cl.spare] || a.meta[cl.spare].used != 0 || int(a.meta[cl.spare].class) != c) {
			return fmt.Errorf("spare page %d of class %d is not one", cl.spare, c)
		}
	}
	for i, page := range a.pages {
		id, m := uint32(i), a.meta[i]
		if page.base == nil || m.class == largeClass {
			continue
		}
		if room := m.used > 0 && m.used < m.cells && id != a.compactor.victim; room != listed[id] {
			return fmt.Errorf("page %d with %d of %d cells used: listed %v", id, m.used, m.cells, listed[id])
		}
		if m.used == 0 && a.classes[m.class].spare != id {
			return fmt.Errorf("empty page %d is no spare", id)
		}
	}
	return nil
}

// checkQueues checks that the queues, if the policy has any, lead to every entry but those that are yet to be queued, and
// that they count what they hold.
func checkQueues(s *Shard) error {
	q := s.keep.queues
	if q == nil {
		return nil
	}
	type queued struct {
		hash uint64
		meta uint8
	}
	leads := map[queued]bool{}
	for bit, f := range map[uint8]*fifo{0: &q.small, mainBit: &q.main} {
		n := 0
		for i, b := range f.blocks {
			if b.from >= b.n || b.n > blockLen || b.stamp > stampMask {
				return fmt.Errorf("block %d of queue %d: %d to %d, stamp %d", i, bit, b.from, b.n, b.stamp)
			}
			for _, hash := range b.hashes[b.from:b.n] {
				leads[queued{hash, b.stamp<<stampShift | bit}] = true
				n++
			}
		}
		if n != f.n {
			return fmt.Errorf("queue %d counts %d hashes, has %d", bit, f.n, n)
		}
	}
	if s.keep.ageing.convert {
		return nil
	}
	var err error
	s.index.each(func(slot uint64) bool {
		hash := Hash(s.arena.record(slot).key())
		if !leads[queued{hash, metaOf(slot) &^ usesMask}] {
			err = fmt.Errorf("no queue leads to hash %#x, meta %#x", hash, metaOf(slot))
		}
		return err == nil
	})
	return err
}
