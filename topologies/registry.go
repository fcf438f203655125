package topologies

import (
	"fmt"
	"strings"

	"github.com/shardlab/shardlab/server"
)

// Topology is a registered server variant.
type Topology struct {
	Name     string
	About    string // one line
	Boundary string // shared, per-shard, owned or none
	Dispatch string // how a request reaches the thread that executes it
	// Transports that make sense, the preset first.
	Transports []string
	// Responder marks a server that parses and answers without a store.
	Responder bool
	// DirectPorts marks a topology with a port for each shard besides the public one.
	DirectPorts bool

	// goroutines marks a topology whose owners are goroutines. They need the runtime's threads: event loops, if there are any,
	// must not keep theirs while they wait.
	goroutines bool

	// anywhere marks a topology whose sessions may run on any thread, one at a time. Those of the others belong to the event loop
	// that they live on, if there are loops.
	anywhere bool

	boundaries []string // that it can have besides Boundary
	routes     bool     // requests are routed to owners

	// shardPerWorker makes the default one shard for each worker (rounded up to a power of two), not DefaultShards.
	shardPerWorker bool
	// workers checks or chooses the number of workers: 0 asks for the preset's default on a machine part of cpus processors.
	workers func(asked, shards, cpus int) (int, error)
	// without says, for a transport that is not in Transports, why not.
	without string
	// build makes the backend and says where it listens; what it starts, Close ends.
	build func(in *Instance) (server.Backend, []server.Listen, error)
}

// registry is in the order in which lists show it.
var registry = []*Topology{shared, shardArc, threadLocal, multiDirect, reuseport, routedTopology, directShard, engineTopology, null}

// All lists the topologies.
func All() []*Topology { return registry }

// Names lists the topologies' names.
func Names() []string {
	names := make([]string, len(registry))
	for i, t := range registry {
		names[i] = t.Name
	}
	return names
}

// Lookup finds a topology by its name.
func Lookup(name string) (*Topology, error) {
	for _, t := range registry {
		if t.Name == name {
			return t, nil
		}
	}
	return nil, fmt.Errorf("unknown topology %q; have %s", name, strings.Join(Names(), ", "))
}

// runtimeWorkers is for topologies whose connections the Go runtime schedules: a worker is a thread that may run Go code, and
// the process decides (GOMAXPROCS).
func runtimeWorkers(asked, _, cpus int) (int, error) { return orDefault(asked, cpus), nil }

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
