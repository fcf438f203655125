package command

import "github.com/shardlab/shardlab/store"

var keyCommands = []*Spec{
	{Name: "del", Arity: -2, Write: true, First: 1, Last: -1, Step: 1, Part: delPart, End: endCount,
		Group: "generic", Summary: "Deletes one or more keys."},
	{Name: "exists", Arity: -2, Fast: true, First: 1, Last: -1, Step: 1, Part: existsPart, End: endCount,
		Group: "generic", Summary: "Determines whether one or more keys exist."},
	{Name: "dbsize", Arity: 1, Fast: true, AllShards: true, Part: dbsizePart, End: endCount,
		Group: "server", Summary: "Returns the number of keys in the database."},
	{Name: "flushall", Arity: -1, Write: true, AllShards: true, Check: checkFlush, Part: flushPart, End: endOK,
		Group: "server", Summary: "Removes all keys from all databases."},
}

func endCount(x *Exec, _ [][]byte) { x.W.Int(x.Acc.N) }

func delPart(x *Exec, sh *store.Shard, hash uint64, part [][]byte) {
	if sh.Delete(hash, part[0], x.shardNow(sh)) {
		x.Acc.N++
	}
}

func existsPart(x *Exec, sh *store.Shard, hash uint64, part [][]byte) {
	if _, ok := x.find(sh, hash, part[0]); ok {
		x.Acc.N++
	}
}

func dbsizePart(x *Exec, sh *store.Shard, _ uint64, _ [][]byte) { x.Acc.N += int64(sh.Len()) }

func checkFlush(args [][]byte) string {
	if len(args) > 2 || (len(args) == 2 && !is(args[1], "async") && !is(args[1], "sync")) {
		return errSyntax
	}
	return ""
}

func flushPart(_ *Exec, sh *store.Shard, _ uint64, _ [][]byte) { sh.Clear() }
