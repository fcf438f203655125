package store

import "math/bits"

// Size classes of arena cells: 8k+2 and 8k+7 bytes up to 255, then eight sizes a doubling up to 32 KiB. The lengths of
// keys and values are multiples of 8 more often than not, and what a small record has beside them is 2 bytes, or 7 with a
// deadline. Rounding a record up to its class wastes less than 5 bytes, or less than an eighth of it.
const (
	fineUnit    = 8
	fineMax     = 255
	fineClasses = 2 * (fineMax / fineUnit) // from 10 bytes on
	stepBits    = 3                        // 8 classes a doubling
	coarseMin   = 8                        // log2 of where coarse classes start
	cellMax     = 32 << 10
	cellMin     = fineUnit + 2
	classCount  = fineClasses + 7<<stepBits // 7 doublings from 256 to 32 KiB
)

// classOf returns the class of the smallest cell that holds size bytes, 1 <= size <= cellMax.
func classOf(size int) int {
	if size <= fineMax {
		// In eights from 3 on, the first five sizes need 8k+7, the others the next 8k+2.
		k, rest := (size-3)/fineUnit, (size-3)%fineUnit
		if rest <= 4 {
			return max(2*k-1, 0)
		}
		return 2 * k
	}
	// Classes are halfway open at the lower end: 288 is the first coarse class, for 256 to 288.
	top := bits.Len(uint(size-1)) - 1
	step := (size - 1) >> (top - stepBits) & (1<<stepBits - 1)
	return max(fineClasses+(top-coarseMin)<<stepBits+step, fineClasses)
}

// cellSize returns the bytes of a cell of the class.
func cellSize(class int) int {
	if class < fineClasses {
		return (class/2+1)*fineUnit + 2 + class%2*5
	}
	class -= fineClasses
	top := coarseMin + class>>stepBits
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
// holds reserved bytes already. A page is at most an eighth of those, and of 64 KiB at most a sixty-fourth, but no
// smaller than cells fill to seven eighths: many classes in many shards must stay cheap (TestMixedSizes).
func pageSize(class, reserved int) (size, cells int) {
	cell := cellSize(class)
	size = pageMin
	for size < pageMax && (size%cell*8 > size || 16*size <= reserved && size < pageMax/2 || 128*size <= reserved) {
		size *= 2
	}
	cells = min(size/cell, pageCells)
	if size > cellMax {
		size = roundUp(cells*cell, heapPage)
	}
	return size, cells
}

// roundUp rounds n up to a multiple of to, a power of two.
func roundUp(n, to int) int { return (n + to - 1) &^ (to - 1) }
