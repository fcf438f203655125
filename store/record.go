package store

import "encoding/binary"

// The longest key and value a shard takes, in bytes.
const (
	MaxKeyLen   = 1 << 29
	MaxValueLen = 1 << 29
)

// A record is an entry as it lies in the arena:
//
//	8 bytes  header: key length (30 bits), value length (30 bits), flags (4 bits)
//	8 bytes  deadline, only when flagDeadline is set
//	key
//	value
//
// The deadline comes before the key, so that its place does not depend on the key's length, and is left out where there
// is none, because most entries have none and 8 bytes are a twelfth of a small one.
const (
	headerSize   = 8
	deadlineSize = 8

	lengthBits   = 30
	lengthMask   = 1<<lengthBits - 1
	flagShift    = 2 * lengthBits
	flagDeadline = 1 << flagShift
	flagMark     = 2 << flagShift // SetMark
)

// record is a view of a stored entry: mem starts at its header and reaches at least to its end; head is that header.
// The zero record is no entry.
type record struct {
	mem  []byte
	head uint64
}

// recordSize returns the bytes an entry takes in the arena.
func recordSize(key, value int, expireAt int64) int {
	n := headerSize + key + value
	if expireAt != 0 {
		n += deadlineSize
	}
	return n
}

func header(key, value int, expireAt int64) uint64 {
	head := uint64(key) | uint64(value)<<lengthBits
	if expireAt != 0 {
		head |= flagDeadline
	}
	return head
}

// load views the record that starts at mem.
func load(mem []byte) record {
	return record{mem: mem, head: binary.LittleEndian.Uint64(mem)}
}

// write makes mem the record of an entry. The value may overlap mem (it may be what mem held before), the key may not:
// so the value moves first, and nothing is written that it has yet to be read from.
func write(mem, key, value []byte, expireAt int64) {
	head := header(len(key), len(value), expireAt)
	body := record{head: head}.body()
	copy(mem[body+len(key):], value)
	copy(mem[body:], key)
	if expireAt != 0 {
		binary.LittleEndian.PutUint64(mem[headerSize:], uint64(expireAt))
	}
	binary.LittleEndian.PutUint64(mem, head)
}

// rewrite makes mem the record r with another deadline. mem may be the memory of r itself.
func rewrite(mem []byte, r record, expireAt int64) {
	from, end := r.body(), r.size()
	head := header(r.keyLen(), r.valueLen(), expireAt) | r.head&flagMark
	copy(mem[record{head: head}.body():], r.mem[from:end])
	if expireAt != 0 {
		binary.LittleEndian.PutUint64(mem[headerSize:], uint64(expireAt))
	}
	binary.LittleEndian.PutUint64(mem, head)
}

func (r record) keyLen() int   { return int(r.head & lengthMask) }
func (r record) valueLen() int { return int(r.head >> lengthBits & lengthMask) }

// body returns where the key starts.
func (r record) body() int { return headerSize + int(r.head>>flagShift&1)*deadlineSize }

// size returns the bytes the record takes.
func (r record) size() int { return r.body() + r.keyLen() + r.valueLen() }

// stored returns the bytes of key and value.
func (r record) stored() int { return r.keyLen() + r.valueLen() }

func (r record) key() []byte {
	from := r.body()
	return r.mem[from : from+r.keyLen()]
}

// hasKey reports whether the record's key is key.
func (r record) hasKey(key []byte) bool {
	return r.keyLen() == len(key) && string(r.key()) == string(key)
}

// value is capped at its length: an append by a careless caller must not reach the next record.
func (r record) value() []byte {
	from := r.body() + r.keyLen()
	end := from + r.valueLen()
	return r.mem[from:end:end]
}

// deadline returns when the entry expires, 0 for never.
func (r record) deadline() int64 {
	if r.head&flagDeadline == 0 {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(r.mem[headerSize:]))
}

// exists reports whether the view is of a record.
func (r record) exists() bool { return r.mem != nil }

// expired reports whether the entry has a deadline and now has reached it.
func (r record) expired(now int64) bool {
	return r.head&flagDeadline != 0 && r.deadline() <= now
}

// marked reports whether the mark is set.
func (r record) marked() bool { return r.head&flagMark != 0 }

// mark sets or clears the mark in the stored entry.
func (r record) mark(on bool) {
	head := r.head &^ flagMark
	if on {
		head |= flagMark
	}
	binary.LittleEndian.PutUint64(r.mem, head)
}
