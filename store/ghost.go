package store

import "math/bits"

// ghost remembers, of the last so many hashes that were added, most: a table of buckets of four words, each a
// fingerprint and a coarse time. The zero ghost remembers nothing and holds nothing.
//
// Yang et al. note that such a table does for S3-FIFO's ghost queue.
type ghost struct {
	words []uint32 // fingerprint above time; 0: empty
	added uint64
	unit  uint64 // additions in a unit of time
}

const (
	ghostWays  = 4
	ghostUnits = 1024 // for which a hash is remembered
)

// size makes the table one for about n hashes. It forgets what it knew.
func (g *ghost) size(n int) {
	n = max(n, 64)
	words := 1 << bits.Len(uint(n+n/4))
	*g = ghost{words: make([]uint32, words), unit: uint64(n+ghostUnits-1) / ghostUnits}
}

// fits reports whether the table suits n hashes.
func (g *ghost) fits(n int) bool { return n+n/4 <= len(g.words) && n >= len(g.words)/8-64 }

func (g *ghost) held() int { return len(g.words) * 4 }

func (g *ghost) time() uint16 { return uint16(g.added / g.unit) }

// find returns the bucket and the fingerprint of a hash. The shard's number is in the hash's high bits, the segment's
// in its low ones; the product depends on all of them.
func (g *ghost) find(hash uint64) (bucket []uint32, print uint32) {
	h := hash * 0x9e3779b97f4a7c15
	at := h >> 32 % (uint64(len(g.words)) / ghostWays) * ghostWays
	return g.words[at : at+ghostWays], uint32(h>>8)&0xffff<<16 | 1<<16
}

func (g *ghost) add(hash uint64) {
	bucket, print := g.find(hash)
	now := g.time()
	oldest := 0
	for i, w := range bucket {
		if w == 0 {
			oldest = i
			break
		}
		if now-uint16(w) > now-uint16(bucket[oldest]) {
			oldest = i
		}
	}
	bucket[oldest] = print | uint32(now)
	g.added++
}

// take reports whether a hash is remembered, and forgets it.
func (g *ghost) take(hash uint64) bool {
	if len(g.words) == 0 {
		return false
	}
	bucket, print := g.find(hash)
	for i, w := range bucket {
		if w>>16 == print>>16 && g.time()-uint16(w) <= ghostUnits {
			bucket[i] = 0
			return true
		}
	}
	return false
}
