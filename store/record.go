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
//	2 bytes       head: flags (3 bits), key length (6 bits), value length (7 bits)
//	5 or 8 bytes  deadline, only when flagDeadline is set
//	2 or 4 bytes  key length, only when it is above 61
//	2 or 4 bytes  value length, only when it is above 125
//	key
//	value
//
// A deadline is 5 bytes of milliseconds since the start of 2020, which last until 2054; any other has flagWide, and 8
// bytes. So most entries take 2 bytes more than their key and value, and 5 for a deadline.
const (
	flagDeadline = 1 << 0
	flagWide     = 1 << 1 // the deadline takes 8 bytes
	flagMark     = 1 << 2 // SetMark

	headSize   = 2
	keyShift   = 3
	keyMask    = 1<<6 - 1
	key2       = keyMask - 1 // the key's length is in 2 bytes
	key4       = keyMask     // or in 4
	valueShift = 9
	value2     = 1<<7 - 2 // the same of the value
	value4     = 1<<7 - 1

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
	case expireAt == 0:
	case narrow(expireAt):
		l.head = flagDeadline
		l.from += deadlineSize
	default:
		l.head = flagDeadline | flagWide
		l.from += wideSize
	}
	keyCode, bytes := code(key, key2)
	l.from += bytes
	valueCode, bytes := code(value, value2)
	l.from += bytes
	l.head |= uint16(keyCode)<<keyShift | uint16(valueCode)<<valueShift
	l.size = l.from + key + value
	return l
}

// code returns what the head says of a length, and the bytes that follow. two is the code for two of them, and the one
// above for four.
func code(n, two int) (code, bytes int) {
	switch {
	case n < two:
		return n, 0
	case n < 1<<16:
		return two, 2
	}
	return two + 1, 4
}

// narrow reports whether a deadline takes 5 bytes.
func narrow(expireAt int64) bool { return deadlineEpoch <= expireAt && expireAt < deadlineEnd }

// put writes the head of a record, all that lies before the key.
func (l layout) put(mem []byte, key, value int, expireAt int64) {
	binary.LittleEndian.PutUint16(mem, l.head)
	at := headSize
	switch {
	case l.head&flagDeadline == 0:
	case l.head&flagWide == 0:
		since := uint64(expireAt - deadlineEpoch)
		binary.LittleEndian.PutUint32(mem[at:], uint32(since))
		mem[at+4] = byte(since >> 32)
		at += deadlineSize
	default:
		binary.LittleEndian.PutUint64(mem[at:], uint64(expireAt))
		at += wideSize
	}
	at += putLength(mem[at:], key, int(l.head>>keyShift&keyMask), key2)
	putLength(mem[at:], value, int(l.head>>valueShift), value2)
}

// putLength writes a length that has that code.
func putLength(mem []byte, n, code, two int) (bytes int) {
	switch code {
	case two:
		binary.LittleEndian.PutUint16(mem, uint16(n))
		return 2
	case two + 1:
		binary.LittleEndian.PutUint32(mem, uint32(n))
		return 4
	}
	return 0
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
	head := uint32(binary.LittleEndian.Uint16((*[2]byte)(unsafe.Pointer(mem))[:]))
	key, value := head>>keyShift&keyMask, head>>valueShift
	if key >= key2 || value >= value2 || head&flagWide != 0 {
		return loadLong(mem, head)
	}
	from := headSize + head&flagDeadline*deadlineSize
	return record{mem, from, from + key, from + key + value}
}

// loadLong views a record of any form.
func loadLong(mem *byte, head uint32) record {
	r := record{mem: mem}
	from := uint32(headSize)
	switch {
	case head&flagDeadline == 0:
	case head&flagWide == 0:
		from += deadlineSize
	default:
		from += wideSize
	}
	key, from := r.length(from, head>>keyShift&keyMask, key2)
	value, from := r.length(from, head>>valueShift, value2)
	r.from, r.mid, r.end = from, from+key, from+key+value
	return r
}

// length returns the length that has that code, and where what follows it starts.
func (r record) length(at, code, two uint32) (n, next uint32) {
	switch code {
	case two:
		return uint32(binary.LittleEndian.Uint16(r.bytes(at, at+2))), at + 2
	case two + 1:
		return binary.LittleEndian.Uint32(r.bytes(at, at+4)), at + 4
	}
	return code, at
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

// hasDeadline reports whether the entry has one.
func (r record) hasDeadline() bool { return *r.mem&flagDeadline != 0 }

// deadline returns when the entry expires, 0 for never.
func (r record) deadline() int64 {
	if !r.hasDeadline() {
		return 0
	}
	if *r.mem&flagWide != 0 {
		return int64(binary.LittleEndian.Uint64(r.bytes(headSize, headSize+wideSize)))
	}
	mem := r.bytes(headSize, headSize+deadlineSize)
	return deadlineEpoch + int64(binary.LittleEndian.Uint32(mem)) + int64(mem[4])<<32
}

// exists reports whether the view is of a record.
func (r record) exists() bool { return r.mem != nil }

// expired reports whether the entry has a deadline and now has reached it.
func (r record) expired(now int64) bool { return r.hasDeadline() && r.deadline() <= now }

// marked reports whether the mark is set.
func (r record) marked() bool { return *r.mem&flagMark != 0 }

// mark sets or clears the mark in the stored entry.
func (r record) mark(on bool) {
	*r.mem &^= flagMark
	if on {
		*r.mem |= flagMark
	}
}
