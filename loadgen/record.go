package loadgen

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// MaxLatency is the longest time that the histograms tell apart. What took longer is recorded as this, and counted.
const MaxLatency = 60 * time.Second

// newHistogram returns the one kind of histogram in use: 1 ns to 60 s with three significant digits, 216 KiB.
func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, int64(MaxLatency), 3) }

// tally is a histogram that is written once for a run of equal values. Requests that left in one write and were
// answered in one read took equally long, as far as the client can tell: with a pipeline of 64 the histogram is touched
// once instead of 64 times.
type tally struct {
	hist     *hdrhistogram.Histogram
	value, n int64  // not yet in hist
	overflow uint64 // values beyond MaxLatency
}

func (t *tally) add(v int64) {
	if v != t.value {
		t.spill()
		t.value = v
	}
	t.n++
}

// spill writes what is held back into the histogram.
func (t *tally) spill() {
	v := min(max(t.value, 0), int64(MaxLatency))
	if v < t.value {
		t.overflow += uint64(t.n)
	}
	if t.hist.RecordValues(v, t.n) != nil {
		panic("bug: a clamped latency is out of the histogram's range")
	}
	t.n = 0
}

func (t *tally) reset() {
	t.hist.Reset()
	t.value, t.n, t.overflow = 0, 0, 0
}

// counters count what became of the operations of a window. See Result for what they mean.
type counters struct {
	ops                                     [NumOps]uint64
	errors, reads, misses, corrupt, checked uint64
	replies                                 uint64
	intended, late, unsent, inFlight        uint64
	sent, timedOut                          uint64
	overflow                                uint64
	bytesIn, bytesOut                       uint64
	reconnects                              uint64
	firstError                              string
	firstErrorAt                            int64
}

func (c *counters) add(o *counters) {
	for i := range c.ops {
		c.ops[i] += o.ops[i]
	}
	c.errors += o.errors
	c.reads += o.reads
	c.misses += o.misses
	c.corrupt += o.corrupt
	c.checked += o.checked
	c.replies += o.replies
	c.intended += o.intended
	c.late += o.late
	c.unsent += o.unsent
	c.sent += o.sent
	c.timedOut += o.timedOut
	c.inFlight += o.inFlight
	c.overflow += o.overflow
	c.bytesIn += o.bytesIn
	c.bytesOut += o.bytesOut
	c.reconnects += o.reconnects
	if o.firstError != "" && (c.firstError == "" || o.firstErrorAt < c.firstErrorAt) {
		c.firstError, c.firstErrorAt = o.firstError, o.firstErrorAt
	}
}

// recorder is what one worker writes down. In a closed loop response and lateness stay empty.
type recorder struct {
	counters
	response, service [NumOps]tally
	lateness          tally
	connect           tally // of sessions that churn
	due, left         *gaps // between arrivals, and between sends; nil in a closed loop
}

// newRecorder has histograms for the operations that a plan can send.
func newRecorder(p *plan, mode Mode) recorder {
	var r recorder
	for i := range r.service {
		if !p.records(Op(i)) {
			continue
		}
		r.service[i].hist = newHistogram()
		if mode == Open {
			r.response[i].hist = newHistogram()
		}
	}
	if mode == Open {
		r.lateness.hist = newHistogram()
		r.due, r.left = new(gaps), new(gaps)
	}
	if p.churns {
		r.connect.hist = newHistogram()
	}
	return r
}

// tallies calls f for each histogram in use.
func (r *recorder) tallies(f func(t *tally)) {
	use := func(t *tally) {
		if t.hist != nil {
			f(t)
		}
	}
	for i := range r.service {
		use(&r.service[i])
		use(&r.response[i])
	}
	use(&r.lateness)
	use(&r.connect)
}

func (r *recorder) reset() {
	r.counters = counters{}
	if r.due != nil {
		r.due.reset()
		r.left.reset()
	}
	r.tallies((*tally).reset)
}

// finish completes the histograms.
func (r *recorder) finish() {
	r.tallies(func(t *tally) {
		t.spill()
		r.overflow += t.overflow
	})
}
