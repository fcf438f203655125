package topologies

import (
	"github.com/shardlab/shardlab/server/command"
	"github.com/shardlab/shardlab/server/wire"
)

// hop is the part of a run that one owner executes.
type hop struct {
	work
	run *run

	away bool          // sent to another thread
	x    command.Exec  // its own replies and counts
	todo []int32       // indices of parts
	ends []int         // of the replies to the first len(ends) of todo, in x.W.Buf
	accs []command.Acc // what those parts counted that are parts of several
	read int           // replies that are merged
	acc  int           // accs that are merged
	base int           // replies that have left x.W.Buf
	aims []aim
	room int // bytes of x.W.Buf, as counted in run.room
}

// rewind makes room for more replies once those before are merged.
func (h *hop) rewind() {
	x, from := &h.x, &h.run.s.x
	if cap(x.W.Buf) > 4*wire.SoftOut {
		x.W.Buf = nil
	}
	x.W.Buf, h.base = x.W.Buf[:0], h.read
	x.W.RESP3, x.Client, x.Host, x.NoTouch = from.W.RESP3, from.Client, from.Host, from.NoTouch
}

// out runs on the owner's thread.
func (h *hop) out() {
	done := len(h.ends)
	h.execute()
	if h.away {
		h.at.tally.message(len(h.ends) - done)
	}
	r := h.run
	if r.pending.Add(-1) == 0 {
		r.s.b.OnDone(h.at.loop)
	}
}

// execute runs parts until there are none, or enough replies have gathered for now.
func (h *hop) execute() {
	h.x.BeginBatch()
	for ahead := 0; len(h.ends) < len(h.todo) && len(h.x.W.Buf) < wire.SoftOut; {
		if ahead == 0 {
			ahead = h.lookAhead()
		}
		h.part(&h.run.parts[h.todo[len(h.ends)]])
		ahead--
	}
}

// lookAhead looks at the next parts together, before any of them runs, and returns how many.
func (h *hop) lookAhead() int {
	next := h.todo[len(h.ends):min(len(h.ends)+maxPlan, len(h.todo))]
	shards := h.run.s.r.shards // none where looking would take their locks
	if len(next) < minRun || shards == nil {
		return len(next)
	}
	h.aims = h.aims[:0]
	for _, i := range next {
		p := &h.run.parts[i]
		h.aims = append(h.aims, aim{shard: shards[p.shard], hash: p.hash})
	}
	lookAhead(h.aims)
	return len(next)
}

// part runs one part.
func (h *hop) part(p *partOf) {
	x, keys := &h.x, h.at.keys
	st, req := &h.run.steps[p.step], &h.run.reqs[p.step]
	if args := req.Args; st.cmd.One != nil {
		x.W.Begin(req)
		keys.one(x, st, args)
	} else {
		x.W.BeginPart(req)
		x.Acc = command.Acc{}
		if !st.cmd.AllShards {
			args = st.cmd.PartArgs(args, int(p.index))
		}
		keys.part(x, st.cmd, int(p.shard), p.hash, args)
		h.accs = append(h.accs, x.Acc)
	}
	x.W.End()
	h.ends = append(h.ends, len(x.W.Buf))
}

// deliver moves the next reply to the home session.
func (h *hop) deliver(to *command.Exec, cmd *command.Spec) {
	from := 0
	if h.read > h.base {
		from = h.ends[h.read-1]
	}
	to.W.Buf = append(to.W.Buf, h.x.W.Buf[from:h.ends[h.read]]...)
	h.read++
	if cmd.One == nil {
		to.Acc.Add(&h.accs[h.acc])
		h.acc++
	}
}
