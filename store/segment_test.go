package store

import (
	"math/rand/v2"
	"testing"
	"unsafe"
)

func TestSegmentFillsItsSizeClass(t *testing.T) {
	if n := unsafe.Sizeof(segment{}); n != segmentSize {
		t.Errorf("a segment has %d bytes, want %d", n, segmentSize)
	}
}

// TestSegmentRemove removes from crowded stretches, the wrap-around included: each slot left must still be reachable.
func TestSegmentRemove(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 11))
	for range 200 {
		var g segment
		var slots []uint64
		base := rng.Uint64N(1 << homeBits)
		for i := range uint64(300) {
			hash := (base + rng.Uint64N(100)) % (1 << homeBits)
			slots = append(slots, newSlot(hash, i+1, 0))
			g.insert(slots[i])
		}
		rng.Shuffle(len(slots), func(i, j int) { slots[i], slots[j] = slots[j], slots[i] })
		for len(slots) > 0 {
			at, ok := position(&g, slots[0])
			if !ok {
				t.Fatalf("base %d: slot %#x is lost with %d left", base, slots[0], len(slots))
			}
			g.remove(at)
			slots = slots[1:]
			if int(g.count) != len(slots) {
				t.Fatalf("count %d, want %d", g.count, len(slots))
			}
		}
		if g != (segment{}) {
			t.Fatal("the emptied segment is not empty")
		}
	}
}

// TestSegmentDivide splits crowded segments: each slot must be reachable in its half.
func TestSegmentDivide(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 12))
	odd := func(slot uint64) bool { return slot&1 != 0 }
	for range 100 {
		var halves [2]segment
		spread := 1 + rng.Uint64N(1<<homeBits)
		base := rng.Uint64N(1 << homeBits)
		slots := make([]uint64, splitAt)
		for i := range slots {
			slots[i] = newSlot((base+rng.Uint64N(spread))%(1<<homeBits), uint64(i+1), 0)
			halves[0].insert(slots[i])
		}
		halves[0].divide(&halves[1], odd)
		for _, slot := range slots {
			if _, ok := position(&halves[slot&1], slot); !ok {
				t.Fatalf("slot %#x is not in its half", slot)
			}
		}
		if halves[0].count != splitAt/2 || halves[1].count != splitAt/2 {
			t.Fatalf("counts %d and %d", halves[0].count, halves[1].count)
		}
	}
}

// position returns where probing finds a slot.
func position(g *segment, slot uint64) (uint, bool) {
	for i := homeOf(tagOf(slot)); g.slots[i] != 0; i = after(i) {
		if g.slots[i] == slot {
			return i, true
		}
	}
	return 0, false
}
