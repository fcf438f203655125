package store

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// TestArenaAgainstMap allocates and frees cells of all classes at random: contents must stay, the structure be sound.
func TestArenaAgainstMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	var a arena
	live := map[uint64]uint64{} // location -> what is written there
	var order []uint64
	cells := func() map[uint32]map[int]bool {
		at := map[uint32]map[int]bool{}
		for location := range live {
			id := uint32(location >> cellBits)
			if at[id] == nil {
				at[id] = map[int]bool{}
			}
			at[id][int(location%pageCells)] = true
		}
		return at
	}
	for step := range 20_000 {
		if grow := step/4000%2 == 0; len(order) == 0 || rng.IntN(8) < 5 == grow {
			size := 8 + rng.IntN(1<<(3+rng.IntN(14)))
			location, mem := a.alloc(size)
			if _, taken := live[location]; taken || len(mem) < size || location == 0 || location > locationMask {
				t.Fatalf("alloc(%d) = %#x, %d bytes; taken %v", size, location, len(mem), taken)
			}
			live[location] = rng.Uint64()
			binary.LittleEndian.PutUint64(mem, live[location])
			order = append(order, location)
		} else {
			i := rng.IntN(len(order))
			location := order[i]
			order[i] = order[len(order)-1]
			order = order[:len(order)-1]
			if got := binary.LittleEndian.Uint64(a.cell(location)); got != live[location] {
				t.Fatalf("location %#x holds %#x, want %#x", location, got, live[location])
			}
			delete(live, location)
			a.free(location)
		}
		if step%500 == 0 {
			if err := checkPages(&a, cells()); err != nil {
				t.Fatal(err)
			}
			if err := checkLists(&a); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestLargeValues holds that values above the largest cell take a page each of little more than their size, in place
// while they fill most of it, and give it back.
func TestLargeValues(t *testing.T) {
	s := New()
	key := []byte("large")
	hash := Hash(key)
	const slack = heapPage + 1024 // the rounding of the page, and the tables
	check := func(size, most int) {
		t.Helper()
		if got := s.slack(t, hash, key, size); got > most {
			t.Errorf("value of %d bytes: %d bytes more are reserved, want %d at most", size, got, most)
		}
	}
	check(1<<20, slack)
	check(900<<10, slack+124<<10) // in place: fills more than four fifths
	check(800<<10, slack)         // not any more
	check(8<<20, slack+1<<20)     // grew: with room for more
	check(33<<10, slack)
	check(10, 64<<10)
	if err := checkInvariants(s); err != nil {
		t.Fatal(err)
	}
	s.Delete(hash, key, 0)
	if m := s.Memory(); m.Reserved > 64<<10 {
		t.Errorf("after Delete: %+v", m)
	}
}

// slack sets a value of that size and returns the bytes reserved beyond it.
func (s *Shard) slack(t *testing.T, hash uint64, key []byte, size int) int {
	t.Helper()
	s.Set(hash, key, make([]byte, size), 0)
	return s.Memory().Reserved - size
}

// TestNoThrash holds that an entry that comes and goes takes no memory each time, wherever it does.
func TestNoThrash(t *testing.T) {
	value := make([]byte, 64)
	for _, others := range []int{0, 1, 45, 46, 47, 832, 833, 10_000} {
		s := New()
		for i := range others {
			key := numbered(i)
			s.Set(Hash(key), key, value, 0)
		}
		key := []byte("comes and goes !")
		hash := Hash(key)
		if n := testing.AllocsPerRun(100, func() {
			s.Set(hash, key, value, 0)
			s.Delete(hash, key, 0)
		}); n != 0 {
			t.Errorf("beside %d others: %v allocations", others, n)
		}
	}
}

// TestGrowingValue appends to one value by many small steps: what that takes from the Go heap must be a few times the value.
func TestGrowingValue(t *testing.T) {
	s, key := New(), []byte("grows")
	const final = 8 << 20
	value := make([]byte, final)
	before := allocated()
	for n := 0; n < final; n += 4000 {
		s.Set(Hash(key), key, value[:n], 0)
	}
	if took := allocated() - before; took > 12*final {
		t.Errorf("took %d bytes to grow to %d", took, final)
	}
	if err := checkInvariants(s); err != nil {
		t.Fatal(err)
	}
}
