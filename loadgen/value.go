package loadgen

import (
	"bytes"
	"encoding/binary"
)

// preloader is who wrote a value that no client has overwritten yet.
const preloader = 1<<32 - 1

const (
	valueHeader   = 16
	paddingStart  = 4096 // padding begins at any of so many places of the block
	paddingSeed   = 1    // not the workload's: a session must be able to read what another has written
	paddingPeriod = 64   // of so many bytes, in a row, a share is random
)

// values makes and checks values.
//
// From 16 bytes on a value is its key's number, its writer, the version (which of its writer's operations wrote it) and
// padding from a block of random bytes, beginning at a place derived from the three. So each is unique, and a reply is
// verified to the last byte without knowing what was written last; its size, too, follows from the three. Shorter values
// prove less: those of 8 to 15 bytes hold the key's number and 32 bits derived from writer and version, with the padding;
// those of 1 to 7 bytes are derived from the key alone, and every write of a key is the same.
type values struct {
	sizes numbers
	other []numbers // sizes that others write
	least int       // of all
	most  int       // of all
	block []byte    // read-only
	trace *Trace    // whose sizes and counters they have, if not nil
}

// newValues returns values of such sizes. random is the share of their padding that is random. Values of the other sizes are
// good, too.
func newValues(sizes Law, random float64, others ...Law) values {
	v := values{sizes: newNumbers(sizes), least: sizes.Min, most: sizes.Max}
	for _, o := range others {
		v.other = append(v.other, newNumbers(o))
		v.least, v.most = min(v.least, o.Min), max(v.most, o.Max)
	}
	block := make([]byte, 0, paddingStart+v.most+8)
	words := newWords(paddingSeed)
	for n := uint64(0); len(block) < paddingStart+v.most; n++ {
		block = binary.LittleEndian.AppendUint64(block, words.at(paddingBlock, n))
	}
	for i := range block {
		if float64(i%paddingPeriod) >= random*paddingPeriod {
			block[i] = ' '
		}
	}
	v.block = block
	return v
}

// mark is what a value shows of its writer and version, whatever its size.
func mark(writer uint32, version uint64) uint32 {
	return uint32(mix64(uint64(writer)<<blockBits ^ version))
}

// size returns how long a value is.
func (v *values) size(key, mark uint32) int { return v.sizes.of(key, mark) }

func (n *numbers) of(key, mark uint32) int {
	if n.fixed() {
		return n.Min
	}
	return n.draw(mix64(uint64(key)<<32 | uint64(mark)))
}

// sized reports whether a value that shows mark may be n bytes long.
func (v *values) sized(n int, key, mark uint32) bool {
	for i := range v.other {
		if v.other[i].of(key, mark) == n {
			return true
		}
	}
	return v.size(key, mark) == n
}

// append appends a value to dst, with the room for it.
func (v *values) append(dst []byte, n int, key, writer uint32, version uint64) []byte {
	start := len(dst)
	dst = append(dst, v.block[:n]...) // makes the room; what is there is overwritten
	v.put(dst[start:], key, writer, version)
	return dst
}

// put fills dst, which is as long as size says.
func (v *values) put(dst []byte, key, writer uint32, version uint64) {
	switch {
	case v.trace.counter(key):
		putCount(dst)
	case len(dst) >= valueHeader:
		binary.LittleEndian.PutUint32(dst, key)
		binary.LittleEndian.PutUint32(dst[4:], writer)
		binary.LittleEndian.PutUint64(dst[8:], version)
		copy(dst[valueHeader:], v.padding(dst[:valueHeader], len(dst)))
	case len(dst) >= 8:
		binary.LittleEndian.PutUint32(dst, key)
		binary.LittleEndian.PutUint32(dst[4:], mark(writer, version))
		copy(dst[8:], v.padding(dst[:8], len(dst)))
	default:
		putSmall(dst, key)
	}
}

// fits reports whether there are values of n bytes, of that key.
func (v *values) fits(n int, key uint32) bool {
	return n >= v.least && n <= v.most || v.trace.counter(key)
}

// check reports whether value is one that put could have made for key.
func (v *values) check(value []byte, key uint32) bool {
	switch {
	case v.trace.counter(key):
		return isCount(value)
	case !v.fits(len(value), key):
		return false
	}
	header := valueHeader
	var shows uint32
	switch {
	case len(value) >= valueHeader:
		shows = mark(binary.LittleEndian.Uint32(value[4:]), binary.LittleEndian.Uint64(value[8:]))
	case len(value) >= 8:
		header = 8
		shows = binary.LittleEndian.Uint32(value[4:])
	default:
		var want [8]byte
		putSmall(want[:len(value)], key)
		return bytes.Equal(value, want[:len(value)])
	}
	// How long it should be a trace does not tell of a key: it is in the choice of the padding then.
	return binary.LittleEndian.Uint32(value) == key && (v.trace != nil || v.sized(len(value), key, shows)) &&
		bytes.HasPrefix(v.padding(value[:header], len(value)), value[header:])
}

// padding returns the bytes of the block that follow header, as many as a value can need.
func (v *values) padding(header []byte, size int) []byte {
	h := mix64(binary.LittleEndian.Uint64(header))
	if len(header) == valueHeader {
		h = mix64(h ^ binary.LittleEndian.Uint64(header[8:]))
	}
	if v.trace != nil {
		h = mix64(h ^ uint64(size))
	}
	at := h % paddingStart
	return v.block[at : int(at)+v.most-len(header)]
}

func putSmall(dst []byte, key uint32) {
	h := mix64(uint64(key) + gamma)
	for i := range dst {
		dst[i] = byte(h >> (8 * i))
	}
}

// Unproven says what the values of a workload are too short to prove when they are read back, or "".
func (w Workload) Unproven() string {
	switch l := w.bounds(); {
	case l.Min < 8:
		return "values below 8 bytes carry no version: one that was overwritten and came back is not noticed"
	case l.Min < valueHeader:
		return "values below 16 bytes carry a hash of their version in its place"
	}
	return ""
}
