package topologies

import "math/bits"

// loan carries out one command that needs the shards of several owners to itself, such as EXEC or RENAME.
//
// It goes from owner to owner in ascending order. Each lends its shards and sends the loan on; the last executes the
// command, on its own thread and with the session's own context, since the session waits meanwhile. Then the shards go
// back to the others and the session goes on. A command for one foreign owner is thus one message there and one back.
//
// No set of loans can deadlock. A loan waits only at an owner that has lent its shards, to a loan that has gone on to a higher
// owner. So of all loans under way, the one that has come to the highest owner waits for none: it ends, and gives back what it
// has. Everything else that an owner does, parts of runs and sessions of its own, holds nothing while it waits. And nothing
// starves: an owner serves what waits in the order in which it came, what came between two loans between them.
//
// A connection that is closed or killed meanwhile is noticed when the loan is done: the transport leaves a session alone
// that waits. A server that stops runs its loops until the connections are drained; when it cuts them, the loops end
// together, and nothing is lost but replies that nobody would read.
type loan struct {
	s    *routed
	ask  work // travels
	step step
	args [][]byte
	need shardSet // of owners
	at   int      // the owner whose turn it is
}

func newLoan(s *routed) *loan {
	l := &loan{s: s, need: newShardSet(len(s.r.owners))}
	l.ask.init(l.granted)
	return l
}

// prepare notes what is to be done, and the owners of all shards that it touches.
func (l *loan) prepare(st step, args [][]byte) {
	l.step, l.args = st, args
	l.need.clear()
	owners := len(l.s.r.owners)
	all := st.cmd.EachKey(&l.s.x, args, func(key []byte) {
		_, shard := l.s.route.find(key)
		l.need.add(ownerOf(shard, owners))
	})
	if all {
		l.need.fill(min(owners, l.s.route.shards))
	}
}

// next is the first owner that the command needs from i on, -1 if there is none.
func (s shardSet) next(i int) int {
	for w := i / 64; w < len(s); w++ {
		word := s[w]
		if w == i/64 {
			word &= ^uint64(0) << (i % 64)
		}
		if word != 0 {
			return w*64 + bits.TrailingZeros64(word)
		}
	}
	return -1
}

// here reports whether the command needs no shard that is not this thread's, or none at all.
func (l *loan) here() bool {
	first := l.need.next(0)
	return first < 0 || first == l.s.home && l.need.next(first+1) < 0 && !l.s.r.owners[first].lent
}

// start sends the loan on its way. Everything of the session, and its batch, is the loan's from now on.
func (l *loan) start() {
	l.at = l.need.next(0)
	l.s.r.owners[l.at].give(l.s.home, &l.ask)
}

// granted runs on the thread of the owner whose turn it is, while its shards are there.
func (l *loan) granted() {
	o := l.s.r.owners[l.at]
	if next := l.need.next(l.at + 1); next >= 0 {
		o.lent = true
		l.at = next
		l.s.r.owners[next].give(o.loop, &l.ask)
		return
	}
	bump(&o.tally.loans, 1)
	s, b := l.s, l.s.b
	s.x.BeginBatch()
	s.perform(&l.step, l.args)
	s.end()
	b.Next++
	s.finish(b)
	l.args = nil
	for i := l.need.next(0); i != l.at; i = l.need.next(i + 1) {
		lender := s.r.owners[i]
		lender.inbox.send(o.loop, &lender.back)
	}
	b.OnDone(o.loop)
}
