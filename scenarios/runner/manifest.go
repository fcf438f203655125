package runner

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"

	"github.com/shardlab/shardlab/loadgen"
	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios"
)

// manifestOf is what a manifest says of a scenario, of this program and of the machine.
func manifestOf(sc *scenarios.Scenario) results.Manifest {
	resolved := sc.Canonical()
	sum := sha256.Sum256(resolved)
	env := results.Capture()
	return results.Manifest{
		Blocks: sc.Run.Blocks,
		Scenario: results.Scenario{
			Name: sc.Name, Seed: sc.Seed, Resolved: resolved, SHA256: hex.EncodeToString(sum[:]), Source: sc.Source,
		},
		Code: results.CaptureCode(), Before: env, EnvKey: env.Key(),
	}
}

func (r *run) manifest() *results.Manifest {
	sc := r.opts.Scenario
	m := manifestOf(sc)
	m.Started, m.Argv, m.Notes = r.start, r.opts.Argv, r.notes
	m.CPUs = results.CPUs{
		Server: scenarios.FormatCPUs(r.cpus.server), Client: scenarios.FormatCPUs(r.cpus.client), Shared: r.cpus.shared,
		ClientThreads: len(r.cpus.client),
	}
	for i := range r.points {
		m.Points = append(m.Points, r.points[i].describeAll(sc.Run)...)
	}
	for i := range r.arms {
		m.Arms = append(m.Arms, r.arms[i].describe(r))
	}
	return &m
}

func (p *point) describe(plan scenarios.RunPlan) results.Point {
	d := results.Point{
		Label: p.Label, Mode: p.Load.Mode, Connections: p.Load.Connections, Pipeline: p.Load.Pipeline, Rate: p.Load.Rate,
		Arrival: p.Load.Arrival, Protocol: cmp.Or(p.Load.Protocol, scenarios.RESP),
		Keys: p.Workload.Keys, ValueSize: p.Workload.ValueSize, StreamHash: p.hash,
		SliceNS: plan.Slice.Nanoseconds(), Slices: plan.SlicesPerBlock,
		LeadNS: plan.LeadIn.Nanoseconds(), WarmupNS: plan.Warmup.Nanoseconds(), WarmupMaxNS: plan.WarmupMax.Nanoseconds(),
	}
	d.RateTo, d.Churn = p.Load.RateTo, p.Load.Churn
	d.TimeoutNS = p.Load.Timeout.Nanoseconds()
	d.ArrivalLaw = p.Load.LawText()
	if p.load.Mode == loadgen.Open && p.load.Arrival.Law != loadgen.Listed && p.load.RateTo == 0 {
		x := p.load.Arrival.Dispersion(p.load.Rate, plan.Slice)
		d.Dispersion = &x
	}
	d.Via, d.Inside = p.Load.Via, p.Load.InsideConnections()
	d.Skew, d.Trace = results.Skew(p.skew), p.traceText()
	d.ExpectedMisses = p.Workload.ExpectedMisses
	d.ValueLaw, d.MayMiss = p.Workload.ValueLaw.String(), p.workload.MayMiss()
	for _, param := range p.Params {
		d.Params = append(d.Params, results.Param(param))
	}
	return d
}
