package topologies

import "math/bits"

// shardSet is a set of shard numbers.
type shardSet []uint64

func newShardSet(shards int) shardSet { return make(shardSet, (shards+63)/64) }

func (s shardSet) clear()         { clear(s) }
func (s shardSet) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s shardSet) has(i int) bool { return s[i/64]>>(i%64)&1 != 0 }
func (s shardSet) fill(n int) {
	for i := range n {
		s.add(i)
	}
}

// each visits the members in ascending order.
func (s shardSet) each(f func(i int)) {
	for w, word := range s {
		for ; word != 0; word &= word - 1 {
			f(w*64 + bits.TrailingZeros64(word))
		}
	}
}
