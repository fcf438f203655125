package topologies

import (
	"fmt"

	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/store"
)

// directShard: every shard belongs to one worker and has a port of its own, so that a client which knows the hash reaches
// the owner without a hop; a key of another shard is refused there, never forwarded. The public port serves every
// client: a worker that reads a request sends it to the owner, a batch at a time, and merges the replies. No locks.
var directShard = &Topology{
	Name:     "direct-shard",
	About:    "shards owned by workers; a port per shard for clients that route, and a public port that routes for the rest",
	Boundary: boundaryOwned, Dispatch: "client routing",
	DirectPorts: true,
	routes:      true,
	Transports:  []string{server.Epoll},
	without:     "shards live on event loops",
	// More ports than workers split a client's pipeline further and gain nothing.
	shardPerWorker: true,
	workers: func(asked, shards, cpus int) (int, error) {
		if asked > shards {
			return 0, fmt.Errorf("workers: %d workers for %d shards would leave %d without work; use at most %d",
				asked, shards, asked-shards, shards)
		}
		return orDefault(asked, min(shards, cpus)), nil
	},
	build: func(in *Instance) (server.Backend, []server.Listen, error) {
		listen, err := in.directListen()
		if err != nil {
			return nil, nil, err
		}
		return &directBackend{host: in.host, shards: newShards(in.Settings.Shards)}, listen, nil
	},
}

type directBackend struct {
	host   *host
	shards []*store.Shard
	router *router
}

// Bind implements server.LoopBackend.
func (d *directBackend) Bind(loops []server.Loop) {
	d.router = &router{host: d.host, loops: loops, shards: d.shards}
}

// NewSession implements server.Backend. Listener 0 is the public address, listener n+1 the port of shard n.
func (d *directBackend) NewSession(at server.Place) server.Session {
	if shard := at.Listener - 1; shard >= 0 {
		return newSession(d.host, at, &direct{owned{d.shards, d.host.routing()}, shard})
	}
	return d.router.newSession(at)
}

func (d *directBackend) Close() error { return nil }
