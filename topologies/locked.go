package topologies

import (
	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/server/command"
	"github.com/shardlab/shardlab/store"
)

// buildLocked builds a topology whose sessions execute where they arrive, under locks.
func buildLocked(in *Instance) (server.Backend, []server.Listen, error) {
	s := &in.Settings
	scope := lockScopes[s.LockScope]
	var all cells = in.store
	if s.Boundary == boundaryPerShard {
		all = newHandles(in.store)
	}
	keys := func(server.Place) keyspace { return newLocked(all.handle(), in.host.routing(), scope) }
	b := backend{in.host, keys}
	if s.Transport == server.Epoll && scope == scopeBatch {
		return foreseeLocked(b, all, s.Workers), in.publicOnly(), nil
	}
	return &b, in.publicOnly(), nil
}

// cells is what the two boundaries have in common.
type cells interface {
	cell(i int) *cell
	len() int
	handle() cells // what one session holds
}

// locked is one session's way to shards that are shared under locks.
type locked struct {
	cells
	route routing
	scope lockScope

	// What is held, between lock and unlock.
	set, writes shardSet    // all shards; those of them that are held for writing
	tokens      []readToken // of the others, in ascending order
	holding     bool        // one finds its shard held, by the run that it is in

	aims []aim // of the command in hand
}

func newLocked(c cells, route routing, scope lockScope) *locked {
	return &locked{cells: c, route: route, scope: scope, set: newShardSet(c.len()), writes: newShardSet(c.len())}
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
	if k.holding {
		command.RunOne(x, cmd, &c.shard, st.hash, args)
		st.stale, x.Stale = x.Stale, false
		return
	}
	if cmd.Write {
		c.lock()
		command.RunOne(x, cmd, &c.shard, st.hash, args)
		c.unlock()
		return
	}
	token := c.rlock()
	command.RunOne(x, cmd, &c.shard, st.hash, args)
	c.runlock(token)
	if x.Stale {
		k.reap(x, args[cmd.First])
	}
}

// reap deletes a key that a reader found expired. The reader's lock is gone: Reap looks again.
func (k *locked) reap(x *command.Exec, key []byte) {
	hash, shard := k.route.find(key)
	c := k.cell(shard)
	c.lock()
	x.Reap(&c.shard, hash, key)
	c.unlock()
}

// parts holds every shard that the command touches from before its first part to after its last, so that a command of
// many keys is atomic.
func (k *locked) parts(x *command.Exec, cmd *command.Spec, args [][]byte) {
	k.mark(x, cmd, args)
	k.lock(cmd.Write)
	k.runParts(x, cmd, args)
	k.unlock()
	if x.Stale {
		cmd.EachKey(x, args, func(key []byte) { k.reap(x, key) })
	}
	if cmd.End != nil {
		cmd.End(x, args)
	}
	if len(k.aims) > maxKept {
		k.aims = nil
	}
}

// part implements pieces.
func (k *locked) part(x *command.Exec, cmd *command.Spec, shard int, hash uint64, part [][]byte) {
	c := k.cell(shard)
	if cmd.Write {
		c.lock()
		command.RunPart(x, cmd, &c.shard, hash, part)
		c.unlock()
		return
	}
	token := c.rlock()
	command.RunPart(x, cmd, &c.shard, hash, part)
	c.runlock(token)
	if x.Stale {
		k.reap(x, part[0])
	}
}

func (k *locked) runParts(x *command.Exec, cmd *command.Spec, args [][]byte) {
	x.Acc = command.Acc{}
	if cmd.AllShards {
		cmd.Start(x, k.len())
		k.set.each(func(i int) { command.RunPart(x, cmd, &k.cell(i).shard, 0, args) })
		return
	}
	cmd.Start(x, len(k.aims))
	for i := range k.aims {
		if i%maxPlan == 0 {
			lookAhead(k.aims[i:min(i+maxPlan, len(k.aims))])
		}
		command.RunPart(x, cmd, k.aims[i].shard, k.aims[i].hash, cmd.PartArgs(args, i))
	}
}

func (k *locked) many(x *command.Exec, cmd *command.Spec, args [][]byte) {
	k.mark(x, cmd, args)
	k.lock(true)
	command.RunMany(x, cmd, k, args)
	k.unlock()
}

// mark notes the shards that the command needs, and where its keys are.
func (k *locked) mark(x *command.Exec, cmd *command.Spec, args [][]byte) {
	k.set.clear()
	k.aims = k.aims[:0]
	all := cmd.EachKey(x, args, func(key []byte) {
		hash, shard := k.route.find(key)
		k.aims = append(k.aims, aim{shard: &k.cell(shard).shard, hash: hash})
		k.set.add(shard)
	})
	if all {
		k.set.fill(k.len())
	}
}

// lock takes the marked shards, all of them for writing or all for reading.
func (k *locked) lock(write bool) {
	k.writes.clear()
	if write {
		copy(k.writes, k.set)
	}
	k.lockMarked()
}

// lockMarked takes the shards of set, those of writes among them for writing, in ascending order, so that two
// sessions cannot wait for each other.
func (k *locked) lockMarked() {
	k.tokens = k.tokens[:0]
	k.set.each(func(i int) {
		if k.writes.has(i) {
			k.cell(i).lock()
		} else {
			k.tokens = append(k.tokens, k.cell(i).rlock())
		}
	})
}

func (k *locked) unlock() {
	next := 0
	k.set.each(func(i int) {
		if k.writes.has(i) {
			k.cell(i).unlock()
			return
		}
		k.cell(i).runlock(k.tokens[next])
		next++
	})
}
