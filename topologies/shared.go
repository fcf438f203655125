package topologies

import "github.com/shardlab/shardlab/server"

// shared: one store behind one handle. One acceptor; each connection is a goroutine that the Go runtime moves between
// threads as it likes, and executes its requests under the lock of the shard concerned. The simplest server that uses
// several cores, and the reference that the others are compared with.
var shared = &Topology{
	Name:     "shared",
	About:    "one store handle, a goroutine per connection, a reader-writer lock per shard",
	Boundary: boundaryShared, Dispatch: "runtime-scheduled",
	boundaries: []string{boundaryPerShard},
	Transports: []string{server.Netpoll, server.Epoll, server.Redcon},
	anywhere:   true,
	workers:    runtimeWorkers,
	build:      buildLocked,
}
