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
	watched map[string]*Watch // those that should be clean
	dirty   []*Watch          // those that should not
}

type entry struct {
	value    []byte
	expireAt int64
	marked   bool
}

func newModel(t testing.TB) *model {
	return &model{t: t, shard: New(), entries: map[string]entry{}, now: deadlineEpoch - 1000, watched: map[string]*Watch{}}
}

// numbered returns the i-th ordinary key, 16 bytes long.
func numbered(i int) []byte { return fmt.Appendf(nil, "key:%012d", i) }

func (m *model) live(key []byte) (entry, bool) {
	e, ok := m.entries[string(key)]
	return e, ok && (e.expireAt == 0 || e.expireAt > m.now)
}

func (m *model) drop(key []byte) {
	if e, ok := m.entries[string(key)]; ok {
		m.changed(key)
		delete(m.entries, string(key))
		m.stored -= len(key) + len(e.value)
		if e.expireAt != 0 {
			m.ttls--
		}
	}
}

func (m *model) keep(key, value []byte, expireAt int64) {
	m.drop(key)
	m.changed(key)
	m.entries[string(key)] = entry{value: bytes.Clone(value), expireAt: expireAt}
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
		m.entries[string(key)] = entry{m.entries[string(key)].value, expireAt, e.marked}
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
	if got := m.shard.Marked(Hash(key), key, m.now); got != (want && e.marked) {
		m.t.Fatalf("Marked(%.40q) = %v, want %v", key, got, want && e.marked)
	}
	if size, ok := m.shard.SizeOf(Hash(key), key, m.now); ok != want || ok && size < len(key)+len(value)+wordSize {
		m.t.Fatalf("SizeOf(%.40q) = %d, %v; want %v", key, size, ok, want)
	}
	if r, _ := m.shard.find(Hash(key), key, noUse); r.exists() {
		m.touch(key)
	}
	at, ok := m.shard.Deadline(Hash(key), key, m.now)
	if ok != want || at != e.expireAt {
		m.t.Fatalf("Deadline(%.40q) = %d, %v; want %d, %v", key, at, ok, e.expireAt, want)
	}
}

// touch looks ahead at a key that is there.
func (m *model) touch(key []byte) {
	hint := m.shard.Hint(Hash(key))
	if m.shard.Touch(hint); hint == 0 {
		m.t.Fatalf("Hint(%.40q) = 0", key)
	}
}

func (m *model) mark(key []byte, on bool) {
	if e, ok := m.entries[string(key)]; ok {
		e.marked = on
		m.entries[string(key)] = e
	}
	m.shard.SetMark(Hash(key), key, on)
	m.counters()
}

// watch watches a key and checks what became of the watch before.
func (m *model) watch(key []byte) {
	if w := m.watched[string(key)]; w != nil {
		if w.Dirty() {
			m.t.Fatalf("the watch of %.40q is dirty", key)
		}
		w.Release()
	}
	w := new(Watch)
	m.watched[string(key)] = w
	m.shard.Watch(Hash(key), key, w)
	m.shard.Watch(Hash(key), key, w)
}

// changed expects the watch of a key to become dirty.
func (m *model) changed(key []byte) {
	if w := m.watched[string(key)]; w != nil {
		delete(m.watched, string(key))
		m.dirty = append(m.dirty, w)
	}
}

// watches checks all watches.
func (m *model) watches() {
	for key, w := range m.watched {
		if w.Dirty() {
			m.t.Fatalf("the watch of %.40q is dirty", key)
		}
	}
	for _, w := range m.dirty {
		if !w.Dirty() {
			m.t.Fatal("a watch is clean after a change of its key")
		}
	}
	m.dirty = m.dirty[:0]
	if t := m.shard.watches; t != nil && t.count > 2*len(m.watched)+64 {
		m.t.Fatalf("%d watches kept for %d", t.count, len(m.watched))
	}
}

// random draws an entry.
func (m *model) random(rnd uint64) {
	key, value, expireAt, ok := m.shard.Random(rnd)
	if ok != (len(m.entries) > 0) {
		m.t.Fatalf("Random = %v of %d entries", ok, len(m.entries))
	}
	if e := m.entries[string(key)]; ok && (!bytes.Equal(e.value, value) || e.expireAt != expireAt) {
		m.t.Fatalf("Random shows %.40q: %.40q until %d; want %.40q until %d", key, value, expireAt, e.value, e.expireAt)
	}
}

// scan goes through everything by steps of count.
func (m *model) scan(count int) {
	seen := map[string]bool{}
	for cursor := uint64(0); ; {
		cursor = m.shard.Scan(cursor, count, func(key, value []byte, expireAt int64) {
			if e, ok := m.entries[string(key)]; !ok || !bytes.Equal(e.value, value) || e.expireAt != expireAt {
				m.t.Fatalf("Scan shows %.40q: %.40q until %d; want %.40q until %d", key, value, expireAt, e.value, e.expireAt)
			}
			if seen[string(key)] {
				m.t.Fatalf("Scan shows %.40q twice", key)
			}
			seen[string(key)] = true
		})
		if cursor == 0 {
			break
		}
	}
	if len(seen) != len(m.entries) {
		m.t.Fatalf("Scan shows %d entries of %d", len(seen), len(m.entries))
	}
}

func (m *model) clear() {
	for key := range m.entries {
		m.changed([]byte(key))
	}
	m.shard.Clear()
	m.entries, m.stored, m.ttls = map[string]entry{}, 0, 0
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
	m.watches()
	if err := checkInvariants(m.shard); err != nil {
		m.t.Fatal(err)
	}
}
