package topologies

import (
	"github.com/shardlab/shardlab/server/command"
	"github.com/shardlab/shardlab/store"
)

func newShards(n int) []*store.Shard {
	shards := make([]*store.Shard, n)
	for i := range shards {
		shards[i] = store.New()
	}
	return shards
}

// owned is one session's way to shards that all belong to the thread it runs on.
type owned struct{ shards []*store.Shard }

func (k *owned) one(x *command.Exec, cmd *command.Spec, args [][]byte) {
	hash := store.Hash(args[cmd.First])
	runOne(x, cmd, k.shards[store.ShardOf(hash, len(k.shards))], hash, args)
}

func (k *owned) parts(x *command.Exec, cmd *command.Spec, args [][]byte) bool {
	if cmd.AllShards {
		begin(x, cmd, len(k.shards))
		for _, sh := range k.shards {
			cmd.Part(x, sh, 0, args)
		}
		return true
	}
	n := cmd.Parts(args)
	begin(x, cmd, n)
	for i := range n {
		part := cmd.PartArgs(args, i)
		hash := store.Hash(part[0])
		runPart(x, cmd, k.shards[store.ShardOf(hash, len(k.shards))], hash, part)
	}
	return true
}

func begin(x *command.Exec, cmd *command.Spec, parts int) {
	if cmd.Begin != nil {
		cmd.Begin(x, parts)
	}
}

// runOne runs a command on a shard that this thread owns.
func runOne(x *command.Exec, cmd *command.Spec, sh *store.Shard, hash uint64, args [][]byte) {
	cmd.One(x, sh, hash, args)
	if x.Stale {
		x.Reap(sh, hash, args[cmd.First])
	}
}

// runPart runs one part on a shard that this thread owns.
func runPart(x *command.Exec, cmd *command.Spec, sh *store.Shard, hash uint64, part [][]byte) {
	cmd.Part(x, sh, hash, part)
	if x.Stale {
		x.Reap(sh, hash, part[0])
	}
}

// direct is a session on a direct shard port: it answers for one shard, which this thread owns, and never forwards.
type direct struct {
	shard  *store.Shard
	index  int
	shards int
}

const (
	errRouteMismatch = "ERR direct shard route mismatch"
	errKeyspaceWide  = "ERR keyspace-wide commands are not supported on direct shard ports; use the public port"
)

func (k *direct) one(x *command.Exec, cmd *command.Spec, args [][]byte) {
	hash := store.Hash(args[cmd.First])
	if store.ShardOf(hash, k.shards) != k.index {
		x.W.Error(errRouteMismatch)
		return
	}
	runOne(x, cmd, k.shard, hash, args)
}

func (k *direct) parts(x *command.Exec, cmd *command.Spec, args [][]byte) bool {
	if cmd.AllShards {
		if cmd.Write || cmd.Name == "dbsize" {
			x.W.Error(errKeyspaceWide)
			return false
		}
		begin(x, cmd, 1)
		cmd.Part(x, k.shard, 0, args)
		return true
	}
	n := cmd.Parts(args)
	for i := range n { // all or nothing: no part runs before every key is known to be ours
		if store.ShardOf(store.Hash(cmd.PartArgs(args, i)[0]), k.shards) != k.index {
			x.W.Error(errRouteMismatch)
			return false
		}
	}
	begin(x, cmd, n)
	for i := range n {
		part := cmd.PartArgs(args, i)
		runPart(x, cmd, k.shard, store.Hash(part[0]), part)
	}
	return true
}
