package loadgen

import (
	"bytes"
	"encoding/binary"
)

// preloader is who wrote a value that no client has overwritten yet.
const preloader = 1<<32 - 1

const (
	valueHeader  = 16
	paddingStart = 4096 // padding begins at any of so many places of the block
	paddingSeed  = 1    // not the workload's: a session must be able to read what another has written
)

// values makes and checks the values of one size.
//
// From 16 bytes on a value is its key's number, its writer, the version (which of its writer's operations wrote it) and
// padding from a block of random bytes, beginning at a place derived from the three. So each is unique, and a reply is
// verified to the last byte without knowing what was written last. Shorter values prove less: those of 8 to 15 bytes
// hold the key's number and 32 bits derived from writer and version, with the padding; those of 1 to 7 bytes are
// derived from the key alone, and every write of a key is the same.
type values struct {
	size  int
	block []byte // read-only
}

func newValues(size int) values {
	block := make([]byte, 0, paddingStart+size+8)
	random := newWords(paddingSeed)
	for n := uint64(0); len(block) < paddingStart+size; n++ {
		block = binary.LittleEndian.AppendUint64(block, random.at(paddingBlock, n))
	}
	return values{size, block}
}

// put fills dst, which is v.size long.
func (v *values) put(dst []byte, key, writer uint32, version uint64) {
	switch {
	case len(dst) >= valueHeader:
		binary.LittleEndian.PutUint32(dst, key)
		binary.LittleEndian.PutUint32(dst[4:], writer)
		binary.LittleEndian.PutUint64(dst[8:], version)
		copy(dst[valueHeader:], v.padding(dst[:valueHeader]))
	case len(dst) >= 8:
		binary.LittleEndian.PutUint32(dst, key)
		binary.LittleEndian.PutUint32(dst[4:], uint32(mix64(uint64(writer)<<blockBits^version)))
		copy(dst[8:], v.padding(dst[:8]))
	default:
		putSmall(dst, key)
	}
}

// check reports whether value is one that put could have made for key.
func (v *values) check(value []byte, key uint32) bool {
	if len(value) != v.size {
		return false
	}
	header := valueHeader
	switch {
	case len(value) >= valueHeader:
	case len(value) >= 8:
		header = 8
	default:
		var want [8]byte
		putSmall(want[:len(value)], key)
		return bytes.Equal(value, want[:len(value)])
	}
	return binary.LittleEndian.Uint32(value) == key &&
		bytes.HasPrefix(v.padding(value[:header]), value[header:])
}

// padding returns the bytes of the block that follow header, as many as a value can need.
func (v *values) padding(header []byte) []byte {
	h := mix64(binary.LittleEndian.Uint64(header))
	if len(header) == valueHeader {
		h = mix64(h ^ binary.LittleEndian.Uint64(header[8:]))
	}
	at := h % paddingStart
	return v.block[at : int(at)+v.size-len(header)]
}

func putSmall(dst []byte, key uint32) {
	h := mix64(uint64(key) + gamma)
	for i := range dst {
		dst[i] = byte(h >> (8 * i))
	}
}
