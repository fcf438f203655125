package store

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// XXH3 without a seed is invertible for keys of eight bytes, and for longer ones easily made to lose input. These two
// make the keys that an adversary would: real ones, whose Hash is what the test wants.

// The first 24 bytes of XXH3's secret, as little-endian words.
const (
	secret0 = 0xbe4ba423396cfeb8
	secret1 = 0x1cad21f72c81017c
	secret2 = 0xdb979083e96dd4de
)

// keyOf returns the key of eight bytes that has this hash: XXH3_len_4to8_64b run backwards.
func keyOf(hash uint64) []byte {
	const prime = 0x9FB21C651E98DF25
	inverse := uint64(1)
	for range 6 { // Newton's iteration modulo 2^64
		inverse *= 2 - prime*inverse
	}
	h := hash ^ hash>>28 ^ hash>>56
	h *= inverse
	h ^= h>>35 + 8
	h *= inverse
	// x ^ rotl(x, 49) ^ rotl(x, 24) multiplies by a polynomial p modulo x^64+1, and p^64 = 1.
	for range 63 {
		h ^= bits.RotateLeft64(h, 49) ^ bits.RotateLeft64(h, 24)
	}
	h ^= secret1 ^ secret2
	key := binary.LittleEndian.AppendUint32(nil, uint32(h>>32))
	return binary.LittleEndian.AppendUint32(key, uint32(h))
}

// twinKey returns the n-th of 2^64 keys of 32 bytes that all have the same hash: its first word cancels the secret, and
// the second is then multiplied by zero.
func twinKey(n uint64) []byte {
	key := binary.LittleEndian.AppendUint64(nil, secret0)
	key = binary.LittleEndian.AppendUint64(key, n)
	return append(key, "0123456789abcdef"...)
}

func TestMadeKeys(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 1000 {
		if h := rng.Uint64(); Hash(keyOf(h)) != h {
			t.Fatalf("Hash(keyOf(%#x)) = %#x", h, Hash(keyOf(h)))
		}
		if n := rng.Uint64(); Hash(twinKey(n)) != Hash(twinKey(0)) {
			t.Fatalf("twinKey(%d) has another hash than twinKey(0)", n)
		}
	}
}
