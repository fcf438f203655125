package topologies

import (
	"bytes"

	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/server/command"
)

// null: a responder. It parses every request and answers what a store full of equal values would, without having one. The
// distance between it and a topology is what the data costs; the distance to zero is what the sockets and the client cost.
var null = &Topology{
	Name:     "null",
	About:    "a responder without a store: the ceiling of what sockets, parsing and the client allow",
	Boundary: boundaryNone, Dispatch: "connection handoff",
	Transports: []string{server.Epoll, server.Netpoll, server.Redcon},
	anywhere:   true,
	Responder:  true,
	workers:    func(asked, _, cpus int) (int, error) { return orDefault(asked, cpus), nil },
	build: func(in *Instance) (server.Backend, []server.Listen, error) {
		answers := &nothing{bytes.Repeat([]byte{'x'}, orDefault(in.cfg.NullValue, 64))}
		keys := func(server.Place) keyspace { return answers }
		return &backend{in.host, keys}, in.publicOnly(), nil
	},
}

// nothing is a keyspace without keys: every read finds the same value, every write succeeds.
type nothing struct{ value []byte }

func (k *nothing) one(x *command.Exec, st *step, _ [][]byte) {
	switch {
	case !st.cmd.Write:
		x.W.Bulk(k.value)
	case st.cmd.Name == "incr":
		x.W.Int(1)
	default:
		x.W.Status("OK")
	}
}

func (k *nothing) parts(x *command.Exec, cmd *command.Spec, args [][]byte) {
	x.Acc = command.Acc{}
	if cmd.AllShards {
		cmd.Start(x, 0)
	} else {
		n := cmd.Parts(args)
		cmd.Start(x, n)
		if cmd.Begin != nil { // an array of values
			for range n {
				x.W.Bulk(k.value)
			}
		}
		x.Acc.N = int64(n)
	}
	if cmd.End != nil {
		cmd.End(x, args)
	}
}

func (k *nothing) many(x *command.Exec, cmd *command.Spec, _ [][]byte) {
	x.W.Error("ERR '" + cmd.Name + "' needs a store, and this is a responder without one")
}
