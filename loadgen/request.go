package loadgen

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/shardlab/shardlab/server/wire"
)

// template is how an operation is written in RESP: bytes, and what goes between them.
//
// Where it has several steps, each is sent when the one before it has been answered, over the same connection.
type template struct {
	then   *template // the next step, nil after the last
	pieces []piece
	words  []word // the same as arguments
	answer answer
	whole  whole // the pieces as one, where nothing changes its length
}

// whole is a request of which only a key and a value are written anew: one copy, where pieces take three or five.
type whole struct {
	bytes        []byte // nil where there is none
	key          int    // where the key ends
	value, until int    // where the value is; 0, 0 where there is none
}

// weld makes wholes of the requests in RESP that can be.
func (p *plan) weld() {
	if p.protocol != RESP || !p.keys.sizes.fixed() || p.workload.Trace != nil {
		return
	}
	for i := range p.requests {
		t := &p.requests[i]
		value := len(t.pieces) == 3 && t.pieces[1].slot == aValue && p.values.sizes.fixed()
		if len(t.pieces) != 2 && !value || t.pieces[0].slot != aKey || t.pieces[len(t.pieces)-1].slot != nothing {
			continue
		}
		w := whole{bytes: append(slices.Clone(t.pieces[0].bytes), p.keys.longest...)}
		w.key = len(w.bytes)
		w.bytes = append(w.bytes, t.pieces[1].bytes...)
		if value {
			w.value, w.until = len(w.bytes), len(w.bytes)+p.values.sizes.Max
			w.bytes = append(append(w.bytes, p.values.block[:p.values.sizes.Max]...), t.pieces[2].bytes...)
		}
		t.whole = w
	}
}

// piece is some bytes and what comes after them.
type piece struct {
	bytes []byte
	slot  slot
	extra int // keyLength: bytes of the string that are not the key's
}

// slot is what is different from one request to the next.
type slot uint8

const (
	nothing   slot = iota
	keyLength      // digits: that of the string whose key is to come
	aKey           // the key of the operation
	aNumber        // a counter's key, which differs in its first letter
	aValue         // in a string, whose length comes first unless all values are of one
	aLength        // digits: that of the value to come
	rawValue       // a value, and no more
	aTTL           // milliseconds, likewise
	aSeconds       // digits: the milliseconds rounded up
	manyKeys       // KeysPerOp strings
	blankKeys      // KeysPerOp keys, a blank before each
	manyPairs      // KeysPerOp keys and values
)

// answer is what a good reply to an operation looks like.
type answer uint8

const (
	anything   answer = iota // but an error
	done                     // OK
	oneValue                 // a value or null
	manyValues               // an array of them
	count                    // a whole number
)

var commands = [FirstTemplate]struct {
	text   string
	answer answer
}{
	Get: {"GET {key}", oneValue}, Set: {"SET {key} {value}", done}, Del: {"DEL {key}", count}, Incr: {"INCR {counter}", count},
	MGet: {"MGET {keys}", manyValues}, MSet: {"MSET {pairs}", done},
	SetEx: {"PSETEX {key} {ttl} {value}", done}, Expire: {"PEXPIRE {key} {ttl}", count},
	Decr: {"DECR {counter}", count}, Exists: {"EXISTS {key}", count},
}

var slots = map[string]slot{
	"{key}": aKey, "{value}": aValue, "{ttl}": aTTL, "{counter}": aNumber, "{keys}": manyKeys, "{pairs}": manyPairs,
}

// stepsOf cuts a command of several steps apart.
func stepsOf(text string) []string { return strings.Split(text, "; ") }

// checkTemplate checks a command that somebody else has written.
func checkTemplate(text string) error {
	for _, step := range stepsOf(text) {
		if err := checkStep(step); err != nil {
			return err
		}
	}
	return nil
}

func checkStep(text string) error {
	words := strings.Fields(text)
	if len(words) == 0 {
		return fmt.Errorf("workload: a command without a word; write one as in HSET h:{key} field {value}")
	}
	for i, word := range words {
		rest := word
		for _, name := range []string{"{key}", "{value}", "{ttl}"} {
			rest = strings.Replace(rest, name, "", 1)
		}
		alone := word == "{value}" || word == "{ttl}" || !strings.Contains(word, "{value}") && !strings.Contains(word, "{ttl}")
		if i == 0 && rest != word || strings.ContainsAny(rest, "{}") || !alone {
			return fmt.Errorf("workload: %q in the command %q; write words, {key} alone or in one, and {value} and {ttl} alone",
				word, text)
		}
	}
	return nil
}

// newTemplate reads a command. It has been checked.
func (p *plan) newTemplate(text string, a answer) template {
	words := strings.Fields(text)
	t := template{words: argumentsOf(words), answer: a}
	count := len(words)
	for _, word := range words {
		switch slots[word] {
		case manyKeys:
			count += p.workload.KeysPerOp - 1
		case manyPairs:
			count += 2*p.workload.KeysPerOp - 1
		}
	}
	lit := fmt.Appendf(nil, "*%d\r\n", count)
	put := func(s slot, extra int) {
		t.pieces = append(t.pieces, piece{slices.Clone(lit), s, extra})
		lit = lit[:0]
	}
	// keyed begins a string that has a key and extra bytes in it.
	keyed := func(extra int) {
		if lit = append(lit, '$'); p.keys.sizes.fixed() {
			lit = strconv.AppendInt(lit, int64(extra+p.keys.sizes.Min), 10)
		} else {
			put(keyLength, extra)
		}
		lit = append(lit, "\r\n"...)
	}
	for _, word := range words {
		name := word
		if i := strings.Index(word, "{key}"); i >= 0 {
			name = "{key}"
			keyed(len(word) - len(name))
			lit = append(lit, word[:i]...)
		}
		switch s := slots[name]; s {
		case nothing:
			lit = fmt.Appendf(lit, "$%d\r\n%s", len(word), word)
		case aKey:
			put(s, 0)
			lit = append(lit, word[strings.Index(word, name)+len(name):]...)
		case aNumber:
			keyed(0)
			put(s, 0)
		case aValue:
			if p.values.sizes.fixed() {
				lit = fmt.Appendf(lit, "$%d\r\n", p.values.sizes.Min)
			}
			put(s, 0)
		case manyKeys, manyPairs:
			put(s, 0)
			continue // each string has its end
		default:
			put(s, 0)
		}
		lit = append(lit, "\r\n"...)
	}
	put(nothing, 0)
	return t
}

// speak makes the plan write its operations in a protocol. shards is how many addresses there are, 0 for a public one.
func (p *plan) speak(protocol Protocol, shards int) error {
	p.protocol, p.shards = protocol, shards
	p.blank = p.address(p.keys.longest)
	for _, m := range p.mix {
		switch {
		case !protocol.Speaks(m.op):
			return fmt.Errorf("workload: %s has no counterpart in %s, which has %s; use resp", p.workload.OpName(m.op), protocol,
				protocol.vocabulary())
		case protocol == Memcached && m.op.expires() && p.workload.TTL.Max > maxMemcachedTTL:
			return fmt.Errorf("workload: times to live up to %d ms; memcached takes what is beyond 30 days for a date", p.workload.TTL.Max)
		case shards > 0 && m.op >= FirstTemplate:
			return fmt.Errorf("workload: %s may be for any shard: it cannot be sent to shards' own ports", p.workload.OpName(m.op))
		case shards > 1 && m.op.multi() && (p.of == nil || p.workload.CrossShard != 0 || p.workload.Sharding.n%shards != 0):
			return fmt.Errorf("workload: keys of one %s may be on several of %d shards, which have ports of their own; "+
				"let none cross shards", m.op, shards)
		}
	}
	return nil
}

// address is what an SCNP frame says of its key.
func (p *plan) address(key []byte) wire.Address {
	if p.shards > 0 {
		return wire.ToShard(key, p.shards)
	}
	return wire.ToServer(key)
}

// appendTurn appends the bytes of operation i of a client, of all its steps.
func (p *plan) appendTurn(dst []byte, client uint32, i uint64) []byte {
	var o operation
	p.choose(&o, client, i)
	for last := false; !last; o.step++ {
		dst = p.appendRequest(dst, &o, client, i)
		_, last = p.step(o.op, o.step)
	}
	return dst
}

// appendRequest appends the bytes of an operation. What it writes comes from the writer, as its version.
func (p *plan) appendRequest(dst []byte, o *operation, writer uint32, version uint64) []byte {
	if p.protocol == SCNP {
		return p.appendFrame(dst, o, writer, version)
	}
	t, _ := p.step(o.op, o.step)
	if w := &t.whole; w.bytes != nil {
		start := len(dst)
		dst = append(dst, w.bytes...)
		putDecimal(dst[start+w.key-p.keys.digits:start+w.key], o.key)
		if w.until > 0 {
			p.values.put(dst[start+w.value:start+w.until], o.key, writer, version)
		}
		return dst
	}
	pieces := t.pieces
	for i := range pieces {
		dst = append(dst, pieces[i].bytes...)
		switch pieces[i].slot {
		case keyLength:
			dst = strconv.AppendInt(dst, int64(p.keys.size(o.key)+pieces[i].extra), 10)
		case aKey:
			dst = p.keys.append(dst, o.key)
		case aNumber:
			dst = p.appendCounter(dst, o.key)
		case aValue:
			dst = p.appendValue(dst, !p.values.sizes.fixed(), o, o.key, writer, version)
		case aLength:
			dst = strconv.AppendInt(dst, int64(p.valueSize(o, o.key, mark(writer, version))), 10)
		case rawValue:
			dst = p.appendValue(dst, false, o, o.key, writer, version)
		case aTTL:
			dst = appendNumber(dst, p.ttl(o))
		case aSeconds:
			dst = strconv.AppendInt(dst, int64(p.ttl(o)+999)/1000, 10)
		case blankKeys:
			for j := range p.workload.KeysPerOp {
				dst = p.keys.append(append(dst, ' '), p.nth(o, j))
			}
		case manyKeys:
			for j := range p.workload.KeysPerOp {
				dst = p.appendBulkKey(dst, p.nth(o, j))
			}
		case manyPairs:
			for j := range p.workload.KeysPerOp {
				key := p.nth(o, j)
				dst = p.appendBulkKey(dst, key)
				dst = append(p.appendValue(dst, true, o, key, writer, version), "\r\n"...)
			}
		}
	}
	return dst
}

// modifySteps are those of ReadModifyWrite.
var modifySteps = [...]Op{Get, Set}

// step returns how a step of an operation is written, and whether it is the last.
func (p *plan) step(o Op, step uint8) (t *template, last bool) {
	if !p.steps {
		return &p.requests[o], true
	}
	return p.oneOfSteps(o, step)
}

func (p *plan) oneOfSteps(o Op, step uint8) (t *template, last bool) {
	if o == ReadModifyWrite {
		return &p.requests[modifySteps[step]], int(step) == len(modifySteps)-1
	}
	t = &p.requests[o]
	for range step {
		t = t.then
	}
	return t, t.then == nil
}

// counterPrefix is the first letter of a counter's key.
const counterPrefix = 'n'

// appendCounter appends the key of a counter: a trace has its own.
func (p *plan) appendCounter(dst []byte, n uint32) []byte {
	at := len(dst)
	if dst = p.keys.append(dst, n); p.workload.Trace == nil {
		dst[at] = counterPrefix
	}
	return dst
}

func (p *plan) appendBulkKey(dst []byte, n uint32) []byte {
	return append(p.keys.append(appendLength(dst, p.keys.size(n)), n), "\r\n"...)
}

// appendValue appends a value, behind its length if that is wanted.
func (p *plan) appendValue(dst []byte, length bool, o *operation, key, writer uint32, version uint64) []byte {
	n := p.valueSize(o, key, mark(writer, version))
	if length {
		dst = appendLength(dst, n)
	}
	return p.values.append(dst, n, key, writer, version)
}

// valueSize is how long the value is that an operation gives a key.
func (p *plan) valueSize(o *operation, key, mark uint32) int {
	if p.workload.Trace != nil {
		return p.sizeAt(o, mark)
	}
	return p.values.size(key, mark)
}

func appendLength(dst []byte, n int) []byte {
	return append(strconv.AppendInt(append(dst, '$'), int64(n), 10), "\r\n"...)
}

// appendNumber appends n as a string without its end.
func appendNumber(dst []byte, n int) []byte {
	return strconv.AppendInt(appendLength(dst, decimalDigits(n)), int64(n), 10)
}

// opcodes are those of operations whose frame has arguments.
var opcodes = func() (codes [FirstTemplate]wire.Opcode) {
	for _, o := range []Op{Incr, Decr, Exists} {
		codes[o], _ = wire.OpcodeOf(o.String())
	}
	return codes
}()

// appendFrame appends the SCNP frame of an operation: one made for a key of its length, in which what differs is written over.
func (p *plan) appendFrame(dst []byte, o *operation, writer uint32, version uint64) []byte {
	if o.op == ReadModifyWrite {
		step := *o
		step.op = modifySteps[o.step]
		o = &step
	}
	start, blank := len(dst), p.keys.longest[:p.keys.size(o.key)]
	value := p.values.block[:0]
	if o.op.writes() {
		value = p.values.block[:p.valueSize(o, o.key, mark(writer, version))]
	}
	switch o.op {
	case Get:
		dst = wire.AppendKeyFrame(dst, wire.OpGet, p.blank, blank)
	case Set:
		dst = wire.AppendSetFrame(dst, p.blank, blank, value)
	case Del:
		dst = wire.AppendKeyFrame(dst, wire.OpDel, p.blank, blank)
	case SetEx:
		dst = wire.AppendSetEXFrame(dst, p.blank, blank, value, uint64(p.ttl(o)))
	case Expire:
		dst = wire.AppendTTLFrame(dst, wire.OpExpire, p.blank, blank, uint64(p.ttl(o)))
	case Incr, Decr, Exists:
		dst = wire.AppendArgsFrame(dst, opcodes[o.op], p.blank, blank)
	}
	at := len(dst) - len(value)
	p.values.put(dst[at:], o.key, writer, version)
	key := dst[at-len(blank) : at]
	p.putKey(key, o)
	wire.Readdress(dst[start:], p.address(key))
	return dst
}

// putKey makes dst, which is as long as the key of an operation, that key.
func (p *plan) putKey(dst []byte, o *operation) {
	p.keys.put(dst, o.key)
	if o.op.counts() && p.workload.Trace == nil {
		dst[0] = counterPrefix
	}
}

// requestSize returns how long the longest request can be in RESP, in bytes.
func (p *plan) requestSize() int {
	longest := 0
	value := p.values.most + len("$12345678\r\n\r\n")
	for i := range p.requests {
		n := 0
		for _, x := range p.requests[i].pieces {
			n += len(x.bytes)
			switch x.slot {
			case keyLength:
				n += len("$12345")
			case aKey, aNumber:
				n += p.keys.sizes.Max
			case aValue:
				n += value
				if p.values.sizes.fixed() {
					n = n - value + p.values.most
				}
			case aLength, rawValue:
				n += p.values.most
			case aTTL, aSeconds:
				n += len("$12\r\n123456789012")
			case blankKeys:
				n += p.workload.KeysPerOp * (p.keys.sizes.Max + 1)
			case manyKeys:
				n += p.workload.KeysPerOp * (p.keys.sizes.Max + len("$12345\r\n\r\n"))
			case manyPairs:
				n += p.workload.KeysPerOp * (p.keys.sizes.Max + len("$12345\r\n\r\n") + value)
			}
		}
		longest = max(longest, n)
	}
	return longest
}

// longestReply is a bound of the bytes of a good reply.
func (p *plan) longestReply() int {
	head := len("$12345678\r\n\r\n")
	if p.protocol == Memcached {
		head = p.keys.sizes.Max + len("VALUE  0 12345678\r\n\r\n")
	}
	return max(p.workload.KeysPerOp, 1)*(p.values.most+head) + 64
}
