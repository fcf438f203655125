package store

import (
	"fmt"
	"testing"
	"time"
)

// getPlain is Get as it was before it noted uses: it knows no budget and reads slots plainly.
func (s *Shard) getPlain(hash uint64, key []byte, now int64) ([]byte, bool) {
	r, _ := s.findPlain(hash, key)
	if !r.exists() || r.expired(now) {
		return nil, false
	}
	return r.value(), true
}

func (s *Shard) findPlain(hash uint64, key []byte) (record, place) {
	x := &s.index
	point := pointOf(hash)
	i := x.entry(point)
	if i >= uint64(len(x.dir)) {
		return record{}, place{}
	}
	g := &x.dir[i]
	want := hash << tagShift
	at := g.home(point)
	at += 4 * g.window(at).quarter(want)
	at += before(g.at(at), want) + before(g.at(at+1), want) + before(g.at(at+2), want)
	slot := *g.at(at)
	if slot-1 < want {
		at, slot = g.seekOn(at, want)
	}
	for ; hasTag(slot, want); slot = *g.at(at) {
		if r := load(s.arena.at(slot)); r.hasKey(key) {
			return r, place{segment: g, slot: at}
		}
		at++
	}
	if g.spills {
		return s.findSpilled(g, want, key)
	}
	return record{}, place{}
}

// BenchmarkGetNotes says what noting uses costs a Get: in turns, in one process, on one shard, it measures Get under a
// budget whose clock stands, Get without one, and a Get that knows of neither. Of each it takes the fastest turn, which
// is the least disturbed one, and reports the times as ratios to the last.
func BenchmarkGetNotes(b *testing.B) {
	for _, n := range []int{64, benchKeys} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			keys := benchKeysOf(benchKeys)
			s, budget := New(), NewBudget(0, AllKeysLRU)
			s.Attach(budget)
			for _, k := range keys {
				s.Set(k.hash, k.key, make([]byte, 64), 0)
			}
			keys = keys[:n]
			gets := []func(hash uint64, key []byte, now int64) ([]byte, bool){s.getPlain, s.Get, s.Get}
			best := [3]time.Duration{time.Hour, time.Hour, time.Hour}
			const turn = 20_000
			for b.Loop() {
				for i, get := range gets {
					s.budget = nil
					if i == 2 {
						s.budget = budget
					}
					start := time.Now()
					for j := range turn {
						k := &keys[j*7%n]
						if _, ok := get(k.hash, k.key, 0); !ok {
							b.Fatal("missing")
						}
					}
					best[i] = min(best[i], time.Since(start))
				}
			}
			b.ReportMetric(best[0].Seconds()/turn*1e9, "plain-ns")
			b.ReportMetric(best[1].Seconds()/best[0].Seconds(), "bare/plain")
			b.ReportMetric(best[2].Seconds()/best[0].Seconds(), "noted/plain")
		})
	}
}
