package store

import (
	"bytes"
	"fmt"
	"testing"
)

func TestZeroShard(t *testing.T) {
	var s Shard
	key := []byte("k")
	if _, ok := s.Get(Hash(key), key, 0); ok {
		t.Error("Get finds something")
	}
	if _, ok := s.Deadline(Hash(key), key, 0); ok {
		t.Error("Deadline finds something")
	}
	if s.Delete(Hash(key), key, 0) || s.DeleteExpired(Hash(key), key, 0) || s.SetDeadline(Hash(key), key, 1, 0) {
		t.Error("Delete, DeleteExpired or SetDeadline finds something")
	}
	s.Range(func(_, _ []byte, _ int64) bool { t.Error("Range finds something"); return true })
	if m := s.Memory(); m != (Memory{}) {
		t.Errorf("Memory %+v", m)
	}
	s.Set(Hash(key), key, []byte("v"), 0)
	if v, ok := s.Get(Hash(key), key, 0); !ok || string(v) != "v" {
		t.Errorf("Get = %q, %v", v, ok)
	}
}

func TestEmptyKeyAndValue(t *testing.T) {
	s := New()
	s.Set(Hash(nil), nil, nil, 0)
	if v, ok := s.Get(Hash(nil), []byte{}, 0); !ok || v == nil || len(v) != 0 {
		t.Errorf("Get = %#v, %v; want an empty value that is not nil", v, ok)
	}
	if m := s.Memory(); m.Entries != 1 || m.Stored != 0 {
		t.Errorf("Memory %+v", m)
	}
}

func TestExpiry(t *testing.T) {
	s := New()
	key := []byte("k")
	hash := Hash(key)
	s.Set(hash, key, []byte("v"), 100)
	get := func(now int64, want bool) {
		t.Helper()
		if _, ok := s.Get(hash, key, now); ok != want {
			t.Errorf("Get at %d = %v", now, ok)
		}
	}
	get(99, true)
	get(100, false) // a deadline is reached when now is at it
	get(101, false)
	get(99, true) // and a read removes nothing
	if s.DeleteExpired(hash, key, 99) || !s.DeleteExpired(hash, key, 100) || s.DeleteExpired(hash, key, 100) {
		t.Error("DeleteExpired is not true once, from the deadline on")
	}
	if s.Len() != 0 || s.TTLs() != 0 {
		t.Errorf("Len %d, TTLs %d", s.Len(), s.TTLs())
	}

	s.Set(hash, key, []byte("v"), 100)
	if s.Delete(hash, key, 100) || s.Len() != 0 {
		t.Error("Delete of an expired entry is true or leaves it")
	}
	s.Set(hash, key, []byte("v"), 100)
	s.Set(hash, key, []byte("v"), 0)
	get(1<<62, true)
	s.Set(hash, key, []byte("v"), 100)
	s.SetKeepTTL(hash, key, []byte("w"), 99)
	get(100, false)
	s.SetKeepTTL(hash, key, []byte("x"), 100) // the old deadline went with the old entry
	get(1<<62, true)
	s.Set(hash, key, []byte("v"), -5)
	get(0, false)
	get(-6, true)
}

func TestRangeStops(t *testing.T) {
	s := New()
	for i := range 2000 {
		s.Set(Hash(numbered(i)), numbered(i), nil, 0)
	}
	for range 2500 {
		s.Set(Hash(twinKey(0)), twinKey(uint64(s.Len())), nil, 0)
	}
	if len(s.index.spill) == 0 {
		t.Fatal("nothing spilled: the test does not reach what it is for")
	}
	for _, stop := range []int{1, 1000, s.Len() - 1} {
		calls := 0
		s.Range(func(_, _ []byte, _ int64) bool { calls++; return calls < stop })
		if calls != stop {
			t.Errorf("Range went on to %d after false at %d", calls, stop)
		}
	}
}

// TestValueIsCapped holds that an append to a value cannot reach the entry behind it.
func TestValueIsCapped(t *testing.T) {
	s := New()
	for i := range 10 {
		s.Set(Hash(numbered(i)), numbered(i), []byte("12345678"), 0)
	}
	for i := range 10 {
		v, _ := s.Get(Hash(numbered(i)), numbered(i), 0)
		_ = append(v, "overrun overrun overrun"...)
	}
	for i := range 10 {
		if v, ok := s.Get(Hash(numbered(i)), numbered(i), 0); !ok || string(v) != "12345678" {
			t.Errorf("entry %d is %q, %v", i, v, ok)
		}
	}
}

func TestLimits(t *testing.T) {
	if l := layoutOf(MaxKeyLen, MaxValueLen, 1); l.size != 1<<30+18 {
		t.Errorf("the longest entry takes %d bytes", l.size)
	}
	key, value := bytes.Repeat([]byte("k"), 1<<20), bytes.Repeat([]byte("v"), 20<<20)
	s := New()
	s.Set(Hash(key), key, value, 7)
	if v, ok := s.Get(Hash(key), key, 0); !ok || !bytes.Equal(v, value) {
		t.Errorf("Get of a long entry = %d bytes, %v", len(v), ok)
	}
	long := make([]byte, MaxValueLen+1)
	for name, set := range map[string]func(){
		"Set, long value":        func() { s.Set(0, nil, long, 0) },
		"Set, long key":          func() { s.Set(0, long, nil, 0) },
		"SetKeepTTL, long value": func() { s.SetKeepTTL(0, nil, long, 0) },
	} {
		if !panics(set) {
			t.Errorf("%s: no panic", name)
		}
	}
	if s.Len() != 1 {
		t.Errorf("%d entries after refusals", s.Len())
	}
}

func panics(fn func()) (did bool) {
	defer func() { did = recover() != nil }()
	fn()
	return false
}

// TestDoNotAllocate covers what a server does to a shard for every request once the keys are there.
func TestDoNotAllocate(t *testing.T) {
	s := New()
	for i := range 10_000 {
		s.Set(Hash(numbered(i)), numbered(i), make([]byte, 64), int64(i%2))
	}
	key, absent := numbered(77), []byte("nowhere")
	hash, no := Hash(key), Hash(absent)
	short, long := make([]byte, 60), make([]byte, 500)
	seen := 0
	for name, fn := range map[string]func(){
		"Get":                        func() { s.Get(hash, key, 0) },
		"Get, absent":                func() { s.Get(no, absent, 0) },
		"Deadline":                   func() { s.Deadline(hash, key, 0) },
		"Set, same size":             func() { s.Set(hash, key, short, 0) },
		"Set, other size":            func() { s.Set(hash, key, short, 0); s.Set(hash, key, long, 5) },
		"SetKeepTTL":                 func() { s.SetKeepTTL(hash, key, short, 0) },
		"SetDeadline":                func() { s.SetDeadline(hash, key, 9, 0); s.SetDeadline(hash, key, 0, 0) },
		"Delete, absent":             func() { s.Delete(no, absent, 0) },
		"DeleteExpired, not expired": func() { s.DeleteExpired(hash, key, 0) },
		"Delete and Set":             func() { s.Delete(hash, key, 0); s.Set(hash, key, short, 0) },
		"Range":                      func() { s.Range(func(_, _ []byte, _ int64) bool { seen++; return true }) },
		"Memory":                     func() { s.Memory() },
		"Hint and Touch":             func() { s.Touch(s.Hint(hash)) },
		"Scan":                       func() { s.Scan(0, 10, func(_, _ []byte, _ int64) { seen++ }) },
		"Random":                     func() { s.Random(77) },
		"Marked and SetMark":         func() { s.SetMark(hash, key, !s.Marked(hash, key, 0)) },
		"SizeOf":                     func() { s.SizeOf(hash, key, 0) },
		"Hashes":                     func() { SessionPrefix.Hashes(key) },
	} {
		if n := testing.AllocsPerRun(50, fn); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// TestReadsOnly lets readers share a shard, as under a read lock: the race detector sees any write.
func TestReadsOnly(t *testing.T) {
	s := New()
	for i := range 5000 {
		s.Set(Hash(numbered(i)), numbered(i), numbered(i), int64(i%3))
	}
	done := make(chan error)
	for range 4 {
		go func() {
			for i := range 5000 {
				key := numbered(i)
				s.Touch(s.Hint(Hash(key)))
				v, ok := s.Get(Hash(key), key, 1)
				s.Marked(Hash(key), key, 1)
				s.SizeOf(Hash(key), key, 1)
				if at, live := s.Deadline(Hash(key), key, 1); ok != (i%3 != 1) || live != ok || ok && at != int64(i%3) {
					done <- fmt.Errorf("entry %d: Get %q, %v; Deadline %d, %v", i, v, ok, at, live)
					return
				}
			}
			s.Range(func(_, _ []byte, _ int64) bool { return true })
			s.Scan(0, 5000, func(_, _ []byte, _ int64) {})
			s.Random(1)
			s.Memory()
			done <- nil
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
