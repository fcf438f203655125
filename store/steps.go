package store

import (
	"slices"
	"sync"
	"unsafe"
)

// A segment grows in steps of an eighth or so: its slots move to the next larger of these arrays. At the last it is
// divided. They are sizes of which the Go heap gives exactly so much, and whole cache lines.
var steps = [...]uint16{
	16, 24, 32, 48, 64, 96, 128, 160, 192, 256, 336, 400, 512, 608, 672, 768, 848,
	1024, 1184, 1280, 1360, 1536, 1696, 1792, maxSlots,
}

const maxSlots = 2048

// stepFor returns the first step that leaves n entries some room to grow; len(steps) if there is none.
func stepFor(n int) int {
	step := 0
	for step < len(steps) && limitOf(int(steps[step])) < n+n/32+1 {
		step++
	}
	return step
}

// spares are the slots that segments left, for others to take: of this shard or of another, since the segments of a small
// shard are too few to take much from each other. What nobody takes is the garbage collector's at its second coming.
var spares [len(steps)]sync.Pool

// takeSlots returns slots of a step; they hold anything.
func takeSlots(step int) []uint64 {
	if base, ok := spares[step].Get().(*window); ok {
		return unsafe.Slice(&base[0], steps[step])
	}
	return make([]uint64, steps[step])
}

// giveSlots takes the slots of a segment that has no more use for them.
func giveSlots(g segment) {
	if step, ok := slices.BinarySearch(steps[:], g.size); ok && g.base != &noSlots {
		spares[step].Put(g.base)
	}
}
