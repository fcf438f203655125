package loadgen

import (
	"errors"
	"fmt"
	"time"

	"github.com/zeebo/xxh3"
)

// traceBuilder puts a trace together, operation by operation.
type traceBuilder struct {
	t         *Trace
	keepTimes bool
	table     []uint32 // of keys by hash, one more than the number; 0 is empty
	sizes     []int32  // of each key's first value that is known, one more

	touched, there, gone bitset // there: without the preload; gone: with it

	first, last, finest int64 // times, and the step between those that can be told apart, ns
	timed               bool
	group               int // where operations of the same time as the last begin
}

// record is what a line says.
type record struct {
	op     Op
	key    []byte
	size   int   // of the value; -1 where it is not known
	ttl    int64 // ms; 0: none
	time   int64 // ns; -1 where there is none
	step   int64 // ns: the last decimal of the time
	nearly string
}

func newTraceBuilder(keepTimes bool) *traceBuilder {
	t := &Trace{sizes: Law{Min: MaxValueSize, Max: -1}, names: Law{Min: MaxKeySize}}
	t.stats.StandIns, t.stats.Skipped = map[string]uint64{}, map[string]uint64{}
	return &traceBuilder{t: t, keepTimes: keepTimes, table: make([]uint32, 1<<10)}
}

// add takes one operation.
func (b *traceBuilder) add(r record) error {
	t := b.t
	switch {
	case len(r.key) == 0 || len(r.key) > MaxKeySize:
		return fmt.Errorf("a key of %d bytes; use 1 to %d", len(r.key), MaxKeySize)
	case r.size > MaxValueSize:
		return fmt.Errorf("a value of %d bytes; at most %d", r.size, MaxValueSize)
	case r.ttl < 0 || r.ttl > MaxTTL:
		return fmt.Errorf("a time to live of %d ms; use 1 to %d", r.ttl, MaxTTL)
	case r.op.expires() && r.ttl == 0:
		return fmt.Errorf("%s without a time to live", r.op)
	case len(t.rows) == maxTraceRows:
		return fmt.Errorf("more than %d operations", maxTraceRows)
	}
	if err := b.addTime(r); err != nil {
		return err
	}
	key, err := b.number(r.key)
	if err != nil {
		return err
	}
	if r.nearly != "" {
		t.stats.StandIns[r.nearly]++
	}
	if r.size >= 0 && b.sizes[key] == 0 && (r.op.writes() || r.size > 0) {
		b.sizes[key] = int32(r.size + 1)
	}
	b.follow(r.op, key)
	if !r.op.writes() {
		r.size = -1
	} else if r.size >= 0 {
		t.sizes.Min, t.sizes.Max = min(t.sizes.Min, r.size), max(t.sizes.Max, r.size)
	} else {
		t.unsized = true
	}
	if r.op.expires() && t.ttls == nil {
		t.ttls = make([]uint32, len(t.rows), cap(t.rows))
	}
	if t.ttls != nil {
		t.ttls = append(t.ttls, packTTL(r.ttl))
	}
	if r.op.expires() {
		t.ttl = max(t.ttl, unpackTTL(packTTL(r.ttl)))
	}
	t.rows = append(t.rows, newTraceRow(r.op, key, r.size))
	t.ops[r.op]++
	return nil
}

// addTime takes note of when an operation was. Times come with all or with none.
func (b *traceBuilder) addTime(r record) error {
	n := len(b.t.rows)
	switch {
	case n == 0 && r.time >= 0:
		b.timed, b.first, b.last, b.finest = true, r.time, r.time, r.step
	case b.timed && r.time < b.last:
		return errors.New("it is before the operation on the line above; sort the file by time")
	}
	if !b.timed {
		return nil
	}
	b.finest = min(b.finest, r.step)
	if r.time != b.last {
		b.spread(n, r.time-b.last)
		b.last, b.group = r.time, n
	}
	if b.keepTimes {
		b.t.times = append(b.t.times, r.time-b.first)
	}
	return nil
}

// spread parts the operations since group, which have one time, evenly over what that time stands for: a second where times are
// whole seconds. Sent at once, they would be a burst that never was.
func (b *traceBuilder) spread(end int, next int64) {
	if !b.keepTimes {
		return
	}
	if n, span := int64(end-b.group), min(next, b.finest); n > 1 {
		for i := range n {
			b.t.times[b.group+int(i)] += int64(float64(span) * float64(i) / float64(n))
		}
	}
}

// follow keeps account of which keys are there.
func (b *traceBuilder) follow(o Op, key uint32) {
	t := b.t
	fresh := !b.touched.has(key)
	if fresh {
		b.touched.put(key, true)
		if !o.writes() && o != Del {
			t.preload = append(t.preload, traceRow{key: key})
		}
	}
	switch {
	case o == Get:
		t.stats.Reads++
		if !b.gone.has(key) {
			t.stats.Hits++
		}
		if b.there.has(key) {
			t.stats.ColdHits++
		}
	case o.writes() || o.counts():
		b.there.put(key, true)
		b.gone.put(key, false)
	case o == Del:
		b.there.put(key, false)
		b.gone.put(key, true)
	}
	if o.counts() {
		t.counters.put(key, true)
	}
}

// number returns which key it is, a new one if it has not been met.
func (b *traceBuilder) number(key []byte) (uint32, error) {
	t := b.t
	if 2*len(t.ends) >= len(b.table) {
		b.grow()
	}
	mask := uint64(len(b.table) - 1)
	at := xxh3.Hash(key) & mask
	for ; b.table[at] != 0; at = (at + 1) & mask {
		if n := b.table[at] - 1; string(t.key(n)) == string(key) {
			return n, nil
		}
	}
	n := uint32(len(t.ends))
	if n == MaxKeys {
		return 0, fmt.Errorf("more than %d keys", MaxKeys)
	}
	t.text = append(t.text, key...)
	t.ends = append(t.ends, uint64(len(t.text)))
	t.names.Min, t.names.Max = min(t.names.Min, len(key)), max(t.names.Max, len(key))
	b.sizes = append(b.sizes, 0)
	b.table[at] = n + 1
	return n, nil
}

func (b *traceBuilder) grow() {
	b.table = make([]uint32, 2*len(b.table))
	mask := uint64(len(b.table) - 1)
	for n := range b.t.ends {
		at := xxh3.Hash(b.t.key(uint32(n))) & mask
		for b.table[at] != 0 {
			at = (at + 1) & mask
		}
		b.table[at] = uint32(n) + 1
	}
}

// finish returns the trace.
func (b *traceBuilder) finish(sum string) (*Trace, error) {
	t := b.t
	if len(t.rows) == 0 {
		return nil, errors.New("no operation is in it")
	}
	if b.timed {
		b.spread(len(t.rows), b.finest)
		t.stats.Span = time.Duration(b.last - b.first)
	}
	for i := range t.preload {
		r := &t.preload[i]
		size := int(b.sizes[r.key]) - 1
		if size < 0 {
			t.unsized = true
		} else {
			t.sizes.Min, t.sizes.Max = min(t.sizes.Min, size), max(t.sizes.Max, size)
		}
		*r = newTraceRow(Set, r.key, size)
	}
	t.stats.Operations, t.stats.Keys, t.stats.Preload, t.sum = len(t.rows), len(t.ends), len(t.preload), sum
	return t, nil
}
