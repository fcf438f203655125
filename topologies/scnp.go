package topologies

import (
	"github.com/shardlab/shardlab/server/wire"
	"github.com/shardlab/shardlab/store"
)

// publicPort is the port of sessions whose connection came in by the public address.
const publicPort = -1

// Reword implements server.Reworder: a direct port says what it takes.
func (s *session) Reword(err error) error {
	if p, ok := err.(*wire.ProtocolError); ok && p.SCNP && s.port != publicPort {
		return &wire.ProtocolError{Text: "direct shard ports only accept routed SCNP frames: " + p.Text, SCNP: true}
	}
	return err
}

const (
	errSCNPUnrouted = "ERR SCNP direct shard port requires a routed shard-local command"
	errSCNPRoute    = "ERR SCNP route shard mismatch"
	// A typed reply says less than RESP's, and EXEC's is an array of them all.
	errSCNPInMulti = "ERR typed SCNP commands are not supported inside MULTI; use RESP command frames"
)

// misaddressed returns why a request is not to be executed for what its SCNP frame says besides the command, or "". port is
// the shard whose port the request came in by. On the public port ROUTE_SHARD is of no consequence.
//
// The first key's hash stands for the request: what a frame says of it is held against what st has computed. On a direct
// port the client must name the shard, so that one with an old idea of the number of shards is told; whether the keys are
// really of that shard is for the keyspace to see.
func (r routing) misaddressed(req *wire.Request, st *step, port int) string {
	if why := req.Refused(); why != "" {
		return why
	}
	c := st.cmd
	if c == nil || c.First == 0 || c.First >= len(req.Args) {
		return ""
	}
	hash, shard := st.hash, st.shard
	if c.One == nil {
		hash, shard = store.Hash(req.Args[c.First]), port
	}
	if !req.HashIs(hash) {
		return wire.ErrKeyHash
	}
	if port == publicPort {
		return ""
	}
	switch to, routed := req.Route(); {
	case !routed:
		return errSCNPUnrouted
	case int(to) != port || shard != port:
		return errSCNPRoute
	}
	return ""
}
