package topologies

import (
	"math/bits"
	"sync"

	"golang.org/x/sys/cpu"

	"github.com/shardlab/shardlab/server/command"
	"github.com/shardlab/shardlab/store"
)

// cell is a shard with its lock, on cache lines of its own: neighbours' locks would otherwise bounce together.
type cell struct {
	mu    sync.RWMutex
	shard store.Shard
	_     cpu.CacheLinePad
}

// sharedStore is the shared boundary: one object, one handle, a lock for each shard inside.
type sharedStore struct{ cells []cell }

func newSharedStore(shards int) *sharedStore {
	return &sharedStore{make([]cell, shards)}
}

func (s *sharedStore) cell(i int) *cell { return &s.cells[i] }
func (s *sharedStore) len() int         { return len(s.cells) }

// handles is the per-shard boundary: the shards are separate objects, and whoever uses them holds a handle to each. It
// costs a pointer more on the way, and a single shard can be handed out.
type handles []*cell

func newHandles(shards int) handles {
	h := make(handles, shards)
	for i := range h {
		h[i] = new(cell)
	}
	return h
}

func (h handles) cell(i int) *cell { return h[i] }
func (h handles) len() int         { return len(h) }

// clone copies the handles, not the shards.
func (h handles) clone() handles { return append(handles(nil), h...) }

// cells is what the two boundaries have in common.
type cells interface {
	cell(i int) *cell
	len() int
}

// locked is one session's way to shards that are shared under locks.
type locked struct {
	cells
	route  routing
	hashes []uint64 // of the keys of the command in hand
	set    shardSet // the shards that it holds
}

func newLocked(c cells, route routing) *locked {
	return &locked{cells: c, route: route, set: newShardSet(c.len())}
}

// Shard implements command.Held, for shards that many holds.
func (k *locked) Shard(key []byte) (*store.Shard, uint64) {
	hash, shard := k.route.find(key)
	return &k.cell(shard).shard, hash
}

// Shards implements command.Held.
func (k *locked) Shards() []*store.Shard {
	all := make([]*store.Shard, k.len())
	for i := range all {
		all[i] = &k.cell(i).shard
	}
	return all
}

func (k *locked) one(x *command.Exec, st *step, args [][]byte) {
	c, cmd := k.cell(st.shard), st.cmd
	if cmd.Write {
		c.mu.Lock()
		command.RunOne(x, cmd, &c.shard, st.hash, args)
		c.mu.Unlock()
		return
	}
	c.mu.RLock()
	command.RunOne(x, cmd, &c.shard, st.hash, args)
	c.mu.RUnlock()
	if x.Stale {
		k.reap(x, args[cmd.First])
	}
}

// reap deletes a key that a reader found expired. The reader's lock is gone: Reap looks again.
func (k *locked) reap(x *command.Exec, key []byte) {
	hash, shard := k.route.find(key)
	c := k.cell(shard)
	c.mu.Lock()
	x.Reap(&c.shard, hash, key)
	c.mu.Unlock()
}

// parts holds every shard that the command touches from before its first part to after its last, so that a command of
// many keys is atomic.
func (k *locked) parts(x *command.Exec, cmd *command.Spec, args [][]byte) {
	k.mark(x, cmd, args)
	k.lock(cmd.Write)
	k.run(x, cmd, args)
	k.unlock(cmd.Write)
	if x.Stale {
		cmd.EachKey(x, args, func(key []byte) { k.reap(x, key) })
	}
	if cmd.End != nil {
		cmd.End(x, args)
	}
	if len(k.hashes) > maxKept {
		k.hashes = nil
	}
}

func (k *locked) run(x *command.Exec, cmd *command.Spec, args [][]byte) {
	x.Acc = command.Acc{}
	if cmd.AllShards {
		cmd.Start(x, k.len())
		k.set.each(func(i int) { command.RunPart(x, cmd, &k.cell(i).shard, 0, args) })
		return
	}
	cmd.Start(x, len(k.hashes))
	for i, hash := range k.hashes {
		part := cmd.PartArgs(args, i)
		_, shard := k.route.find(part[0])
		command.RunPart(x, cmd, &k.cell(shard).shard, hash, part)
	}
}

func (k *locked) many(x *command.Exec, cmd *command.Spec, args [][]byte) {
	k.mark(x, cmd, args)
	k.lock(true)
	cmd.Many(x, k, args)
	k.unlock(true)
}

// mark notes the shards that the command needs and the hashes of its keys.
func (k *locked) mark(x *command.Exec, cmd *command.Spec, args [][]byte) {
	k.set.clear()
	k.hashes = k.hashes[:0]
	all := cmd.EachKey(x, args, func(key []byte) {
		hash, shard := k.route.find(key)
		k.hashes = append(k.hashes, hash)
		k.set.add(shard)
	})
	if all {
		k.set.fill(k.len())
	}
}

// lock takes the marked shards in ascending order, so that two commands cannot wait for each other.
func (k *locked) lock(write bool) {
	k.set.each(func(i int) {
		if write {
			k.cell(i).mu.Lock()
		} else {
			k.cell(i).mu.RLock()
		}
	})
}

func (k *locked) unlock(write bool) {
	k.set.each(func(i int) {
		if write {
			k.cell(i).mu.Unlock()
		} else {
			k.cell(i).mu.RUnlock()
		}
	})
}

// shardSet is a set of shard numbers.
type shardSet []uint64

func newShardSet(shards int) shardSet { return make(shardSet, (shards+63)/64) }

func (s shardSet) clear()    { clear(s) }
func (s shardSet) add(i int) { s[i/64] |= 1 << (i % 64) }
func (s shardSet) fill(n int) {
	for i := range n {
		s.add(i)
	}
}

// each visits the members in ascending order.
func (s shardSet) each(f func(i int)) {
	for w, word := range s {
		for ; word != 0; word &= word - 1 {
			f(w*64 + bits.TrailingZeros64(word))
		}
	}
}
