package loadgen

import (
	"bytes"
	"slices"

	"github.com/shardlab/shardlab/server/wire"
)

// checkEvery is how many GETs come, on average, to one whose reply is verified byte by byte.
const checkEvery = 64

// plan is a workload made ready: it knows every operation of every client. It is read-only and shared by all workers.
type plan struct {
	workload Workload
	random   words
	gets     uint64 // an operation is a GET when the upper 63 bits of its word are below
	choice   choice
	clients  uint64 // of the session
	values   values

	digits   int // how many digits of a key's number can differ from 0
	key      []byte
	protocol Protocol
	shards   int // in SCNP: of how many an operation names one; 0: none
	requests [NumOps]template
}

// template is a request that lacks the last digits of its key, what goes with them, and the value.
type template struct {
	head []byte // all up to the value
	key  int    // where the key stands
	tail string // what comes after the value
}

// operation is one step of a client.
type operation struct {
	op    Op
	check bool // verify the content of the reply
	key   uint32
}

func newPlan(w Workload) (*plan, error) {
	if err := w.check(); err != nil {
		return nil, err
	}
	share, err := w.getShare()
	if err != nil {
		return nil, err
	}
	p := &plan{
		workload: w.clone(), clients: 1,
		random: newWords(w.Seed),
		gets:   uint64(share * (1 << 63)),
		values: newValues(w.ValueSize),
		digits: decimalDigits(w.Keys - 1),
		key:    appendKey(nil, 0, w.KeySize),
	}
	if p.choice, err = newChoice(p.workload); err != nil {
		return nil, err
	}
	p.speak(RESP, 0)
	return p, nil
}

// speak makes the plan write its operations in a protocol. shards is how many addresses there are, 0 for a public one.
func (p *plan) speak(protocol Protocol, shards int) {
	p.protocol, p.shards = protocol, shards
	value, tail := make([]byte, p.values.size), "\r\n"
	get := wire.AppendCommand(nil, []byte("GET"), p.key)
	set := wire.AppendCommand(nil, []byte("SET"), p.key, value)
	if protocol == SCNP {
		tail = ""
		get = wire.AppendKeyFrame(nil, wire.OpGet, p.address(p.key), p.key)
		set = wire.AppendSetFrame(nil, p.address(p.key), p.key, value)
	}
	set = slices.Clone(set[:len(set)-len(value)-len(tail)])
	p.requests[Get] = template{head: get, key: bytes.LastIndex(get, p.key)}
	p.requests[Set] = template{head: set, key: bytes.LastIndex(set, p.key), tail: tail}
}

// address is what an SCNP frame says of its key.
func (p *plan) address(key []byte) wire.Address {
	if p.shards > 0 {
		return wire.ToShard(key, p.shards)
	}
	return wire.ToServer(key)
}

// op returns what an operation is whose first word is what.
func (p *plan) op(what uint64) Op {
	if what>>1 < p.gets {
		return Get
	}
	return Set
}

// at returns operation i of a client.
func (p *plan) at(client uint32, i uint64) operation {
	what := p.random.at(client, 2*i)
	which := p.random.at(client, 2*i+1)
	o := operation{op: p.op(what)}
	// The low bits have all but no say in what the operation is.
	o.check = o.op == Get && what%checkEvery == 0
	o.key = p.choice.key(p.choice.rank(which, o.op.writes()), i*p.clients+uint64(client))
	return o
}

// appendRequest appends the bytes of an operation. Version is used by SET only.
func (p *plan) appendRequest(dst []byte, o operation, writer uint32, version uint64) []byte {
	t := &p.requests[o.op]
	start := len(dst)
	dst = append(dst, t.head...)
	key := dst[start+t.key : start+t.key+len(p.key)]
	p.putKey(key, o.key)
	if p.protocol == SCNP {
		wire.Readdress(dst[start:], p.address(key))
	}
	if o.op == Set {
		at := len(dst)
		dst = slices.Grow(dst, p.values.size+len(t.tail))[:at+p.values.size]
		p.values.put(dst[at:], o.key, writer, version)
		dst = append(dst, t.tail...)
	}
	return dst
}

// putKey makes dst, a copy of p.key, key number n.
func (p *plan) putKey(dst []byte, n uint32) { putDecimal(dst[len(dst)-p.digits:], n) }

// requestSize returns how long the longest request is, in bytes.
func (p *plan) requestSize() int {
	t := &p.requests[Set]
	return len(t.head) + p.values.size + len(t.tail)
}
