package store

import (
	"testing"
	"time"
)

// BenchmarkSetAtLimit sets new keys in a full cache: each write evicts one entry.
func BenchmarkSetAtLimit(b *testing.B) {
	for p := range Policy(len(policies)) {
		if p == NoEviction {
			continue
		}
		b.Run(p.String(), func(b *testing.B) {
			keys := benchKeysOf(4 * benchKeys)
			c := newCache(benchKeys*112, p)
			i := 0
			set := func() {
				k := &keys[i%len(keys)]
				c.shard.MakeRoom(c.now)
				c.shard.Set(k.hash, k.key, c.value[:64], c.now+int64(1e9)+int64(i))
				if i++; i%1024 == 0 {
					c.now++
				}
			}
			for c.shard.Stats().Evicted < benchKeys {
				set()
			}
			b.ResetTimer()
			for b.Loop() {
				set()
			}
		})
	}
}

// BenchmarkMakeRoom says what MakeRoom adds to a write below the limit, as a ratio of the fastest of alternating turns.
func BenchmarkMakeRoom(b *testing.B) {
	keys := benchKeysOf(benchKeys)
	s := New()
	s.Attach(NewBudget(1<<30, AllKeysLRU))
	value := make([]byte, 64)
	best := [2]time.Duration{time.Hour, time.Hour}
	for b.Loop() {
		for i := range best {
			start := time.Now()
			for j := range keys[:20_000] {
				if i == 1 {
					s.MakeRoom(1)
				}
				s.Set(keys[j].hash, keys[j].key, value, 0)
			}
			best[i] = min(best[i], time.Since(start))
		}
	}
	b.ReportMetric(best[0].Seconds()/20_000*1e9, "set-ns")
	b.ReportMetric(best[1].Seconds()/best[0].Seconds(), "with/without")
}
