package loadgen

import (
	"bytes"
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
	case t.Protocol == Memcached && w.KeySize > wire.MaxMemcachedKey:
		return fmt.Errorf("target %s: keys of %d bytes; memcached has at most %d", t.Addr, w.KeySize, wire.MaxMemcachedKey)
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

// translate makes the plan write its operations as the target's protocol has them.
func (p *plan) translate(t Target) {
	value := make([]byte, p.values.size)
	var get, set []byte
	tail := ""
	switch t.Protocol {
	case Memcached:
		tail = "\r\n"
		get, set = wire.AppendMemcachedGet(nil, p.key), wire.AppendMemcachedSet(nil, p.key, value)
	case HTTP:
		path := strings.Replace(cmp.Or(t.Path, DefaultPath), keyMark, string(p.key), 1)
		host := t.Addr
		if network, _ := network(t.Addr); network == "unix" {
			host = "localhost"
		}
		get, set = wire.AppendHTTPRequest(nil, "GET", path, host, nil), wire.AppendHTTPRequest(nil, "PUT", path, host, value)
	default:
		p.speak(t.Protocol, len(t.ShardAddrs))
		return
	}
	p.protocol, p.shards = t.Protocol, 0
	set = slices.Clone(set[:len(set)-len(value)-len(tail)])
	p.requests[Get] = template{head: get, key: bytes.LastIndex(get, p.key)}
	p.requests[Set] = template{head: set, key: bytes.LastIndex(set, p.key), tail: tail}
}

func (t Target) control() *Control {
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
