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
	case t.Protocol == Memcached && w.keyLaw().Max > wire.MaxMemcachedKey:
		return fmt.Errorf("target %s: keys of %s bytes; memcached has at most %d", t.Addr, w.keyLaw().span(), wire.MaxMemcachedKey)
	case t.InProcess != nil && max(l.Pipeline, l.InFlight) > wire.MaxBatch:
		return fmt.Errorf("target %s: %d requests at once; in-process it is at most %d", t.Addr, max(l.Pipeline, l.InFlight),
			wire.MaxBatch)
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
func (p *plan) translate(t Target) error {
	if err := p.speak(t.Protocol, len(t.ShardAddrs)); err != nil {
		return err
	}
	value := make([]byte, p.values.sizes.Max)
	switch t.Protocol {
	case Memcached:
		p.requests[Get].pieces = p.foreign(wire.AppendMemcachedGet(nil, p.keys.longest))
		p.requests[Set].pieces = p.foreignWrite(wire.AppendMemcachedSet(nil, p.keys.longest, value), "\r\n")
	case HTTP:
		path := strings.Replace(cmp.Or(t.Path, DefaultPath), keyMark, string(p.keys.longest), 1)
		host := t.Addr
		if network, _ := network(t.Addr); network == "unix" {
			host = "localhost"
		}
		p.requests[Get].pieces = p.foreign(wire.AppendHTTPRequest(nil, "GET", path, host, nil))
		p.requests[Set].pieces = p.foreignWrite(wire.AppendHTTPRequest(nil, "PUT", path, host, value), "")
	}
	return nil
}

// foreign takes an encoded request of the longest key apart.
func (p *plan) foreign(encoded []byte) []piece {
	at := bytes.LastIndex(encoded, p.keys.longest)
	return []piece{{bytes: encoded[:at], slot: aKey}, {bytes: encoded[at+len(p.keys.longest):]}}
}

// foreignWrite does so with one that ends in a value of the greatest size, whose length stands before it, and a tail.
func (p *plan) foreignWrite(encoded []byte, tail string) []piece {
	pieces := p.foreign(slices.Clone(encoded[:len(encoded)-p.values.sizes.Max-len(tail)]))
	last := &pieces[len(pieces)-1]
	last.slot = rawValue
	if !p.values.sizes.fixed() {
		head, length := last.bytes, strconv.Itoa(p.values.sizes.Max)
		at := bytes.LastIndex(head, []byte(length))
		*last = piece{bytes: head[:at], slot: aLength}
		pieces = append(pieces, piece{bytes: head[at+len(length):], slot: rawValue})
	}
	return append(pieces, piece{bytes: []byte(tail)})
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
