package store

import (
	"math/rand/v2"
	"testing"
)

func TestReclaim(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 10))
	s := New()
	const n = 200_000
	size := func(i int) int { return i * 7 % 300 }
	for i := range n {
		key := numbered(i)
		s.Set(Hash(key), key, make([]byte, size(i)), 0)
	}
	full := s.Memory().Reserved
	for _, i := range rng.Perm(n) {
		key := numbered(i)
		if !s.Delete(Hash(key), key, 0) {
			t.Fatalf("no %s", key)
		}
	}
	if err := checkInvariants(s); err != nil {
		t.Fatal(err)
	}
	if m := s.Memory(); m.Entries != 0 || m.Stored != 0 || m.Reserved > 64<<10 {
		t.Errorf("after deleting all of %d bytes: %+v", full, m)
	}
	s.Set(Hash(nil), nil, nil, 0)
	s.Clear()
	if m := s.Memory(); m != (Memory{}) {
		t.Errorf("after Clear: %+v", m)
	}
}

// TestShrink deletes all but the entries that were set first, which leaves whole pages empty: they and the segments
// must go, though the shard is not empty.
func TestShrink(t *testing.T) {
	s := New()
	value := make([]byte, 64)
	for i := range 200_000 {
		key := numbered(i)
		s.Set(Hash(key), key, value, 0)
	}
	for i := range 199_000 {
		key := numbered(i + 1000)
		s.Delete(Hash(key), key, 0)
	}
	if err := checkInvariants(s); err != nil {
		t.Fatal(err)
	}
	if m := s.Memory(); m.Reserved > 400<<10 {
		t.Errorf("%d bytes reserved for 1000 entries left of 200000", m.Reserved)
	}
}
