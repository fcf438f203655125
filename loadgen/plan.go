package loadgen

import (
	"fmt"
	"math"
	"slices"

	"github.com/shardlab/shardlab/server/wire"
)

// checkEvery is how many GETs come, on average, to one whose reply is verified byte by byte.
const checkEvery = 64

// plan is a workload made ready: it knows every operation of every client. It is read-only and shared by all workers.
type plan struct {
	workload Workload
	random   words
	mix      []mixPart
	choice   choice
	clients  uint64 // of the session
	churns   bool   // some of its windows renew connections
	values   values
	ttls     numbers
	unsized  numbers  // of a trace: sizes that it does not tell
	of       []uint16 // the shard of each key, where keys of one operation are of one shard or of several
	cross    uint64   // an operation has keys of several shards when its word is below

	keys     keys
	protocol Protocol
	shards   int          // in SCNP: of how many an operation names one; 0: none
	blank    wire.Address // in SCNP: of the longest key
	requests [NumOps + 1]template
	steps    bool // some operation has several
}

// operation is one step of a client.
type operation struct {
	op    Op
	step  uint8
	check bool // verify the content of the reply
	key   uint32
	sized int32  // of a trace: one more than the size of its value; 0: not known
	turn  uint64 // which of the whole session's it is
	word  uint64 // its own random word, from which its key was drawn, and from which more can be
}

func newPlan(w Workload) (*plan, error) {
	if err := w.check(); err != nil {
		return nil, err
	}
	mix, err := w.parts()
	if err != nil {
		return nil, err
	}
	if w.Random == 0 {
		w.Random = 1
	}
	p := &plan{
		workload: w.clone(), clients: 1,
		random: newWords(w.Seed),
		mix:    mix,
		values: newValues(w.bounds(), w.Random, w.OtherValues...),
		keys:   newKeys(w),
	}
	if p.choice, err = newChoice(p.workload); err != nil {
		return nil, err
	}
	if w.share(Op.multi) > 0 && w.CrossShard >= 0 {
		if p.of, err = w.Sharding.table(w); err != nil {
			return nil, err
		}
		if p.cross = math.MaxUint64; w.CrossShard < 1 {
			p.cross = uint64(w.CrossShard * (1 << 64))
		}
		if err := wantTwoShards(p.of); err != nil {
			return nil, err
		}
	}
	p.steps = p.uses(ReadModifyWrite)
	p.ttls, p.unsized = newNumbers(w.TTL), newNumbers(w.valueLaw())
	p.values.trace = w.Trace
	p.write()
	err = p.speak(RESP, 0)
	p.weld()
	return p, err
}

// write prepares the requests in RESP of the operations there are. Get and Set are always there: the preload uses them.
func (p *plan) write() {
	for op, c := range commands {
		if o := Op(op); c.text != "" && (o == Get || o == Set || p.uses(o)) {
			p.requests[op] = p.newTemplate(c.text, c.answer)
		}
	}
	for i, text := range p.workload.Templates {
		at := &p.requests[int(FirstTemplate)+i]
		for _, step := range stepsOf(text) {
			if len(at.pieces) > 0 {
				p.steps = true
				at.then = new(template)
				at = at.then
			}
			*at = p.newTemplate(step, anything)
		}
	}
}

// uses reports whether an operation is in the mix.
func (p *plan) uses(o Op) bool {
	return slices.ContainsFunc(p.mix, func(x mixPart) bool { return x.op == o })
}

// records reports whether an operation can be recorded.
func (p *plan) records(o Op) bool { return o == Get || o == Set || p.uses(o) }

// op returns what an operation is whose first word is what.
func (p *plan) op(what uint64) Op {
	i := 0
	for what>>1 >= p.mix[i].below {
		i++
	}
	return p.mix[i].op
}

// at returns operation i of a client.
func (p *plan) at(client uint32, i uint64) (o operation) {
	p.choose(&o, client, i)
	return o
}

// choose makes *o operation i of a client. Operations, requests and replies go by pointer from here to there and back: the
// compiler copies structs of more than four fields in pieces of 16 bytes, right after their fields were written one by one,
// and each such load waits until the writes have left the processor's store buffer (38 of 83 ns an operation).
func (p *plan) choose(o *operation, client uint32, i uint64) {
	if p.workload.Trace != nil {
		p.replay(o, client, i)
		return
	}
	what := p.random.at(client, 2*i)
	which := p.random.at(client, 2*i+1)
	o.op, o.turn, o.word = p.op(what), i*p.clients+uint64(client), which
	// The low bits have all but no say in what the operation is.
	o.check = (o.op == Get || o.op == MGet || o.op == ReadModifyWrite) && what%checkEvery == 0
	o.key = p.choice.key(p.choice.rank(which, o.op.writes()), o.turn)
}

// Words that an operation's own gives rise to, apart from those of its keys.
const (
	ttlWord   = 1<<32 + iota
	crossWord // whether its keys are of several shards
)

func (o *operation) more(n uint64) uint64 { return mix64(o.word + n*gamma) }

// ttl is the time to live that an operation gives, ms.
func (p *plan) ttl(o *operation) int {
	if p.workload.Trace != nil {
		return p.workload.Trace.ttlAt(o.turn)
	}
	return p.ttls.draw(o.more(ttlWord))
}

// nth is the j-th key of an operation of several. Each is drawn as the first is; where they must be of one shard, or of
// another than the first, and what is drawn is not, it is the next one that is.
func (p *plan) nth(o *operation, j int) uint32 {
	if j == 0 {
		return o.key
	}
	key := p.choice.key(p.choice.rank(o.more(uint64(j)), false), o.turn+uint64(j))
	if p.of == nil {
		return key
	}
	crosses := p.cross > 0 && o.more(crossWord) < p.cross
	if crosses && j > 1 {
		return key
	}
	for (p.of[key] == p.of[o.key]) == crosses {
		if key++; int(key) == len(p.of) {
			key = 0
		}
	}
	return key
}

// wantTwoShards makes sure that there is another shard than any key's.
func wantTwoShards(of []uint16) error {
	for _, shard := range of {
		if shard != of[0] {
			return nil
		}
	}
	return fmt.Errorf("workload: all %d keys are of one shard; use more keys", len(of))
}
