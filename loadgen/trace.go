package loadgen

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Trace is a sequence of operations that was recorded somewhere, to be sent again: see [ReadTrace], and [Trace.Workload] for
// how. It is read-only, and may be shared by sessions.
//
// It takes 8 bytes an operation, 8 more where times are kept, and 4 more where any has a time to live; a key takes its own
// bytes and 8 more.
type Trace struct {
	rows  []traceRow
	times []int64  // ns after the first; nil where they are not kept
	ttls  []uint32 // nil where no operation has one
	text  []byte   // the keys, one after the other
	ends  []uint64 // of key i in text

	counters bitset     // keys that are counted, which have numbers for values
	preload  []traceRow // keys that must be there before the trace begins

	ops          [FirstTemplate]uint64
	sizes, names Law // of values, as far as they are known, and of keys: the least and the most
	unsized      bool
	ttl          int
	stats        TraceStats
	sum          string
}

// TraceStats say what is in a trace.
type TraceStats struct {
	Operations int
	Keys       int
	Preload    int           // keys that something is asked of before they are written: they are preloaded
	Reads      uint64        // GETs
	Hits       uint64        // those that find their key, as far as writes and deletions tell; times to live are left out
	ColdHits   uint64        // those that would without the preload
	Span       time.Duration // from the first operation to the last; 0 where times are not known
	// StandIns counts by name what is replayed as something else, and Skipped what is not replayed at all.
	StandIns, Skipped map[string]uint64
}

// maxTraceRows is how many operations a trace may have.
const maxTraceRows = 1 << 31

// traceRow is an operation on a key: its type in 4 bits, and one more than the size of its value in 28, 0 where that is not known.
type traceRow struct{ key, what uint32 }

func newTraceRow(o Op, key uint32, size int) traceRow {
	return traceRow{key, uint32(o)<<28 | uint32(size+1)}
}

func (r traceRow) op() Op       { return Op(r.what >> 28) }
func (r traceRow) sized() int32 { return int32(r.what & (1<<28 - 1)) }
func (t *Trace) key(n uint32) []byte {
	from := uint64(0)
	if n > 0 {
		from = t.ends[n-1]
	}
	return t.text[from:t.ends[n]]
}

// packTTL stores milliseconds up to 24 days as they are, and beyond in seconds.
func packTTL(ms int64) uint32 {
	if ms < 1<<31 {
		return uint32(ms)
	}
	return 1<<31 | uint32((ms+999)/1000)
}

func unpackTTL(x uint32) int {
	if x < 1<<31 {
		return int(x)
	}
	return int(x&(1<<31-1)) * 1000
}

// Stats returns what is in the trace.
func (t *Trace) Stats() TraceStats { return t.stats }

// Times returns when the operations were recorded, ns after the first, for [Arrival]; nil where that is not known or was not
// kept. It must not be changed.
func (t *Trace) Times() []int64 { return t.times }

// Workload makes a workload of the trace: of base it takes the sizes of values that the trace does not tell, how random they
// are, whether keys may be gone, and the seed.
//
// Operation j of the trace is sent by client j mod clients, and the trace begins anew when it has ended. Each client keeps to the
// order of its operations, and in an open loop they fall due in the order of the trace; between clients it holds as far as
// what is in flight. So every connection has the same share of the load, and keys are as popular as they were: if a key
// had a client of its own, that of a hot key would send less than its part in a closed loop, and the distribution would be
// another. A read may thus overtake the write before it and miss.
func (t *Trace) Workload(base Workload) Workload {
	w := Workload{
		Trace: t, Keys: len(t.ends), KeyLaw: t.names, ValueSize: base.ValueSize, ValueLaw: base.ValueLaw, Random: base.Random,
		Seed: base.Seed, CrossShard: -1, MayBeGone: base.MayBeGone,
	}
	for o, n := range t.ops {
		if n > 0 {
			w.Mix = append(w.Mix, OpShare{Op(o), float64(n)})
		}
	}
	if t.ttl > 0 {
		w.TTL = Fixed(t.ttl)
	}
	return w
}

// replay makes *o operation i of a client.
func (p *plan) replay(o *operation, client uint32, i uint64) {
	t := p.workload.Trace
	o.turn = i*p.clients + uint64(client)
	row := &t.rows[o.turn%uint64(len(t.rows))]
	o.op, o.key, o.sized = row.op(), row.key, row.sized()
	o.check = o.op == Get && mix64(o.turn+gamma)%checkEvery == 0
}

// ttlAt is the time to live that the operation of a turn gives, ms.
func (t *Trace) ttlAt(turn uint64) int { return unpackTTL(t.ttls[turn%uint64(len(t.ttls))]) }

// sizeAt is how long the value is that an operation of the trace writes.
func (p *plan) sizeAt(o *operation, mark uint32) int {
	n := int(o.sized) - 1
	if n < 0 {
		n = p.unsized.draw(mix64(uint64(o.key)<<32 | uint64(mark)))
	}
	if p.workload.Trace.counter(o.key) {
		n = min(max(n, 1), maxCounter)
	}
	return n
}

// maxCounter is how many digits a counter has at most when it is written: it can be counted up for long.
const maxCounter = 18

// putCount fills dst with a number.
func putCount(dst []byte) {
	for i := range dst {
		dst[i] = '0' + byte(1/(i+1))
	}
}

// isCount reports whether value is what a counter can hold. memcached leaves blanks behind a number that was longer.
func isCount(value []byte) bool {
	digits := bytes.TrimRight(value, " ")
	_, err := strconv.ParseInt(string(digits), 10, 64)
	return err == nil
}

// counter reports whether the trace counts a key.
func (t *Trace) counter(key uint32) bool { return t != nil && t.counters.has(key) }

// bounds are the least and the greatest sizes of values.
func (w Workload) bounds() Law {
	law := w.valueLaw()
	if w.Trace == nil {
		return law
	}
	b := Fixed(law.Min)
	if t := w.Trace; t.sizes.Max >= 0 {
		b = t.sizes
	}
	if w.Trace.unsized {
		b.Min, b.Max = min(law.Min, b.Min), max(law.Max, b.Max)
	}
	if len(w.Trace.counters) > 0 {
		b.Min, b.Max = min(1, b.Min), max(maxCounter, b.Max)
	}
	return b
}

// plainKeys reports whether no key has a blank or a control character.
func (t *Trace) plainKeys() bool {
	return !bytes.ContainsFunc(t.text, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// skew counts how unequal the keys are.
func (t *Trace) skew() Skew {
	counts := make([]uint32, len(t.ends))
	for _, r := range t.rows {
		counts[r.key]++
	}
	slices.SortFunc(counts, func(a, b uint32) int { return int(int64(b) - int64(a)) })
	few := 0.0
	for _, n := range counts[:max(len(counts)/100, 1)] {
		few += float64(n)
	}
	all := float64(len(t.rows))
	s := Skew{TopKey: float64(counts[0]) / all, TopPercent: few / all, Draws: len(t.rows)}
	s.DrawnKey, s.DrawnPercent = s.TopKey, s.TopPercent
	return s
}

// String describes the trace in a line.
func (s TraceStats) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d operations on %d keys", s.Operations, s.Keys)
	if s.Span > 0 {
		fmt.Fprintf(&b, " in %v", s.Span.Round(time.Microsecond))
	}
	fmt.Fprintf(&b, "; preloaded, because asked for before they are written: %d", s.Preload)
	if s.Reads > 0 {
		percent := func(n uint64) float64 { return math.Floor(1000*float64(n)/float64(s.Reads)) / 10 }
		fmt.Fprintf(&b, "; %g %% of %d reads are to hit, %g %% without the preload", percent(s.Hits), s.Reads, percent(s.ColdHits))
	}
	for _, x := range []struct {
		text string
		of   map[string]uint64
	}{{"replayed as what is nearest", s.StandIns}, {"not replayed", s.Skipped}} {
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(x.of)) {
			parts = append(parts, fmt.Sprintf("%d of %s", x.of[name], name))
		}
		if len(parts) > 0 {
			fmt.Fprintf(&b, "; %s: %s", x.text, strings.Join(parts, ", "))
		}
	}
	return b.String()
}

// bitset is a set of small numbers.
type bitset []uint64

func (b bitset) has(n uint32) bool { return int(n/64) < len(b) && b[n/64]>>(n%64)&1 == 1 }

func (b *bitset) put(n uint32, in bool) {
	for int(n/64) >= len(*b) {
		*b = append(*b, 0)
	}
	if in {
		(*b)[n/64] |= 1 << (n % 64)
	} else {
		(*b)[n/64] &^= 1 << (n % 64)
	}
}
