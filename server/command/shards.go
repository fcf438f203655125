package command

import "github.com/shardlab/shardlab/store"

// SHARDS is ours: what INFO sums up, shard by shard.
var shardCommands = []*Spec{
	{Name: "shards", Arity: 1, AllShards: true, Begin: func(x *Exec, parts int) { x.W.Array(parts) }, Part: shardsPart,
		Group: "server", Summary: "Returns the figures of each shard: entries, TTLs, bytes, what expired and what was evicted."},
}

func shardsPart(x *Exec, sh *store.Shard, _ uint64, _ [][]byte) {
	m, kept := sh.Memory(), sh.Stats()
	x.W.Map(6)
	x.figure("entries", int64(sh.Len()))
	x.figure("ttls", int64(sh.TTLs()))
	x.figure("stored", int64(m.Stored))
	x.figure("reserved", int64(m.Reserved))
	x.figure("expired", int64(kept.Expired))
	x.figure("evicted", int64(kept.Evicted))
}

func (x *Exec) figure(name string, n int64) {
	x.W.BulkString(name)
	x.W.Int(n)
}
