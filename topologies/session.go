package topologies

import (
	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/server/command"
	"github.com/shardlab/shardlab/server/wire"
)

// keyspace is a sharing boundary as one session meets it: it finds the shards of a command's keys, makes sure that it
// may touch them, and runs the command there.
type keyspace interface {
	one(x *command.Exec, cmd *command.Spec, args [][]byte)
	// parts reports whether the command's End is to follow; if not, it has written the reply.
	parts(x *command.Exec, cmd *command.Spec, args [][]byte) bool
}

// maxKept is how many keys of one command a session keeps scratch room for. More is given back after the command.
const maxKept = 4096

// session executes a connection's requests where they arrive, whatever the boundary.
type session struct {
	x        command.Exec
	keys     keyspace
	host     *host
	counters *counters
}

func newSession(h *host, at server.Place, keys keyspace) *session {
	s := &session{keys: keys, host: h, counters: h.join()}
	s.x.Client, s.x.Host = &command.Client{ID: at.ID}, h
	return s
}

// Exec implements server.Session.
func (s *session) Exec(b *wire.Batch) bool {
	x := &s.x
	x.BeginBatch()
	x.W.Buf = b.Out
	for b.Next < len(b.Reqs) && len(x.W.Buf) < wire.SoftOut && !x.Close {
		s.request(b.Reqs[b.Next].Args)
		b.Next++
	}
	b.Out, b.Close = x.W.Buf, x.Close
	x.W.Buf = nil
	s.counters.publish(&x.Counts)
	return true
}

func (s *session) request(args [][]byte) {
	x := &s.x
	cmd := command.Lookup(args[0])
	if !x.Admit(cmd, args) {
		return
	}
	switch {
	case cmd.One != nil:
		s.keys.one(x, cmd, args)
	case cmd.Local != nil:
		cmd.Local(x, args)
	default:
		x.Acc = command.Acc{}
		if s.keys.parts(x, cmd, args) && cmd.End != nil {
			cmd.End(x, args)
		}
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
