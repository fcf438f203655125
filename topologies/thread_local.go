package topologies

import (
	"fmt"

	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/store"
)

// threadLocal: one thread accepts, reads, executes and writes, and owns all the data. No lock, no message, no second core.
var threadLocal = &Topology{
	Name:     "thread-local",
	About:    "one owner thread accepts, serves and owns everything; no locks",
	Boundary: boundaryOwned, Dispatch: "owner thread",
	Transports: []string{server.Epoll},
	without:    "the owner thread is the event loop, and goroutines would be other owners",
	workers: func(asked, _, _ int) (int, error) {
		if asked > 1 {
			return 0, fmt.Errorf("workers: topology thread-local has one owner thread, not %d; "+
				"use multi-direct or direct-shard for more", asked)
		}
		return 1, nil
	},
	build: func(in *Instance) (server.Backend, []server.Listen, error) {
		var shards []*store.Shard
		if l := in.cfg.local; l != nil {
			shards = l.shards
		} else {
			shards = in.host.newShards()
		}
		keys := func(server.Place) keyspace { return &owned{shards, in.host.routing()} }
		return &ownerThread{foreseeOwned(backend{in.host, keys}, shards), shards, upkeep{}}, in.publicAt(0), nil
	},
}

// ownerThread is the backend of the one thread.
type ownerThread struct {
	*foresighted
	shards []*store.Shard
	upkeep upkeep
}

// Tick implements server.Ticker.
func (o *ownerThread) Tick(int) {
	o.upkeep.run(len(o.shards), func(i int, now int64, work int) bool { return o.shards[i].Maintain(now, work) })
}
