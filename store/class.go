package store

import "math/bits"

// Size classes of arena cells: every multiple of 8 bytes up to 256, then eight sizes a doubling up to 32 KiB. Rounding
// a record up to its class wastes less than 8 bytes, or less than an eighth of it.
const (
	unit        = 8 // cells are aligned to it, and locations count in it
	fineMax     = 256
	fineClasses = fineMax / unit
	stepBits    = 3 // 8 classes a doubling
	cellMax     = 32 << 10
	classCount  = fineClasses + 7<<stepBits // 7 doublings from 256 to 32 KiB
)

// classOf returns the class of the smallest cell that holds size bytes, 1 <= size <= cellMax.
func classOf(size int) int {
	if size <= fineMax {
		return (size - 1) / unit
	}
	// Classes are halfway open at the lower end: 256 is the last fine class, 257 the first coarse one.
	top := bits.Len(uint(size-1)) - 1
	step := (size - 1) >> (top - stepBits) & (1<<stepBits - 1)
	return fineClasses + (top-8)<<stepBits + step
}

// cellSize returns the bytes of a cell of the class.
func cellSize(class int) int {
	if class < fineClasses {
		return (class + 1) * unit
	}
	class -= fineClasses
	top := 8 + class>>stepBits
	return (1<<stepBits + class&(1<<stepBits-1) + 1) << (top - stepBits)
}

// Page sizes. The Go heap gives out 4, 8, 16 and 32 KiB exactly, and anything larger in pages of 8 KiB; asking for
// other sizes would hold bytes that nobody uses and Memory does not count.
const (
	pageMin  = 4 << 10
	pageMax  = 64 << 10
	heapPage = 8 << 10
)

// pageSize returns how many bytes the next page of a class should have, and how many cells it makes, when the class
// holds reserved bytes already. A page is at most an eighth of those, but no smaller than cells fill to seven eighths:
// many classes in many shards must stay cheap (TestMixedSizes), and a class in full use takes pages of 64 KiB.
func pageSize(class, reserved int) (size, cells int) {
	cell := cellSize(class)
	size = pageMin
	for size < pageMax && (size%cell*8 > size || 16*size <= reserved) {
		size *= 2
	}
	cells = size / cell
	if size > cellMax {
		size = roundUp(cells*cell, heapPage)
	}
	return size, cells
}

// roundUp rounds n up to a multiple of to, a power of two.
func roundUp(n, to int) int { return (n + to - 1) &^ (to - 1) }
