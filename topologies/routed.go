package topologies

import (
	"github.com/shardlab/shardlab/server"
)

// routed: every shard belongs to one worker, and there is one public port. A connection lives on whichever worker it was
// handed to; that worker reads its requests, sends each to the owner of its shard, a batch at a time, and merges the
// replies. No locks. With the shared boundary it is the source system's own form: the same affinity, but the owner takes
// the shard's lock nonetheless, because the program around it may touch the store at any time.
var routedTopology = &Topology{
	Name:     "routed",
	About:    "shards owned by workers behind one port; requests go to the owner of their shard by message, a batch at a time",
	Boundary: boundaryOwned, Dispatch: "per-request routing",
	boundaries: []string{boundaryShared},
	routes:     true,
	Transports: []string{server.Epoll},
	without:    "shards live on event loops",
	// A worker more than there are shards reads, routes and writes, and owns nothing. It must be asked for.
	workers: func(asked, shards, cpus int) (int, error) { return orDefault(asked, min(shards, cpus)), nil },
	build: func(in *Instance) (server.Backend, []server.Listen, error) {
		return newLoopOwners(in), in.publicOnly(), nil
	},
}

// loopOwners serves shards that belong to event loops: loop i owns the shards that ownerOf says are i's.
type loopOwners struct {
	*router
}

func newLoopOwners(in *Instance) *loopOwners { return &loopOwners{newRouter(in)} }

// Bind implements server.LoopBackend.
func (l *loopOwners) Bind(loops []server.Loop) {
	for i, loop := range loops {
		l.addOwner(len(loops), i, loopInbox{loop})
	}
}

// Tick implements server.Ticker.
func (l *loopOwners) Tick(loop int) { l.owners[loop].tick() }

// NewSession implements server.Backend.
func (l *loopOwners) NewSession(at server.Place) server.Session { return l.newSession(at, at.Loop) }

// Close implements server.Backend.
func (l *loopOwners) Close() error { return nil }
