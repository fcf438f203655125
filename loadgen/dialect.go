package loadgen

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/shardlab/shardlab/server/wire"
)

// keyMark stands in Target.Path for the key.
const keyMark = "{key}"

// suit says what of a workload or load the target's protocol cannot do, and sets what it does not leave open.
func (t Target) suit(w Workload, l *Load) error {
	switch {
	case t.Protocol == Memcached && w.Trace != nil && !w.Trace.plainKeys():
		return fmt.Errorf("target %s: keys of the trace have blanks or control characters, which memcached's may not have", t.Addr)
	case t.Protocol == Memcached && w.keyLaw().Max > wire.MaxMemcachedKey:
		return fmt.Errorf("target %s: keys of %s bytes; memcached has at most %d", t.Addr, w.keyLaw().span(), wire.MaxMemcachedKey)
	case t.InProcess != nil && max(l.Pipeline, l.InFlight) > wire.MaxBatch:
		return fmt.Errorf("target %s: %d requests at once; in-process it is at most %d", t.Addr, max(l.Pipeline, l.InFlight),
			wire.MaxBatch)
	case t.InProcess != nil && l.Churn > 0:
		return fmt.Errorf("target %s: there are no connections to open anew; use a churn of 0", t.Addr)
	case t.Protocol != HTTP:
	case l.Mode == Closed && l.Pipeline > 1:
		return fmt.Errorf("target %s: pipeline of %d; with http it is 1, use more connections", t.Addr, l.Pipeline)
	case l.InFlight > 1:
		return fmt.Errorf("target %s: %d in flight on a connection; with http it is 1, use more connections", t.Addr, l.InFlight)
	case l.Mode == Open:
		l.InFlight = 1
	}
	return nil
}

// written is how operations are written in the protocols that are not ours: bytes, and in braces what differs. HTTP's DELETE and
// HEAD tell by their status what DEL and EXISTS tell by a number.
var written = map[Protocol]map[Op]string{
	Memcached: {
		Get: "get {key}\r\n", MGet: "get{keys}\r\n", Set: "set {key} 0 0 {length}\r\n{bytes}\r\n",
		SetEx: "set {key} 0 {seconds} {length}\r\n{bytes}\r\n", Expire: "touch {key} {seconds}\r\n", Del: "delete {key}\r\n",
		Incr: "incr {counter} 1\r\n", Decr: "decr {counter} 1\r\n", putCounter: "set {counter} 0 0 1\r\n0\r\n",
	},
	HTTP: {
		Get: "GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n", Del: "DELETE {path} HTTP/1.1\r\nHost: {host}\r\n\r\n",
		Exists: "HEAD {path} HTTP/1.1\r\nHost: {host}\r\n\r\n",
		Set:    "PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n{bytes}",
		SetEx: "PUT {path} HTTP/1.1\r\nHost: {host}\r\nCache-Control: max-age={seconds}\r\nContent-Length: {length}\r\n" +
			"\r\n{bytes}",
	},
}

// maxMemcachedTTL is where memcached begins to take a time to live for a date, ms.
const maxMemcachedTTL = 30 * 24 * 3600 * 1000

// Speaks reports whether an operation can be written in the protocol.
func (p Protocol) Speaks(o Op) bool {
	switch p {
	case RESP:
		return true
	case SCNP:
		return !o.multi() && o < FirstTemplate
	}
	_, ok := written[p][o]
	return ok || o == ReadModifyWrite
}

// vocabulary lists the operations of a protocol.
func (p Protocol) vocabulary() string {
	var names []string
	for o := range FirstTemplate {
		if p.Speaks(o) {
			names = append(names, o.String())
		}
	}
	return strings.Join(names, ", ")
}

// translate makes the plan write its operations as the target's protocol has them.
func (p *plan) translate(t Target) error {
	if err := p.speak(t.Protocol, len(t.ShardAddrs)); err != nil {
		return err
	}
	host := t.Addr
	if network, _ := network(t.Addr); network == "unix" {
		host = "localhost"
	}
	fixed := strings.NewReplacer("{path}", cmp.Or(t.Path, DefaultPath), "{host}", host)
	for op, text := range written[t.Protocol] {
		if op == putCounter || p.records(op) {
			p.requests[op].pieces, p.requests[op].whole = piecesOf(fixed.Replace(text)), whole{}
		}
	}
	p.requests[putCounter].answer = done
	p.keys.escaped = t.Protocol == HTTP
	return nil
}

var foreignSlots = map[string]slot{
	"{key}": aKey, "{counter}": aNumber, "{keys}": blankKeys, "{length}": aLength, "{bytes}": rawValue, "{seconds}": aSeconds,
}

// piecesOf takes an operation as written apart.
func piecesOf(text string) (pieces []piece) {
	from := 0
	for at := range text {
		end := strings.IndexByte(text[at:], '}') + at + 1
		if s := foreignSlots[text[at:max(end, at)]]; s != nothing {
			pieces = append(pieces, piece{bytes: []byte(text[from:at]), slot: s})
			from = end
		}
	}
	return append(pieces, piece{bytes: []byte(text[from:])})
}

// putsCounters reports whether counters must be there before they are counted.
func (p *plan) putsCounters() bool {
	return p.protocol == Memcached && p.workload.Trace == nil && slices.ContainsFunc(p.mix, func(m mixPart) bool { return m.op.counts() })
}

func (t Target) control() *Control {
	if t.InProcess != nil {
		return &Control{addr: t.Addr, local: t.InProcess()}
	}
	if t.ControlAddr != "" {
		return NewControl(t.ControlAddr, RESP)
	}
	return NewControl(t.Addr, t.Protocol)
}

// scanner returns what reads the protocol's replies.
func (p Protocol) scanner(limits wire.ReplyLimits) wire.ReplyScanner {
	switch p {
	case Memcached:
		return wire.NewMemcachedScanner(limits)
	case HTTP:
		return wire.NewHTTPScanner(limits)
	}
	return wire.NewReplyScanner(limits)
}

// ControlProtocol is what Do speaks. With HTTP it says nothing but an error.
func (s *Session) ControlProtocol() Protocol { return s.control.protocol }

// Count asks for the number of keys that the server holds. It is false where the protocol has no way to ask.
func (s *Session) Count(ctx context.Context) (keys int64, known bool, err error) {
	switch s.control.protocol {
	case HTTP:
		return 0, false, nil
	case Memcached:
		keys, err = s.countItems(ctx)
		return keys, true, err
	}
	r, err := s.Do(ctx, "DBSIZE")
	if r.Kind == wire.ErrorReply {
		return 0, false, nil // a server of few commands: its keys are read one by one anyway
	}
	if err == nil && r.Kind != wire.IntReply {
		err = fmt.Errorf("DBSIZE %s: answered with %s", s.target.Addr, r.Kind)
	}
	return r.Int, true, err
}

// countItems reads memcached's statistics.
func (s *Session) countItems(ctx context.Context) (int64, error) {
	r, err := s.Do(ctx, "stats")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(r.Payload)) {
		if n, ok := strings.CutPrefix(strings.TrimSpace(line), "STAT curr_items "); ok {
			return strconv.ParseInt(n, 10, 64)
		}
	}
	return 0, fmt.Errorf("stats %s: no curr_items", s.target.Addr)
}
