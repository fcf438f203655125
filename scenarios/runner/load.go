package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/shardlab/shardlab/loadgen"
	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios"
)

// LoadOptions say what to load a server with that is already there.
type LoadOptions struct {
	Scenario  *scenarios.Scenario // of Adhoc: one point, one arm, one block
	Addr      string              // host:port or unix:PATH
	Threads   int                 // of the client, where CPUs is empty; at least 1
	CPUs      []int               // one pinned thread for each
	NoPreload bool                // the keys are there, or need not be
	Results   string              // folder for a run directory; "" for none
	Argv      []string
	Observer  LoadObserver
}

// LoadObserver is told how a load goes. Its methods are called one at a time.
type LoadObserver interface {
	Phase(name string)
	// Second is called after each second, and once more for what came in after the last.
	Second(LoadProgress) error
}

// LoadProgress is where a load stands.
type LoadProgress struct {
	Manifest *results.Manifest // of the run, to be read only
	Second   results.Second
	SoFar    results.Slice // all seconds together; what is in flight does not count as due yet
	Elapsed  time.Duration
}

// LoadResult is what a load has brought.
type LoadResult struct {
	Manifest results.Manifest
	Slice    results.Slice // the whole window
	Trial    results.Trial
	Response *hdrhistogram.Histogram // of all operations, in ns
	Service  *hdrhistogram.Histogram
	// The same in stretches of time, of those whose interval is to be had; in a closed loop Service has none.
	Responses, Services results.Batches
	Pace                []float64 // of each second
	Dir                 string    // "" where no run directory was asked for
	Interrupted         bool
}

// adhoc is a load in progress.
type adhoc struct {
	opts    LoadOptions
	point   point
	start   time.Time
	session *loadgen.Session
	result  LoadResult
	out     *results.Writer // nil: none

	seconds           int
	soFar             results.Slice
	response, service histograms
	lateness          *hdrhistogram.Histogram
	failed            error // of what is done between seconds
}

// Load drives a server that it has not started. When ctx is cancelled the window ends early and what was measured until
// then is the result. Where there is a run directory, the result has it also with an error.
func Load(ctx context.Context, opts LoadOptions) (*LoadResult, error) {
	l := &adhoc{opts: opts, start: time.Now(), response: histograms{}, service: histograms{}, lateness: results.NewHistogram()}
	sc := opts.Scenario
	var err error
	if via := sc.Points[0].Load.Via; via != "" {
		return nil, fmt.Errorf("load.via: %s is for servers that run starts, as in shardlab run embedded", via)
	}
	if l.point, err = newPoint(sc.Seed, sc.Points[0]); err != nil {
		return nil, err
	}
	cpus := opts.CPUs
	if len(cpus) == 0 {
		cpus = slices.Repeat([]int{-1}, opts.Threads)
	}
	pool, err := loadgen.NewPool(cpus)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	if err := l.connect(ctx, pool); err != nil {
		return nil, err
	}
	defer func() { l.session.Close() }()
	l.result.Manifest = l.manifest(ctx)
	if opts.Results != "" {
		if l.out, err = results.Create(opts.Results, sc.Name, &l.result.Manifest); err != nil {
			return nil, err
		}
		l.result.Dir = l.out.Dir()
	}
	return &l.result, l.finish(ctx, l.measure(ctx, pool))
}

func (l *adhoc) connect(ctx context.Context, pool *loadgen.Pool) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	target := loadgen.Target{
		Addr: l.opts.Addr, Occupied: true, Protocol: protocol(l.point.Load.Protocol), Path: l.point.Load.Path,
	}
	s, err := pool.Connect(ctx, target, l.point.workload, l.point.load)
	if err == nil { // else what there was is closed once more at the end, which does no harm
		l.session = s
	}
	return err
}

// measure preloads, warms up and runs the one window.
func (l *adhoc) measure(ctx context.Context, pool *loadgen.Pool) error {
	if !l.opts.NoPreload {
		l.opts.Observer.Phase(Preloading)
		if err := l.session.Preload(ctx); err != nil {
			return err
		}
		l.result.Trial.Keys = l.session.Preloaded()
	}
	plan := l.opts.Scenario.Run
	if plan.Warmup > 0 || plan.WarmupMax > 0 {
		l.opts.Observer.Phase(Warming)
	}
	if plan.WarmupMax > 0 {
		if err := l.warm(ctx, pool); err != nil {
			return err
		}
	}
	if plan.Warmup == 0 {
		l.opts.Observer.Phase(Measuring)
	}
	cpus, err := availableCPUs()
	if err != nil {
		return err
	}
	steal, client := stealTicks(cpus), newMeter(pool.Threads())
	before := client.read()
	halt := context.AfterFunc(ctx, l.session.Halt)
	defer halt()
	res, err := l.session.Run(context.WithoutCancel(ctx), loadgen.Window{
		Lead: max(plan.Warmup, min(loadWarmWindow, plan.WarmupMax)), Measure: plan.Slice, Every: time.Second, Observe: l.second,
	})
	if err = errors.Join(err, l.failed); err != nil {
		return err
	}
	row := &l.result.Slice
	*row = l.row(0, res)
	row.Steal = stealTicks(cpus) - steal
	after := client.read()
	before.fill(row, &after)
	planned := plan.Slice
	if l.result.Interrupted = ctx.Err() != nil; l.result.Interrupted {
		planned = res.Dur
	}
	if row.Dur == 0 {
		return nil // interrupted before anything was measured
	}
	row.Why = whyVoid(row, planned)
	row.Valid = row.Why == ""
	l.result.Response, l.result.Service = merged(&res.Names, &res.Response), merged(&res.Names, &res.Service)
	t := &l.result.Trial
	t.Arm, t.Sockets, t.Response, t.Service = row.Arm, res.Sockets, row.Response, row.Service
	if l.out == nil {
		return nil
	}
	return errors.Join(l.out.Slice(*row), l.out.Trial(*t))
}

func (l *adhoc) row(number int, res *loadgen.Result) results.Slice {
	row := results.Slice{Arm: l.opts.Scenario.Arms[0].Name, Slice: number, T: res.Start.Sub(l.start).Nanoseconds(), Valid: true}
	measured(&row, res)
	return row
}

// second takes what the load generator has recorded in about a second.
func (l *adhoc) second(v loadgen.Interval) {
	x := results.NewSecond(l.row(l.seconds, v.Result), v.Tail)
	l.seconds++
	l.sum(&x, v)
	err := l.opts.Observer.Second(LoadProgress{Manifest: &l.result.Manifest, Second: x, SoFar: l.soFar, Elapsed: time.Duration(l.soFar.Dur)})
	if l.out != nil {
		h := results.BlockHistograms{Arm: x.Arm, Start: v.Start, End: v.Start.Add(v.Dur), Response: histograms{}}
		err = errors.Join(err, histograms(h.Response).add(&v.Names, &v.Response), l.out.Second(x))
		if l.point.load.Mode == loadgen.Open {
			h.Service = histograms{}
			err = errors.Join(err, histograms(h.Service).add(&v.Names, &v.Service))
		}
		err = errors.Join(err, l.out.Histograms(h))
	}
	if err != nil && l.failed == nil {
		l.failed = err
		l.session.Halt()
	}
}

// sum adds a second to those before it.
func (l *adhoc) sum(x *results.Second, v loadgen.Interval) {
	s := &l.soFar
	if s.Ops == nil {
		s.Ops = map[string]uint64{}
		s.Arm, s.T, s.Valid = x.Arm, x.T, true
	}
	for op, n := range x.Ops {
		s.Ops[op] += n
	}
	s.Replies, s.Errors, s.Misses = s.Replies+x.Replies, s.Errors+x.Errors, s.Misses+x.Misses
	s.Checked, s.Corrupt, s.Late = s.Checked+x.Checked, s.Corrupt+x.Corrupt, s.Late+x.Late
	s.Unsent, s.Overflow = s.Unsent+x.Unsent, s.Overflow+x.Overflow
	s.BytesOut, s.BytesIn = s.BytesOut+x.BytesOut, s.BytesIn+x.BytesIn
	s.TimedOut += x.TimedOut
	s.Sent = s.TotalOps() + s.Errors + s.TimedOut
	if l.point.load.Mode == loadgen.Open {
		s.Intended = s.Sent + s.Unsent
	}
	if s.FirstError == "" {
		s.FirstError = x.FirstError
	}
	if !x.Tail {
		s.ClientBusy = (s.ClientBusy*float64(s.Dur) + x.ClientBusy*float64(x.Dur)) / float64(max(s.Dur+x.Dur, 1))
		s.Dur, s.ClientCPU, s.ClientSpin = s.Dur+x.Dur, s.ClientCPU+x.ClientCPU, s.ClientSpin+x.ClientSpin
	}
	l.stretch(x, v)
	l.response.add(&v.Names, &v.Response)
	l.service.add(&v.Names, &v.Service)
	s.Response, s.Service = results.NewLatency(l.response.total()), results.NewLatency(l.service.total())
	if v.Lateness != nil {
		l.lateness.Merge(v.Lateness)
		s.LatenessP = float64(l.lateness.ValueAtPercentile(99))
	}
}

// stretch keeps a second apart from the others.
func (l *adhoc) stretch(x *results.Second, v loadgen.Interval) {
	open := l.point.load.Mode == loadgen.Open
	add := func(b *results.Batches, h *hdrhistogram.Histogram) {
		if x.Tail {
			b.AddLast(h)
		} else {
			b.Add(h)
		}
	}
	add(&l.result.Responses, merged(&v.Names, &v.Response))
	if open {
		add(&l.result.Services, merged(&v.Names, &v.Service))
	}
	if !x.Tail {
		l.result.Pace = append(l.result.Pace, x.Pace(open))
	}
}

// finish closes the run directory, if there is one.
func (l *adhoc) finish(ctx context.Context, err error) error {
	l.result.Manifest.Status = results.Complete
	switch {
	case ctx.Err() != nil:
		l.result.Interrupted, err = true, nil // whatever the interruption broke is not the story
		l.result.Manifest.Status = results.Interrupted
	case err != nil:
		l.result.Manifest.Status = results.Failed
	}
	if l.out == nil {
		return err
	}
	after := l.out.Manifest(func(m *results.Manifest) { m.After = results.Capture() })
	return errors.Join(err, after, l.out.Finish(l.result.Manifest.Status, err))
}

func (l *adhoc) manifest(ctx context.Context) results.Manifest {
	sc := l.opts.Scenario
	m := manifestOf(sc)
	m.Started, m.Argv = l.start, l.opts.Argv
	m.Notes = []string{l.point.skewText()}
	m.CPUs = results.CPUs{Client: scenarios.FormatCPUs(l.opts.CPUs), ClientThreads: cmp.Or(len(l.opts.CPUs), l.opts.Threads)}
	p := l.point.describe(sc.Run)
	if l.opts.NoPreload {
		p.Keys = 0 // are preloaded
	}
	m.Points = []results.Point{p}
	m.Arms = []results.Arm{{
		Name: sc.Arms[0].Name, Kind: kindReference, Version: l.version(ctx), Settings: map[string]string{"address": l.opts.Addr},
	}}
	m.Order = []results.Visit{{Arms: []string{sc.Arms[0].Name}}}
	return m
}

// version asks the server what it is; "" where it does not say.
func (l *adhoc) version(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	info, err := serverInfo(ctx, l.session, "server")
	if err != nil {
		return ""
	}
	for _, server := range []string{"valkey", "redis"} { // valkey says a version of redis too
		if v, ok := info[server+"_version"]; ok {
			return server + " " + v
		}
	}
	if v, ok := info["version"]; ok && l.session.ControlProtocol() == loadgen.Memcached {
		return "memcached " + v
	}
	return ""
}

// warm puts load on the server until it shows a plateau, or for the longest time that was allowed.
func (l *adhoc) warm(ctx context.Context, pool *loadgen.Pool) error {
	w := newWarming(loadWarmWindow, l.opts.Scenario.Run.WarmupMax, l.point.load)
	for !w.done() {
		res, err := w.run(ctx, l.session, nil)
		if err != nil {
			return err
		}
		if res.Owed > 0 { // nothing else can be measured on these connections
			l.session.Close()
			if err := l.connect(ctx, pool); err != nil {
				return err
			}
		}
	}
	l.result.Trial.Warmup = w.out
	return nil
}
