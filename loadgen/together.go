package loadgen

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
)

// Job is a window of one session among those that run together.
type Job struct {
	Session *Session
	Window  Window
}

// RunTogether runs a window of each of several sessions of the pool at the same time, on one clock: they begin together, and
// windows of equal lead and length have the same edges. Each worker serves the clients that it has of every session in turn,
// without waiting for any while another has something to do, so that a server that does not answer one session delays nothing
// that another sends. The results are in the order of the jobs. An error ends all.
//
// What one thread does for one session takes its time from the others: their replies wait in their sockets meanwhile, and
// arrivals are sent late by what one socket's replies take, as Lateness shows.
func (p *Pool) RunTogether(ctx context.Context, jobs []Job) ([]*Result, error) {
	for i := range jobs {
		if err := jobs[i].check(p); err != nil {
			return nil, err
		}
	}
	windows := make([]edges, len(jobs))
	prepare := func() {
		now := clock()
		for i := range jobs {
			windows[i] = jobs[i].edgesFrom(now)
		}
	}
	cuts := make([]*intervals, len(jobs))
	for i, j := range jobs {
		if j.Window.Every > 0 {
			cuts[i] = j.Session.watch(j.Window.Observe)
		}
	}
	err := p.drive(ctx, jobs, prepare, func(w int) { interleave(p.turnsOf(w, jobs, windows)) })
	for _, c := range cuts {
		if c != nil {
			c.stop()
		}
	}
	if err != nil {
		return nil, err
	}
	results := make([]*Result, len(jobs))
	for i, j := range jobs {
		owed := j.Session.owed()
		results[i] = j.Session.collect(cuts[i])
		results[i].Owed = owed
	}
	return results, nil
}

func (j *Job) check(p *Pool) error {
	s, w := j.Session, &j.Window
	switch {
	case s.pool != p:
		return fmt.Errorf("load %s: the session is another pool's", s.target.Addr)
	case w.Lead < 0 || w.Measure <= 0 || w.Every < 0:
		return fmt.Errorf("load %s: lead %v, measure %v, every %v; use 0 or more, more than 0, and 0 or more",
			s.target.Addr, w.Lead, w.Measure, w.Every)
	}
	return nil
}

// edgesFrom returns the edges of a window that begins now, or when it says.
func (j *Job) edgesFrom(now int64) edges {
	w, l := &j.Window, &j.Session.load
	lead := max(now, sinceEpoch(w.At))
	e := edges{lead: lead, start: lead + int64(w.Lead), every: int64(w.Every), timeout: int64(l.Timeout), serverCPU: w.ServerCPU}
	e.end = e.start + int64(w.Measure)
	e.drainBy = e.end + int64(l.Drain)
	return e
}

// drive runs f on every worker that has a share of any job's session. The records are emptied and prepare is called when the
// workers are free.
func (p *Pool) drive(ctx context.Context, jobs []Job, prepare func(), f func(worker int)) error {
	workers := 0
	for _, j := range jobs {
		if j.Session.broken != nil {
			return j.Session.broken
		}
		workers = max(workers, len(j.Session.shares))
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("load %s: %w", jobs[0].Session.target.Addr, context.Cause(ctx))
	}
	if err := p.acquire(); err != nil {
		return err
	}
	defer p.release()
	// A flag for each run: that of an earlier one may still be raised, by a context that was cancelled as it ended.
	stop := new(atomic.Bool)
	for _, j := range jobs {
		j.Session.reset(stop)
	}
	defer context.AfterFunc(ctx, func() { stop.Store(true) })()
	prepare()
	p.do(workers, f)
	return verdict(ctx, jobs)
}

// turn is a share that takes its turn on a worker, and what has become of its window.
type turn struct {
	*share
	window edges
	err    *error
	over   bool
}

// turnsOf returns what worker w has to do.
func (p *Pool) turnsOf(w int, jobs []Job, windows []edges) []turn {
	turns := make([]turn, 0, len(jobs))
	for i, j := range jobs {
		if w < len(j.Session.shares) {
			turns = append(turns, turn{share: j.Session.shares[w], window: windows[i], err: &j.Session.errs[w]})
		}
	}
	return turns
}

// end ends a turn, and with an error those of all others, on all workers.
func (t *turn) end(err error) {
	t.over = true
	if *t.err = err; err != nil {
		t.stop.Store(true)
	}
}

// minimumTurn is how long a share may go on although another one is behind with its arrivals, ns: without it a worker that
// cannot keep up would look at one reply for every 256 arrivals that it sends.
const minimumTurn = 20e3

// interleave runs windows of several shares on the worker that calls it, until all are over.
func interleave(turns []turn) {
	for i := range turns {
		if err := turns[i].begin(turns[i].window); err != nil {
			turns[i].end(err)
		}
	}
	var together *poller
	if len(turns) > 1 {
		together = &poller{fd: -1}
		if err := together.watch(turns); err != nil {
			turns[0].end(err) // the others learn it from their first step
		}
		defer together.close()
	}
	for left := remaining(turns); left > 0; left = remaining(turns) {
		busy := false
		for i := range turns {
			busy = turns[i].take(turns, left) || busy
		}
		if busy || left == 1 {
			continue
		}
		if err := together.pause(turns); err != nil {
			for i := range turns {
				if !turns[i].over {
					turns[i].end(err)
				}
			}
		}
	}
}

func remaining(turns []turn) (n int) {
	for i := range turns {
		if !turns[i].over {
			n++
		}
	}
	return n
}

// take lets a share do what it has to do. It may wait for its sockets where it is the only one left.
func (t *turn) take(all []turn, left int) (busy bool) {
	if t.over {
		return false
	}
	until := int64(math.MaxInt64)
	t.yieldAt = math.MaxInt64
	if left > 1 {
		until = 0 // long ago
		t.yieldAt = t.nextOfOthers(all)
	}
	busy, err := t.step(until)
	if left > 1 && t.spinning {
		t.spent(clock()) // what the others do next is no spinning
	}
	if err != nil || t.done() {
		t.end(err)
	}
	return busy
}

// nextOfOthers returns when another share has something to send, or a moment from now if that should have been sent.
func (t *turn) nextOfOthers(all []turn) int64 {
	next := int64(math.MaxInt64)
	for i := range all {
		if o := &all[i]; !o.over && o.share != t.share {
			next = min(next, o.schedule.due)
		}
	}
	return max(next, clock()+minimumTurn)
}

// watch opens a poller that waits for all sockets of several shares.
func (p *poller) watch(turns []turn) error {
	if err := p.open(); err != nil {
		return err
	}
	for i := range turns {
		if err := p.addPoller(turns[i].poll.fd); err != nil {
			return err
		}
	}
	return nil
}

// pause waits until any of the shares has something to do. One that spins before its arrivals is not waited for in its spin.
func (p *poller) pause(turns []turn) error {
	until := int64(math.MaxInt64)
	for i := range turns {
		if !turns[i].over {
			until = min(until, turns[i].wake())
		}
	}
	left := until - clock()
	if left <= 0 {
		return nil // all are looked at next
	}
	_, err := p.wait(min(left, longestWait))
	return err
}
