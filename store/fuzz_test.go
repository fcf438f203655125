package store

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// sizes are value lengths on both sides of every boundary a record can cross: of cell classes fine and coarse, of the
// largest cell, and of what a large page is kept for.
var sizes = [...]int{
	0, 1, 7, 8, 9, 48, 64, 100, 231, 232, 233, 240, 241, 256, 300, 1000, 4000, 4096, 5000, 16_000,
	32_700, 32_736, 32_744, 32_752, 32_760, 32_768, 33_000, 40_000, 65_536, 70_000, 150_000,
}

// commands runs a shard and its model through the commands that bytes decode to, three bytes each: what, which key, and
// how large or how long.
func commands(t testing.TB, data []byte) {
	m := newModel(t)
	m.now = deadlineEpoch - 300 // both forms of deadlines
	for step := 0; len(data) >= 3; step++ {
		what, which, how := data[0], data[1], data[2]
		data = data[3:]
		key := fuzzKey(which)
		value := bytes.Repeat([]byte{which ^ how}, sizes[int(how)%len(sizes)])
		expireAt := int64(0)
		if how >= 128 {
			expireAt = m.now + int64(how-128) // at once, to 127 ms from now
			if which%5 == 0 {
				expireAt += deadlineEnd - deadlineEpoch // or 34 years later
			}
		}
		switch what % 26 {
		case 0, 1, 2, 3:
			m.set(key, value, expireAt)
		case 4:
			m.setKeepTTL(key, value)
		case 5:
			m.setToPart(key, expireAt)
		case 6:
			m.setDeadline(key, expireAt)
		case 7, 8, 9:
			m.delete(key)
		case 10:
			m.deleteExpired(key)
		case 11:
			m.now += int64(how)
		case 12:
			for i := range int(how) * 8 {
				m.set(numbered(int(which&7)<<11+i), key, expireAt)
			}
		case 13:
			for i := range int(how) * 8 {
				m.delete(numbered(int(which&7)<<11 + i))
			}
		case 14:
			m.check()
		case 15:
			if how == 0 {
				m.clear()
			}
		case 16, 17:
			m.mark(key, how%2 == 0)
		case 18, 19, 20:
			m.watch(key)
		case 21:
			m.scan(1 + int(how))
		case 24, 25:
			m.shard.compact(1 + int(how))
		case 22, 23:
			m.random(uint64(which)<<8 | uint64(how))
		}
		m.get(key)
		if step%64 == 0 {
			m.check()
		}
	}
	m.check()
}

// fuzzKey returns one of 256 keys: empty, of many lengths, of equal hash, of equal home, one larger than any cell.
func fuzzKey(which byte) []byte {
	switch {
	case which == 0:
		return nil
	case which == 1:
		return bytes.Repeat([]byte("long"), 10_000)
	case which < 64:
		return bytes.Repeat([]byte{which}, int(which)*5)
	case which < 128:
		return twinKey(uint64(which))
	case which < 192:
		return keyOf(uint64(which) << tagBits)
	}
	return numbered(int(which&7)<<11 + int(which>>3))
}

func FuzzShardAgainstMap(f *testing.F) { fuzzCommands(f, 5, commands) }

// fuzzCommands fuzzes a sequence of commands, beginning with random ones of several lengths.
func fuzzCommands(f *testing.F, seed uint64, run func(testing.TB, []byte)) {
	f.Add([]byte{})
	rng := rand.New(rand.NewPCG(seed, seed))
	for _, n := range []int{30, 300, 1500} {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 3000 {
			t.Skip("no more to learn from a longer one")
		}
		run(t, data)
	})
}

// TestShardAgainstMap runs many random command sequences, some that mostly grow and some that mostly shrink.
func TestShardAgainstMap(t *testing.T) {
	rounds := uint64(4)
	if testing.Short() {
		rounds = 2
	}
	for seed := range rounds {
		rng := rand.New(rand.NewPCG(6, seed))
		data := make([]byte, 0, 3000)
		for len(data) < cap(data) {
			r := rng.Uint32()
			data = append(data, byte(r), byte(r>>8), byte(r>>16))
			if seed%4 == 0 { // few keys: much overwriting
				data[len(data)-2] &= 0x47
			}
		}
		commands(t, data)
	}
}
