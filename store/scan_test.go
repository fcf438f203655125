package store

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestScanSurvivesChange scans while other keys come and go, many at a time, so that the index grows and shrinks under
// the cursor: the keys that stay must all be shown.
func TestScanSurvivesChange(t *testing.T) {
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(13, seed))
		s := New()
		set := func(key []byte) { s.Set(Hash(key), key, key, 0) }
		missing := map[string]bool{}
		for i := range 1 + rng.IntN(3000) {
			key := fmt.Appendf(nil, "stays:%d", i)
			missing[string(key)] = true
			set(key)
		}
		for i := range seed % 2 * 1500 {
			missing[string(twinKey(i))] = true
			set(twinKey(i))
		}
		others, limit := 0, 0
		for cursor, calls := uint64(0), 0; ; calls++ {
			if calls%40 == 0 {
				limit = rng.IntN(1 << rng.IntN(17))
			}
			for others != limit && rng.IntN(2000) != 0 {
				if others < limit {
					set(numbered(others))
					others++
				} else {
					others--
					s.Delete(Hash(numbered(others)), numbered(others), 0)
				}
			}
			cursor = s.Scan(cursor, 1+rng.IntN(100), func(key, _ []byte, _ int64) { delete(missing, string(key)) })
			if cursor >= 1<<48 {
				t.Fatalf("cursor %#x", cursor)
			}
			if cursor == 0 {
				break
			}
		}
		if len(missing) > 0 {
			t.Errorf("seed %d: %d keys were there all the time and never shown", seed, len(missing))
		}
	}
}

// TestScanCount holds that a call shows about what it is asked for, however large the shard.
func TestScanCount(t *testing.T) {
	s := New()
	for i := range 100_000 {
		s.Set(Hash(numbered(i)), numbered(i), nil, 0)
	}
	for _, count := range []int{-1, 0, 1, 10, 1000} {
		most, total := 0, 0
		for cursor, first := uint64(0), true; first || cursor != 0; first = false {
			shown := 0
			cursor = s.Scan(cursor, count, func(_, _ []byte, _ int64) { shown++ })
			most, total = max(most, shown), total+shown
			if cursor != 0 && shown < count {
				t.Fatalf("count %d: %d shown", count, shown)
			}
		}
		if total != s.Len() || most > max(count, 1)+16 {
			t.Errorf("count %d: %d of %d shown, up to %d at once", count, total, s.Len(), most)
		}
	}
}

// TestScanGarbage gives cursors that no scan has returned.
func TestScanGarbage(t *testing.T) {
	rng := rand.New(rand.NewPCG(14, 14))
	for _, n := range []int{0, 1, 5000} {
		s := New()
		for i := range n {
			s.Set(Hash(numbered(i)), numbered(i), nil, 0)
		}
		for range 1000 {
			if next := s.Scan(rng.Uint64()>>rng.IntN(64), 10, func(_, _ []byte, _ int64) {}); next >= 1<<48 {
				t.Fatalf("cursor %#x", next)
			}
		}
	}
}

// TestRandomIsFair draws often from shards of all sizes: the counts of the entries must not stray further from equal than
// chance and the spread of segments explain.
func TestRandomIsFair(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 15))
	if _, _, _, ok := New().Random(1); ok {
		t.Error("Random finds something in an empty shard")
	}
	for _, n := range []int{1, 2, 10, exactRandom, exactRandom + 1, 1000, 3000} {
		s := New()
		for i := range n {
			s.Set(Hash(numbered(i)), numbered(i), nil, 0)
		}
		const draws = 200 // an entry
		counts := map[string]int{}
		for range n * draws {
			key, _, _, ok := s.Random(rng.Uint64())
			if !ok {
				t.Fatal("nothing found")
			}
			counts[string(key)]++
		}
		for key, c := range counts {
			if c < draws/2 || c > draws*3/2 {
				t.Errorf("%d entries: %s drawn %d times, want about %d", n, key, c, draws)
			}
		}
		if len(counts) != n {
			t.Errorf("%d entries: %d drawn", n, len(counts))
		}
	}
}
