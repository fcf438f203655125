package store

import (
	"math/rand/v2"
	"runtime"
	"runtime/metrics"
	"testing"
)

// budget is what an entry of a 16-byte key, a 64-byte value and a deadline may reserve.
const budget = 97

// million sets as many million such entries in n shards, calling each after every 50,000.
func million(millions float64, n int, each func(entries int, shards []*Shard)) []*Shard {
	shards := make([]*Shard, n)
	for i := range shards {
		shards[i] = New()
	}
	value, key := make([]byte, 64), numbered(0)
	for i := range int(millions * 1e6) {
		for at, n := len(key)-1, i; n > 0; at, n = at-1, n/10 {
			key[at] = '0' + byte(n%10)
		}
		hash := Hash(key)
		shards[ShardOf(hash, n)].Set(hash, key, value, deadlineEpoch+int64(i))
		if (i+1)%50_000 == 0 && each != nil {
			each(i+1, shards)
		}
	}
	return shards
}

func reserved(shards []*Shard) (total int) {
	for _, s := range shards {
		total += s.Memory().Reserved
	}
	return total
}

// TestMemoryBudget holds the budget at every number of entries from half a million to two millions, and that nothing much
// else is asked of the Go heap on the way: what segments leave must be what others take.
func TestMemoryBudget(t *testing.T) {
	for _, n := range []int{1, 16} {
		worst, best := 0.0, 1000.0
		before := allocated()
		shards := million(2, n, func(entries int, shards []*Shard) {
			if entries >= 500_000 {
				per := float64(reserved(shards)) / float64(entries)
				worst, best = max(worst, per), min(best, per)
			}
		})
		garbage := float64(allocated()-before)/float64(reserved(shards)) - 1
		t.Logf("%d shards: %.1f to %.1f bytes an entry, %.1f %% more allocated on the way", n, best, worst, 100*garbage)
		if garbage > 0.05 && !raceDetector { // with the detector, sync.Pool forgets at random
			t.Errorf("%d shards: %.1f %% more allocated than kept", n, 100*garbage)
		}
		if worst > budget {
			t.Errorf("%d shards: up to %.1f bytes an entry, budget %d", n, worst, budget)
		}
	}
}

// allocated returns the bytes that were ever allocated from the Go heap.
func allocated() uint64 {
	samples := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64()
}

// TestReservedIsTheHeap compares Reserved with what the Go heap says the shards hold, and counts their objects, which
// is what a collection costs: no pointer of them is to another but the directory's and the page table's.
func TestReservedIsTheHeap(t *testing.T) {
	for _, n := range []int{1, 16} {
		bytes, objects := heap()
		shards := million(1, n, nil)
		bytes2, objects2 := heap()
		held, want := float64(bytes2-bytes), float64(reserved(shards))
		// The shards themselves, and what the size classes of the Go heap add to the tables.
		if held < want*0.99 || held > want*1.01 {
			t.Errorf("%d shards reserve %.0f bytes, the heap grew by %.0f", n, want, held)
		}
		per := float64(objects2-objects) / 1000
		t.Logf("%d shards: %.2f heap objects a thousand entries", n, per)
		if per > 7 {
			t.Errorf("%d shards: %.2f heap objects a thousand entries", n, per)
		}
		runtime.KeepAlive(shards)
	}
}

// heap returns the bytes and the objects that are alive.
func heap() (bytes, objects int64) {
	runtime.GC()
	runtime.GC() // the second one ends the sweep of the first
	samples := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/objects:objects"},
	}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64()), int64(samples[1].Value.Uint64())
}

// TestMixedSizes holds what values of many sizes waste in many shards.
func TestMixedSizes(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	shards := make([]*Shard, 16)
	for i := range shards {
		shards[i] = New()
	}
	for i := range 100_000 {
		key := numbered(i)
		hash := Hash(key)
		shards[ShardOf(hash, 16)].Set(hash, key, make([]byte, rng.IntN(1<<rng.IntN(13))), 0)
	}
	stored := 0
	for _, s := range shards {
		stored += s.Memory().Stored
	}
	ratio := float64(reserved(shards)) / float64(stored)
	t.Logf("%d bytes stored, %.2f reserved for each", stored, ratio)
	if ratio > 1.3 {
		t.Errorf("%.2f bytes reserved for each stored", ratio)
	}
}
