package topologies

import (
	"fmt"

	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/server/wire"
)

// directShard: every shard belongs to one worker and has a port of its own, so that a client which knows the hash reaches
// the owner without a hop; a key of another shard is refused there, never forwarded. The public port serves every
// client, as in routed. No locks.
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
		return &directBackend{newLoopOwners(in)}, listen, nil
	},
}

type directBackend struct{ *loopOwners }

// NewSession implements server.Backend. Listener 0 is the public address, listener n+1 the port of shard n.
func (d *directBackend) NewSession(at server.Place) server.Session {
	shard := at.Listener - 1
	if shard < 0 {
		return d.loopOwners.NewSession(at)
	}
	keys := &direct{*d.keys().(*owned), shard}
	s := &portSession{session: newSession(d.host, at, keys), owner: d.owners[at.Loop]}
	s.later.init(s.run)
	return s
}

// portSession is a session on a direct shard port: the owner's loop executes everything at once, unless the owner has lent
// its shards; then the session waits until they are back.
type portSession struct {
	*session
	owner *owner
	b     *wire.Batch
	later work
}

// Exec implements server.Session.
func (s *portSession) Exec(b *wire.Batch) bool {
	if !s.owner.lent || b.Executed() || b.ShouldFlush() {
		return s.session.Exec(b)
	}
	s.b = b
	s.owner.wait(&s.later)
	return false
}

func (s *portSession) run() {
	s.session.Exec(s.b)
	s.b.OnDone(s.owner.loop)
}
