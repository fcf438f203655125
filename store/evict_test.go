package store

import (
	"math/rand/v2"
	"testing"
)

// cache drives one shard as a read-through cache does.
type cache struct {
	shard     *Shard
	budget    *Budget
	now       int64
	value     []byte
	hits, ops int
}

func newCache(limit int64, p Policy) *cache {
	c := &cache{shard: New(), budget: NewBudget(limit, p), now: 1_700_000_000_000, value: make([]byte, 100)}
	c.shard.Attach(c.budget)
	return c
}

func (c *cache) set(key []byte, expireAt int64) bool {
	if !c.shard.MakeRoom(c.now) {
		return false
	}
	c.shard.Set(Hash(key), key, c.value, expireAt)
	return true
}

func (c *cache) through(key []byte) {
	c.ops++
	if _, ok := c.shard.Get(Hash(key), key, c.now); ok {
		c.hits++
	} else if !c.set(key, 0) {
		panic("refused")
	}
}

func (c *cache) has(i int) bool {
	key := numbered(i)
	_, ok := c.shard.Deadline(Hash(key), key, c.now)
	return ok
}

// inUseOf adds up what evicting everything would win back, the slow way.
func inUseOf(s *Shard) (n int) {
	for id, page := range s.arena.pages {
		if m := s.arena.meta[id]; m.class == largeClass && page.base != nil {
			n += int(page.size)
		} else if page.base != nil {
			n += int(m.used) * cellSize(int(m.class))
		}
	}
	return n + s.Len()*wordSize + s.keep.queues.held()
}

func TestPolicyNames(t *testing.T) {
	for p := range Policy(len(policies)) {
		if got, err := ParsePolicy(p.String()); got != p || err != nil {
			t.Errorf("ParsePolicy(%q) = %v, %v", p.String(), got, err)
		}
	}
	if _, err := ParsePolicy("lru"); err == nil {
		t.Error("ParsePolicy takes lru")
	}
}

// TestNoEviction fills a shard to its limit: it must refuse, keep all, and go on when something is deleted.
func TestNoEviction(t *testing.T) {
	c := newCache(1<<20, NoEviction)
	n := 0
	for c.set(numbered(n), 0) {
		n++
	}
	if c.shard.Len() != n || c.shard.Stats().Evicted != 0 {
		t.Fatalf("%d entries of %d, %+v", c.shard.Len(), n, c.shard.Stats())
	}
	if used := inUseOf(c.shard); used < 1<<20-4<<10 || used > 1<<20+4<<10 {
		t.Errorf("refused at %d bytes of %d", used, 1<<20)
	}
	for i := range 100 {
		c.shard.Delete(Hash(numbered(i)), numbered(i), c.now)
	}
	if !c.set([]byte("another"), 0) {
		t.Error("refused though there is room again")
	}
}

// TestLimit writes values of all sizes under each policy that evicts. Used must be what the entries take, nothing may go
// while the store is under its limit, and after each write it may be over it by that write and the slack.
func TestLimit(t *testing.T) {
	for _, p := range []Policy{AllKeysLRU, AllKeysLFU, AllKeysS3FIFO, VolatileTTL} {
		t.Run(p.String(), func(t *testing.T) {
			const limit = 4 << 20
			c := newCache(limit, p)
			rng := rand.New(rand.NewPCG(21, uint64(p)))
			under := true
			for i := range 60_000 {
				key := numbered(rng.IntN(40_000))
				size := rng.IntN(1 << rng.IntN(18))
				c.now += rng.Int64N(3)
				if !c.shard.MakeRoom(c.now) {
					t.Fatalf("write %d refused", i)
				}
				c.shard.Set(Hash(key), key, make([]byte, size), c.now+1+rng.Int64N(100_000))
				used := int64(c.shard.inUse())
				if slow := int64(inUseOf(c.shard)); i%500 == 0 && used != slow {
					t.Fatalf("write %d: in use %d, counted %d", i, used, slow)
				}
				if off := used - c.budget.Used(); off > slackMax || off < -slackMax {
					t.Fatalf("write %d: budget off by %d", i, off)
				}
				if over := used - limit; over > int64(size)*9/8+slackMax+100+heapPage {
					t.Fatalf("write %d of %d bytes: %d over the limit", i, size, over)
				}
				under = under && used <= limit
				if under && c.shard.Stats().Evicted > 0 {
					t.Fatalf("write %d: evicted under the limit", i)
				}
			}
			if under {
				t.Fatal("never at the limit")
			}
			if err := checkInvariants(c.shard); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestEvictionOrder fills a cache with two kinds of entries, and writes new ones until half must be gone: those that the
// policy prefers to give up must go first.
// TestEmptyShardBorrows writes to a shard that is empty while another holds far more than the limit: where a policy may
// give up any entry there is something to give up, so no write may be refused.
func TestEmptyShardBorrows(t *testing.T) {
	for _, p := range []Policy{AllKeysLRU, AllKeysLFU, AllKeysS3FIFO} {
		t.Run(p.String(), func(t *testing.T) {
			c := newCache(0, p)
			for i := range 5000 {
				c.set(numbered(i), 0)
			}
			empty := New()
			empty.Attach(c.budget)
			c.budget.SetLimit(64 << 10)
			for i := range 100 {
				if !empty.MakeRoom(c.now) {
					t.Fatalf("write %d refused", i)
				}
				empty.Set(Hash(numbered(i)), numbered(i), c.value, 0)
			}
			if n := empty.Len(); n > 2 {
				t.Errorf("holds %d entries, and the store is over its limit", n)
			}
			for c.shard.Maintain(c.now, 1000) {
			}
			if used := c.budget.Used(); used > c.budget.Limit()+slackMax {
				t.Errorf("%d bytes in use after the other shard gave way", used)
			}
		})
	}
}

func TestEvictionOrder(t *testing.T) {
	const n = 20_000
	for _, c := range []struct {
		policy Policy
		favour func(c *cache, i int) // makes entry i one to keep
	}{
		{AllKeysLRU, func(c *cache, i int) { c.shard.Get(Hash(numbered(i)), numbered(i), c.now) }},
		{AllKeysLFU, func(c *cache, i int) {
			for range 40 {
				c.shard.Get(Hash(numbered(i)), numbered(i), c.now)
			}
		}},
		{AllKeysS3FIFO, func(c *cache, i int) { c.shard.Get(Hash(numbered(i)), numbered(i), c.now) }},
		{VolatileTTL, func(c *cache, i int) {
			c.shard.SetDeadline(Hash(numbered(i)), numbered(i), c.now+1e10, c.now)
		}},
	} {
		t.Run(c.policy.String(), func(t *testing.T) {
			cache := newCache(n*160, c.policy)
			for i := range n {
				cache.set(numbered(i), cache.now+1e9+int64(i))
			}
			for i := range n {
				if i%64 == 0 && c.policy == AllKeysLRU { // counts would fade meanwhile
					cache.now += tickTime + 1
					cache.shard.Maintain(cache.now, 100)
				}
				if i%2 == 0 {
					c.favour(cache, i)
				}
			}
			for i := n; cache.shard.Stats().Evicted < n/4; i++ {
				if !cache.set(numbered(i), cache.now+1e10) {
					t.Fatal("refused")
				}
				c.favour(cache, i)
			}
			kept, favoured := 0, 0
			for i := range n {
				if cache.has(i) {
					kept++
					favoured += (i + 1) % 2
				}
			}
			t.Logf("%d of %d kept, %d of them favoured", kept, n, favoured)
			if favoured < n/2*97/100 {
				t.Errorf("%d of %d favoured entries kept", favoured, n/2)
			}
		})
	}
}

// TestPolicyChanges goes from each policy to each other while the cache is in use: it must go on within its limit, and
// give up what the new policy prefers to once it has seen some use.
func TestPolicyChanges(t *testing.T) {
	const limit = 2 << 20
	rng := rand.New(rand.NewPCG(22, 22))
	c := newCache(limit, NoEviction)
	for c.set(numbered(rng.IntN(100_000)), c.now+1e9) {
	}
	for range 40 {
		p := Policy(rng.IntN(len(policies)))
		c.budget.SetPolicy(p)
		evicted := c.shard.Stats().Evicted
		for i := range 20_000 {
			c.now += int64(i & 1)
			key := numbered(rng.IntN(100_000))
			if _, ok := c.shard.Get(Hash(key), key, c.now); !ok && !c.set(key, c.now+1e9) && p != NoEviction {
				t.Fatalf("write %d refused under %v", i, p)
			}
			if i%1000 == 0 {
				c.shard.Maintain(c.now, 200)
			}
			if over := c.shard.inUse() - limit; i > 5000 && over > slackMax+256 { // queues are built meanwhile
				t.Fatalf("%d over the limit under %v", over, p)
			}
		}
		if n := c.shard.Stats().Evicted - evicted; (n > 0) != (p != NoEviction) {
			t.Fatalf("%d evicted under %v", n, p)
		}
		if err := checkInvariants(c.shard); err != nil {
			t.Fatalf("under %v: %v", p, err)
		}
	}
}

// TestEvictionIsBounded lowers the limit to a tenth and then writes small and large values: no write may evict more than
// its bound, and all of them together must reach the limit. Then Maintain is given the rest to do.
func TestEvictionIsBounded(t *testing.T) {
	for p := range Policy(len(policies)) {
		if p == NoEviction {
			continue
		}
		const limit = 8 << 20
		c := newCache(limit, p)
		n := 0
		for ; c.shard.Stats().Evicted == 0; n++ {
			c.set(numbered(n), c.now+1e9+int64(n))
		}
		c.budget.SetLimit(limit / 10)
		for i := 0; c.shard.inUse() > limit/10; i++ {
			before, inUse := c.shard.Stats().Evicted, c.shard.inUse()
			if i%50 == 49 {
				c.value = make([]byte, 20_000)
			}
			if !c.set(numbered(n+i), c.now+1e9) {
				t.Fatalf("%v: write %d refused", p, i)
			}
			evicted := c.shard.Stats().Evicted - before
			c.value = c.value[:100]
			// The write before, of 20,000 bytes, is paid for twice over.
			if most := uint64(victimsPerWrite + 2*22_000/120); evicted > most {
				t.Fatalf("%v: write %d evicted %d", p, i, evicted)
			}
			if i > n || i%50 != 49 && c.shard.inUse() > inUse {
				t.Fatalf("%v: write %d: still %d over the limit", p, i, c.shard.inUse()-limit/10)
			}
		}
		c.budget.SetLimit(limit / 100)
		calls := 0
		for ; c.shard.Maintain(c.now, 160); calls++ {
			before := c.shard.Stats().Evicted
			c.shard.Maintain(c.now, 160)
			if n := c.shard.Stats().Evicted - before; n > 160/workPerVictim {
				t.Fatalf("%v: Maintain(160) evicted %d", p, n)
			}
			if calls > n {
				t.Fatalf("%v: Maintain always wants more", p)
			}
		}
		if over := c.shard.inUse() - limit/100; over > slackMax {
			t.Errorf("%v: Maintain stops %d over the limit", p, over)
		}
	}
}

// TestFullShard pretends that all page ids but a few are taken: MakeRoom must refuse before addPage panics.
func TestFullShard(t *testing.T) {
	s := New()
	s.Set(Hash(nil), nil, nil, 0)
	s.arena.live = maxPages - 1 - 2*pagesPerWrite
	n := 0
	for value := make([]byte, cellMax+1); s.MakeRoom(0); n++ {
		s.Set(Hash(numbered(n)), numbered(n), value, 0)
	}
	if n != pagesPerWrite {
		t.Errorf("took %d pages of %d", n, 2*pagesPerWrite)
	}
	s.Delete(Hash(numbered(0)), numbered(0), 0)
	if !s.MakeRoom(0) {
		t.Error("refuses with a page to spare")
	}
}
