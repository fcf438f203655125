package store

// Compaction gives pages back whose records are few: after many deletes, or when the sizes of values changed, a class may
// hold a page for each record. It takes a sparse page, the victim, moves its records to other pages of the class, one by
// one, and drops it. A record is found from its page by its key, whose hash leads to the slot.
type compactor struct {
	victim uint32 // 0: none. It is on no list, so that alloc does not take its cells
	cell   uint16 // next to look at
	free   []uint64
	hand   uint32 // page id at which the next victim is looked for
	looked int    // pages since there was one: when it is all, there is none
}

// What it costs beside a record moved to look at pages, and at free cells: the tables they are in are read in a row.
const looksPerMove = 16

// compact does a bounded slice of compaction and reports whether there is more to do. work is in records moved.
func (s *Shard) compact(work int) (more bool) {
	c := &s.arena.compactor
	for ; work > 0; work-- {
		if c.victim != 0 {
			s.moveNext()
			continue
		}
		looked := s.arena.findVictim(work * looksPerMove)
		if c.victim == 0 && c.looked >= len(s.arena.pages) {
			c.looked = 0
			return false
		}
		work -= looked / looksPerMove
	}
	return true
}

// moveNext moves the next record of the victim.
func (s *Shard) moveNext() {
	a, c := &s.arena, &s.arena.compactor
	for c.free[c.cell/64]>>(c.cell%64)&1 != 0 {
		c.cell++
	}
	old := uint64(c.victim)<<cellBits | uint64(c.cell)
	c.cell++
	r := a.record(old)
	p, ok := s.findSlot(Hash(r.key()), func(slot uint64) bool { return slot&locationMask == old })
	if !ok {
		panic("bug: store: a record that the index does not know")
	}
	var location uint64
	if a.meta[c.victim].class == largeClass {
		location = uint64(a.renumber(c.victim)) << cellBits
		c.victim = 0
	} else {
		var mem []byte
		location, mem = a.alloc(int(r.end))
		copy(mem, r.bytes(0, r.end))
		a.free(old)
	}
	slot := s.slotAt(p)
	*slot = *slot&^locationMask | location
}

// findVictim looks at up to most pages for the next victim. It returns how many, with the cells of the victim.
func (a *arena) findVictim(most int) (looked int) {
	c := &a.compactor
	var wasteful [classCount]bool
	any := a.longTable()
	for i := range a.classes {
		wasteful[i] = a.wasteful(i)
		any = any || wasteful[i]
	}
	if !any {
		c.looked = len(a.pages)
		return 0
	}
	for ; looked < most && c.looked < len(a.pages); looked++ {
		c.looked++
		if c.hand++; int(c.hand) >= len(a.pages) {
			c.hand = 1
		}
		m := &a.meta[c.hand]
		far := a.longTable() && int(c.hand) > 2*a.live && a.pages[c.hand].base != nil
		switch {
		case m.used == 0 && far:
			a.dropSpare(int(m.class))
		case m.used > 0 && (far || m.class != largeClass && wasteful[m.class] && a.sparse(c.hand)):
			c.looked = 0
			return looked + a.condemn(c.hand)
		}
	}
	return looked
}

// longTable reports whether the page table has many more ids than pages, so that those behind twice their number should
// be given up.
func (a *arena) longTable() bool { return len(a.pages) > 4*a.live+64 }

// wasteful reports whether a class has more unused cells than a twelfth of the used ones and what fills one page. The spare
// page goes first, and that of a class without records.
func (a *arena) wasteful(class int) bool {
	cl := &a.classes[class]
	used := cl.used * cellSize(class)
	page, _ := pageSize(class, used)
	if cl.reserved-used <= used/12+page && cl.used > 0 {
		return false
	}
	a.dropSpare(class)
	return cl.reserved-used > used/12+page
}

func (a *arena) dropSpare(class int) {
	if cl := &a.classes[class]; cl.spare != 0 {
		a.dropPage(cl.spare)
		cl.spare = 0
	}
}

// sparse reports whether a page is no fuller than its class is on average, and moving its records saves memory: into cells
// that are there, or into smaller pages that take three quarters of this one at most.
func (a *arena) sparse(id uint32) bool {
	m := &a.meta[id]
	cl := &a.classes[m.class]
	if int(m.used)*cl.cells > cl.used*int(m.cells) {
		return false
	}
	if cl.cells-int(m.cells) >= cl.used {
		return true
	}
	size, cells := pageSize(int(m.class), cl.reserved)
	return (int(m.used)+cells-1)/cells*size <= int(a.pages[id].size)*3/4
}

// condemn makes a page the victim, and returns how many cells it looked at.
func (a *arena) condemn(id uint32) (looked int) {
	m := &a.meta[id]
	if m.used < m.cells && m.class != largeClass {
		a.unlink(id)
	}
	c := &a.compactor
	c.victim, c.cell = id, 0
	if c.free == nil {
		c.free = make([]uint64, pageCells/64)
	}
	clear(c.free)
	for cell := m.freed; cell != noCell; looked++ {
		c.free[cell/64] |= 1 << (cell % 64)
		cell = nextFree(a.cell(uint64(id)<<cellBits | uint64(cell)))
	}
	return looked
}

// freedInVictim notes a cell of the victim that has become free, and drops the page with the last one.
func (a *arena) freedInVictim(cell uint16) {
	c := &a.compactor
	c.free[cell/64] |= 1 << (cell % 64)
	if a.meta[c.victim].used == 0 {
		a.dropPage(c.victim)
		c.victim = 0
	}
}
