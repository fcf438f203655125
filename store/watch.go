package store

import "sync/atomic"

// Watch tells its owner whether a key it was set on has changed since. The zero Watch is ready. One may be set on many
// keys, of many shards whatever goroutines hold them; it must not be set again after Release.
type Watch struct{ state atomic.Uint32 }

const (
	watchDirty    = 1 << iota // a key changed
	watchReleased             // nobody asks any more
)

// Dirty reports whether a watched key was changed, deleted, evicted, cleared, or removed because it expired. It may be
// called from any goroutine.
func (w *Watch) Dirty() bool { return w.state.Load()&watchDirty != 0 }

// Release says that the watch is not asked any more. It may be called from any goroutine, and more than once. Shards
// forget the watch as they go on.
func (w *Watch) Release() { w.state.Or(watchReleased) }

// Watch marks w dirty at the next change of a key, be the key there now or not. An entry that has expired counts as
// changed when it is removed: a caller to whom it is absent removes it first.
func (s *Shard) Watch(hash uint64, key []byte, w *Watch) {
	if s.watches == nil {
		s.watches = &watchTable{byHash: map[uint64][]watched{}}
	}
	s.watches.add(hash, key, w)
}

// watchTable is the watches of a shard. It is there only while some are, so that a write without any pays for one
// comparison with nil. Watches are forgotten when they are marked or found released; every so often all are looked at.
type watchTable struct {
	byHash map[uint64][]watched
	count  int
	calls  int // since all were looked at
	kept   int // count after that
}

type watched struct {
	key   string
	watch *Watch
}

func (t *watchTable) add(hash uint64, key []byte, w *Watch) {
	t.tick()
	list := t.byHash[hash]
	for i := range list {
		if list[i].watch == w && list[i].key == string(key) {
			return
		}
	}
	t.byHash[hash] = append(list, watched{string(key), w})
	t.count++
}

// tick counts a call, and looks for released watches after as many as were kept: constant work each on average.
func (t *watchTable) tick() {
	if t.calls++; t.calls <= t.kept {
		return
	}
	for hash := range t.byHash {
		t.filter(hash, func(watched) bool { return true })
	}
	t.calls, t.kept = 0, t.count
}

// filter forgets the watches of a hash that are released, and those that keep does not want.
func (t *watchTable) filter(hash uint64, keep func(watched) bool) {
	list := t.byHash[hash]
	kept := list[:0]
	for _, w := range list {
		if w.watch.state.Load() == 0 && keep(w) {
			kept = append(kept, w)
		}
	}
	t.count -= len(list) - len(kept)
	clear(list[len(kept):])
	if len(kept) > 0 {
		t.byHash[hash] = kept
	} else if list != nil {
		delete(t.byHash, hash)
	}
}

// changed marks the watches of a key dirty. key may alias the shard's memory.
func (s *Shard) changed(hash uint64, key []byte) {
	if s.watches != nil {
		s.markWatches(hash, key)
	}
}

func (s *Shard) markWatches(hash uint64, key []byte) {
	t := s.watches
	t.filter(hash, func(w watched) bool {
		if w.key != string(key) {
			return true
		}
		w.watch.state.Or(watchDirty)
		return false
	})
	if t.tick(); t.count == 0 {
		s.watches = nil
	}
}

// clearing marks the watches of all keys that are there.
func (s *Shard) clearing() {
	if s.watches == nil {
		return
	}
	for hash, list := range s.watches.byHash {
		for _, w := range list {
			if r, _ := s.find(hash, []byte(w.key), noUse); r.exists() {
				w.watch.state.Or(watchDirty)
			}
		}
		s.watches.filter(hash, func(watched) bool { return true })
	}
	if s.watches.count == 0 {
		s.watches = nil
	}
}
