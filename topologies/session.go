package topologies

import (
	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/server/command"
	"github.com/shardlab/shardlab/server/wire"
	"github.com/shardlab/shardlab/store"
)

// keyspace is a sharing boundary as one session meets it: it makes sure that it may touch the shards of a command's keys,
// and runs the command there. Each method writes the whole reply.
type keyspace interface {
	// one runs a command of one shard: st.shard.
	one(x *command.Exec, st *step, args [][]byte)
	// parts runs a command of parts.
	parts(x *command.Exec, cmd *command.Spec, args [][]byte)
	// many runs a command that needs all its shards to itself.
	many(x *command.Exec, cmd *command.Spec, args [][]byte)
}

// maxKept is how many keys of one command a session keeps scratch room for. More is given back after the command.
const maxKept = 4096

// maxPlan is how many requests a session plans ahead of executing them.
const maxPlan = 64

// routing says which shard a key belongs to.
type routing struct {
	mode   store.RouteMode
	shards int
}

// find returns the hash that a shard is asked with, and the shard.
func (r routing) find(key []byte) (hash uint64, shard int) {
	hash, route := r.mode.Hashes(key)
	return hash, store.ShardOf(route, r.shards)
}

// step is a request that is planned: what is known of it before it is executed.
type step struct {
	cmd   *command.Spec
	hash  uint64
	shard int // of a command of one shard
}

// planStep plans one request. What is wrong with a request is for Admit to find: hash and shard are then of no consequence.
func (r routing) planStep(args [][]byte) step {
	st := step{cmd: command.Find(args)}
	switch c := st.cmd; {
	case c == nil || c.One == nil:
	case c.ByShard != nil:
		st.shard = c.ByShard(args, r.shards)
	case c.First < len(args):
		st.hash, st.shard = r.find(args[c.First])
	}
	return st
}

// session executes a connection's requests where they arrive, whatever the boundary.
type session struct {
	x        command.Exec
	keys     keyspace
	route    routing
	host     *host
	counters *counters
	plan     [maxPlan]step
}

func newSession(h *host, at server.Place, keys keyspace) *session {
	s := &session{keys: keys, route: h.routing(), host: h, counters: h.join()}
	s.x.Client, s.x.Host = &command.Client{ID: at.ID}, h
	return s
}

// Exec implements server.Session.
func (s *session) Exec(b *wire.Batch) bool {
	x := &s.x
	x.BeginBatch()
	x.W.Buf = b.Out
	for b.Next < len(b.Reqs) && len(x.W.Buf) < wire.SoftOut && !x.Close {
		s.stretch(b)
	}
	b.Out, b.Close = x.W.Buf, x.Close
	x.W.Buf = nil
	s.counters.publish(&x.Counts)
	return true
}

// stretch plans the next requests of b together, then executes them.
func (s *session) stretch(b *wire.Batch) {
	reqs := b.Reqs[b.Next:min(len(b.Reqs), b.Next+maxPlan)]
	for i := range reqs {
		s.plan[i] = s.route.planStep(reqs[i].Args)
	}
	x := &s.x
	for i := range reqs {
		if len(x.W.Buf) >= wire.SoftOut || x.Close {
			return
		}
		s.request(&s.plan[i], reqs[i].Args)
		b.Next++
	}
}

func (s *session) request(st *step, args [][]byte) {
	x, cmd := &s.x, st.cmd
	if !x.Admit(cmd, args) {
		return
	}
	switch {
	case cmd.One != nil:
		s.keys.one(x, st, args)
	case cmd.Local != nil:
		cmd.Local(x, args)
	case cmd.Many != nil:
		s.keys.many(x, cmd, args)
	default:
		s.keys.parts(x, cmd, args)
	}
}

// Close implements server.Session.
func (s *session) Close() { s.host.leave(s.counters) }

// backend serves sessions that execute where they arrive.
type backend struct {
	host *host
	keys func(at server.Place) keyspace
}

func (b *backend) NewSession(at server.Place) server.Session {
	return newSession(b.host, at, b.keys(at))
}
func (b *backend) Close() error { return nil }
