package topologies

import (
	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/server/command"
	"github.com/shardlab/shardlab/server/wire"
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

// session executes a connection's requests where they arrive, whatever the boundary.
type session struct {
	x        command.Exec
	keys     keyspace
	route    routing
	host     *host
	port     int // the shard whose port the connection came in by, or publicPort
	counters *counters
	plan     *plan
	runner   runner // keys, if it is one
	start    int    // of the reply in hand, in x.W.Buf
}

func newSession(h *host, at server.Place, keys keyspace) *session {
	s := &session{keys: keys, route: h.routing(), port: publicPort, host: h, counters: h.join(at), plan: h.plan(at.Loop)}
	s.runner, _ = keys.(runner)
	s.x.TxMode = h.txMode
	if d, ok := keys.(*direct); ok {
		s.port, s.x.TxMode = d.index, command.TxDirectPort
	}
	s.x.Client, s.x.Host, s.x.Stripe = s.counters.client, h, at.Loop+1
	if at.Loop < 0 {
		s.x.Stripe = int(at.ID)
	}
	s.x.Connect()
	return s
}

// publish tells the host what a batch counted.
func (s *session) publish() {
	s.counters.publish(&s.x.Counts)
	s.x.EndBatch(s.host.pulse.second.Load())
}

// Exec implements server.Session.
func (s *session) Exec(b *wire.Batch) bool {
	x := &s.x
	x.BeginBatch()
	x.W.Buf = b.Out
	for b.Next < len(b.Reqs) && !s.full() {
		s.stretch(b)
	}
	b.Out, b.Close = x.W.Buf, x.Close
	x.W.Buf = nil
	s.publish()
	return true
}

// full reports whether enough replies have gathered for now, or the connection ends.
func (s *session) full() bool { return len(s.x.W.Buf) >= wire.SoftOut || s.x.Close }

// stretch plans the next requests of b together, then executes them.
func (s *session) stretch(b *wire.Batch) {
	reqs := b.Reqs[b.Next:min(len(b.Reqs), b.Next+maxPlan)]
	b.Next += s.answer(s.plan.make(s.route, reqs), reqs)
}

// answer executes planned requests, at most maxPlan, and returns how many: fewer than all if s.full.
func (s *session) answer(steps []step, reqs []wire.Request) (done int) {
	for done < len(steps) && !s.full() {
		if n := leadingOnes(steps[done:]); n >= minRun && s.runner != nil && !s.x.Gated() {
			done += s.runner.run(s, steps[done:done+n], reqs[done:done+n])
		} else {
			s.request(&steps[done], &reqs[done])
			done++
		}
	}
	return done
}

// request executes one request and writes its reply, in the protocol that it came in.
func (s *session) request(st *step, req *wire.Request) {
	s.begin(req)
	if s.admit(st, req) {
		s.perform(st, req.Args)
	}
	s.end()
}

// begin starts the reply to a request.
func (s *session) begin(req *wire.Request) {
	s.start = len(s.x.W.Buf)
	s.x.W.Begin(req)
}

// end completes a reply, or takes it back from a client that wants none.
func (s *session) end() {
	s.x.W.End()
	if s.x.Gated() {
		s.x.Settle(s.start)
	}
}

// admit reports whether a request is to be executed. If not, it is answered.
func (s *session) admit(st *step, req *wire.Request) bool {
	if req.Form != wire.RESP {
		wrong := s.route.misaddressed(req, st, s.port)
		if wrong == "" && req.Form != wire.Wrapped && s.x.Queues(st.cmd) {
			wrong = errSCNPInMulti
		}
		if wrong != "" {
			s.x.Refuse(wrong)
			return false
		}
	}
	return s.x.Admit(st.cmd, req.Args)
}

// perform executes a request that is admitted.
func (s *session) perform(st *step, args [][]byte) {
	x, cmd := &s.x, st.cmd
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
func (s *session) Close() {
	s.x.Release()
	s.host.leave(s.counters)
}

// backend serves sessions that execute where they arrive.
type backend struct {
	host *host
	keys func(at server.Place) keyspace
}

func (b *backend) NewSession(at server.Place) server.Session {
	return newSession(b.host, at, b.keys(at))
}
func (b *backend) Close() error { return nil }
