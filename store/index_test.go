package store

import (
	"math/rand/v2"
	"testing"
)

// TestDeepDirectory takes a segment past the 14 directory bits that slots know, so that splits hash the keys again.
func TestDeepDirectory(t *testing.T) {
	m := newModel(t)
	// A directory that deep needs some 512 segments to be granted.
	for i := range 240_000 {
		m.set(numbered(i), nil, 0)
	}
	rng := rand.New(rand.NewPCG(3, 3))
	low := func() []byte { return keyOf(rng.Uint64()<<tagBits | 0x5a5a5a) }
	var keys [][]byte
	for m.shard.index.depth <= tagDirBits || len(keys) < 2000 {
		if len(keys) > 20_000 {
			t.Fatalf("directory still %d bits deep after %d colliding keys", m.shard.index.depth, len(keys))
		}
		keys = append(keys, low())
		m.set(keys[len(keys)-1], []byte("deep"), 0)
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
