package loadgen

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/shardlab/shardlab/server/wire"
)

// Session is the connections of one workload to one server. Its methods are for one caller at a time; Do may be called
// at any time.
type Session struct {
	pool    *Pool
	target  Target
	load    Load
	plan    *plan
	shares  []*share // of the workers that have clients
	sockets int
	control *Control

	halt      atomic.Bool
	errs      []error  // of each share's last run
	total     recorder // of all shares
	preloaded int      // keys that the last preload found
	broken    error    // why no load can be put on any more
}

// Connect opens a session: all of its connections, spread over the workers of the pool.
func (p *Pool) Connect(ctx context.Context, t Target, w Workload, l Load) (*Session, error) {
	if t.InProcess != nil {
		t.Addr = cmp.Or(t.Addr, inProcessName)
	}
	if err := errors.Join(t.check(), l.check(), t.suit(w, &l)); err != nil {
		return nil, err
	}
	plan, err := newPlan(w)
	if err != nil {
		return nil, err
	}
	plan.clients, plan.churns = uint64(l.Connections), l.Churn > 0
	if err := plan.translate(t); err != nil {
		return nil, fmt.Errorf("target %s: %w", t.Addr, err)
	}
	s := &Session{
		pool: p, target: t, load: l.withDefaults(), plan: plan, control: t.control(), total: newRecorder(plan, l.Mode),
	}
	addrs := t.ShardAddrs
	if len(addrs) == 0 {
		addrs = []string{t.Addr}
	}
	workers := min(s.load.Clients, p.Workers())
	for i := range workers {
		sh := newShare(s, i, workers, len(addrs))
		s.shares = append(s.shares, sh)
		if err = sh.poll.open(); err == nil {
			if t.InProcess != nil {
				sh.enter(t.InProcess, s.sockets)
			} else {
				err = sh.connect(ctx, addrs, s.sockets)
			}
		}
		if err != nil {
			s.Close()
			return nil, err
		}
		s.sockets += len(sh.conns)
	}
	s.errs = make([]error, len(s.shares))
	return s, nil
}

// newShare returns the share of one worker, without connections.
func newShare(s *Session, index, workers, addrs int) *share {
	clients := shareOf(s.load.Clients, workers, index)
	sh := &share{
		index: uint32(index), stride: uint32(workers), first: uint32(s.load.First),
		plan: s.plan, load: s.load, responder: s.target.Responder,
		addrs:   addrs,
		route:   s.target.Route,
		key:     append([]byte(nil), s.plan.keys.longest...),
		turns:   make([]uint64, clients),
		conns:   make([]conn, clients*addrs),
		touched: make([]*conn, 0, clients*addrs),
		in:      make([]byte, copyLimit+readSize),
		poll:    poller{fd: -1},
		leaving: nobody,
		halt:    &s.halt,
		rec:     newRecorder(s.plan, s.load.Mode),
	}
	for i := range sh.conns {
		sh.conns[i].fd = -1
		sh.conns[i].waiting.clear()
	}
	if s.load.Mode == Open {
		sh.backlog = newBacklog(s.load.Backlog)
		sh.schedule = schedule{
			arrivals: newArrivals(s.plan.workload.Seed, s.load), clients: uint32(s.load.active()),
		}
	}
	return sh
}

// connect opens the sockets of the share's clients to each of addrs. They are numbered from firstID on.
func (s *share) connect(ctx context.Context, addrs []string, firstID int) error {
	limits := s.limits()
	for i := range s.conns {
		addr := addrs[i%len(addrs)]
		fd, err := dial(ctx, addr)
		if err != nil {
			return err
		}
		c := &s.conns[i]
		c.fd, c.id, c.index, c.addr = fd, firstID+i, i, addr
		c.scan = s.plan.protocol.scanner(limits)
		c.rest = make([]byte, 0, min(s.plan.longestReply(), copyLimit))
		c.sizeRing(max(s.mostInFlight(), preloadDepth), s.plan.steps)
		if err := s.poll.add(fd, i); err != nil {
			return err
		}
	}
	return nil
}

// mostInFlight returns how many requests can be under way on one socket.
func (s *share) mostInFlight() int {
	if s.load.Mode == Open {
		return s.load.InFlight
	}
	return s.load.Pipeline
}

// Sockets returns how many connections carry the load: Load.Connections, times the number of Target.ShardAddrs if any.
func (s *Session) Sockets() int { return s.sockets }

// Do sends a control command to Target.Addr, over a connection of its own; see [Control.Do].
func (s *Session) Do(ctx context.Context, args ...string) (wire.Reply, error) {
	return s.control.Do(ctx, args...)
}

// Preload sets every key once, through the connections and routes of the load, and makes sure that all of them are
// there: it counts them at Target.Addr, since a server that already held others would answer another workload than the
// one asked for, and reads each one back, since a count says nothing of which keys they are. A Responder's keys are
// neither counted nor read; an Occupied server's are not counted.
func (s *Session) Preload(ctx context.Context) error {
	if err := s.sweep(ctx, Set); err != nil || s.target.Responder {
		return err
	}
	if s.plan.putsCounters() {
		if err := s.sweep(ctx, putCounter); err != nil {
			return err
		}
	}
	if !s.target.Occupied {
		if err := s.countKeys(ctx); err != nil {
			return err
		}
	}
	if err := s.sweep(ctx, Get); err != nil {
		return err
	}
	var all counters
	for _, sh := range s.shares {
		all.add(&sh.rec.counters)
	}
	keys := s.plan.workload.preloaded()
	s.preloaded = int(uint64(keys) - all.misses)
	switch {
	case all.misses > 0 && !s.plan.workload.MayBeGone:
		return fmt.Errorf("preload %s: %d of %d keys are gone after they were set; raise the server's memory limit, "+
			"or load fewer keys", s.target.Addr, all.misses, keys)
	case all.corrupt > 0:
		return fmt.Errorf("preload %s: %d of %d keys hold another value than the one set; is somebody else writing?",
			s.target.Addr, all.corrupt, keys)
	}
	return nil
}

// Preloaded returns how many keys were there at the end of the last Preload; of a responder, none.
func (s *Session) Preloaded() int { return s.preloaded }

// sweep does op once on every key.
func (s *Session) sweep(ctx context.Context, op Op) error {
	return s.pool.drive(ctx, []Job{{Session: s}}, func() {}, func(w int) {
		if s.errs[w] = s.shares[w].sweep(op); s.errs[w] != nil {
			s.shares[w].stop.Store(true)
		}
	})
}

func (s *Session) countKeys(ctx context.Context) error {
	have, known, err := s.Count(ctx)
	if err != nil {
		return fmt.Errorf("preload: %w", err)
	}
	keys := int(s.plan.workload.preloaded())
	if s.plan.putsCounters() {
		keys *= 2
	}
	if s.plan.workload.MayBeGone && have < int64(keys) {
		return nil
	}
	if known && have != int64(keys) {
		return fmt.Errorf("preload %s: %d keys are there after %d were set; "+
			"start with an empty store that holds them all", s.target.Addr, have, keys)
	}
	return nil
}

// Halt ends the window that is running as if its time was up, and every later one as soon as it begins: Run returns what was
// measured so far. It may be called at any time, from any goroutine.
func (s *Session) Halt() { s.halt.Store(true) }

// Run puts load on the server and returns what came back. It waits for its turn if another session of the pool is at
// work. When ctx is cancelled or a connection fails it returns an error and the session is of no more use; the same
// holds after a window whose replies have not all come by the end of Load.Drain.
func (s *Session) Run(ctx context.Context, w Window) (*Result, error) {
	r, err := s.pool.RunTogether(ctx, []Job{{s, w}})
	if err != nil {
		return nil, err
	}
	return r[0], nil
}

// reset empties the records before a run that stop can end.
func (s *Session) reset(stop *atomic.Bool) {
	for i, sh := range s.shares {
		sh.rec.reset()
		sh.stop = stop
		s.errs[i] = nil
	}
	s.total.reset()
}

// owed returns how many replies may still come. With any the session is of no more use.
func (s *Session) owed() int {
	left := 0
	for _, sh := range s.shares {
		left += sh.outstanding
		if sh.leaving != nobody {
			left++ // the connection, at least
		}
	}
	if left > 0 {
		s.giveUp(fmt.Errorf("load %s: %d replies were still to come %v after an earlier window; connect again",
			s.target.Addr, left, s.load.Drain))
	}
	return left
}

// verdict returns the error that ended a run: not that of a worker which was only told to stop. After one the sessions are of
// no more use.
func verdict(ctx context.Context, jobs []Job) error {
	var failed error
	stopped := false
	for _, j := range jobs {
		for _, err := range j.Session.errs {
			stopped = stopped || err != nil
			if failed == nil && err != nil && !errors.Is(err, errStopped) {
				failed = err
			}
		}
	}
	if failed == nil && stopped {
		failed = fmt.Errorf("load %s: %w", jobs[0].Session.target.Addr, context.Cause(ctx))
	}
	if failed != nil {
		for _, j := range jobs {
			j.Session.giveUp(failed)
		}
	}
	return failed
}

// giveUp closes the connections: replies may be under way on them.
func (s *Session) giveUp(why error) {
	s.broken = why
	for _, sh := range s.shares {
		sh.abandon()
	}
}

// Close closes all connections.
func (s *Session) Close() error {
	for _, sh := range s.shares {
		sh.close()
	}
	s.shares = nil
	s.broken = fmt.Errorf("load %s: the session is closed", s.target.Addr)
	return s.control.Close()
}
