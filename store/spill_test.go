package store

import (
	"math/rand/v2"
	"testing"
)

// TestEqualHashes works with more keys of one hash than a segment has slots, beside ordinary keys.
func TestEqualHashes(t *testing.T) {
	m := newModel(t)
	const twins = 3 * segmentSlots
	for i := range 2000 {
		m.set(numbered(i), []byte("ordinary"), 0)
	}
	for i := range uint64(twins) {
		m.set(twinKey(i), numbered(int(i)), 0)
	}
	if len(m.shard.index.spill) == 0 {
		t.Fatal("nothing spilled: the test does not reach what it is for")
	}
	m.check()
	if dir, segments := len(m.shard.index.dir)*wordSize, m.shard.index.segments*segmentSize; dir > segments {
		t.Errorf("directory of %d bytes for segments of %d", dir, segments)
	}
	for i := range uint64(twins) {
		m.get(twinKey(i))
		m.get(twinKey(i + twins))
		if i%3 == 0 {
			m.set(twinKey(i), make([]byte, 100), 1000) // to another cell, in a slot or spilled
		}
		if i%5 == 0 {
			m.setDeadline(twinKey(i), 2000)
		}
	}
	m.check()
	rng := rand.New(rand.NewPCG(2, 2))
	for _, i := range rng.Perm(twins) {
		m.delete(twinKey(uint64(i)))
		if i%256 == 0 {
			m.check()
		}
	}
	m.check()
	if n := cap(m.shard.index.spill); n != 0 {
		t.Errorf("spill list of %d slots left without twins", n)
	}
}

// TestSpillReturns makes keys spill because the shard is too small for the directory they ask for, and then grows it:
// the split they were refused must come, and bring them back into slots.
func TestSpillReturns(t *testing.T) {
	m := newModel(t)
	rng := rand.New(rand.NewPCG(4, 4))
	for range 3000 {
		// Equal in the home and 14 directory bits; told apart by the bits above.
		m.set(keyOf(rng.Uint64()<<(homeBits+14)), []byte("v"), 0)
	}
	spilled := len(m.shard.index.spill)
	if spilled == 0 {
		t.Fatal("nothing spilled: the test does not reach what it is for")
	}
	for i := range 60_000 {
		m.set(numbered(i), nil, 0)
	}
	for range 10 { // the next insert into the full segment finds the directory granted
		m.set(keyOf(rng.Uint64()<<(homeBits+14)), []byte("v"), 0)
	}
	m.check()
	if left := len(m.shard.index.spill); left >= spilled {
		t.Errorf("%d entries spilled, %d still are after the shard grew", spilled, left)
	}
}
