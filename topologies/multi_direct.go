package topologies

import "github.com/shardlab/shardlab/server"

// multiDirect: one acceptor hands whole sockets in turn to pinned workers. A connection stays with its worker, which may
// touch any shard of the one store under that shard's lock. With one worker it shows what the event loop is worth
// against goroutines; with more, what the locks cost when threads really meet.
var multiDirect = &Topology{
	Name:     "multi-direct",
	About:    "one acceptor hands sockets round-robin to event-loop workers over one store with a lock per shard",
	Boundary: boundaryShared, Dispatch: "connection handoff",
	boundaries: []string{boundaryPerShard},
	Transports: []string{server.Epoll},
	anywhere:   true,
	without:    "whole sockets are handed to pinned workers, which goroutines are not (that is topology shared)",
	workers:    func(asked, _, cpus int) (int, error) { return orDefault(asked, cpus), nil },
	build:      buildLocked,
}
