package loadgen

import (
	"math"
	"sync"
	"time"
)

// Interval is a part of a window: what was recorded between two of its edges. It counts the requests that were answered
// there, whenever they were sent, and the arrivals that fell due there. The intervals of a window add up to its Result.
type Interval struct {
	// Result has its own Start, Dur and histograms. Its InFlight is what the end of the window left over, and zero but in the
	// last interval.
	*Result
	// Tail is set for the last interval: what came in after the end of the window. It counts no replies and no bytes.
	Tail bool
}

// intervals takes what the workers have recorded from them, at each edge, and puts it together elsewhere.
type intervals struct {
	session *Session
	observe func(Interval)
	wake    chan struct{} // something was published, or the window has ended
	done    chan struct{}

	mu    sync.Mutex // held for moments, once an interval a worker
	parts []part
	free  []*recorder
	ended bool

	reached []int64  // which edge each share has passed
	emitted int64    // which edge all of them had, when it was last looked
	sum     recorder // of all intervals so far
	waiting []part   // of shares that are ahead
}

// part is what one worker has recorded up to an edge.
type part struct {
	share    int
	edge     int64
	rec      *recorder
	from, to snapshot
}

// watch starts to take intervals from the shares. The caller stops it when they have run.
func (s *Session) watch(observe func(Interval)) *intervals {
	v := &intervals{
		session: s, observe: observe, wake: make(chan struct{}, 1), done: make(chan struct{}),
		reached: make([]int64, len(s.shares)), sum: newRecorder(s.plan, s.load.Mode),
	}
	for _, sh := range s.shares {
		sh.intervals = v
		for range 2 { // one is being recorded to while the other is put together
			r := newRecorder(s.plan, s.load.Mode)
			v.free = append(v.free, &r)
		}
	}
	go v.run()
	return v
}

// stop waits until the last interval has been observed.
func (v *intervals) stop() {
	v.mu.Lock()
	v.ended = true
	v.mu.Unlock()
	v.poke()
	<-v.done
}

func (v *intervals) poke() {
	select {
	case v.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// publish hands over what was recorded up to now, and goes on with an empty recorder.
func (s *share) publish(now snapshot) {
	w := &s.window
	edge := (s.now - w.start) / w.every
	if s.now >= w.end {
		edge = math.MaxInt64 // the same for all, also where the window is ended early
	} else {
		w.next = min(w.start+(edge+1)*w.every, w.end)
	}
	v := s.intervals
	v.mu.Lock()
	var next *recorder
	if n := len(v.free) - 1; n >= 0 {
		next, v.free = v.free[n], v.free[:n]
	} else { // who puts them together has fallen behind
		r := newRecorder(s.plan, s.load.Mode)
		next = &r
	}
	s.rec, *next = *next, s.rec
	v.parts = append(v.parts, part{int(s.index), edge, next, s.mark, now})
	v.mu.Unlock()
	v.poke()
	s.mark = now
}

func (v *intervals) run() {
	defer close(v.done)
	for range v.wake {
		v.mu.Lock()
		parts, ended := v.parts, v.ended
		v.parts = nil
		v.mu.Unlock()
		for _, p := range parts {
			v.reached[p.share] = p.edge
			v.waiting = append(v.waiting, p)
		}
		v.emit()
		if ended {
			return
		}
	}
}

// emit observes what all shares have passed the edge of.
func (v *intervals) emit() {
	least := v.reached[0]
	for _, edge := range v.reached {
		least = min(least, edge)
	}
	if least <= v.emitted {
		return
	}
	v.emitted = least
	total := newRecorder(v.session.plan, v.session.load.Mode)
	spans := make([]span, len(v.reached))
	late := v.waiting[:0]
	for _, p := range v.waiting {
		if p.edge > least {
			late = append(late, p)
			continue
		}
		p.rec.finish()
		total.counters.add(&p.rec.counters)
		total.merge(p.rec)
		if spans[p.share] == (span{}) {
			spans[p.share].from = p.from
		}
		spans[p.share].to = p.to
		p.rec.reset()
		v.mu.Lock()
		v.free = append(v.free, p.rec)
		v.mu.Unlock()
	}
	v.waiting = late
	v.sum.counters.add(&total.counters)
	v.sum.merge(&total)
	if v.observe != nil {
		v.observe(Interval{Result: v.session.result(&total, spans)})
	}
}

// tail observes what came in after the end of the window, and adds the intervals to it.
func (v *intervals) tail(rest *recorder, spans []span) {
	if v.observe != nil {
		last := make([]span, len(spans))
		for i, s := range spans {
			last[i] = span{s.to, s.to}
		}
		r := v.session.result(rest, last)
		r.Dur = time.Duration(clock() - spans[0].to.at)
		v.observe(Interval{Result: r, Tail: true})
	}
	rest.counters.add(&v.sum.counters)
	rest.merge(&v.sum)
}
