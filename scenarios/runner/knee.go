package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/shardlab/shardlab/analysis/knee"
	"github.com/shardlab/shardlab/loadgen"
	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios"
)

// KneeOptions say what to search, and where the results go.
type KneeOptions struct {
	Scenario *scenarios.Scenario // of an open loop, with an SLO; its rate is the first that is probed
	Max      float64             // the highest rate that may be; 0: no limit
	Probe    time.Duration       // of a probe's first look; slow rates get longer ones
	// The most that all looks of a probe take together, and all probes of a search; the last may end later, by a probe.
	ProbeMax, SearchMax time.Duration
	Results             string
	Argv                []string
	Exe                 string // as in Options
	Observer            KneeObserver
}

// KneeObserver is told how a search goes, between probes and never in one. Its methods are called from Knee's goroutine.
type KneeObserver interface {
	Note(text string)
	Knee(p KneeProgress)
}

// KneeProgress is where the searches of a block stand.
type KneeProgress struct {
	Phase         string // as in Progress; Measuring while rates are probed
	Block, Blocks int    // the block in progress, from 1
	Point         string
	Arms          []KneeArm // in the order of the scenario
	BlockDone     bool      // all of them have just ended
	// Left is how long the rest of the run will take if its blocks take what those before took.
	Left time.Duration
}

// KneeArm is the search of one arm in the block in progress.
type KneeArm struct {
	Name   string
	Probes int
	Last   results.KneeProbe // zero before the first
	Lo, Hi float64           // so far; 0 where there is none yet
	Over   bool
}

// kneeRun is a run that searches. Its blocks are like those of any run up to where slices begin.
type kneeRun struct {
	run
	opts  KneeOptions
	bound knee.Bound
	start map[string]float64 // the rate to begin with, by arm and point: half of what the last block found
	// fruitless are the points in whose first block no arm met the bound at any rate: another would show the same.
	fruitless map[string]bool
	clock     kneeClock
}

// Knee searches, for each arm in fresh processes of each block, the highest rate that meets the scenario's SLO. It returns the run
// directory as Run does.
func Knee(ctx context.Context, opts KneeOptions) (dir string, err error) {
	sc := opts.Scenario
	if sc.SLO == nil {
		return "", fmt.Errorf("%s: there is no slo to search the knee of; add one, as in slo: p99 < 1ms", sc.File)
	}
	k := &kneeRun{opts: opts, start: map[string]float64{}, fruitless: map[string]bool{}}
	k.bound = knee.Bound{Quantile: sc.SLO.Quantile(), Limit: sc.SLO.Limit.Nanoseconds()}
	switch sc.SLO.Stat {
	case scenarios.SLOMean:
		k.bound.Stat = knee.Mean
	case scenarios.SLOMax:
		k.bound.Stat = knee.Max
	}
	for _, p := range sc.Points {
		if len(p.Groups)+len(p.Phases) > 0 || p.Load.Via != "" {
			// Clients in the server's process do its work: at the knee they are busy, and that says nothing of the load generator.
			return "", fmt.Errorf("%s: a search puts one load on sockets, at rates of its own; take out groups, phases and via", sc.File)
		}
		if least := k.bound.Least(k.plan(&p)); opts.Max > 0 && opts.Max < least {
			return "", fmt.Errorf("%s: %s takes at least %.0f operations a second in a probe of %v, and --max is %.0f; raise --probe-max or --max",
				sc.File, sc.SLO, least, opts.ProbeMax, opts.Max)
		}
	}
	k.unplanned, k.budget = true, k.howLong
	usual, _ := k.expected(sc)
	k.clock.togo = sc.Run.Blocks * len(sc.Points)
	k.clock.guess = usual / time.Duration(k.clock.togo)
	k.run.opts = Options{
		Scenario: sc, Results: opts.Results, Argv: opts.Argv, Exe: opts.Exe, Observer: kneeWatch{opts.Observer, &k.clock},
		Amend: k.describe,
	}
	return k.execute(ctx, k.block)
}

// describe makes the manifest one of a search: its points are the rates that will be probed.
func (k *kneeRun) describe(m *results.Manifest) {
	m.Points = nil
	m.Knee = &results.KneePlan{
		SLO: k.opts.Scenario.SLO.String(), From: k.opts.Scenario.Points[0].Load.Rate, Max: k.opts.Max,
		Step: knee.Spacing, ProbeNS: k.opts.Probe.Nanoseconds(), Looks: knee.Looks,
		ProbeMaxNS: k.opts.ProbeMax.Nanoseconds(), SearchMaxNS: k.opts.SearchMax.Nanoseconds(),
	}
}

// kneeWatch shows what a run in general has to say as that of a search.
type kneeWatch struct {
	KneeObserver
	clock *kneeClock
}

// Progress implements Observer.
func (w kneeWatch) Progress(p Progress) {
	q := KneeProgress{Phase: p.Phase, Block: p.Block, Blocks: p.Blocks, Point: p.Point, Left: w.clock.left()}
	for _, a := range p.Arms {
		q.Arms = append(q.Arms, KneeArm{Name: a.Name})
	}
	w.Knee(q)
}

// kneeBlock is the searches of one block.
type kneeBlock struct {
	block
	k        *kneeRun
	searches []*kneeSearch // of the visitors
}

// kneeSearch is the search of one arm in one process.
type kneeSearch struct {
	visitor *visitor
	search  *knee.Search
	record  results.Knee
	rates   []*rateRecord // what was measured, in the order of the rates' first probes
	written bool
	spent   time.Duration // on its steps
	expired bool          // that was all it may take
}

// rateRecord is all that was measured of one arm at one rate in one block.
type rateRecord struct {
	point             point
	trial             results.Trial
	slices            int
	response, service histograms
}

// block runs a search of every arm at one point, all in turn.
func (k *kneeRun) block(ctx context.Context, number int, p *point) (err error) {
	if k.fruitless[p.Label] {
		return nil
	}
	k.clock.began = time.Now()
	b := &kneeBlock{block: block{r: &k.run, number: number, point: p, visitors: make([]*visitor, len(k.arms))}, k: k}
	defer b.stop()
	if err := b.begin(ctx); err != nil {
		return err
	}
	for _, v := range b.visitors {
		from := cmp.Or(k.start[v.arm.Name+" "+p.Label], p.load.Rate)
		b.searches = append(b.searches, &kneeSearch{
			visitor: v, search: knee.NewSearch(from, k.bound.Least(k.plan(&p.Point)), k.opts.Max),
			record: results.Knee{Point: p.Label, Arm: v.arm.Name, Block: number, Probes: []results.KneeProbe{}},
		})
	}
	// What was found is kept, also when it is not all.
	defer func() { err = errors.Join(err, b.keep()) }()
	if err := b.search(ctx); err != nil {
		return err
	}
	for _, s := range b.searches {
		if err := b.endSearch(ctx, s); err != nil {
			return b.explain(s.visitor, err)
		}
	}
	k.learn(b)
	return nil
}

// learn takes from a block that has ended whether another of its point is of use.
func (k *kneeRun) learn(b *kneeBlock) {
	k.clock.end()
	label := b.point.Label
	for _, s := range b.searches {
		if _, before := k.start[s.record.Arm+" "+label]; before || s.search.Result().Lo > 0 || s.expired {
			return
		}
	}
	k.fruitless[label] = true
	if left := k.opts.Scenario.Run.Blocks - b.number - 1; left > 0 {
		k.clock.togo -= left
		k.note("no arm met %s at any rate, down to the lowest; another block would show the same: %d of %d are left out",
			k.opts.Scenario.SLO, left, k.opts.Scenario.Run.Blocks)
	}
}

// search takes steps of all searches in turn until they are over.
func (b *kneeBlock) search(ctx context.Context) error {
	for {
		b.show(false)
		steps := map[int]knee.Step{}
		for i, s := range b.searches {
			step, ok := s.search.Next()
			if s.expired = ok && s.spent >= b.k.opts.SearchMax; ok && !s.expired {
				steps[i] = step
			}
		}
		if len(steps) == 0 {
			b.show(true)
			return nil
		}
		for _, i := range b.r.order.shuffle(len(b.searches)) {
			step, ok := steps[i]
			if !ok {
				continue
			}
			s := b.searches[i]
			began := time.Now()
			o, err := b.step(ctx, s, step)
			s.spent += time.Since(began)
			if err != nil {
				return fmt.Errorf("%s, block %d, %.0f/s: %w", s.visitor.arm.Name, b.number+1, knee.Rate(step.Place), err)
			}
			s.search.Report(step, o)
			b.show(false)
		}
	}
}

// keep writes what the searches have found, once.
func (b *kneeBlock) keep() error {
	var errs []error
	for _, s := range b.searches {
		if s.written || len(s.record.Probes) == 0 {
			continue
		}
		s.written = true
		r := s.search.Result()
		lowest := slices.MinFunc(s.record.Probes, func(x, y results.KneeProbe) int { return cmp.Compare(x.Rate, y.Rate) })
		s.record.Lo, s.record.Hi, s.record.FromBelow, s.record.FromAbove = r.Lo, r.Hi, r.FromBelow, r.FromAbove
		switch {
		case r.GaveUp:
			s.record.Open = results.KneeUnsteady
		case s.expired:
			s.record.Open = results.KneeTime
		case !r.Over:
			s.record.Open = results.KneeInterrupted
		case r.Limited, r.Lo == 0 && r.Bottom == knee.Undecided && lowest.Limit != "":
			s.record.Open = results.KneeClientBound
		case r.Lo == 0 && r.Bottom == knee.Undecided:
			s.record.Open = results.KneeUndecided
		case r.Hi == 0:
			s.record.Open = results.KneeMax
		}
		if r.Over && r.Lo > 0 {
			b.k.start[s.record.Arm+" "+s.record.Point] = r.Lo / 2
		}
		errs = append(errs, b.r.out.Knee(s.record))
	}
	return errors.Join(errs...)
}

// endSearch records what belongs to the whole process, and at each rate to the whole block.
func (b *kneeBlock) endSearch(ctx context.Context, s *kneeSearch) error {
	if err := b.counters(ctx, s.visitor); err != nil {
		return err
	}
	u, err := readUsage(s.visitor.child.pid())
	if err != nil {
		return err
	}
	for _, r := range s.rates {
		r.trial.RSSLoaded = u.rss
		r.trial.Response, r.trial.Service = results.NewLatency(r.response.total()), results.NewLatency(r.service.total())
		h := results.BlockHistograms{
			Point: r.point.Label, Arm: s.record.Arm, Block: b.number, Start: b.started, End: time.Now(),
			Response: r.response, Service: r.service,
		}
		if err := errors.Join(b.r.out.Histograms(h), b.r.out.Trial(r.trial)); err != nil {
			return err
		}
	}
	return nil
}

func (b *kneeBlock) show(done bool) {
	if b.k.opts.Observer == nil {
		return
	}
	p := KneeProgress{
		Phase: Measuring, Block: b.number + 1, Blocks: b.r.opts.Scenario.Run.Blocks, Point: b.point.Label, BlockDone: done,
		Left: b.k.clock.left(),
	}
	for _, s := range b.searches {
		r := s.search.Result()
		a := KneeArm{Name: s.record.Arm, Probes: len(s.record.Probes), Lo: r.Lo, Hi: r.Hi, Over: r.Over && r.Steps > 0}
		if a.Probes > 0 {
			a.Last = s.record.Probes[a.Probes-1]
		}
		p.Arms = append(p.Arms, a)
	}
	b.k.opts.Observer.Knee(p)
}

// pointAt is the block's point at a rate. The manifest gets it when it is new.
func (b *kneeBlock) pointAt(rate float64) (point, error) {
	p := *b.point
	p.Params = append(slices.Clone(p.Params), scenarios.Param{Name: "rate", Value: fmt.Sprintf("%.0f", rate)})
	p.Label = scenarios.Label(p.Params)
	p.Load.Rate, p.load.Rate = rate, rate
	var err error
	if p.hash, err = loadgen.StreamHash(p.workload, p.load); err != nil {
		return p, err
	}
	return p, b.r.out.Manifest(func(m *results.Manifest) {
		d := p.describe(b.r.opts.Scenario.Run)
		if slices.ContainsFunc(m.Points, func(q results.Point) bool { return q.Label == d.Label }) {
			return
		}
		d.SliceNS, d.Slices = b.k.opts.Probe.Nanoseconds(), knee.Looks
		m.Points = append(m.Points, d)
		slices.SortStableFunc(m.Points, func(x, y results.Point) int {
			if c := cmp.Compare(sweepOf(x), sweepOf(y)); c != 0 {
				return c
			}
			return cmp.Compare(x.Rate, y.Rate)
		})
	})
}

// sweepOf is a point's label without the rate.
func sweepOf(p results.Point) string {
	params := make([]scenarios.Param, 0, len(p.Params))
	for _, x := range p.Params[:len(p.Params)-1] {
		params = append(params, scenarios.Param(x))
	}
	return scenarios.Label(params)
}
