package store

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// readOrder returns keys in a random order, laid out in it as a server has them in its read buffer.
func readOrder(keys []benchKey) []benchKey {
	order := make([]benchKey, len(keys))
	bytes := make([]byte, 0, 16*len(keys))
	for i, j := range rand.New(rand.NewPCG(16, 16)).Perm(len(keys)) {
		bytes = append(bytes, keys[j].key...)
		order[i] = benchKey{bytes[len(bytes)-16:], keys[j].hash}
	}
	return order
}

// BenchmarkLookahead gets random keys one by one and in batches of 16 that are looked up ahead, in turns in one process. Of
// each it takes the fastest turn, which is the least disturbed one.
func BenchmarkLookahead(b *testing.B) {
	const batch, turn = 16, 16 * 1000
	for _, n := range []int{100_000, 1_000_000, 5_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			keys := benchKeysOf(n)
			s := filled(keys)
			keys = readOrder(keys)
			get := func(keys []benchKey) {
				for i := range keys {
					if _, ok := s.Get(keys[i].hash, keys[i].key, 0); !ok {
						b.Fatal("missing")
					}
				}
			}
			alone, ahead := time.Hour, time.Hour
			i := 0
			for b.Loop() {
				if i += 2 * turn; i+2*turn > n {
					i = 0
				}
				start := time.Now()
				get(keys[i : i+turn])
				alone = min(alone, time.Since(start))
				start = time.Now()
				for keys := keys[i+turn : i+2*turn]; len(keys) > 0; keys = keys[batch:] {
					var hints [batch]uint64
					for j := range hints {
						hints[j] = s.Hint(keys[j].hash)
					}
					for _, hint := range hints {
						s.Touch(hint)
					}
					get(keys[:batch])
				}
				ahead = min(ahead, time.Since(start))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(alone.Seconds()/turn*1e9, "alone-ns")
			b.ReportMetric(ahead.Seconds()/turn*1e9, "ahead-ns")
			b.ReportMetric(ahead.Seconds()/alone.Seconds(), "ahead/alone")
		})
	}
}

// TestLookahead holds that Touch finds what Hint led to, whatever the index looks like, and nothing where there is nothing.
func TestLookahead(t *testing.T) {
	s := New()
	if s.Hint(1) != 0 || s.Touch(0) != 0 {
		t.Error("an empty shard gives a hint")
	}
	for i := range 20_000 {
		s.Set(Hash(numbered(i)), numbered(i), nil, 0)
		if i%97 != 0 {
			continue
		}
		for _, j := range []int{0, i / 3, i} {
			if s.Touch(s.Hint(Hash(numbered(j)))) != 1 {
				t.Fatalf("%d entries: entry %d is not found", i+1, j)
			}
		}
		found := 0
		for j := range 100 {
			found += int(s.Touch(s.Hint(Hash(numbered(1<<30 + j)))))
		}
		if found > 5 { // of equal tags there is one in 16,777,216/i
			t.Fatalf("%d entries: %d of 100 absent ones are found", i+1, found)
		}
	}
}
