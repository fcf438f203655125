package topologies

import "github.com/shardlab/shardlab/store"

// aim is a key to be looked for: hash in shard.
type aim struct {
	shard *store.Shard
	hash  uint64
	hint  uint64
}

// lookAhead fetches what is known of a stretch of one connection's requests, where there are enough of them.
func lookAhead(aims []aim) {
	if len(aims) >= minRun {
		fetch(aims)
	}
}

// fetch brings close what executing will need of every aim, in passes: the index slots of all, then the records of
// all, so that their cache misses overlap instead of following each other. The caller holds the shards, for reading
// at least. What it returns means nothing: a call that is not inlined, with a result, is what keeps the accesses from
// being optimized away.
//
//go:noinline
func fetch(aims []aim) (seen byte) {
	for i := range aims {
		a := &aims[i]
		a.hint = a.shard.Hint(a.hash)
	}
	for i := range aims {
		seen ^= aims[i].shard.Touch(aims[i].hint)
	}
	return seen
}
