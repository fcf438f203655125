package runner

import (
	"fmt"
	"strings"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios"
)

// prepareSampling plans an adaptive run and has the manifest say so; any other run has nothing to plan.
func (r *run) prepareSampling(m *results.Manifest) error {
	sc := r.opts.Scenario
	if sc.Run.Sampling != scenarios.Adaptive {
		return nil
	}
	var rivals []string
	for _, a := range m.Arms {
		if !a.Responder {
			rivals = append(rivals, a.Name)
		}
	}
	if len(rivals) < 2 {
		return fmt.Errorf("%s: run.sampling: adaptive asks which arm is best, and has no two to compare, only [%s]; add one, or use --set run.sampling=even",
			sc.File, strings.Join(rivals, ", "))
	}
	points := make([]results.Point, len(r.points)) // without their parts, which no block is given for the sake of
	for i := range r.points {
		points[i] = r.points[i].describe(sc.Run)
	}
	plan := analysis.NewSampling(sc.Run.Blocks, len(points), analysis.WinMetric(points[0]))
	m.Sampling = &plan
	r.sampler = analysis.NewSampler(plan, points, m.Arms)
	return nil
}

// sampled ends an adaptive run: it says what it came to.
func (r *run) sampled() error {
	if r.sampler == nil {
		return nil
	}
	r.note("%s", r.sampler.Outcome())
	return r.out.Manifest(func(m *results.Manifest) { m.Notes = r.notes })
}
