package topologies

import (
	"github.com/shardlab/shardlab/server/command"
	"github.com/shardlab/shardlab/server/wire"
	"github.com/shardlab/shardlab/store"
)

// newShards makes the shards of an instance that are not locked.
func (h *host) newShards() []*store.Shard { return newShards(h.Shards(), h.budget) }

func newShards(n int, b *store.Budget) []*store.Shard {
	shards := make([]*store.Shard, n)
	for i := range shards {
		shards[i] = store.New()
		shards[i].Attach(b)
	}
	return shards
}

// owned is one session's way to shards that all belong to the thread it runs on.
type owned struct {
	shards []*store.Shard
	route  routing
}

// Shard implements command.Held.
func (k *owned) Shard(key []byte) (*store.Shard, uint64) {
	hash, shard := k.route.find(key)
	return k.shards[shard], hash
}

// Shards implements command.Held.
func (k *owned) Shards() []*store.Shard { return k.shards }

func (k *owned) one(x *command.Exec, st *step, args [][]byte) {
	runOne(x, st.cmd, k.shards[st.shard], st.hash, args)
}

// run implements runner: it looks ahead, and executes in order.
func (k *owned) run(s *session, steps []step, reqs []wire.Request) (done int) {
	aims := s.plan.aimsFor(len(steps))
	for i := range steps {
		aims[i] = aim{shard: k.shards[steps[i].shard], hash: steps[i].hash}
	}
	lookAhead(aims)
	return s.inOrder(steps, reqs)
}

func (k *owned) parts(x *command.Exec, cmd *command.Spec, args [][]byte) {
	if !cmd.AllShards && cmd.Parts(args) >= minRun {
		k.manyParts(x, cmd, args)
		return
	}
	command.RunParts(x, cmd, k, args)
}

// manyParts is RunParts that looks ahead.
func (k *owned) manyParts(x *command.Exec, cmd *command.Spec, args [][]byte) {
	var room [maxPlan]aim
	n := cmd.Parts(args)
	x.Acc = command.Acc{}
	cmd.Start(x, n)
	for at := 0; at < n; at += maxPlan {
		aims := room[:min(maxPlan, n-at)]
		for i := range aims {
			aims[i].shard, aims[i].hash = k.Shard(cmd.PartArgs(args, at+i)[0])
		}
		lookAhead(aims)
		for i, a := range aims {
			runPart(x, cmd, a.shard, a.hash, cmd.PartArgs(args, at+i))
		}
	}
	if cmd.End != nil {
		cmd.End(x, args)
	}
}

// part implements pieces.
func (k *owned) part(x *command.Exec, cmd *command.Spec, shard int, hash uint64, part [][]byte) {
	runPart(x, cmd, k.shards[shard], hash, part)
}

func (k *owned) many(x *command.Exec, cmd *command.Spec, args [][]byte) {
	command.RunMany(x, cmd, k, args)
}

// runOne runs a command on a shard that this thread owns.
func runOne(x *command.Exec, cmd *command.Spec, sh *store.Shard, hash uint64, args [][]byte) {
	command.RunOne(x, cmd, sh, hash, args)
	if x.Stale {
		x.Reap(sh, hash, args[cmd.First])
	}
}

// runPart runs one part on a shard that this thread owns.
func runPart(x *command.Exec, cmd *command.Spec, sh *store.Shard, hash uint64, part [][]byte) {
	command.RunPart(x, cmd, sh, hash, part)
	if x.Stale {
		x.Reap(sh, hash, part[0])
	}
}

// direct is a session on a direct shard port: it answers for one shard, which this thread owns, and never forwards.
type direct struct {
	owned // only the shard at index may be touched
	index int
}

const (
	errRouteMismatch = "ERR direct shard route mismatch"
	errKeyspaceWide  = "ERR keyspace-wide commands are not supported on direct shard ports; use the public port"
)

func (k *direct) one(x *command.Exec, st *step, args [][]byte) {
	if by := st.cmd.ByShard != nil; by && !st.cmd.Named {
		x.Error(errKeyspaceWide)
		return
	} else if by && st.shard != k.index {
		x.Error(command.ErrScanShard)
		return
	}
	if st.shard != k.index {
		x.Error(errRouteMismatch)
		return
	}
	k.owned.one(x, st, args)
}

// run implements runner. It looks ahead only where every key is this port's: the other shards belong to other threads.
func (k *direct) run(s *session, steps []step, reqs []wire.Request) (done int) {
	for i := range steps {
		if steps[i].shard != k.index {
			return s.inOrder(steps, reqs)
		}
	}
	return k.owned.run(s, steps, reqs)
}

func (k *direct) parts(x *command.Exec, cmd *command.Spec, args [][]byte) {
	if cmd.AllShards {
		if cmd.Write || cmd.Name == "dbsize" {
			x.Error(errKeyspaceWide)
			return
		}
		only := owned{k.shards[k.index : k.index+1], routing{shards: 1}}
		command.RunParts(x, cmd, &only, args)
		return
	}
	if k.mine(x, cmd, args) {
		k.owned.parts(x, cmd, args)
	}
}

func (k *direct) many(x *command.Exec, cmd *command.Spec, args [][]byte) {
	if k.mine(x, cmd, args) {
		k.owned.many(x, cmd, args)
	}
}

// mine reports whether every key is this port's, and says what is wrong if not: all or nothing, no part runs before.
func (k *direct) mine(x *command.Exec, cmd *command.Spec, args [][]byte) bool {
	foreign := false
	all := cmd.EachKey(x, args, func(key []byte) {
		_, shard := k.route.find(key)
		foreign = foreign || shard != k.index
	})
	switch {
	case all:
		x.Error(errKeyspaceWide)
	case foreign:
		x.Error(errRouteMismatch)
	}
	return !all && !foreign
}
