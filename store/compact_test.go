package store

import (
	"math/rand/v2"
	"testing"
)

// live returns what the shard's entries need: their records and their slots.
func live(s *Shard) (bytes int) {
	s.Range(func(key, value []byte, expireAt int64) bool {
		bytes += recordSize(len(key), len(value), expireAt) + wordSize
		return true
	})
	return bytes
}

// settleDown compacts until there is no more to do, and returns how many slices that took.
func settleDown(t *testing.T, s *Shard) (slices int) {
	t.Helper()
	most := 100 + s.Len()/10 + len(s.arena.pages)
	for s.compact(100) {
		if slices++; slices > most {
			t.Fatalf("no end after %d slices, %d entries", slices, s.Len())
		}
	}
	return slices
}

// fragmentation compacts and returns what is reserved for each byte that is needed.
func fragmentation(t *testing.T, s *Shard) float64 {
	t.Helper()
	before := s.Memory().Reserved
	slices := settleDown(t, s)
	if err := checkInvariants(s); err != nil {
		t.Fatal(err)
	}
	ratio := float64(s.Memory().Reserved) / float64(live(s))
	t.Logf("%d entries: %.2f before, %.2f after %d slices", s.Len(), float64(before)/float64(live(s)), ratio, slices)
	return ratio
}

// TestChurn lets a shard live through phases with values of different sizes, of each of which it keeps a part: what it
// reserves must end within 1.3 of what its entries need.
func TestChurn(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 21))
	s := New()
	size := []func() int{
		func() int { return rng.IntN(100) },
		func() int { return 64 },
		func() int { return 1000 + rng.IntN(3000) },
		func() int { return rng.IntN(1 << rng.IntN(13)) },
		func() int { return 200 + rng.IntN(60) },
		func() int { return rng.IntN(16) },
		func() int { return rng.IntN(1 << rng.IntN(15)) },
	}
	for phase, draw := range size {
		for range 150_000 {
			key := numbered(rng.IntN(60_000))
			if rng.IntN(3) == 0 {
				s.Delete(Hash(key), key, 0)
			} else {
				s.Set(Hash(key), key, make([]byte, draw()), int64(rng.IntN(2))*deadlineEpoch)
			}
		}
		for i := range 60_000 {
			if rng.IntN(3) != 0 {
				s.Delete(Hash(numbered(i)), numbered(i), 0)
			}
		}
		if r := fragmentation(t, s); r > 1.3 {
			t.Errorf("after phase %d: %.2f bytes reserved for each that is needed", phase, r)
		}
	}
}

// TestOneRecordAPage deletes all entries but one of each page, of several sizes, which is the worst that can happen.
func TestOneRecordAPage(t *testing.T) {
	for _, size := range []int{1, 64, 1000, 10_000, 30_000} {
		s := New()
		n := min(400_000, 200<<20/(size+32))
		for i := range n {
			s.Set(Hash(numbered(i)), numbered(i), make([]byte, size), 0)
		}
		kept := map[uint64]bool{}
		for i := range n {
			_, p := s.find(Hash(numbered(i)), numbered(i), noUse)
			if page := *s.slotAt(p) & locationMask >> cellBits; kept[page] {
				s.Delete(Hash(numbered(i)), numbered(i), 0)
			} else {
				kept[page] = true
			}
		}
		fragmentation(t, s)
		// A few hundred entries: what fills one page, the index and the tables weigh more than they do.
		if held, need := s.Memory().Reserved, live(s); held > need*13/10+160<<10 {
			t.Errorf("values of %d bytes: %d bytes reserved for %d", size, held, need)
		}
	}
}

// TestCompactBesideWrites compacts in small slices between writes, which change and delete the victim's records too.
func TestCompactBesideWrites(t *testing.T) {
	rng := rand.New(rand.NewPCG(22, 22))
	m := newModel(t)
	moved := 0
	for step := range 60_000 {
		key := numbered(rng.IntN(5000))
		if full := step/10_000%2 == 0; rng.IntN(8) != 0 == full {
			m.set(key, make([]byte, rng.IntN(120)), 0)
		} else {
			m.delete(key)
		}
		m.shard.compact(1)
		if m.shard.arena.compactor.victim != 0 {
			moved++
		}
		if step%5000 == 0 {
			m.check()
		}
	}
	m.check()
	if moved < 1000 {
		t.Errorf("a victim in only %d steps", moved)
	}
}

// TestCompactRests holds that compaction does not touch a shard that has nothing to gain, nor looks at it for long.
func TestCompactRests(t *testing.T) {
	s := filled(benchKeysOf(100_000))
	if s.compact(1000) || s.compact(1) {
		t.Error("a shard of full pages has something to compact")
	}
	if n := testing.AllocsPerRun(10, func() { s.compact(100) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
