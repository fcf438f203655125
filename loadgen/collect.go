package loadgen

import "time"

// span is the part of a worker's time that a result is of.
type span struct{ from, to snapshot }

// collect puts the workers' records together. It leaves the histograms of the first worker in s.total and gives that
// worker the old ones: one worker, the common case, costs no merging. cuts are the intervals taken before, if any.
func (s *Session) collect(cuts *intervals) *Result {
	total := &s.total
	first := &s.shares[0].rec
	first.service, total.service = total.service, first.service
	first.response, total.response = total.response, first.response
	first.lateness, total.lateness = total.lateness, first.lateness
	first.connect, total.connect = total.connect, first.connect
	first.due, first.left, total.due, total.left = total.due, total.left, first.due, first.left
	spans := make([]span, len(s.shares))
	for i, sh := range s.shares {
		total.counters.add(&sh.rec.counters)
		if i > 0 {
			total.merge(&sh.rec)
		}
		spans[i] = span{sh.from, sh.to}
	}
	if cuts != nil {
		cuts.tail(total, spans)
	}
	return s.result(total, spans)
}

// result makes a Result of what was recorded in the spans. It shares the histograms.
func (s *Session) result(t *recorder, spans []span) *Result {
	r := &Result{Mode: s.load.Mode, Sockets: s.sockets, ClientCPU: make([]time.Duration, 0, len(spans)), Spun: make([]time.Duration, 0, len(spans))}
	start := spans[0].from.at
	for _, x := range spans {
		wall, spin := x.to.at-x.from.at, x.to.spun-x.from.spun
		cpu := max(x.to.threadCPU-x.from.threadCPU-spin, 0)
		r.Spin, r.Spun = r.Spin+time.Duration(spin), append(r.Spun, time.Duration(spin))
		r.ClientCPU = append(r.ClientCPU, time.Duration(cpu))
		r.Dur += time.Duration(wall)
		if wall > 0 { // else the machine slept through the window
			r.Busiest = max(r.Busiest, float64(cpu)/float64(wall))
		}
		r.ServerCPU += time.Duration(x.to.serverCPU - x.from.serverCPU)
		start = min(start, x.from.at)
	}
	r.Start, r.Began = epoch.Add(time.Duration(start)), start+epochMonotonic
	r.Dur /= time.Duration(len(spans))
	s.fill(r, t)
	return r
}

// fill copies the sums into r.
func (s *Session) fill(r *Result, t *recorder) {
	r.Ops = t.ops
	r.Errors, r.Reads, r.Misses, r.Checked, r.Corrupt = t.errors, t.reads, t.misses, t.checked, t.corrupt
	r.FirstError = t.firstError
	r.Intended, r.Late, r.Unsent, r.InFlight = t.intended, t.late, t.unsent, t.inFlight
	r.Sent, r.TimedOut = t.sent, t.timedOut
	r.Replies, r.BytesIn, r.BytesOut = t.replies, t.bytesIn, t.bytesOut
	r.Overflow = t.overflow
	for i := range r.Service {
		r.Names[i] = s.plan.workload.OpName(Op(i))
		r.Service[i], r.Response[i] = t.service[i].hist, t.response[i].hist
		if s.load.Mode == Closed {
			r.Response[i] = r.Service[i]
		}
	}
	r.Lateness = t.lateness.hist
	r.Reconnects, r.Connect = t.reconnects, t.connect.hist
	r.Pacing = t.pacing()
}

// merge adds the histograms of another worker.
func (r *recorder) merge(from *recorder) {
	into := func(to, from *tally) {
		if to.hist != nil && to.hist.Merge(from.hist) != 0 {
			panic("bug: histograms of one kind do not merge")
		}
	}
	for i := range r.service {
		into(&r.service[i], &from.service[i])
		into(&r.response[i], &from.response[i])
	}
	into(&r.lateness, &from.lateness)
	into(&r.connect, &from.connect)
	if r.due != nil {
		r.due.merge(from.due)
		r.left.merge(from.left)
	}
}
