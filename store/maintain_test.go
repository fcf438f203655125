package store

import (
	"math/rand/v2"
	"testing"
)

// TestMaintainExpires leaves entries to expire among others that do not: Maintain alone must remove them, in bounded
// slices, and rest when there is nothing to remove.
func TestMaintainExpires(t *testing.T) {
	s := New()
	const n = 50_000
	for i := range n {
		expireAt := int64(0)
		if i%2 == 0 {
			expireAt = 1000 + int64(i)
		}
		s.Set(Hash(numbered(i)), numbered(i), numbered(i), expireAt)
	}
	if s.Maintain(1000, 1000) || s.Stats().Expired != 1 && s.Len() != n {
		t.Fatalf("nothing to do, but %+v", s.Stats())
	}
	calls, before := 0, 0
	for more := true; more; calls++ {
		before = s.Len()
		more = s.Maintain(1000+n, 1000)
		if removed := before - s.Len(); removed > 1000+expirySteps {
			t.Fatalf("one call removed %d", removed)
		}
	}
	if s.TTLs() > n/2/expiryShare+n/100 {
		t.Errorf("stopped after %d calls with %d expired ones left", calls, s.TTLs())
	}
	for range 10 * n / 1000 * expirySteps {
		s.Maintain(1000+n, 1000)
	}
	if s.TTLs() != 0 || s.Len() != n/2 || s.Stats().Expired != n/2 {
		t.Errorf("%d with deadlines and %d entries left, %+v", s.TTLs(), s.Len(), s.Stats())
	}
	if err := checkInvariants(s); err != nil {
		t.Fatal(err)
	}
}

// TestExpiredCounts holds that every way in which an expired entry goes counts it once.
func TestExpiredCounts(t *testing.T) {
	s := New()
	for i := range 4 {
		s.Set(Hash(numbered(i)), numbered(i), nil, 10)
	}
	s.Delete(Hash(numbered(0)), numbered(0), 10)
	s.DeleteExpired(Hash(numbered(1)), numbered(1), 10)
	s.SetKeepTTL(Hash(numbered(2)), numbered(2), nil, 10)
	for range 20 {
		s.Maintain(10, 1<<10)
	}
	if got := s.Stats(); got.Expired != 4 || s.Len() != 1 {
		t.Errorf("%+v, %d entries left", got, s.Len())
	}
	s.Clear()
	if got := s.Stats(); got.Expired != 4 {
		t.Errorf("after Clear: %+v", got)
	}
}

// TestColdGivesWay fills one shard of two and then writes to the other, reading what it wrote: the first must give its
// memory up, by its own Maintain alone, until it holds what is as warm as the other's.
func TestColdGivesWay(t *testing.T) {
	for _, p := range []Policy{AllKeysLRU, AllKeysLFU, AllKeysS3FIFO, VolatileTTL} {
		t.Run(p.String(), func(t *testing.T) {
			const limit = 4 << 20
			b := NewBudget(limit, p)
			var shards [2]*Shard
			for i := range shards {
				shards[i] = New()
				shards[i].Attach(b)
			}
			now := int64(1_700_000_000_000)
			value := make([]byte, 100)
			write := func(s *Shard, i int) {
				now += int64(i & 1)
				if !s.MakeRoom(now) {
					t.Fatalf("write %d refused", i)
				}
				s.Set(Hash(numbered(i)), numbered(i), value, now+1e9)
				if used := int64(shards[0].inUse() + shards[1].inUse()); used > limit+b.borrowable()+2*slackMax {
					t.Fatalf("write %d: %d over the limit", i, used-limit)
				}
			}
			n := 0
			for ; shards[0].Stats().Evicted == 0; n++ {
				write(shards[0], n)
			}
			if alone := shards[0].Len(); alone < limit/170 {
				t.Fatalf("one shard alone holds %d entries", alone)
			}
			rng := rand.New(rand.NewPCG(31, uint64(p)))
			for i := range 600_000 {
				key := numbered(n + rng.IntN(32_000))
				if _, ok := shards[1].Get(Hash(key), key, now); !ok {
					write(shards[1], n+rng.IntN(32_000))
				}
				if i%1000 == 0 {
					now += 100
					shards[0].Maintain(now, 1000)
					shards[1].Maintain(now, 1000)
				}
			}
			t.Logf("%d entries gave way to %d", shards[0].Len(), shards[1].Len())
			if shards[0].Len() > shards[1].Len()/3 {
				t.Errorf("%d cold entries stay beside %d", shards[0].Len(), shards[1].Len())
			}
		})
	}
}
