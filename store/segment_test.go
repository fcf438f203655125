package store

import (
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

func TestSegmentSize(t *testing.T) {
	if n := unsafe.Sizeof(segment{}); n != segmentSize {
		t.Errorf("a segment has %d bytes, want %d", n, segmentSize)
	}
}

// TestStepsAreSizeClasses holds that the Go heap gives no more than a step asks for, that they are whole cache lines from
// the first on, and that each has room for one more entry than the one before is full with.
func TestStepsAreSizeClasses(t *testing.T) {
	full := 0
	for i, n := range steps {
		if got := cap(append([]uint64(nil), make([]uint64, n)...)); got != int(n) {
			t.Errorf("step of %d slots is given %d", n, got)
		}
		if n%lineSlots != 0 || limitOf(int(n)) <= full {
			t.Errorf("step %d of %d slots", i, n)
		}
		full = limitOf(int(n))
	}
}

// crowd returns a segment with n slots of random tags within a stretch of its homes, and those slots in order.
func crowd(rng *rand.Rand, step, n int) (segment, []uint64) {
	g := newSegment(make([]uint64, steps[step]), 4)
	var slots []uint64
	base, spread := rng.Uint64N(1<<18), 1+rng.Uint64N(1<<17)
	for i := range uint64(n) {
		slot := newSlot(base+rng.Uint64N(spread), i+1, 0)
		if g.insert(g.home(pointOf(tagOf(slot))), slot) {
			slots = append(slots, slot)
		}
	}
	slices.Sort(slots)
	return g, slots
}

// position returns where probing finds a slot.
func position(g *segment, slot uint64) (uint, bool) {
	for i := g.home(pointOf(tagOf(slot))); *g.at(i) != 0 && tagOf(*g.at(i)) <= tagOf(slot); i++ {
		if *g.at(i) == slot {
			return i, true
		}
	}
	return 0, false
}

// TestSegmentInsertRemove crowds segments up to the end, and removes: each slot left must still be reachable.
func TestSegmentInsertRemove(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 11))
	for range 300 {
		step := rng.IntN(len(steps))
		g, slots := crowd(rng, step, 1+rng.IntN(int(steps[step])))
		rng.Shuffle(len(slots), func(i, j int) { slots[i], slots[j] = slots[j], slots[i] })
		for i, slot := range slots {
			at, ok := position(&g, slot)
			if !ok || int(g.count) != len(slots)-i {
				t.Fatalf("%d slots: slot %#x is there %v, count %d with %d left", g.size, slot, ok, g.count, len(slots)-i)
			}
			g.remove(at)
		}
		if g.count != 0 || slices.Max(g.slots()) != 0 {
			t.Fatal("the emptied segment is not empty")
		}
	}
}

// TestSegmentBuild rebuilds crowded segments on others' leavings, and cuts them: no slot may be lost, or the refusal right.
func TestSegmentBuild(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 12))
	built := 0
	for range 1000 {
		from, slots := crowd(rng, rng.IntN(len(steps)), 1+rng.IntN(maxSlots))
		at, below := from.cut()
		half := slices.IndexFunc(slots, func(slot uint64) bool { return pointOf(tagOf(slot))&(1<<(tagBits-5)) != 0 })
		if half < 0 {
			half = len(slots)
		}
		if below != half {
			t.Fatalf("cut of %d slots: %d below, want %d", len(slots), below, half)
		}
		to := newSegment(make([]uint64, steps[rng.IntN(len(steps))]), 4)
		for i := range to.slots() {
			*to.at(uint(i)) = rng.Uint64()
		}
		if !to.build(nil, from.slots()[:at], from.slots()[at:]) {
			continue
		}
		built++
		for _, slot := range slots {
			if _, ok := position(&to, slot); !ok {
				t.Fatalf("slot %#x is lost", slot)
			}
		}
		if int(to.count) != len(slots) || *to.at(uint(to.size) - 1) != 0 {
			t.Fatalf("count %d, want %d", to.count, len(slots))
		}
	}
	if built < 100 {
		t.Errorf("only %d of 1000 built", built)
	}
}
