package store

import (
	"encoding/binary"
	"slices"
	"unsafe"
)

// A location is where a record lies: page id and number of the cell. With pages of 64 KiB a shard may hold 32 GiB.
const (
	cellBits     = 13
	pageCells    = 1 << cellBits // that a page may have
	locationBits = 32
	locationMask = 1<<locationBits - 1
	maxPages     = 1 << (locationBits - cellBits)
)

// arena is the memory records lie in: pages of cells of one size class each, and one page each for records above
// cellMax. It knows no keys. The zero arena is empty and ready.
//
// A record's location is kept by the index and nowhere else, so records never move: a page that was emptied unevenly
// stays until its last record goes. Pages are small for that reason.
type arena struct {
	// pages is indexed by page id; 0 is nobody's, so that no location is 0. It is apart from meta because a read
	// needs only this half.
	pages    []page
	meta     []pageMeta
	live     int    // ids that have a page
	low      uint32 // no id below is without one, 0 aside
	reserved int    // bytes of all pages
	used     int    // bytes of all cells that hold a record
	classes  [classCount]class

	compactor compactor
}

// page is the memory of a page and the size of its cells.
type page struct {
	base *byte
	size uint32
	cell uint32
}

// class is what the pages of one cell size share.
type class struct {
	room     uint32 // first page with both used and unused cells, chained through meta.next and prev; 0: none
	spare    uint32 // a page without used cells, kept back; 0: none
	used     int    // used cells
	cells    int    // of its pages
	reserved int    // bytes of its pages
}

type pageMeta struct {
	next, prev uint32
	class      uint8
	cells      uint16 // how many there are
	used       uint16 // how many hold a record
	fresh      uint16 // cell from which on none was ever used
	freed      uint16 // first freed cell, whose first two bytes lead to the next; noCell: none
}

const (
	pagesPerWrite = 4 // one for the record; a few, to err on the safe side

	largeClass = classCount // of a page that is one record above cellMax
	noCell     = 1<<16 - 1
)

// at returns the start of the cell at a location. Bits above the location are ignored, so that a slot will do.
func (a *arena) at(location uint64) *byte {
	p := &a.pages[location&locationMask>>cellBits]
	// Locations are what alloc returned: that the cell lies in its page is not looked at again by every lookup.
	return (*byte)(unsafe.Add(unsafe.Pointer(p.base), location&(pageCells-1)*uint64(p.cell)))
}

// cell returns the memory of a cell.
func (a *arena) cell(location uint64) []byte {
	return unsafe.Slice(a.at(location), a.pages[location&locationMask>>cellBits].cell)
}

// record views the record at a location.
func (a *arena) record(slot uint64) record { return load(a.at(slot)) }

// alloc returns room for size bytes. What the room holds is unspecified.
func (a *arena) alloc(size int) (location uint64, mem []byte) {
	if size > cellMax {
		size = roundUp(size, heapPage)
		id := a.addPage(size, size, pageMeta{class: largeClass, cells: 1, used: 1})
		a.used += size
		location = uint64(id) << cellBits
		return location, a.cell(location)
	}
	c := classOf(size)
	id := a.classes[c].room
	if id == 0 {
		id = a.addRoom(c)
	}
	m := &a.meta[id]
	cell := m.freed
	if cell == noCell {
		cell = m.fresh
		m.fresh++
	}
	location = uint64(id)<<cellBits | uint64(cell)
	mem = a.cell(location)
	if cell == m.freed {
		m.freed = nextFree(mem)
	}
	m.used++
	a.classes[c].used++
	a.used += len(mem)
	if m.used == m.cells {
		a.unlink(id)
	}
	return location, mem
}

// free gives the room at a location back.
func (a *arena) free(location uint64) {
	id, cell := uint32(location>>cellBits), uint16(location&(pageCells-1))
	m := &a.meta[id]
	mem := a.cell(location)
	a.used -= len(mem)
	if m.class == largeClass {
		a.dropPage(id)
		return
	}
	m.used--
	a.classes[m.class].used--
	if id == a.compactor.victim {
		a.freedInVictim(cell)
		return
	}
	if m.used == m.cells-1 {
		a.link(id)
	}
	binary.LittleEndian.PutUint16(mem, m.freed)
	m.freed = cell
	if m.used == 0 {
		a.drained(id)
	}
}

// nextFree returns the cell after a freed one in the list of its page.
func nextFree(mem []byte) uint16 { return binary.LittleEndian.Uint16(mem) }

// fits reports whether a record of size bytes should stay at a location that holds one of another size: when it has the
// same class or, above cellMax, when it fills at least four fifths of its page.
func (a *arena) fits(location uint64, size int) bool {
	id := location >> cellBits
	if c := a.meta[id].class; c != largeClass {
		return size <= cellMax && classOf(size) == int(c)
	}
	have := int(a.pages[id].size)
	return size > cellMax && size <= have && size >= have/5*4
}

// addRoom puts a page with unused cells on the class's list, the spare one if there is one.
func (a *arena) addRoom(c int) uint32 {
	cl := &a.classes[c]
	id := cl.spare
	cl.spare = 0
	if id == 0 {
		size, cells := pageSize(c, cl.reserved)
		id = a.addPage(size, cellSize(c), pageMeta{class: uint8(c), cells: uint16(cells), freed: noCell})
		cl.reserved += size
		cl.cells += cells
	}
	a.link(id)
	return id
}

// drained keeps a page that lost its last record as the class's spare, or gives it back. The spare is what keeps an
// entry that comes and goes at the edge of a page from taking and dropping one each time. It may be as large as what
// the class has in use, or of the smallest size, so that classes that fell out of use hold next to nothing.
func (a *arena) drained(id uint32) {
	a.unlink(id)
	m := &a.meta[id]
	m.fresh, m.freed = 0, noCell
	c := int(m.class)
	cl := &a.classes[c]
	if cl.spare == 0 {
		cl.spare = id
	} else {
		a.dropPage(id)
	}
	size := int(a.pages[cl.spare].size)
	smallest, _ := pageSize(c, 0)
	if size > smallest && size > cl.used*cellSize(c) {
		a.dropPage(cl.spare)
		cl.spare = 0
	}
}

// addPage takes a page from the Go heap and gives it an id, the least there is: so a table that became too long ends up
// with its last ids free.
func (a *arena) addPage(size, cell int, m pageMeta) uint32 {
	id := a.freeID()
	a.pages[id], a.meta[id] = page{&make([]byte, size)[0], uint32(size), uint32(cell)}, m
	a.reserved += size
	a.live++
	return id
}

// freeID returns the least id without a page.
func (a *arena) freeID() uint32 {
	for a.low = max(a.low, 1); int(a.low) < len(a.pages) && a.pages[a.low].base != nil; {
		a.low++
	}
	for int(a.low) >= len(a.pages) {
		if len(a.pages) == maxPages {
			// Like running out of memory, which Go does not survive either. MakeRoom refuses well before.
			panic("store: out of memory: a shard of more than 524287 pages")
		}
		a.pages, a.meta = append(withRoom(a.pages), page{}), append(withRoom(a.meta), pageMeta{})
	}
	return a.low
}

// withRoom returns a table with room for one more: append would double a small one, which is a tenth of a byte an entry.
func withRoom[T any](table []T) []T {
	if n := len(table); n == cap(table) {
		return append(make([]T, 0, n+n/8+8), table...)
	}
	return table
}

// renumber gives a page that is on no list another id.
func (a *arena) renumber(old uint32) (id uint32) {
	id = a.freeID()
	a.pages[id], a.meta[id] = a.pages[old], a.meta[old]
	a.forget(old)
	return id
}

// full reports whether few page ids are left: as many as a write could want at most, so that one who asks before each
// write never meets the panic of addPage.
func (a *arena) full() bool { return a.live >= maxPages-1-pagesPerWrite }

// dropPage gives a page that is on no list back to the Go heap, and its id to another.
func (a *arena) dropPage(id uint32) {
	size := int(a.pages[id].size)
	a.reserved -= size
	if m := &a.meta[id]; m.class != largeClass {
		a.classes[m.class].reserved -= size
		a.classes[m.class].cells -= int(m.cells)
	}
	a.live--
	a.forget(id)
}

// forget frees an id, and shortens the table by those at its end.
func (a *arena) forget(id uint32) {
	a.pages[id], a.meta[id] = page{}, pageMeta{}
	a.low = min(a.low, id)
	n := len(a.pages)
	for n > 1 && a.pages[n-1].base == nil {
		n--
	}
	a.pages, a.meta = a.pages[:n], a.meta[:n]
	if cap(a.pages) > 4*n+64 {
		a.pages, a.meta = slices.Clip(slices.Clone(a.pages)), slices.Clip(slices.Clone(a.meta))
	}
}

// trim drops what an arena without records still holds, its spare pages and its tables, unless that is little.
func (a *arena) trim() {
	if a.reserved > pageMax || cap(a.pages) > 64 {
		*a = arena{}
	}
}

// link puts a page at the front of its class's list of pages with room.
func (a *arena) link(id uint32) {
	m := &a.meta[id]
	cl := &a.classes[m.class]
	m.prev, m.next = 0, cl.room
	if cl.room != 0 {
		a.meta[cl.room].prev = id
	}
	cl.room = id
}

// unlink takes a page off that list.
func (a *arena) unlink(id uint32) {
	m := &a.meta[id]
	if m.prev != 0 {
		a.meta[m.prev].next = m.next
	} else {
		a.classes[m.class].room = m.next
	}
	if m.next != 0 {
		a.meta[m.next].prev = m.prev
	}
	m.next, m.prev = 0, 0
}
