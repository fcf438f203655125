package command

import (
	"math/rand/v2"

	"github.com/shardlab/shardlab/store"
)

// keyspaceCommands are about all keys.
var keyspaceCommands = []*Spec{
	{Name: "keys", Arity: 2, AllShards: true, Many: keys,
		Group: "generic", Summary: "Returns all keys that match a pattern."},
	{Name: "randomkey", Arity: 1, AllShards: true, Many: randomKey,
		Group: "generic", Summary: "Returns a key by chance."},
	{Name: "scan", Arity: -2, ByShard: scanShard, One: scan, Check: checkScan,
		Group: "generic", Summary: "Returns some keys, and the cursor with which to go on."},
	{Name: "scnp.scan", Arity: -2, ByShard: scanShard, One: scan, Check: checkScan,
		Group: "generic", Summary: "SCAN, by the name that clients of SCNP have for it."},
	{Name: "scnp.scanshard", Arity: -3, ByShard: namedShard, Named: true, One: scanNamed, Check: checkScanNamed,
		Group: "generic", Summary: "Returns some keys of a shard, and the cursor with which to go on in it."},
	{Name: "scnp.scan.shard", Arity: -3, ByShard: namedShard, Named: true, One: scanNamed, Check: checkScanNamed,
		Group: "generic", Summary: "Returns some keys of a shard, and the cursor with which to go on in it."},
	{Name: "dbsize", Arity: 1, Fast: true, AllShards: true, Part: dbsizePart, End: endCount,
		Group: "server", Summary: "Returns the number of keys."},
	{Name: "flushall", Arity: -1, Write: true, AllShards: true, Check: checkFlush, Part: flushPart, End: endOK,
		Group: "server", Summary: "Deletes all keys."},
	{Name: "flushdb", Arity: -1, Write: true, AllShards: true, Check: checkFlush, Part: flushPart, End: endOK,
		Group: "server", Summary: "Deletes all keys of the database, which is the only one."},
}

func dbsizePart(x *Exec, sh *store.Shard, _ uint64, _ [][]byte) { x.Acc.N += int64(sh.Len()) }

func checkFlush(args [][]byte) string {
	if len(args) > 2 || (len(args) == 2 && !is(args[1], "async") && !is(args[1], "sync")) {
		return errSyntax
	}
	return ""
}

func flushPart(_ *Exec, sh *store.Shard, _ uint64, _ [][]byte) { sh.Clear() }

func keys(x *Exec, held Held, args [][]byte) {
	pattern := args[1]
	all := string(pattern) == "*"
	now := x.Now()
	for _, sh := range held.Shards() {
		sh.Range(func(key, _ []byte, expireAt int64) bool {
			if (expireAt == 0 || expireAt > now) && (all || match(pattern, key, false)) {
				x.keys.add(key)
			}
			return true
		})
	}
	x.keys.write(x)
}

func randomKey(x *Exec, held Held, _ [][]byte) {
	shards, now := held.Shards(), x.Now()
	for {
		left := 0
		for _, sh := range shards {
			left += sh.Len()
		}
		if left == 0 {
			x.W.Null()
			return
		}
		pick := rand.IntN(left)
		for _, sh := range shards {
			if pick -= sh.Len(); pick >= 0 {
				continue
			}
			key, _, at, ok := sh.Random(rand.Uint64())
			if ok && (at == 0 || at > now) {
				x.W.Bulk(key)
				return
			}
			if ok { // an expired entry goes, so that this ends
				key = append(x.scratch[:0], key...)
				x.Reap(sh, store.Hash(key), key)
				x.keepScratch(key)
			}
			break
		}
	}
}
