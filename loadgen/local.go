package loadgen

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/shardlab/shardlab/server/wire"
)

// Executor is a server in this process, as one client meets it: what a connection is elsewhere. One goroutine at a time uses
// it.
type Executor interface {
	// Exec executes all requests of b and leaves the replies, in RESP and in order, in b.Out. It must not keep b, and should
	// allocate nothing. The error means that the client can go no further.
	Exec(b *wire.Batch) error
	Close()
}

// inProcess is how a conn reaches an Executor: a batch of what was placed since the last one ran, and the one that is running,
// whose replies call for the requests of the next.
type inProcess struct {
	exec          Executor
	next, running *bundle
}

// bundle is a batch and the memory of its requests.
type bundle struct {
	wire.Batch
	args [][]byte
	text []byte // what arguments alias that are no literal
}

func newInProcess(e Executor) *inProcess { return &inProcess{e, new(bundle), new(bundle)} }

func (w *bundle) reset() {
	w.Batch.Reset()
	w.args, w.text = w.args[:0], w.text[:0]
}

// word is one argument of a command: bytes, or what differs from one request to the next between bytes.
type word struct {
	lead []byte
	slot slot
	tail []byte
}

// argumentsOf takes the words of a command apart. They have been checked.
func argumentsOf(words []string) (out []word) {
	for _, w := range words {
		lead, tail, holdsKey := strings.Cut(w, "{key}")
		switch s := slots[w]; {
		case holdsKey:
			out = append(out, word{[]byte(lead), aKey, []byte(tail)})
		case s != nothing:
			out = append(out, word{slot: s})
		default:
			out = append(out, word{lead: []byte(w)})
		}
	}
	return out
}

// addRequest appends an operation to w as a request that is parsed already. Memory that has to grow leaves earlier arguments
// where they were.
func (p *plan) addRequest(w *bundle, o *operation, writer uint32, version uint64) {
	first := len(w.args)
	t, _ := p.step(o.op, o.step)
	words := t.words
	for i := range words {
		x := &words[i]
		from := len(w.text)
		switch x.slot {
		case nothing:
			w.args = append(w.args, x.lead)
			continue
		case aKey:
			w.text = append(p.keys.append(append(w.text, x.lead...), o.key), x.tail...)
		case aNumber:
			w.text = p.appendCounter(w.text, o.key)
		case aValue:
			w.text = p.appendValue(w.text, false, o, o.key, writer, version)
		case aTTL:
			w.text = strconv.AppendInt(w.text, int64(p.ttl(o)), 10)
		case manyKeys, manyPairs:
			p.addMany(w, o, writer, version, x.slot == manyPairs)
			continue
		}
		w.cut(from)
	}
	w.Reqs = append(w.Reqs, wire.Request{Args: w.args[first:len(w.args):len(w.args)]})
}

// addMany appends the keys of an operation of several, each with a value if that is wanted.
func (p *plan) addMany(w *bundle, o *operation, writer uint32, version uint64, values bool) {
	for j := range p.workload.KeysPerOp {
		key := p.nth(o, j)
		from := len(w.text)
		w.text = p.keys.append(w.text, key)
		w.cut(from)
		if values {
			from = len(w.text)
			w.text = p.appendValue(w.text, false, o, key, writer, version)
			w.cut(from)
		}
	}
}

// cut makes what was appended to the text an argument.
func (w *bundle) cut(from int) { w.args = append(w.args, w.text[from:len(w.text):len(w.text)]) }

// enter gives every client of the share its own way into the server of this process.
func (s *share) enter(open func() Executor, firstID int) {
	s.inProcess = true
	for i := range s.conns {
		c := &s.conns[i]
		c.id, c.addr = firstID+i, inProcessName
		c.local = newInProcess(open())
		c.scan = RESP.scanner(wire.ReplyLimits{MaxBulk: maxLocalReply, MaxReply: maxLocalReply})
		c.sizeRing(max(s.mostInFlight(), preloadDepth), s.plan.steps)
	}
}

const (
	// inProcessName stands where messages have an address.
	inProcessName = "in-process"
	// maxLocalReply is no limit: the reply is there.
	maxLocalReply = 1 << 40
)

// executeAll is pump without sockets: it executes what was placed, one batch for each client that has some. Where nothing was,
// it waits until then, as pump does.
func (s *share) executeAll(until int64) (int, error) {
	if s.executed == len(s.executing) {
		if len(s.touched) == 0 {
			_, err := s.wait(until)
			return 0, err
		}
		s.touched, s.executing, s.executed = s.executing[:0], s.touched, 0
	}
	served := 0
	for s.executed < len(s.executing) && (served == 0 || s.now < s.yieldAt) {
		c := s.executing[s.executed]
		s.executed++
		served++
		c.touched = false
		if err := s.execute(c); err != nil {
			return served, err
		}
		s.sendWaiting(c)
	}
	return served, nil
}

// execute runs a client's batch on this thread and takes note of the replies. All of its requests are sent when it begins, and
// answered when it has ended.
func (s *share) execute(c *conn) error {
	l := c.local
	l.next, l.running = l.running, l.next
	b := &l.running.Batch
	s.now = clock()
	s.stamp(c)
	wanted := c.outstanding()
	if err := l.exec.Exec(b); err != nil {
		return c.fail(err)
	}
	s.tick(clock())
	before := c.replies
	used, err := s.replies(c, b.Out)
	if err != nil {
		return c.fail(err)
	}
	if got := int(c.replies - before); got != wanted || used != len(b.Out) {
		return c.fail(fmt.Errorf("%d replies and %d bytes more to a batch of %d", got, len(b.Out)-used, wanted))
	}
	l.running.reset()
	return nil
}

// null answers at once, without a server behind it.
type null struct{ value, values []byte }

// Null is for [Target.InProcess]: its executors answer every operation of w at once, with the same bytes, a value of
// the mean size. What a client reaches with it is all that it can reach: operations are chosen, written, answered, judged and recorded, and
// nothing is done.
func Null(w Workload) func() Executor {
	law := w.valueLaw()
	size := law.Mean()
	value := fmt.Appendf(nil, "$%d\r\n%s\r\n", size, make([]byte, size))
	values := fmt.Appendf(nil, "*%d\r\n", w.KeysPerOp)
	for range w.KeysPerOp {
		values = append(values, value...)
	}
	return func() Executor { return &null{value, values} }
}

func (n *null) Exec(b *wire.Batch) error {
	for ; b.Next < len(b.Reqs); b.Next++ {
		switch string(b.Reqs[b.Next].Args[0]) {
		case "GET":
			b.Out = append(b.Out, n.value...)
		case "MGET":
			b.Out = append(b.Out, n.values...)
		case "DEL", "INCR", "DECR", "EXISTS", "PEXPIRE":
			b.Out = append(b.Out, ":1\r\n"...)
		default:
			b.Out = append(b.Out, "+OK\r\n"...)
		}
	}
	return nil
}

func (n *null) Close() {}
