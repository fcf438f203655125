package topologies

import (
	"sync/atomic"

	"golang.org/x/sys/cpu"

	"github.com/shardlab/shardlab/server/command"
	"github.com/shardlab/shardlab/server/wire"
)

// run is a stretch of a batch that is cut into parts, one for each shard a request touches. The parts go to the owners of
// their shards in one message each; each owner writes into a reply buffer of its own; the home thread merges the
// replies in the order of the requests when the last owner is done. Pipelined requests of one connection that touch
// different owners may thus overlap. An idle session holds no run.
type run struct {
	s *routed

	steps []step
	reqs  []wire.Request // of the batch; steps[i] is of reqs[i]
	parts []partOf       // of all steps, in order
	local bool           // every part is the home owner's
	sent  bool

	at    int   // first step that is not merged
	next  int   // first part that is not merged
	begun bool  // some of at's parts are merged
	hops  []hop // by owner
	used  []int // owners that have parts
	room  int   // bytes of the hops' reply buffers

	pending atomic.Int32 // hops that are out, and one more while the home thread sends
}

// partOf is a piece of work for one shard.
type partOf struct {
	hash  uint64
	step  int32
	index int32 // of the key among its request's keys
	shard int32
	owner int32
}

// maxIdleRoom is how many bytes of reply buffers the idle runs of a loop, or a single run without one, may keep.
const maxIdleRoom = 16 << 20

// idleRuns are the runs that no session of an event loop is using.
type idleRuns struct {
	runs []*run
	room int // bytes of their reply buffers
	_    cpu.CacheLinePad
}

// takeRun gives s an empty run.
func (s *routed) takeRun() {
	if s.idle == nil {
		s.run, _ = s.r.runs.Get().(*run)
	} else if last := len(s.idle.runs) - 1; last >= 0 {
		s.run, s.idle.runs = s.idle.runs[last], s.idle.runs[:last]
		s.idle.room -= s.run.room
	}
	if s.run == nil {
		s.run = newRun(len(s.r.owners))
	}
	s.run.s = s
}

func newRun(owners int) *run {
	r := &run{hops: make([]hop, owners)}
	for i := range r.hops {
		h := &r.hops[i]
		h.run = r
		h.work.init(h.out)
	}
	return r
}

// releaseRun takes the run from s, and keeps it for others unless it has grown too large.
func (s *routed) releaseRun() {
	r := s.run
	for _, o := range r.used {
		h := &r.hops[o]
		r.room += cap(h.x.W.Buf) - h.room
		h.room = cap(h.x.W.Buf)
	}
	r.forget()
	s.run, r.s = nil, nil
	switch {
	case cap(r.parts) > maxKept || r.room > maxIdleRoom:
	case s.idle == nil:
		s.r.runs.Put(r)
	case s.idle.room+r.room <= maxIdleRoom:
		s.idle.room += r.room
		s.idle.runs = append(s.idle.runs, r)
	}
}

// forget empties the run.
func (r *run) forget() {
	for _, o := range r.used {
		h := &r.hops[o]
		h.todo, h.ends, h.accs, h.read, h.acc, h.base = h.todo[:0], h.ends[:0], h.accs[:0], 0, 0, 0
	}
	r.steps, r.reqs, r.parts, r.used = r.steps[:0], nil, r.parts[:0], r.used[:0]
	r.at, r.next, r.begun, r.sent = 0, 0, false, false
}

func (r *run) merged() bool { return r.at == len(r.steps) }

// plan makes the run of the first of reqs, up to one that must be a barrier: none, if that is the first.
func (r *run) plan(reqs []wire.Request) {
	r.forget()
	s := r.s
	r.local = s.home >= 0
	for i := range reqs {
		req, args := &reqs[i], reqs[i].Args
		st := s.route.planStep(args)
		if req.Form != wire.RESP && s.route.misaddressed(req, &st, s.port) != "" {
			break
		}
		if s.x.Refuses(st.cmd, args) || st.cmd.Local != nil || st.cmd.Many != nil || s.refuses(st.cmd, args) {
			break
		}
		r.split(&st, args)
		r.steps = append(r.steps, st)
	}
	r.reqs = reqs[:len(r.steps)]
}

// split appends the parts of one request.
func (r *run) split(st *step, args [][]byte) {
	route, cmd := r.s.route, st.cmd
	switch {
	case cmd.One != nil:
		r.addPart(0, st.shard, st.hash)
	case cmd.AllShards:
		for shard := range route.shards {
			r.addPart(0, shard, 0)
		}
	default:
		for i := range cmd.Parts(args) {
			hash, shard := route.find(cmd.PartArgs(args, i)[0])
			r.addPart(i, shard, hash)
		}
	}
}

func (r *run) addPart(index, shard int, hash uint64) {
	o := ownerOf(shard, len(r.hops))
	h := &r.hops[o]
	if len(h.todo) == 0 {
		r.used = append(r.used, o)
		r.local = r.local && o == r.s.home
	}
	h.todo = append(h.todo, int32(len(r.parts)))
	r.parts = append(r.parts, partOf{hash, int32(len(r.steps)), int32(index), int32(shard), int32(o)})
}

// here executes a local run, as far as replies may gather, without cutting it up. It returns how many requests it answered;
// what is left is planned again.
func (r *run) here() (answered int) {
	for answered < len(r.steps) && !r.s.full() {
		end := min(answered+maxPlan, len(r.steps))
		answered += r.s.answer(r.steps[answered:end], r.reqs[answered:end])
	}
	r.forget()
	return answered
}

// send gives each owner what it has to do. It reports whether everything was done at once; otherwise the last owner to
// finish wakes the home thread.
func (r *run) send() bool {
	r.sent = true
	r.pending.Store(1)
	home, own := r.s.home, (*hop)(nil)
	for _, o := range r.used {
		h := &r.hops[o]
		if len(h.ends) == len(h.todo) || h.read < len(h.ends) {
			continue // nothing left, or its buffer is still to be merged
		}
		h.rewind()
		if h.away = o != home; !h.away {
			own = h
			continue
		}
		r.pending.Add(1)
		r.s.r.owners[o].give(home, &h.work)
	}
	if own != nil { // last, so that the others work meanwhile
		r.pending.Add(1)
		r.s.r.owners[home].give(home, &own.work)
	}
	return r.pending.Add(-1) == 0
}

// merge appends the replies in the order of the requests, as far as they have been made, and returns how many requests are
// answered.
func (r *run) merge() (answered int) {
	s := r.s
	for _, o := range r.used {
		s.x.Counts.Add(&r.hops[o].x.Counts)
	}
	for ; r.at < len(r.steps) && !s.full() && r.mergeStep(); r.at++ {
		answered++
	}
	return answered
}

// mergeStep merges what there is of the next request, and reports whether that was all.
func (r *run) mergeStep() bool {
	x, cmd, req := &r.s.x, r.steps[r.at].cmd, &r.reqs[r.at]
	for r.next < len(r.parts) && int(r.parts[r.next].step) == r.at {
		h := &r.hops[r.parts[r.next].owner]
		if h.read == len(h.ends) {
			return false
		}
		if !r.begun {
			r.begun = true
			x.Admit(cmd, req.Args) // which plan has seen that it would
			x.Acc = command.Acc{}
			if cmd.One == nil { // else the owner has written the whole reply
				x.W.Begin(req)
			}
			cmd.Start(x, r.partsOf(cmd, req.Args))
		}
		h.deliver(x, cmd)
		r.next++
	}
	r.begun = false
	if cmd.End != nil {
		cmd.End(x, req.Args)
	}
	x.W.End()
	return true
}

func (r *run) partsOf(cmd *command.Spec, args [][]byte) int {
	if cmd.AllShards {
		return r.s.route.shards
	}
	if cmd.One != nil {
		return 1
	}
	return cmd.Parts(args)
}
