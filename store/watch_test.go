package store

import "testing"

// TestWatch checks for every way to change an entry that its watch becomes dirty, and for every read that it does not.
func TestWatch(t *testing.T) {
	key, other, absent := []byte("k"), []byte("other"), []byte("absent")
	hash := Hash(key)
	const now, deadline = 1000, 2000
	check := func(name string, want bool, fn func(s *Shard)) {
		t.Helper()
		s := New()
		s.Set(hash, key, []byte("v"), deadline)
		s.Set(Hash(other), other, []byte("v"), 0)
		var w, twice, elsewhere, nowhere Watch
		s.Watch(hash, key, &w)
		s.Watch(hash, key, &twice)
		s.Watch(hash, []byte("same hash"), &elsewhere)
		s.Watch(Hash(absent), absent, &nowhere)
		s.Watch(hash, key, &twice)
		fn(s)
		if w.Dirty() != want || twice.Dirty() != want || elsewhere.Dirty() || nowhere.Dirty() {
			t.Errorf("%s: dirty %v and %v, want %v; of other keys %v, %v",
				name, w.Dirty(), twice.Dirty(), want, elsewhere.Dirty(), nowhere.Dirty())
		}
	}
	check("Set", true, func(s *Shard) { s.Set(hash, key, []byte("v"), deadline) })
	check("SetKeepTTL", true, func(s *Shard) { s.SetKeepTTL(hash, key, []byte("v"), now) })
	check("SetDeadline", true, func(s *Shard) { s.SetDeadline(hash, key, 0, now) })
	check("Delete", true, func(s *Shard) { s.Delete(hash, key, now) })
	check("Delete, expired", true, func(s *Shard) { s.Delete(hash, key, deadline) })
	check("DeleteExpired", true, func(s *Shard) { s.DeleteExpired(hash, key, deadline) })
	check("Clear", true, func(s *Shard) { s.Clear() })
	check("DeleteExpired, not expired", false, func(s *Shard) { s.DeleteExpired(hash, key, now) })
	check("SetDeadline, expired", false, func(s *Shard) { s.SetDeadline(hash, key, 0, deadline) })
	check("SetMark", false, func(s *Shard) { s.SetMark(hash, key, true) })
	check("Get", false, func(s *Shard) { s.Get(hash, key, deadline) })
	check("Set of another", false, func(s *Shard) { s.Set(Hash(other), other, nil, 0) })

	s := New()
	var w Watch
	s.Watch(hash, key, &w)
	s.Delete(hash, key, now)
	s.Clear()
	if w.Dirty() {
		t.Error("dirty after Delete and Clear of an absent key")
	}
	s.Set(hash, key, nil, 0)
	if !w.Dirty() {
		t.Error("clean after Set of an absent key")
	}
	if s.watches != nil {
		t.Error("watches are kept that are all dirty")
	}
}

// TestWatchesAreForgotten holds that released watches take no memory for long, whether new ones come or only writes.
func TestWatchesAreForgotten(t *testing.T) {
	s := New()
	const n = 1000
	for i := range 10 * n {
		w := new(Watch)
		s.Watch(Hash(numbered(i)), numbered(i), w)
		w.Release()
	}
	if c := s.watches.count; c > 2 {
		t.Errorf("%d watches kept of released ones", c)
	}
	watches := make([]Watch, n)
	for i := range watches {
		s.Watch(Hash(nil), nil, &watches[i])
	}
	for i := range watches {
		watches[i].Release()
	}
	key := numbered(1)
	for range n + 1 {
		s.Set(Hash(key), key, nil, 0)
	}
	if s.watches != nil {
		t.Errorf("%d watches kept of released ones", s.watches.count)
	}
}
