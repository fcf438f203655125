package store

import (
	"math/rand/v2"
	"testing"
	"unsafe"
)

func TestBlockFillsItsSizeClass(t *testing.T) {
	if n := unsafe.Sizeof(block{}); n != 2<<10 {
		t.Errorf("a block has %d bytes", n)
	}
}

// TestStaleHashesStayFew sets and deletes, one key over and over and many in turn, under a limit that is never reached:
// nothing takes hashes from the queues, and still they must not outgrow the entries.
func TestStaleHashesStayFew(t *testing.T) {
	s := New()
	s.Attach(NewBudget(1<<30, AllKeysS3FIFO))
	q := s.keep.queues
	for range 200_000 {
		s.Set(Hash(numbered(0)), numbered(0), nil, 0)
		s.Delete(Hash(numbered(0)), numbered(0), 0)
	}
	if q.small.n > 4*blockLen {
		t.Errorf("%d hashes for one entry that comes and goes", q.small.n)
	}
	const n = 20_000
	for i := range n {
		s.Set(Hash(numbered(i)), numbered(i), nil, 0)
	}
	rng := rand.New(rand.NewPCG(61, 61))
	for range 20 * n {
		key := numbered(rng.IntN(n))
		s.Delete(Hash(key), key, 0)
		s.Set(Hash(key), key, nil, 0)
	}
	if got := q.small.n + q.main.n; got > n*3/2+4*blockLen {
		t.Errorf("%d hashes for %d entries", got, n)
	}
	if err := checkInvariants(s); err != nil {
		t.Fatal(err)
	}
}

// TestGhostRemembers holds how much a ghost remembers of the last n hashes and how little of others.
func TestGhostRemembers(t *testing.T) {
	for _, n := range []int{1, 100, 5000, 100_000} {
		var g ghost
		g.size(n)
		if !g.fits(n) {
			t.Fatalf("a table made for %d does not fit it", n)
		}
		hash := func(i int) uint64 { return Hash(numbered(i)) }
		for i := range 3 * n {
			g.add(hash(i))
		}
		known, wrong := 0, 0
		for i := range n {
			if g.take(hash(2*n + i)) {
				known++
			}
			if g.take(hash(10*n + i)) {
				wrong++
			}
		}
		t.Logf("of the last %d: %d known, %d others taken for known", n, known, wrong)
		if known < n*85/100 || wrong > n/100 {
			t.Errorf("of the last %d: %d known, %d others taken for known", n, known, wrong)
		}
	}
}

// TestScanResistance reads a hot set beside a scan as long as ten caches: S3-FIFO must keep the hot set.
func TestScanResistance(t *testing.T) {
	const hot = 5000
	c := newCache(2*hot*160, AllKeysS3FIFO)
	rng := rand.New(rand.NewPCG(62, 62))
	for i := range 40 * hot {
		if i == 20*hot {
			c.hits, c.ops = 0, 0
		}
		c.now += int64(i & 1)
		c.through(numbered(rng.IntN(hot)))
		hits, ops := c.hits, c.ops
		c.through(numbered(hot + i))
		c.hits, c.ops = hits, ops
	}
	if ratio := float64(c.hits) / float64(c.ops); ratio < 0.99 {
		t.Errorf("%.3f of the reads of the hot set hit", ratio)
	}
}
