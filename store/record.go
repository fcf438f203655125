package store

import (
	"encoding/binary"
	"unsafe"
)

// The longest key and value a shard takes, in bytes.
const (
	MaxKeyLen   = 1 << 29
	MaxValueLen = 1 << 29
)

// A record is an entry as it lies in the arena:
//
//	2 bytes       head: flags (4 bits), key length (5 bits), value length (7 bits)
//	2 or 8 bytes  lengths, only when flagLong is set
//	5 or 8 bytes  deadline, only when flagDeadline is set
//	key
//	value
//
// A deadline is 5 bytes of milliseconds since the start of 2020, which last until 2054; any other has flagWide, and 8
// bytes. So a small entry takes 2 bytes more than its key and value, and 5 for a deadline.
//
// A key above 31 or a value above 127 bytes has flagLong: then the head has 12 bits of key length, and 2 bytes of value
// length follow it. A key above 4094 or a value above 65,535 bytes has all those 12 bits set, and 4 bytes of key length and
// 4 of value length follow.
const (
	flagDeadline = 1 << 0
	flagWide     = 1 << 1 // the deadline takes 8 bytes
	flagLong     = 1 << 2
	flagMark     = 1 << 3 // SetMark

	headSize   = 2
	keyShift   = 4
	keyMax     = 1<<5 - 1
	valueShift = 9
	valueMax   = 1<<7 - 1
	longKey    = 1<<12 - 1 // the key's length is elsewhere

	deadlineSize  = 5
	wideSize      = 8
	deadlineEpoch = 1577836800000
	deadlineEnd   = deadlineEpoch + 1<<(8*deadlineSize)
)

// record is a view of a stored entry, which starts at mem: its key is from from to mid, its value from there to end. The
// zero record is no entry.
type record struct {
	mem            *byte
	from, mid, end uint32
}

// layout is where the parts of an entry lie in its record. The key starts at from.
type layout struct {
	head uint16
	from int
	size int
}

// layoutOf returns the layout of an entry.
func layoutOf(key, value int, expireAt int64) (l layout) {
	l.from = headSize
	switch {
	case key <= keyMax && value <= valueMax:
		l.head = uint16(key)<<keyShift | uint16(value)<<valueShift
	case key < longKey && value < 1<<16:
		l.head = flagLong | uint16(key)<<keyShift
		l.from += 2
	default:
		l.head = flagLong | longKey<<keyShift
		l.from += 8
	}
	switch {
	case expireAt == 0:
	case narrow(expireAt):
		l.head |= flagDeadline
		l.from += deadlineSize
	default:
		l.head |= flagDeadline | flagWide
		l.from += wideSize
	}
	l.size = l.from + key + value
	return l
}

// narrow reports whether a deadline takes 5 bytes.
func narrow(expireAt int64) bool { return deadlineEpoch <= expireAt && expireAt < deadlineEnd }

// put writes the head of a record, all that lies before the key.
func (l layout) put(mem []byte, key, value int, expireAt int64) {
	*(*uint16)(unsafe.Pointer(&mem[0])) = l.head
	if l.head&flagLong != 0 {
		if l.head>>keyShift != longKey {
			binary.LittleEndian.PutUint16(mem[headSize:], uint16(value))
		} else {
			binary.LittleEndian.PutUint32(mem[headSize:], uint32(key))
			binary.LittleEndian.PutUint32(mem[headSize+4:], uint32(value))
		}
	}
	switch {
	case l.head&flagDeadline == 0:
	case l.head&flagWide == 0:
		since := uint64(expireAt - deadlineEpoch)
		binary.LittleEndian.PutUint32(mem[l.from-deadlineSize:], uint32(since))
		mem[l.from-1] = byte(since >> 32)
	default:
		binary.LittleEndian.PutUint64(mem[l.from-wideSize:], uint64(expireAt))
	}
}

// recordSize returns the bytes an entry takes in the arena.
func recordSize(key, value int, expireAt int64) int { return layoutOf(key, value, expireAt).size }

// write makes mem the record of an entry. The value may overlap mem (it may be what mem held before), the key may not:
// so the value moves first, and nothing is written that it has yet to be read from.
func write(mem, key, value []byte, expireAt int64) {
	l := layoutOf(len(key), len(value), expireAt)
	copy(mem[l.from+len(key):], value)
	copy(mem[l.from:], key)
	l.put(mem, len(key), len(value), expireAt)
}

// rewrite makes mem the record r with another deadline. mem may be the memory of r itself.
func rewrite(mem []byte, r record, expireAt int64) {
	key, value := len(r.key()), len(r.value())
	l := layoutOf(key, value, expireAt)
	if r.marked() {
		l.head |= flagMark
	}
	copy(mem[l.from:], r.bytes(r.from, r.end))
	l.put(mem, key, value, expireAt)
}

// load views the record that starts at mem. It is only done where one was written, so that its lengths are true.
func load(mem *byte) record {
	r, ok := loadShort(mem)
	if !ok {
		r = loadLong(mem)
	}
	return r
}

// loadShort is load for the records that most are, and is inlined; ok is false for others.
func loadShort(mem *byte) (r record, ok bool) {
	head := uint32(*(*uint16)(unsafe.Pointer(mem)))
	from := headSize + head&flagDeadline*deadlineSize
	mid := from + head>>keyShift&keyMax
	return record{mem, from, mid, mid + head>>valueShift}, head&(flagWide|flagLong) == 0
}

// loadLong views a record of any form.
func loadLong(mem *byte) record {
	r := record{mem: mem}
	head := *r.head()
	key, value, from := uint32(head>>keyShift&keyMax), uint32(head>>valueShift), uint32(headSize)
	if head&flagLong != 0 {
		lengths := r.bytes(headSize, headSize+8)
		if key = uint32(head >> keyShift); key != longKey {
			value = uint32(binary.LittleEndian.Uint16(lengths))
			from += 2
		} else {
			key, value = binary.LittleEndian.Uint32(lengths), binary.LittleEndian.Uint32(lengths[4:])
			from += 8
		}
	}
	switch {
	case head&flagDeadline == 0:
	case head&flagWide == 0:
		from += deadlineSize
	default:
		from += wideSize
	}
	r.from, r.mid, r.end = from, from+key, from+key+value
	return r
}

// bytes returns a part of the record, capped at its end: an append by a careless caller must not reach the next one.
func (r record) bytes(from, to uint32) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(r.mem), from)), to-from)
}

// stored returns the bytes of key and value.
func (r record) stored() int { return int(r.end - r.from) }

func (r record) key() []byte   { return r.bytes(r.from, r.mid) }
func (r record) value() []byte { return r.bytes(r.mid, r.end) }

// hasKey reports whether the record's key is key.
func (r record) hasKey(key []byte) bool { return string(r.key()) == string(key) }

// head returns the record's first two bytes, which are in the processor's order.
func (r record) head() *uint16 { return (*uint16)(unsafe.Pointer(r.mem)) }

// hasDeadline reports whether the entry has one.
func (r record) hasDeadline() bool { return *r.head()&flagDeadline != 0 }

// deadline returns when the entry expires, 0 for never.
func (r record) deadline() int64 {
	if !r.hasDeadline() {
		return 0
	}
	return r.expiry()
}

// expiry returns the deadline of an entry that has one.
func (r record) expiry() int64 {
	if *r.head()&flagWide != 0 {
		return int64(r.word(r.from - wideSize))
	}
	// No cell ends within three bytes of a deadline.
	return deadlineEpoch + int64(r.word(r.from-deadlineSize)&(1<<(8*deadlineSize)-1))
}

// word returns the eight bytes at a place in the record's cell.
func (r record) word(at uint32) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(unsafe.Pointer(r.mem), at))[:])
}

// exists reports whether the view is of a record.
func (r record) exists() bool { return r.mem != nil }

// expired reports whether the entry has a deadline and now has reached it.
func (r record) expired(now int64) bool { return r.hasDeadline() && r.expiry() <= now }

// marked reports whether the mark is set.
func (r record) marked() bool { return *r.head()&flagMark != 0 }

// mark sets or clears the mark in the stored entry.
func (r record) mark(on bool) {
	*r.head() &^= flagMark
	if on {
		*r.head() |= flagMark
	}
}
