package topologies

import (
	"fmt"

	"github.com/shardlab/shardlab/server"
)

// reuseport: as multi-direct, but nobody hands sockets over. Every worker listens at the same address for itself
// (SO_REUSEPORT), and the kernel chooses a listener by the connection's addresses. It saves the acceptor, and pays with chance: few
// connections spread unevenly, and they stay where they fell.
var reuseport = &Topology{
	Name:     "reuseport",
	About:    "every event-loop worker accepts at its own SO_REUSEPORT socket, over one store with a lock per shard",
	Boundary: boundaryShared, Dispatch: "kernel",
	boundaries: []string{boundaryPerShard},
	Transports: []string{server.Epoll},
	without:    "each worker accepts for itself, and goroutines have no workers (that is topology shared)",
	anywhere:   true,
	workers:    func(asked, _, cpus int) (int, error) { return orDefault(asked, cpus), nil },
	build: func(in *Instance) (server.Backend, []server.Listen, error) {
		b, listen, err := buildLocked(in)
		if err == nil && listen[0].Network == "unix" {
			err = fmt.Errorf("bind address %s: topology reuseport has a listener for each worker, which a unix socket cannot have; "+
				"use host:port, or multi-direct", in.cfg.Bind)
		}
		listen[0].ReusePort = true
		return b, listen, err
	},
}
