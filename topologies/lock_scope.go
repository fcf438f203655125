package topologies

import (
	"slices"

	"github.com/shardlab/shardlab/server/command"
	"github.com/shardlab/shardlab/server/wire"
)

// The scopes: how much work is done under one hold of a shard's lock, where a stretch of requests of one shard each
// is known. All of them answer in the order of the requests.
//
// The preset is batch, because only it lets all misses of a stretch overlap, and because taking each lock once a
// batch outweighs holding it longer. A request of a batch of 16, 90 % GET, in ns of one thread's time
// (BenchmarkBatch; owned without locks beside it):
//
//	keys        op   shard  batch  owned
//	1,000       88   114    94     80
//	100,000     411  428    186    171
//	1,000,000   674  688    230    217
//
// In a batch of 64, where 16 shards have groups worth the name, shard comes to 256 and 406 of 388 and 739. Two
// threads at it all the time do 1.4 million requests a second with op, 4.8 with batch (16 shards, 1,000,000 keys,
// batches of 16), and wait less often.
const (
	scopeNameOp    = "op"    // a request
	scopeNameShard = "shard" // the requests of one shard
	scopeNameBatch = "batch" // all of them, every shard at once
)

type lockScope uint8

const (
	scopeOp lockScope = iota
	scopeShard
	scopeBatch
)

var lockScopes = map[string]lockScope{scopeNameOp: scopeOp, scopeNameShard: scopeShard, scopeNameBatch: scopeBatch}

// run implements runner.
func (k *locked) run(s *session, steps []step, reqs []wire.Request) (done int) {
	switch k.scope {
	case scopeBatch:
		return k.runBatch(s, steps, reqs)
	case scopeShard:
		return k.runByShard(s, steps, reqs)
	default:
		return s.inOrder(steps, reqs)
	}
}

// runBatch takes the locks of all shards that the steps touch, once and in ascending order, looks ahead at all their
// keys, and then executes them as they came. No other session can see some of the stretch's writes and not the
// others.
func (k *locked) runBatch(s *session, steps []step, reqs []wire.Request) (done int) {
	k.set.clear()
	k.writes.clear()
	aims := s.plan.aimsFor(len(steps))
	for i := range steps {
		st := &steps[i]
		k.set.add(st.shard)
		if st.cmd.Write {
			k.writes.add(st.shard)
		}
		aims[i] = aim{shard: &k.cell(st.shard).shard, hash: st.hash}
	}
	k.lockMarked()
	lookAhead(aims)
	k.holding = true
	done = s.inOrder(steps, reqs)
	k.holding = false
	k.unlock()
	for i := range steps[:done] {
		k.reapStep(&s.x, &steps[i], reqs[i].Args)
	}
	return done
}

// runByShard executes the steps shard by shard, each shard held once, and then puts the replies in the order of the
// requests. Requests of one connection on different shards may so take effect in another order than they were sent,
// as they may where shards have owners; those on one shard never do.
//
// Once enough replies have gathered, what is not executed yet runs in its turn, under its own lock.
func (k *locked) runByShard(s *session, steps []step, reqs []wire.Request) (done int) {
	x, g := &s.x, &s.plan.groups
	g.link(steps, k.len())
	out := x.W.Buf
	x.W.Buf = g.replies[:0]
	last := 0 // behind the last step that was executed here
	for i := 0; i < len(steps) && !s.full(); i++ {
		if g.leads(i, steps[i].shard) {
			last = max(last, 1+k.runGroup(s, i, steps, reqs))
		}
	}
	replies := x.W.Buf
	x.W.Buf = out
	for done < len(steps) && (done < last || !s.full()) {
		if at := g.at[done]; at.executed {
			x.W.Buf = append(x.W.Buf, replies[at.from:at.to]...)
		} else {
			s.request(&steps[done], &reqs[done])
		}
		done++
	}
	if g.replies = replies; cap(replies) > 4*wire.SoftOut {
		g.replies = nil
	}
	g.unlink(steps)
	return done
}

// runGroup executes the steps of one shard, the first of which is i, and returns which was the last.
func (k *locked) runGroup(s *session, i int, steps []step, reqs []wire.Request) (last int) {
	g, aims, write := &s.plan.groups, s.plan.aims[:0], false
	c := k.cell(steps[i].shard)
	for j := i; j >= 0; j = g.at[j].next {
		write = write || steps[j].cmd.Write
		aims = append(aims, aim{shard: &c.shard, hash: steps[j].hash})
	}
	s.plan.aims = aims
	var token readToken
	if write {
		c.lock()
	} else {
		token = c.rlock()
	}
	lookAhead(aims)
	k.holding = true
	for j := i; j >= 0; j = g.at[j].next {
		at := &g.at[j]
		at.from = len(s.x.W.Buf)
		s.request(&steps[j], &reqs[j])
		at.to, at.executed = len(s.x.W.Buf), true
		last = j
	}
	k.holding = false
	if write {
		c.unlock()
	} else {
		c.runlock(token)
	}
	for j := i; j >= 0; j = g.at[j].next {
		k.reapStep(&s.x, &steps[j], reqs[j].Args)
	}
	return last
}

// reapStep deletes the key of a step that found it expired while it was held.
func (k *locked) reapStep(x *command.Exec, st *step, args [][]byte) {
	if st.stale {
		st.stale = false
		k.reap(x, args[st.cmd.First])
	}
}

// groups sorts the steps of a stretch by shard, without moving them.
type groups struct {
	first   []uint8 // by shard: 1 + its first step; 0 for none, between stretches everywhere
	at      []member
	replies []byte // in the order of execution
}

// member is a step as one of its shard's.
type member struct {
	next     int // step of the same shard; -1: none
	from, to int // its reply, in replies
	executed bool
}

func (g *groups) link(steps []step, shards int) {
	if len(g.first) < shards {
		g.first = make([]uint8, shards)
	}
	g.at = slices.Grow(g.at[:0], len(steps))[:len(steps)]
	for i, st := range slices.Backward(steps) {
		first := &g.first[st.shard]
		g.at[i] = member{next: int(*first) - 1}
		*first = uint8(i + 1)
	}
}

// leads reports whether step i is the first of its shard.
func (g *groups) leads(i, shard int) bool { return int(g.first[shard]) == i+1 }

func (g *groups) unlink(steps []step) {
	for i := range steps {
		g.first[steps[i].shard] = 0
	}
}
