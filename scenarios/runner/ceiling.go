package runner

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/shardlab/shardlab/loadgen"
	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios"
)

// How long a rung of a ceiling is measured: some slices, in turn with the other rung. On a quiet machine they differ by a few per
// cent, which is what a share of the ceiling is good to; the results say by how much they did.
const (
	ceilingSlices = scenarios.CeilingSlices
	ceilingSlice  = scenarios.CeilingSlice
	ceilingLead   = scenarios.CeilingLead
)

// ceilings measures the ceiling of every point, and once those of points that differ in nothing that counts. What cannot be
// measured is left out, and a note says why: a run does not fail for it.
func (r *run) ceilings(ctx context.Context) error {
	if !r.opts.Scenario.Run.Ceilings() || r.opts.Visits != nil || r.unplanned {
		return nil
	}
	known := map[string]*results.Ceiling{}
	for i := range r.points {
		p := &r.points[i]
		key := p.ceilingKey()
		if _, ok := known[key]; ok || p.Load.Via == scenarios.Mixed || len(p.groups) > 0 || p.workload.Trace != nil {
			// Two carriers, or several groups, have no one ceiling; and what sizes a trace reads is not known beforehand.
			continue
		}
		c, err := r.ceiling(ctx, p)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.note("no ceiling%s: %v", label(p.Label), err)
		}
		known[key] = c
	}
	return r.out.Manifest(func(m *results.Manifest) {
		for i := range r.points {
			for j := range m.Points {
				if m.Points[j].Label == r.points[i].Label {
					m.Points[j].Ceiling = known[r.points[i].ceilingKey()]
				}
			}
		}
	})
}

// ceilingKey tells points apart whose ceilings may differ: which of its keys a workload asks for does not count.
func (p *point) ceilingKey() string {
	w := p.Workload
	w.Keys, w.Zipf, w.HotOps, w.HotKeys, w.HotPeriod, w.HotDrift, w.HotShard, w.Popularity = 0, 0, 0, 0, 0, 0, 0, ""
	b, err := json.Marshal(struct {
		W scenarios.Workload
		L scenarios.LoadPlan
	}{w, p.Load})
	if err != nil {
		panic("bug: a point is not JSON: " + err.Error())
	}
	return string(b)
}

// ceiling measures the rungs of a point in turn.
func (r *run) ceiling(ctx context.Context, p *point) (*results.Ceiling, error) {
	if r.opts.Observer != nil {
		r.opts.Observer.Progress(Progress{Phase: Climbing, Block: 1, Blocks: r.opts.Scenario.Run.Blocks, Point: p.Label, Slices: 1})
	}
	generator := &rung{response: histograms{}}
	rungs := []*rung{generator}
	var null *rung
	inside := p.Load.Via == scenarios.InProcess
	isArm := func(a arm) bool { return a.kind == kindResponder }
	if inside || p.Load.Protocol != scenarios.Memcached && !slices.ContainsFunc(r.arms, isArm) {
		null = &rung{response: histograms{}}
		a := arm{Arm: scenarios.Arm{Name: "null", Topology: "null"}, kind: kindResponder}
		at := p.Point
		at.Settings = scenarios.Settings{} // which are those of the arms
		c, err := startTopology(ctx, r.spawner, a.argv(r.opts.Exe, at, r.cpus.server), false, r.cpus.server)
		if c != nil && c.cmd.Process != nil {
			defer c.stop()
		}
		if err != nil {
			return nil, err
		}
		if inside {
			generator.open, null.open = r.inside(p, c, true), r.inside(p, c, false)
		} else {
			null.open = r.outside(p, a.target(c, at))
		}
		rungs = append(rungs, null)
	}
	if !inside {
		generator.open = r.outside(p, loadgen.Target{InProcess: loadgen.Null(p.workload)})
	}
	for range ceilingSlices {
		for _, x := range rungs {
			if err := x.slice(ctx); err != nil {
				return nil, err
			}
		}
	}
	c := &results.Ceiling{Generator: generator.result()}
	if null != nil {
		c.Null = null.result()
	}
	return c, nil
}

// outside and inside open a rung's clients: of this process, or in that of c.
func (r *run) outside(p *point, t loadgen.Target) opener {
	t.Responder = true
	load := p.load
	load.Churn = 0 // which is work of another kind, and not for what has no connections
	return func(ctx context.Context) (session, error) {
		s, err := r.pool.Connect(ctx, t, p.workload, load)
		if err != nil { // and s is nil
			return nil, err
		}
		return s, nil
	}
}

func (r *run) inside(p *point, c *child, alone bool) opener {
	l := newHostLoad(p.workload.Seed, p.Point, r.cpus.server)
	l.Alone = alone
	return func(ctx context.Context) (session, error) { return openHosted(ctx, c, l) }
}

type opener func(ctx context.Context) (session, error)

// rung is one of the measurements of a ceiling in progress.
type rung struct {
	open             opener
	rates, busy, cpu []float64
	response         histograms
}

// slice measures once, with clients of its own: a host has those of one rung at a time.
func (x *rung) slice(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	s, err := x.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	res, err := s.Run(ctx, loadgen.Window{Lead: ceilingLead, Measure: ceilingSlice})
	if err != nil {
		return err
	}
	if res.Dur <= 0 || res.Replies == 0 {
		return nil // the machine slept
	}
	var cpu time.Duration
	for _, one := range res.ClientCPU {
		cpu += one
	}
	x.rates = append(x.rates, float64(res.Replies)/res.Dur.Seconds())
	x.busy = append(x.busy, res.Busiest)
	x.cpu = append(x.cpu, float64(cpu)/float64(res.Replies))
	return x.response.add(&res.Names, &res.Response)
}

// result is what the slices come to; nil without any.
func (x *rung) result() *results.Rung {
	if len(x.rates) == 0 {
		return nil
	}
	return &results.Rung{
		OpsPerSec: middle(x.rates), Lowest: slices.Min(x.rates), Highest: slices.Max(x.rates), Slices: len(x.rates),
		ClientBusy: middle(x.busy), ClientCPU: middle(x.cpu), P50: results.NewLatency(x.response.total()).P50,
	}
}

// middle is the median of values, which are some.
func middle(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
