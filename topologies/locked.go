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
	hashes []uint64 // of the keys of the command in hand
	set    []uint64 // bit i: the command in hand holds shard i
}

func newLocked(c cells) *locked { return &locked{cells: c, set: make([]uint64, (c.len()+63)/64)} }

func (k *locked) one(x *command.Exec, cmd *command.Spec, args [][]byte) {
	key := args[cmd.First]
	hash := store.Hash(key)
	c := k.cell(store.ShardOf(hash, k.len()))
	if cmd.Write {
		c.mu.Lock()
		cmd.One(x, &c.shard, hash, args)
		c.mu.Unlock()
		return
	}
	c.mu.RLock()
	cmd.One(x, &c.shard, hash, args)
	c.mu.RUnlock()
	if x.Stale {
		k.reap(x, hash, key)
	}
}

// reap deletes a key that a reader found expired. The reader's lock is gone: Reap looks again.
func (k *locked) reap(x *command.Exec, hash uint64, key []byte) {
	c := k.cell(store.ShardOf(hash, k.len()))
	c.mu.Lock()
	x.Reap(&c.shard, hash, key)
	c.mu.Unlock()
}

// parts holds every shard that the command touches from before its first part to after its last, so that a command of
// many keys is atomic. Locks are taken in ascending order: two such commands cannot wait for each other.
func (k *locked) parts(x *command.Exec, cmd *command.Spec, args [][]byte) bool {
	n := k.mark(cmd, args)
	k.each(func(c *cell) {
		if cmd.Write {
			c.mu.Lock()
		} else {
			c.mu.RLock()
		}
	})
	begin(x, cmd, n)
	if cmd.AllShards {
		k.each(func(c *cell) { cmd.Part(x, &c.shard, 0, args) })
	} else {
		for i, hash := range k.hashes {
			cmd.Part(x, &k.cell(store.ShardOf(hash, k.len())).shard, hash, cmd.PartArgs(args, i))
		}
	}
	k.each(func(c *cell) {
		if cmd.Write {
			c.mu.Unlock()
		} else {
			c.mu.RUnlock()
		}
	})
	if x.Stale {
		for i, hash := range k.hashes {
			k.reap(x, hash, cmd.PartArgs(args, i)[0])
		}
	}
	if len(k.hashes) > maxKept {
		k.hashes = nil
	}
	return true
}

// mark notes the shards that the command needs and the hashes of its keys. It returns the number of parts.
func (k *locked) mark(cmd *command.Spec, args [][]byte) int {
	clear(k.set)
	if cmd.AllShards {
		for i := range k.len() {
			k.set[i/64] |= 1 << (i % 64)
		}
		return k.len()
	}
	k.hashes = k.hashes[:0]
	for i := range cmd.Parts(args) {
		hash := store.Hash(cmd.PartArgs(args, i)[0])
		shard := store.ShardOf(hash, k.len())
		k.hashes = append(k.hashes, hash)
		k.set[shard/64] |= 1 << (shard % 64)
	}
	return len(k.hashes)
}

// each visits the marked shards in ascending order.
func (k *locked) each(f func(*cell)) {
	for w, word := range k.set {
		for ; word != 0; word &= word - 1 {
			f(k.cell(w*64 + bits.TrailingZeros64(word)))
		}
	}
}
