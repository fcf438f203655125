package loadgen

import (
	"fmt"

	"github.com/shardlab/shardlab/server/wire"
)

// judge counts the reply to p, which has just been read, and holds it against what p asked for.
func (s *share) judge(p *pending, r wire.Reply) {
	if s.recording {
		s.rec.replies++
	}
	if !p.counted {
		return
	}
	if !s.fits(p, r) {
		s.rec.errors++
		if s.rec.firstError == "" {
			s.rec.firstError, s.rec.firstErrorAt = describeError(p.op, r), s.now
		}
		return
	}
	s.rec.ops[p.op]++
	s.rec.service[p.op].add(s.now - p.sent)
	if s.open {
		s.rec.response[p.op].add(s.now - p.due)
	}
}

// fits reports whether r is of a type that answers p, and counts misses and wrong values.
func (s *share) fits(p *pending, r wire.Reply) bool {
	if p.op == Set {
		return r.Kind == wire.SimpleReply && string(r.Payload) == "OK" || r.Kind == wire.BulkReply && s.plan.protocol == HTTP
	}
	switch {
	case r.Kind == wire.BulkReply:
		if s.responder {
			return true
		}
		if p.check {
			s.rec.checked++
		}
		// The length is looked at each time: that costs nothing.
		if len(r.Payload) != s.plan.values.size || p.check && !s.plan.values.check(r.Payload, p.key) {
			s.rec.corrupt++
		}
		return true
	case r.Kind == wire.NullReply:
		if !s.responder {
			s.rec.misses++
		}
		return true
	}
	return false
}

// describeError says what is wrong with a reply. It allocates, and is called for the first error of a window only.
func describeError(op Op, r wire.Reply) string {
	const longest = 200
	text := r.Payload[:min(len(r.Payload), longest)]
	if r.Kind == wire.ErrorReply {
		return fmt.Sprintf("%s: %s", op, text)
	}
	return fmt.Sprintf("%s: answered with %s %.40q", op, r.Kind, text)
}
