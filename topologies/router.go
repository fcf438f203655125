package topologies

import (
	"sync"

	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/server/command"
	"github.com/shardlab/shardlab/server/wire"
	"github.com/shardlab/shardlab/store"
)

// errSingleShard refuses what touches several shards where that is not to be (--cross-shard reject).
const errSingleShard = "ERR routed public embedded server only accepts single-shard commands"

// pieces is a keyspace that can also run one part of a command.
type pieces interface {
	keyspace
	// part runs a part of cmd, one key with what belongs to it or the whole request, on one shard.
	part(x *command.Exec, cmd *command.Spec, shard int, hash uint64, part [][]byte)
}

// router gives sessions their way to shards that belong to several owners.
type router struct {
	host   *host
	owners []*owner       // shard i belongs to ownerOf(i, len(owners))
	shards []*store.Shard // that have owners and no locks
	keys   func() pieces  // a new session's own way to the shards, for those that it may touch where it is
	lends  bool           // owners must lend their shards to commands that hold several; without, there are locks
	reject bool           // refuse what touches several shards
	idle   []idleRuns     // by event loop
	runs   sync.Pool      // *run, of sessions without a loop
}

func newRouter(in *Instance) *router {
	set := &in.Settings
	r := &router{host: in.host, lends: !set.locked(), reject: set.CrossShard == crossReject}
	in.host.router = r
	if set.Transport == server.Epoll {
		r.idle = make([]idleRuns, set.Workers)
	}
	if r.lends {
		r.shards = in.host.newShards()
		r.keys = func() pieces { return &owned{r.shards, set.routing()} }
	} else {
		scope := lockScopes[set.LockScope]
		r.keys = func() pieces { return newLocked(in.store.handle(), set.routing(), scope) }
	}
	return r
}

// addOwner makes the next of so many owners.
func (r *router) addOwner(owners, loop int, in inbox) *owner {
	o := newOwner(loop, r.keys(), in)
	for i := len(r.owners); i < len(r.shards); i += owners {
		o.shards = append(o.shards, r.shards[i])
	}
	r.owners = append(r.owners, o)
	return o
}

// newSession makes a session whose home is the owner of that number, or no owner with -1.
func (r *router) newSession(at server.Place, home int) server.Session {
	if len(r.owners) == 1 && home == 0 && !r.reject { // every key is local
		return newSession(r.host, at, r.keys())
	}
	s := &routed{session: newSession(r.host, at, r.keys()), r: r, home: home}
	if at.Loop >= 0 {
		s.idle = &r.idle[at.Loop]
	}
	return s
}

// routed is a session whose requests are executed by the owners of their shards. It works in runs: see run. At any time
// either the home thread has the session; or the hops that are out have their own part of a run, or a loan has all of the
// session, and the home thread waits.
type routed struct {
	*session
	r    *router
	home int // the owner whose thread this is, -1 for none

	b    *wire.Batch
	idle *idleRuns // nil without an event loop
	run  *run      // nil between batches
	loan *loan     // nil until the first
	lend bool      // the loan is to start
}

// Exec implements server.Session.
func (s *routed) Exec(b *wire.Batch) bool {
	s.b = b
	if s.x.W.Buf == nil { // else it waited with a reply half written
		s.x.W.Buf = b.Out
	}
	s.x.BeginBatch()
	ready := s.work(b)
	if s.run != nil && s.run.merged() {
		s.releaseRun()
	}
	switch {
	case ready:
		s.finish(b)
	case s.lend:
		s.lend = false
		s.loan.start() // nothing of s is ours from here on
	}
	return ready
}

// full reports whether enough replies have gathered for now. An SCNP reply is written whole: its length comes first.
func (s *routed) full() bool { return s.session.full() && (s.x.W.Whole() || s.x.Close) }

// finish moves replies and counts to where others look for them.
func (s *routed) finish(b *wire.Batch) {
	b.Out, b.Close = s.x.W.Buf, s.x.Close
	s.x.W.Buf = nil
	s.publish()
}

// work goes on until it has to wait, which it reports as false.
func (s *routed) work(b *wire.Batch) bool {
	for b.Next < len(b.Reqs) && !s.full() {
		if s.run == nil {
			s.takeRun()
		}
		r := s.run
		if r.merged() {
			r.plan(b.Reqs[b.Next:])
		}
		switch {
		case len(r.steps) == 0:
			if !s.barrier(b) {
				return false
			}
		case r.local && !r.sent && !s.r.owners[s.home].lent:
			b.Next += r.here()
		case !r.send():
			return false
		default:
			b.Next += r.merge()
		}
	}
	return true
}

// barrier does a request that no run may hold: one that no shard answers, because it may decide how later ones are
// answered or whether they are, and one that needs all its shards at once.
func (s *routed) barrier(b *wire.Batch) bool {
	req := &b.Reqs[b.Next]
	args, st := req.Args, s.route.planStep(req.Args)
	s.begin(req)
	switch {
	case !s.admit(&st, req):
	case s.refuses(st.cmd, args):
		s.x.Error(errSingleShard)
	case st.cmd.Local != nil || !s.r.lends:
		s.perform(&st, args)
	default:
		if s.loan == nil {
			s.loan = newLoan(s)
		}
		s.loan.prepare(st, args)
		if !s.loan.here() {
			s.lend = true
			return false
		}
		s.perform(&st, args)
	}
	s.end()
	b.Next++
	return true
}

// refuses reports whether a command touches several shards and may not. What only counts, INFO and DBSIZE, may; what a
// transaction may touch, transactions decide.
func (s *routed) refuses(cmd *command.Spec, args [][]byte) bool {
	if !s.r.reject || cmd.Local != nil || cmd.Touches != nil || cmd.Group == "transactions" {
		return false
	}
	if cmd.AllShards {
		return s.route.shards > 1 && (cmd.Write || cmd.Group != "server")
	}
	first, several := -1, false
	cmd.EachKey(&s.x, args, func(key []byte) {
		_, shard := s.route.find(key)
		several = several || first >= 0 && shard != first
		first = shard
	})
	return several
}
