package loadgen

import (
	"fmt"

	"github.com/shardlab/shardlab/server/wire"
)

// judge counts the reply to p, which has just been read, and holds it against what p asked for. It is true where p was a step, and
// the next may be taken: then nothing is counted yet but what was read.
func (s *share) judge(p *pending, r *wire.Reply) (more bool) {
	late := p.counted && s.expired(p)
	good := late || p.counted && s.fits(p, r) || !p.counted && r.Kind != wire.ErrorReply
	if s.plan.steps && good && !late {
		if _, last := s.plan.step(p.op, p.step); !last {
			return true
		}
	}
	if s.recording {
		s.rec.replies++
	}
	switch {
	case !p.counted:
	case late:
		s.lapse(p)
	case !good:
		s.rec.errors++
		if s.rec.firstError == "" {
			s.rec.firstError, s.rec.firstErrorAt = describeError(s.plan.workload.OpName(p.op), r), s.now
		}
	default:
		s.rec.ops[p.op]++
		s.rec.service[p.op].add(s.now - p.sent)
		if s.open {
			s.rec.response[p.op].add(s.now - p.due)
		}
	}
	return false
}

// follow sends the step after the one that p was, of operation turn of its client.
func (s *share) follow(c *conn, p pending, turn uint64) {
	var o operation
	client := s.client(p.client)
	s.plan.choose(&o, client, turn)
	o.step = p.step + 1
	next := s.place(c, &o, client, turn)
	next.due, next.sent, next.client, next.counted = p.due, p.sent, p.client, p.counted
}

// fits reports whether r is of a type that answers p, and counts misses and wrong values.
func (s *share) fits(p *pending, r *wire.Reply) bool {
	t, _ := s.plan.step(p.op, p.step)
	switch t.answer {
	case done:
		return r.Kind == wire.SimpleReply && string(r.Payload) == "OK" || r.Kind == wire.BulkReply && s.plan.protocol == HTTP
	case oneValue:
		if r.Kind != wire.BulkReply && r.Kind != wire.NullReply {
			return false
		}
		s.judgeValue(r, p.key, p.check)
		return true
	case manyValues:
		if s.plan.protocol == Memcached {
			return s.judgeFound(p, r)
		}
		if r.Kind == wire.ArrayReply && (s.responder || r.Int == int64(s.plan.workload.KeysPerOp)) {
			s.judgeValues(p, r)
			return true
		}
	case count:
		switch r.Kind {
		case wire.IntReply, wire.BoolReply:
			s.judgeCounter(p, r)
			return true
		case wire.SimpleReply, wire.BulkReply, wire.NullReply:
			if s.plan.protocol == HTTP {
				return true // it is or was there, or not
			}
		}
	default:
		return r.Kind != wire.ErrorReply
	}
	return s.responder && r.Kind != wire.ErrorReply // which knows but GET and SET
}

// judgeValue counts what was read of a key, and looks at its content if that is wanted. The length is looked at each time:
// that costs nothing.
func (s *share) judgeValue(r *wire.Reply, key uint32, check bool) {
	if s.responder {
		return
	}
	s.rec.reads++
	if r.Kind == wire.NullReply {
		s.rec.misses++
		return
	}
	if check {
		s.rec.checked++
	}
	v := &s.plan.values
	if !v.fits(len(r.Payload), key) || check && !v.check(r.Payload, key) {
		s.rec.corrupt++
	}
}

// judgeCounter takes note of a counter that memcached does not have.
func (s *share) judgeCounter(p *pending, r *wire.Reply) {
	if s.plan.protocol != Memcached || !p.op.counts() || s.responder {
		return
	}
	if s.rec.reads++; string(r.Payload) == "NOT_FOUND" {
		s.rec.misses++
	}
}

// judgeFound goes through the values of a get of several keys from memcached, which leaves out those it does not have, and says
// whose a value is only where there are several.
func (s *share) judgeFound(p *pending, r *wire.Reply) bool {
	found := 0
	switch {
	case r.Kind == wire.BulkReply:
		found = 1
		s.judgeValue(r, p.key, false)
	case r.Kind == wire.ArrayReply:
		for rest := r.Payload; len(rest) > 0; found++ {
			key, value, n := wire.MemcachedValue(rest)
			if n == 0 {
				return false
			}
			s.judgeValue(&wire.Reply{Kind: wire.BulkReply, Payload: value}, p.key, p.check && s.plan.keys.is(key, p.key))
			rest = rest[n:]
		}
	case r.Kind != wire.NullReply:
		return false
	}
	missing := uint64(max(s.plan.workload.KeysPerOp-found, 0))
	if s.responder {
		return true
	}
	s.rec.reads, s.rec.misses = s.rec.reads+missing, s.rec.misses+missing
	return true
}

// judgeValues goes through the values of an MGET. The content of the first may be looked at: whose the others are is known
// only by drawing their keys again.
func (s *share) judgeValues(p *pending, r *wire.Reply) {
	if s.responder {
		return
	}
	scan := wire.NewReplyScanner(wire.ReplyLimits{MaxBulk: len(r.Payload) + 1, MaxReply: len(r.Payload) + 3})
	check := p.check
	for rest := r.Payload; len(rest) > 0; check = false {
		v, n, err := scan.Next(rest)
		if err != nil || n == 0 || v.Kind != wire.BulkReply && v.Kind != wire.NullReply {
			s.rec.corrupt++
			return
		}
		s.judgeValue(&v, p.key, check)
		rest = rest[n:]
	}
}

// describeError says what is wrong with a reply. It allocates, and is called for the first error of a window only.
func describeError(op string, r *wire.Reply) string {
	const longest = 200
	text := r.Payload[:min(len(r.Payload), longest)]
	if r.Kind == wire.ErrorReply {
		return fmt.Sprintf("%s: %s", op, text)
	}
	return fmt.Sprintf("%s: answered with %s %.40q", op, r.Kind, text)
}
