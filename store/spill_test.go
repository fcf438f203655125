package store

import (
	"math/rand/v2"
	"testing"
)

// TestEqualHashes works with more keys of one hash than a segment has slots, beside ordinary keys.
func TestEqualHashes(t *testing.T) {
	m := newModel(t)
	const twins = maxSlots + 1000
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
	if x := &m.shard.index; len(x.dir)*segmentSize > x.slots*wordSize/8 {
		t.Errorf("directory of %d entries for %d slots", len(x.dir), x.slots)
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
		if i%512 == 0 {
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
	colliding := func() []byte { return keyOf(rng.Uint64()<<tagBits | 0x5a0000 | rng.Uint64N(1<<16)) }
	for range 3000 {
		m.set(colliding(), []byte("v"), 0)
	}
	spilled := len(m.shard.index.spill)
	if spilled == 0 {
		t.Fatal("nothing spilled: the test does not reach what it is for")
	}
	for i := range 60_000 {
		m.set(numbered(i), nil, 0)
	}
	for range 10 { // the next insert into the full segment finds the directory granted
		m.set(colliding(), []byte("v"), 0)
	}
	m.check()
	if left := len(m.shard.index.spill); left > 0 {
		t.Errorf("%d entries spilled, %d still are after the shard grew", spilled, left)
	}
}
