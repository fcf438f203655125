package store

import (
	"bytes"
	"fmt"
	"testing"
)

// model drives a Shard beside the plain map it should be like, and compares the two at every step.
type model struct {
	t       testing.TB
	shard   *Shard
	entries map[string]entry
	stored  int
	ttls    int
	now     int64
}

type entry struct {
	value    []byte
	expireAt int64
}

func newModel(t testing.TB) *model {
	return &model{t: t, shard: New(), entries: map[string]entry{}, now: 1000}
}

// numbered returns the i-th ordinary key, 16 bytes long.
func numbered(i int) []byte { return fmt.Appendf(nil, "key:%012d", i) }

func (m *model) live(key []byte) (entry, bool) {
	e, ok := m.entries[string(key)]
	return e, ok && (e.expireAt == 0 || e.expireAt > m.now)
}

func (m *model) drop(key []byte) {
	if e, ok := m.entries[string(key)]; ok {
		delete(m.entries, string(key))
		m.stored -= len(key) + len(e.value)
		if e.expireAt != 0 {
			m.ttls--
		}
	}
}

func (m *model) keep(key, value []byte, expireAt int64) {
	m.drop(key)
	m.entries[string(key)] = entry{bytes.Clone(value), expireAt}
	m.stored += len(key) + len(value)
	if expireAt != 0 {
		m.ttls++
	}
}

func (m *model) set(key, value []byte, expireAt int64) {
	m.keep(key, value, expireAt)
	m.shard.Set(Hash(key), key, value, expireAt)
	m.counters()
}

func (m *model) setKeepTTL(key, value []byte) {
	e, ok := m.live(key)
	if !ok {
		e.expireAt = 0
	}
	m.keep(key, value, e.expireAt)
	m.shard.SetKeepTTL(Hash(key), key, value, m.now)
	m.counters()
}

// setToPart sets a key to a part of its own value, as a caller does that cuts a value: the argument aliases the shard.
func (m *model) setToPart(key []byte, expireAt int64) {
	value, ok := m.shard.Get(Hash(key), key, m.now)
	if !ok {
		return
	}
	m.set(key, value[len(value)/3:], expireAt)
	m.get(key)
}

func (m *model) setDeadline(key []byte, expireAt int64) {
	e, want := m.live(key)
	if want {
		m.keep(key, e.value, expireAt)
	}
	if got := m.shard.SetDeadline(Hash(key), key, expireAt, m.now); got != want {
		m.t.Fatalf("SetDeadline(%.40q) = %v, want %v", key, got, want)
	}
	m.counters()
}

func (m *model) delete(key []byte) {
	_, want := m.live(key)
	m.drop(key)
	if got := m.shard.Delete(Hash(key), key, m.now); got != want {
		m.t.Fatalf("Delete(%.40q) = %v, want %v", key, got, want)
	}
	m.counters()
}

func (m *model) deleteExpired(key []byte) {
	_, live := m.live(key)
	_, there := m.entries[string(key)]
	want := there && !live
	if want {
		m.drop(key)
	}
	if got := m.shard.DeleteExpired(Hash(key), key, m.now); got != want {
		m.t.Fatalf("DeleteExpired(%.40q) = %v, want %v", key, got, want)
	}
	m.counters()
}

func (m *model) get(key []byte) {
	e, want := m.live(key)
	value, ok := m.shard.Get(Hash(key), key, m.now)
	if ok != want || ok && !bytes.Equal(value, e.value) {
		m.t.Fatalf("Get(%.40q) = %.40q (%d bytes), %v; want %.40q (%d bytes), %v",
			key, value, len(value), ok, e.value, len(e.value), want)
	}
	if !want {
		e.expireAt = 0
	}
	at, ok := m.shard.Deadline(Hash(key), key, m.now)
	if ok != want || at != e.expireAt {
		m.t.Fatalf("Deadline(%.40q) = %d, %v; want %d, %v", key, at, ok, e.expireAt, want)
	}
}

func (m *model) clear() {
	m.shard.Clear()
	*m = model{t: m.t, shard: m.shard, entries: map[string]entry{}, now: m.now}
	m.counters()
}

// counters compares what is kept by counting.
func (m *model) counters() {
	mem := m.shard.Memory()
	if m.shard.Len() != len(m.entries) || mem.Entries != len(m.entries) || mem.Stored != m.stored ||
		m.shard.TTLs() != m.ttls {
		m.t.Fatalf("Len %d, TTLs %d, Memory %+v; want %d entries, %d with deadlines, %d bytes stored",
			m.shard.Len(), m.shard.TTLs(), mem, len(m.entries), m.ttls, m.stored)
	}
}

// check compares everything: each entry by Range, and the shard's own structure.
func (m *model) check() {
	m.t.Helper()
	seen := 0
	m.shard.Range(func(key, value []byte, expireAt int64) bool {
		seen++
		e, ok := m.entries[string(key)]
		if !ok || !bytes.Equal(value, e.value) || expireAt != e.expireAt {
			m.t.Fatalf("Range shows %.40q: %.40q until %d; want %.40q until %d, there %v",
				key, value, expireAt, e.value, e.expireAt, ok)
		}
		return true
	})
	if seen != len(m.entries) {
		m.t.Fatalf("Range shows %d entries of %d", seen, len(m.entries))
	}
	if err := checkInvariants(m.shard); err != nil {
		m.t.Fatal(err)
	}
}
