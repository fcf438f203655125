package store

import "encoding/binary"

// A location is where a record starts: page id and offset, both in a 32-bit number that counts units of 8 bytes,
// so that a shard may hold 32 GiB.
const (
	offsetBits   = 13 // pageMax / unit
	locationBits = 32
	locationMask = 1<<locationBits - 1
	maxPages     = 1 << (locationBits - offsetBits)
)

// arena is the memory records lie in: pages of cells of one size class each, and one page each for records above
// cellMax. It knows no keys. The zero arena is empty and ready.
//
// A record's location is kept by the index and nowhere else, so records never move: a page that was emptied unevenly
// stays until its last record goes. Pages are small for that reason.
type arena struct {
	// pages is indexed by page id; 0 is nobody's, so that no location is 0. It is apart from meta because a read
	// needs only this half.
	pages    [][]byte
	meta     []pageMeta
	freeIDs  uint32 // page ids without a page, chained through meta.next
	reserved int    // bytes of all pages
	used     int    // bytes of all cells that hold a record
	classes  [classCount]class
}

// class is what the pages of one cell size share.
type class struct {
	room     uint32 // first page with both used and unused cells, chained through meta.next and prev; 0: none
	spare    uint32 // a page without used cells, kept back; 0: none
	used     int    // used cells
	reserved int    // bytes of its pages
}

type pageMeta struct {
	next, prev uint32
	class      uint8
	cells      uint16 // how many there are
	used       uint16 // how many hold a record
	fresh      uint16 // offset, in units, from which on no cell was ever used
	freed      uint16 // offset, in units, of the first freed cell, whose first two bytes lead to the next; noCell: none
}

const (
	pagesPerWrite = 4 // one for the record; a few, to err on the safe side

	largeClass = classCount // of a page that is one record above cellMax
	noCell     = 1<<16 - 1
)

// at returns the memory from a location to the end of its page.
func (a *arena) at(location uint64) []byte {
	return a.pages[location&locationMask>>offsetBits][location&(1<<offsetBits-1)*unit:]
}

// record views the record at a location. Bits above the location are ignored, so that a slot will do.
func (a *arena) record(slot uint64) record { return load(a.at(slot)) }

// alloc returns room for size bytes. What the room holds is unspecified.
func (a *arena) alloc(size int) (location uint64, mem []byte) {
	if size > cellMax {
		size = roundUp(size, heapPage)
		id := a.addPage(size, pageMeta{class: largeClass, cells: 1, used: 1})
		a.used += size
		return uint64(id) << offsetBits, a.pages[id]
	}
	c := classOf(size)
	id := a.classes[c].room
	if id == 0 {
		id = a.addRoom(c)
	}
	page, m := a.pages[id], &a.meta[id]
	offset := m.freed
	if offset != noCell {
		m.freed = binary.LittleEndian.Uint16(page[int(offset)*unit:])
	} else {
		offset = m.fresh
		m.fresh += uint16(cellSize(c) / unit)
	}
	m.used++
	a.classes[c].used++
	a.used += cellSize(c)
	if m.used == m.cells {
		a.unlink(id)
	}
	return uint64(id)<<offsetBits | uint64(offset), page[int(offset)*unit:]
}

// free gives the room at a location back.
func (a *arena) free(location uint64) {
	id, offset := uint32(location>>offsetBits), uint16(location&(1<<offsetBits-1))
	m := &a.meta[id]
	if m.class == largeClass {
		a.used -= len(a.pages[id])
		a.dropPage(id)
		return
	}
	if m.used == m.cells {
		a.link(id)
	}
	binary.LittleEndian.PutUint16(a.pages[id][int(offset)*unit:], m.freed)
	m.freed = offset
	m.used--
	a.classes[m.class].used--
	a.used -= cellSize(int(m.class))
	if m.used == 0 {
		a.drained(id)
	}
}

// fits reports whether a record of size bytes should stay at a location that holds one of another size: when it has the
// same class or, above cellMax, when it fills at least half of its page.
func (a *arena) fits(location uint64, size int) bool {
	id := location >> offsetBits
	if c := a.meta[id].class; c != largeClass {
		return size <= cellMax && classOf(size) == int(c)
	}
	have := len(a.pages[id])
	return size > cellMax && size <= have && size >= have/2
}

// addRoom puts a page with unused cells on the class's list, the spare one if there is one.
func (a *arena) addRoom(c int) uint32 {
	cl := &a.classes[c]
	id := cl.spare
	cl.spare = 0
	if id == 0 {
		size, cells := pageSize(c, cl.reserved)
		id = a.addPage(size, pageMeta{class: uint8(c), cells: uint16(cells), freed: noCell})
		cl.reserved += size
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
	cl := &a.classes[m.class]
	if cl.spare == 0 {
		cl.spare = id
	} else {
		a.dropPage(id)
	}
	size := len(a.pages[cl.spare])
	smallest, _ := pageSize(int(m.class), 0)
	if size > smallest && size > cl.used*cellSize(int(m.class)) {
		a.dropPage(cl.spare)
		cl.spare = 0
	}
}

// addPage takes a page from the Go heap and gives it an id.
func (a *arena) addPage(size int, m pageMeta) uint32 {
	id := a.freeIDs
	if id != 0 {
		a.freeIDs = a.meta[id].next
	} else {
		if len(a.pages) == 0 {
			a.pages, a.meta = append(a.pages, nil), append(a.meta, pageMeta{})
		}
		if len(a.pages) == maxPages {
			// Like running out of memory, which Go does not survive either. MakeRoom refuses well before.
			panic("store: out of memory: a shard of more than 524287 pages")
		}
		id = uint32(len(a.pages))
		a.pages, a.meta = append(a.pages, nil), append(a.meta, pageMeta{})
	}
	a.pages[id], a.meta[id] = make([]byte, size), m
	a.reserved += size
	return id
}

// full reports whether few page ids are left: as many as a write could want at most, so that one who asks before each
// write never meets the panic of addPage.
func (a *arena) full() bool { return a.freeIDs == 0 && len(a.pages) >= maxPages-pagesPerWrite }

// dropPage gives a page that is on no list back to the Go heap, and its id to the next page.
func (a *arena) dropPage(id uint32) {
	size := len(a.pages[id])
	a.reserved -= size
	if c := a.meta[id].class; c != largeClass {
		a.classes[c].reserved -= size
	}
	a.pages[id], a.meta[id] = nil, pageMeta{next: a.freeIDs}
	a.freeIDs = id
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
