package store

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// TestReadersNoteUses lets goroutines read under a read lock, while another writes and maintains under the write lock:
// the race detector must have nothing to say, and no entry may be lost or changed by the notes.
func TestReadersNoteUses(t *testing.T) {
	for _, p := range []Policy{NoEviction, AllKeysLRU, AllKeysLFU, AllKeysS3FIFO} {
		s, b := New(), NewBudget(0, p)
		s.Attach(b)
		const n = 2000
		for i := range n {
			s.Set(Hash(numbered(i)), numbered(i), numbered(i), 0)
		}
		var mu sync.RWMutex
		var wg sync.WaitGroup
		for reader := range uint64(4) {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(41, reader))
				for range 20_000 {
					key := numbered(rng.IntN(n))
					mu.RLock()
					v, ok := s.Get(Hash(key), key, 0)
					if !ok || string(v) != string(key) {
						t.Errorf("Get(%q) = %q, %v", key, v, ok)
					}
					mu.RUnlock()
				}
			})
		}
		for now := int64(1); now < 300; now++ {
			mu.Lock()
			s.Maintain(now*tickTime, 100)
			s.Set(Hash(numbered(0)), numbered(0), numbered(0), 0)
			mu.Unlock()
		}
		wg.Wait()
		if err := checkInvariants(s); err != nil {
			t.Fatal(err)
		}
	}
}

// TestIdleTime lets time pass over entries used at different times.
func TestIdleTime(t *testing.T) {
	s := New()
	s.Attach(NewBudget(0, NoEviction))
	now := int64(1_700_000_000_000)
	s.MakeRoom(now)
	used := map[int]int64{}
	for i := range 400 {
		now += 1000
		s.MakeRoom(now)
		s.Set(Hash(numbered(i)), numbered(i), nil, 0)
		s.Get(Hash(numbered(i/2)), numbered(i/2), now)
		used[i], used[i/2] = now, now
		s.Maintain(now, 100)
		for j, at := range used {
			idle, ok := s.IdleTime(Hash(numbered(j)), numbered(j), now)
			if !ok || idle > now-at || idle < now-at-tickTime-1000 {
				t.Fatalf("entry %d was used %d ms ago, IdleTime %d, %v", j, now-at, idle, ok)
			}
		}
	}
	if _, ok := s.IdleTime(Hash([]byte("none")), []byte("none"), now); ok {
		t.Error("IdleTime of no entry")
	}
	// Never looking young again is the ageing hand's business.
	for range 1000 {
		now += tickTime
		s.Maintain(now, 200)
	}
	for j := range used {
		if idle, _ := s.IdleTime(Hash(numbered(j)), numbered(j), now); idle < ageMax*tickTime/2 {
			t.Fatalf("entry %d, unused for two hours, is idle for %d ms", j, idle)
		}
	}
}

// TestFreq compares the count with Redis's law, p = 1/(10*(count-5)+1), by its expectation, and lets it fade.
func TestFreq(t *testing.T) {
	s := New()
	s.Attach(NewBudget(0, AllKeysLFU))
	now := int64(1_700_000_000_000)
	s.Maintain(now, 1)
	sum := 0
	const n, uses = 200, 2000
	for i := range n {
		s.Set(Hash(numbered(i)), numbered(i), nil, 0)
		if f, ok := s.Freq(Hash(numbered(i)), numbered(i), now); f != countNew || !ok {
			t.Fatalf("a new entry counts %d, %v", f, ok)
		}
		for range uses {
			s.Get(Hash(numbered(i)), numbered(i), now)
		}
		f, _ := s.Freq(Hash(numbered(i)), numbered(i), now)
		sum += int(f)
	}
	// After k increments 5k² - 4k uses are expected: 2,000 make k = 20.4.
	if mean := float64(sum) / n; mean < countNew+19 || mean > countNew+22 {
		t.Errorf("%d uses count %.1f on average", uses, mean)
	}
	before, _ := s.Freq(Hash(numbered(0)), numbered(0), now)
	for range 10 {
		now += countFade / 2
		s.Maintain(now, 1000)
	}
	if after, _ := s.Freq(Hash(numbered(0)), numbered(0), now); after != before-5 {
		t.Errorf("counted %d, five minutes later %d", before, after)
	}
}

// TestEvictionDoesNotAllocate holds what a server does for each command at its limit to no allocation.
func TestEvictionDoesNotAllocate(t *testing.T) {
	for _, p := range []Policy{AllKeysLRU, AllKeysLFU, AllKeysS3FIFO, VolatileTTL} {
		c := newCache(1<<20, p)
		keys := benchKeysOf(50_000)
		i := 0
		op := func() {
			k := &keys[i%len(keys)]
			if i++; !c.shard.MakeRoom(c.now) {
				t.Fatal("refused")
			}
			c.shard.Set(k.hash, k.key, c.value, c.now+1e6+int64(i))
			c.shard.Get(k.hash, k.key, c.now)
			if i%64 == 0 {
				c.now += 100
				c.shard.Maintain(c.now, 64)
			}
		}
		for range 2 * len(keys) {
			op()
		}
		if n := testing.AllocsPerRun(20_000, op); n > 0 {
			t.Errorf("%v: %.2f allocations an operation", p, n)
		}
	}
}
