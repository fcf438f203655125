package topologies

import "github.com/shardlab/shardlab/server"

// shardArc: as shared, but the shards are separate objects and every session holds a handle to each. What it isolates is
// the placement of the locks: one pointer more on the way to a shard, and no object that all sessions must go through.
var shardArc = &Topology{
	Name:     "shard-arc",
	About:    "a handle per shard, a goroutine per connection, each shard with its own reader-writer lock",
	Boundary: boundaryPerShard, Dispatch: "runtime-scheduled",
	boundaries: []string{boundaryShared},
	Transports: []string{server.Netpoll, server.Epoll, server.Redcon},
	anywhere:   true,
	workers:    runtimeWorkers,
	build:      buildLocked,
}
