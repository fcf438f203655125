package store

import (
	"math/rand/v2"
	"testing"
)

// TestDeepDirectory takes a segment down to where the directory refuses to double.
func TestDeepDirectory(t *testing.T) {
	m := newModel(t)
	for i := range 240_000 {
		m.set(numbered(i), nil, 0)
	}
	rng := rand.New(rand.NewPCG(3, 3))
	var keys [][]byte
	for len(m.shard.index.spill) == 0 {
		if len(keys) > 20_000 {
			t.Fatalf("directory %d bits deep after %d colliding keys", m.shard.index.depth, len(keys))
		}
		keys = append(keys, keyOf(rng.Uint64()<<tagBits|0x5a5b00|rng.Uint64N(256)))
		m.set(keys[len(keys)-1], []byte("deep"), 0)
	}
	if d := m.shard.index.depth; d < 10 {
		t.Errorf("directory only %d bits deep", d)
	}
	m.check()
	for _, key := range keys {
		m.get(key)
		m.delete(key)
		m.get(key)
	}
	m.check()
	for i := range 240_000 {
		m.delete(numbered(i))
	}
	m.check()
	if d := m.shard.index.depth; d != 0 {
		t.Errorf("directory is %d bits deep with nothing in it", d)
	}
}

// TestPoints holds that points keep the order of tags, and that half as many tags lie at the end as at the start.
func TestPoints(t *testing.T) {
	last := uint64(0)
	for tag := uint64(1); tag <= tagMask; tag++ {
		p := pointOf(tag)
		if p <= last || p >= roots<<tagBits {
			t.Fatalf("point of tag %d is %d, after %d", tag, p, last)
		}
		last = p
	}
	start, end := pointOf(1<<12), pointOf(tagMask)-pointOf(tagMask-1<<12)
	if r := float64(end) / float64(start); r < 1.99 || r > 2.01 {
		t.Errorf("tags are %.2f times as dense at one end as at the other", r)
	}
}
