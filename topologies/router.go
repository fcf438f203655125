package topologies

import (
	"sync/atomic"

	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/server/command"
	"github.com/shardlab/shardlab/server/wire"
	"github.com/shardlab/shardlab/store"
)

// router sends each part of a request to the loop that owns its shard.
type router struct {
	host   *host
	loops  []server.Loop
	shards []*store.Shard // shard i belongs to loop owner(i, len(loops))
}

func (r *router) newSession(at server.Place) server.Session {
	if len(r.loops) == 1 { // every key is local
		return newSession(r.host, at, &owned{r.shards, r.host.routing()})
	}
	s := &routed{r: r, home: at.Loop, hops: make([]hop, len(r.loops)), counters: r.host.join()}
	s.x.Client, s.x.Host = &command.Client{ID: at.ID}, r.host
	for i := range s.hops {
		s.hops[i].s, s.hops[i].owner = s, i
		s.hops[i].task.Run = s.hops[i].run
		s.hops[i].x.Host = r.host
	}
	return s
}

// routed is a session whose requests are executed by the owners of their shards. It works in runs: a run is a stretch of
// the batch that is cut into parts, sent to the owners in one message each, and merged in order when the last of them
// is done. Each owner writes into a reply buffer of its own. At any time either the home loop has the session, or
// the hops that are out have their own part of it and the home loop waits.
type routed struct {
	r        *router
	home     int
	x        command.Exec
	counters *counters
	hops     []hop // by owner

	b       *wire.Batch
	run     []planned    // the requests of the run
	at      int          // first that is not merged
	merged  int          // parts of run[at] that are merged
	parts   []partOf     // of the whole run, in order
	next    int          // in parts: the first that is not merged
	pending atomic.Int32 // hops that are out, and one more while the home loop sends
}

// planned is a request with its command. One without parts is for the home loop to answer, or to refuse.
type planned struct {
	cmd   *command.Spec
	req   *wire.Request
	parts int
	wrong string // why it is not to be executed, though it has a command
}

// partOf is a piece of work for one shard.
type partOf struct {
	req   int32 // in run
	index int32 // of the key among its request's keys
	shard int32
	owner int32
	hash  uint64
}

// hop is the part of a run that one owner executes. It is reused from run to run.
type hop struct {
	task  server.Task
	s     *routed
	owner int

	x    command.Exec // its own replies and counts
	todo []int32      // indices of parts
	done []result     // of the first len(done) of todo
	read int          // results that are merged
	base int          // results whose replies have left x.W.Buf
}

type result struct {
	end int // of the reply in x.W.Buf
	acc command.Acc
}

// Exec implements server.Session.
func (s *routed) Exec(b *wire.Batch) bool {
	s.b = b
	if s.x.W.Buf == nil {
		s.x.W.Buf = b.Out
	}
	ready := s.work(b)
	if ready {
		b.Out, s.x.W.Buf = s.x.W.Buf, nil
	} else { // nothing may be written meanwhile: an SCNP reply that is half merged is still to get its length
		b.Out = s.x.W.Buf[:0]
	}
	s.counters.publish(&s.x.Counts)
	return ready
}

func (s *routed) work(b *wire.Batch) bool {
	s.x.BeginBatch()
	for {
		if s.at == len(s.run) {
			if b.Executed() || s.full() {
				s.trim()
				return true
			}
			s.plan(b)
		}
		if !s.send() {
			return false
		}
		s.merge(b)
		if b.Close || s.full() {
			return true
		}
	}
}

// full reports whether enough replies have gathered for now. An SCNP reply is written whole: its length comes first.
func (s *routed) full() bool { return len(s.x.W.Buf) >= wire.SoftOut && s.x.W.Whole() }

// trim gives back the room of an unusually large run, which would otherwise stay as long as the connection.
func (s *routed) trim() {
	if len(s.parts) <= maxKept {
		return
	}
	s.run, s.at, s.parts = nil, 0, nil
	for i := range s.hops {
		h := &s.hops[i]
		h.todo, h.done, h.x.W.Buf = nil, nil, nil
	}
}

// plan cuts the next stretch of b into parts. A run ends behind a request that no shard answers, because it may decide
// how later ones are answered, or whether they are: HELLO, QUIT, what Admit refuses.
func (s *routed) plan(b *wire.Batch) {
	s.run, s.at, s.merged, s.parts, s.next = s.run[:0], 0, 0, s.parts[:0], 0
	for i := range s.hops {
		s.hops[i].reset()
	}
	route := s.r.host.routing()
	for i := b.Next; i < len(b.Reqs); i++ {
		req := &b.Reqs[i]
		st := route.planStep(req.Args)
		p := planned{cmd: st.cmd, req: req}
		if req.Form != wire.RESP {
			p.wrong = route.misaddressed(req, &st, publicPort)
		}
		if p.cmd == nil || p.wrong != "" || p.cmd.Wrong(req.Args) != "" {
			s.run = append(s.run, p)
			return
		}
		first := len(s.parts)
		s.split(&st, req.Args)
		p.parts = len(s.parts) - first
		s.run = append(s.run, p)
		if p.cmd.Local != nil || p.cmd.Many != nil {
			return
		}
	}
}

// split appends the parts of one request.
func (s *routed) split(st *step, args [][]byte) {
	cmd := st.cmd
	switch {
	case cmd.Many != nil: // the home loop answers
	case cmd.AllShards:
		for i := range s.r.shards {
			s.addPart(0, i, 0)
		}
	case cmd.One != nil:
		s.addPart(0, st.shard, st.hash)
	case cmd.Part != nil:
		for i := range cmd.Parts(args) {
			hash, shard := s.r.host.routing().find(cmd.PartArgs(args, i)[0])
			s.addPart(i, shard, hash)
		}
	}
}

func (s *routed) addPart(index, shard int, hash uint64) {
	o := owner(shard, len(s.hops))
	s.hops[o].todo = append(s.hops[o].todo, int32(len(s.parts)))
	s.parts = append(s.parts, partOf{int32(len(s.run)), int32(index), int32(shard), int32(o), hash})
}

// send gives each owner what it has to do. It reports whether everything was done at once; otherwise the last owner to
// finish wakes the home loop.
func (s *routed) send() bool {
	s.pending.Store(1)
	var own *hop
	for i := range s.hops {
		h := &s.hops[i]
		if len(h.done) == len(h.todo) || h.read < len(h.done) {
			continue // nothing left, or its buffer is still to be merged
		}
		if h.rewind(); i == s.home {
			own = h
			continue
		}
		s.pending.Add(1)
		s.r.loops[i].PostFrom(s.home, &h.task)
	}
	if own != nil {
		own.execute()
	}
	return s.pending.Add(-1) == 0
}

// merge appends the replies in the order of the requests, as far as they have been made.
func (s *routed) merge(b *wire.Batch) {
	x := &s.x
	for s.at < len(s.run) && !s.full() {
		p := &s.run[s.at]
		if p.parts == 0 {
			s.answer(p)
		} else if !s.mergeParts(p) {
			return
		}
		s.at++
		b.Next++
		b.Close = x.Close
	}
}

// answer answers a request that needs no shard.
func (s *routed) answer(p *planned) {
	x := &s.x
	x.W.Begin(p.req)
	if p.wrong != "" {
		x.Error(p.wrong)
	} else if x.Admit(p.cmd, p.req.Args) {
		if p.cmd.Many != nil {
			x.Error("ERR the shards of several workers cannot be held together")
		} else {
			p.cmd.Local(x, p.req.Args)
		}
	}
	x.W.End()
}

// mergeParts merges what there is of one request, and reports whether that was all.
func (s *routed) mergeParts(p *planned) bool {
	x := &s.x
	if s.merged == 0 {
		x.Acc = command.Acc{}
		if !s.hasResult() {
			return false
		}
		x.Admit(p.cmd, p.req.Args)
		if p.cmd.One == nil { // else the owner has written the whole reply
			x.W.Begin(p.req)
		}
		p.cmd.Start(x, p.parts)
	}
	for ; s.merged < p.parts; s.merged++ {
		if !s.hasResult() {
			return false
		}
		s.hops[s.parts[s.next].owner].deliver(x)
		s.next++
	}
	s.merged = 0
	if p.cmd.End != nil {
		p.cmd.End(x, p.req.Args)
	}
	x.W.End()
	return true
}

// hasResult reports whether the next part to be merged has been executed.
func (s *routed) hasResult() bool {
	h := &s.hops[s.parts[s.next].owner]
	return h.read < len(h.done)
}

// Close implements server.Session.
func (s *routed) Close() { s.r.host.leave(s.counters) }

// reset forgets a run.
func (h *hop) reset() {
	h.todo, h.done, h.read = h.todo[:0], h.done[:0], 0
	h.rewind()
}

// rewind makes room for more replies once those before are merged.
func (h *hop) rewind() {
	if cap(h.x.W.Buf) > 4*wire.SoftOut {
		h.x.W.Buf = nil
	}
	h.x.W.Buf, h.base = h.x.W.Buf[:0], h.read
	h.x.W.RESP3 = h.s.x.W.RESP3
}

// run executes on the owner's loop.
func (h *hop) run() {
	h.execute()
	if h.s.pending.Add(-1) == 0 {
		h.s.b.OnDone(h.owner)
	}
}

// execute runs parts until there are none, or enough replies have gathered for now.
func (h *hop) execute() {
	x := &h.x
	x.BeginBatch()
	for len(h.done) < len(h.todo) && len(x.W.Buf) < wire.SoftOut {
		p := &h.s.parts[h.todo[len(h.done)]]
		req, sh := &h.s.run[p.req], h.s.r.shards[p.shard]
		args := req.req.Args
		x.Acc = command.Acc{}
		if req.cmd.One != nil {
			x.W.Begin(req.req)
			runOne(x, req.cmd, sh, p.hash, args)
		} else if x.W.BeginPart(req.req); req.cmd.AllShards {
			command.RunPart(x, req.cmd, sh, 0, args)
		} else {
			runPart(x, req.cmd, sh, p.hash, req.cmd.PartArgs(args, int(p.index)))
		}
		x.W.End()
		h.done = append(h.done, result{len(x.W.Buf), x.Acc})
	}
}

// deliver moves the next result to the home session.
func (h *hop) deliver(to *command.Exec) {
	from := 0
	if h.read > h.base {
		from = h.done[h.read-1].end
	}
	r := &h.done[h.read]
	to.W.Buf = append(to.W.Buf, h.x.W.Buf[from:r.end]...)
	to.Acc.Add(&r.acc)
	to.Counts.Add(&h.x.Counts)
	h.read++
}
