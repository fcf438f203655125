package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/loadgen"
	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios"
	"github.com/shardlab/shardlab/server"
)

// Options say what to run and where the results go.
type Options struct {
	Scenario *scenarios.Scenario
	Results  string   // folder of run directories
	Argv     []string // as typed, for the manifest
	Exe      string   // the program whose verb serve starts a topology; default this one
	Observer Observer // nil: nobody watches
	Visits   Visits   // nil: run.blocks blocks of every point, references started as the scenario says
	// Amend, if it is there, changes the manifest before it is first written.
	Amend func(*results.Manifest)
}

// Visits decides as a run goes which block comes next, and how references are started in it: by the build under test, say.
type Visits interface {
	// Next is called between blocks, when no server runs, with the run directory. It returns the number of the next block and the
	// labels of the points to visit in it; no points end the run.
	Next(dir string) (block int, points []string, err error)
	// Command is a reference's command in a block, with {port} in it.
	Command(block int, point, arm string) ([]string, error)
}

// run is a run in progress.
type run struct {
	opts    Options
	cpus    split
	arms    []arm
	points  []point
	notes   []string
	start   time.Time
	order   *order
	out     *results.Writer
	spawner *spawner
	pool    *loadgen.Pool
	meter   *meter
	done    int // slices
	begun   int // blocks, of all points

	sampler *analysis.Sampler // of an adaptive run; else nil

	unplanned bool // its rates are not known before
	// budget says how long the run takes; nil where nobody knows.
	budget func(*scenarios.Scenario) string
}

// point is a scenario's point with what the load generator needs of it.
type point struct {
	scenarios.Point
	workload loadgen.Workload
	load     loadgen.Load
	groups   []group // of a point that has groups or phases
	hash     string
	skew     loadgen.Skew
}

// Run executes the scenario and returns its run directory, also with an error once there is one. A cancelled context ends
// the run at once; err then is the context's, and the finished blocks are good. The process stays confined to the client's
// processors.
func Run(ctx context.Context, opts Options) (dir string, err error) {
	r := &run{opts: opts, budget: budget}
	if opts.Visits != nil { // nobody knows how many blocks there will be
		r.budget = nil
	}
	return r.execute(ctx, r.block)
}

// execute is a whole run whose blocks do as block says.
func (r *run) execute(ctx context.Context, block blockFunc) (dir string, err error) {
	r.order = newOrder(r.opts.Scenario.Seed)
	if r.opts.Exe == "" {
		if r.opts.Exe, err = os.Executable(); err != nil {
			return "", err
		}
	}
	if err := r.prepare(); err != nil {
		return "", err
	}
	if err := r.open(); err != nil {
		return "", err
	}
	return r.out.Dir(), r.finish(ctx, r.measure(ctx, block))
}

// blockFunc measures every arm at one point in fresh processes.
type blockFunc func(ctx context.Context, number int, p *point) error

// measure runs the blocks.
func (r *run) measure(ctx context.Context, block blockFunc) error {
	// Our own housekeeping must not take the server's time. The threads that are pinned come after: this would unpin them.
	if err := server.Confine(r.cpus.client); err != nil {
		return err
	}
	var err error
	if r.pool, err = loadgen.NewPool(r.cpus.client); err != nil {
		return err
	}
	defer r.pool.Close()
	r.meter = newMeter(r.pool.Threads())
	r.spawner = newSpawner()
	defer r.spawner.close()
	if err := r.ceilings(ctx); err != nil {
		return err
	}
	return r.blocks(ctx, block)
}

// prepare settles everything that can be refused before anything is started.
func (r *run) prepare() error {
	sc := r.opts.Scenario
	var err error
	if r.cpus, err = splitCPUs(sc.Run.CPUs); err != nil {
		return fmt.Errorf("%s: %w", sc.File, err)
	}
	r.note("%s", r.cpus.how)
	if r.budget != nil {
		r.note("%s", r.budget(sc))
	}
	if err := r.prepareArms(); err != nil {
		return err
	}
	for _, p := range sc.Points {
		pt, err := newPoint(sc.Seed, p)
		if err != nil {
			return fmt.Errorf("%s: %w", sc.File, err)
		}
		for _, a := range r.arms {
			for _, q := range pt.seen() {
				if err := q.speakable(a.ProtocolAt(q.Point)); err != nil {
					return fmt.Errorf("%s: arm %s: %w", sc.File, a.Name, err)
				}
			}
		}
		r.points = append(r.points, pt)
		for _, text := range []string{pt.traceText(), pt.partsText(), pt.skewText(), pt.workload.Unproven()} {
			if text != "" && !slices.Contains(r.notes, text) {
				r.note("%s", text)
			}
		}
	}
	return nil
}

// budget says how long the load takes.
func budget(sc *scenarios.Scenario) string {
	plan, most := sc.Planned().Round(time.Second), sc.PlannedMost().Round(time.Second)
	text := fmt.Sprintf("%v under load, and what it takes to start and fill the servers", plan)
	if sc.Run.Sampling == scenarios.Adaptive {
		text += "; less where it is settled early which arm is best"
	}
	if most > plan {
		text += fmt.Sprintf("; at most %v, should no warm-up come to a plateau within %v", most, sc.Run.WarmupMax)
	}
	return text
}

// newPoint makes a point ready for the load generator.
func newPoint(seed uint64, p scenarios.Point) (pt point, err error) {
	pt = point{Point: p, load: load(p.Load)}
	if pt.workload, err = workload(seed, p.Workload); err != nil {
		return pt, err
	}
	if err = pt.trace(); err != nil {
		return pt, err
	}
	if pt.hash, err = loadgen.StreamHash(pt.workload, pt.load); err != nil {
		return pt, err
	}
	if pt.skew, err = loadgen.SkewOf(pt.workload, pt.load.Connections); err != nil {
		return pt, err
	}
	return pt, pt.split(seed)
}

// skewText says how unequal the keys are.
func (p *point) skewText() string {
	s, law := p.skew, p.Workload.Distribution
	if p.workload.Trace != nil {
		law = "the trace's"
	}
	return fmt.Sprintf("%s keys: the most popular of %d gets %.3g %% of the operations (drawn %.3g %%), the top 1 %% get %.3g %% (drawn %.3g %%)",
		law, p.workload.Keys, 100*s.TopKey, 100*s.DrawnKey, 100*s.TopPercent, 100*s.DrawnPercent)
}

// open makes the run directory.
func (r *run) open() error {
	r.start = time.Now()
	m := r.manifest()
	if err := r.prepareSampling(m); err != nil {
		return err
	}
	if r.opts.Amend != nil {
		r.opts.Amend(m)
	}
	var err error
	r.out, err = results.Create(r.opts.Results, r.opts.Scenario.Name, m)
	return err
}

// rounds says at which points the next round has a block, and the number of those blocks. No points end the run.
type rounds func() (block int, points []string, err error)

// blocks runs a block after the other.
func (r *run) blocks(ctx context.Context, block blockFunc) error {
	next := r.evenly()
	switch {
	case r.opts.Visits != nil:
		next = func() (int, []string, error) { return r.opts.Visits.Next(r.out.Dir()) }
	case r.sampler != nil:
		next = func() (number int, labels []string, err error) { number, labels = r.sampler.Next(); return }
	}
	for ctx.Err() == nil {
		number, labels, err := next()
		if err != nil {
			return err
		}
		if len(labels) == 0 {
			return r.sampled()
		}
		for _, i := range r.order.shuffle(len(r.points)) {
			if !slices.Contains(labels, r.points[i].Label) {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			r.begun++
			if err := block(ctx, number, &r.points[i]); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// evenly are as many rounds of all points as the scenario says.
func (r *run) evenly() rounds {
	var labels []string
	for i := range r.points {
		labels = append(labels, r.points[i].Label)
	}
	number := -1
	return func() (int, []string, error) {
		if number++; number < r.opts.Scenario.Run.Blocks {
			return number, labels, nil
		}
		return number, nil, nil
	}
}

// finish closes the run directory with the status that the error stands for.
func (r *run) finish(ctx context.Context, err error) error {
	status := results.Complete
	switch {
	case ctx.Err() != nil:
		err = ctx.Err() // whatever the interruption broke is not the story
		status = results.Interrupted
	case err != nil:
		status = results.Failed
	}
	after := r.out.Manifest(func(m *results.Manifest) { m.After = results.Capture() })
	return errors.Join(err, after, r.out.Finish(status, err))
}

func (r *run) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.notes = append(r.notes, text)
	if r.opts.Observer != nil {
		r.opts.Observer.Note(text)
	}
}
