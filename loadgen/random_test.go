package loadgen

import "testing"

// TestMix64 holds the published outputs of splitmix64 (Vigna's splitmix64.c) for the state 0.
func TestMix64(t *testing.T) {
	for i, want := range []uint64{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f} {
		if got := words(0).at(0, uint64(i+1)); got != want {
			t.Errorf("word %d is %#x, want %#x", i+1, got, want)
		}
	}
}

func TestStreamsShareNoWord(t *testing.T) {
	w := newWords(42)
	seen := map[uint64]bool{}
	n := 0
	for _, block := range []uint32{0, 1, 2, 1000, MaxConnections - 1, arrivalBlock, paddingBlock} {
		for i := range uint64(5000) {
			seen[w.at(block, i)] = true
			seen[w.at(block, 1<<blockBits-1-i)] = true
			n += 2
		}
	}
	if len(seen) != n {
		t.Errorf("%d words of %d differ", len(seen), n)
	}
}
