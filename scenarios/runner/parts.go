package runner

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/shardlab/shardlab/loadgen"
	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios"
)

// part is a point's label for what is reported apart: a phase of it, of one group or of all.
func (p *point) part(phase int, group string) string {
	params := slices.Clone(p.Params)
	if len(p.Phases) > 0 {
		params = append(params, scenarios.Param{Name: scenarios.PhaseParam, Value: p.Phases[phase].Name})
	}
	if group != "" {
		params = append(params, scenarios.Param{Name: scenarios.GroupParam, Value: group})
	}
	if len(params) == len(p.Params) {
		return p.Label
	}
	return scenarios.Label(params)
}

// describeAll lists the points that results have of this one: each phase, and in it all groups together and each.
func (p *point) describeAll(plan scenarios.RunPlan) []results.Point {
	switch {
	case p.Load.Via == scenarios.Mixed:
		return p.describeMixed(plan)
	case len(p.groups) == 0:
		return []results.Point{p.describe(plan)}
	}
	var all []results.Point
	for i, v := range p.Visits(plan) {
		plan.Slice, plan.SlicesPerBlock = v.Length, v.Rounds
		var parts []results.Point
		for _, g := range p.groups {
			q := point{Point: g.Point, workload: g.workload, load: g.phases[i], hash: p.hash, skew: g.skew}
			if len(p.Phases) > 0 {
				q.Load = p.Phases[i].Load
				if g.name != "" {
					q.Load = p.Phases[i].Groups[len(parts)]
				}
			}
			d := q.describe(plan)
			d.Keys = p.Workload.Keys // preloaded
			d.Label, d.Group = p.part(i, g.name), g.name
			d.Params = paramsOf(p, i, g.name)
			parts = append(parts, d)
		}
		if len(p.Groups) > 0 {
			all = append(all, p.together(parts, i))
		}
		all = append(all, parts...)
	}
	return all
}

func paramsOf(p *point, phase int, group string) (all []results.Param) {
	for _, x := range p.Params {
		all = append(all, results.Param(x))
	}
	if len(p.Phases) > 0 {
		all = append(all, results.Param{Name: scenarios.PhaseParam, Value: p.Phases[phase].Name})
	}
	if group != "" {
		all = append(all, results.Param{Name: scenarios.GroupParam, Value: group})
	}
	return all
}

// mixedMode is the mode of groups of both kinds together.
const mixedMode = "mixed"

// together describes all groups of a phase.
func (p *point) together(parts []results.Point, phase int) results.Point {
	d := parts[0]
	d.Label, d.Params, d.Group = p.part(phase, ""), paramsOf(p, phase, ""), ""
	d.Skew, d.Dispersion, d.Arrival, d.ArrivalLaw = results.Skew(p.skew), nil, "", ""
	d.Connections, d.Rate, d.RateTo, d.Churn = 0, 0, 0, 0
	for _, x := range parts {
		d.Groups = append(d.Groups, x.Group)
		d.Connections, d.Rate, d.Churn = d.Connections+x.Connections, d.Rate+x.MeanRate(), d.Churn+x.Churn
		d.MayMiss = d.MayMiss || x.MayMiss
		if d.Mode != x.Mode {
			d.Mode = mixedMode
		}
		if d.Pipeline != x.Pipeline {
			d.Pipeline = 0
		}
	}
	if d.Mode == mixedMode {
		d.Rate = 0 // a closed loop has none
	}
	return d
}

// combine adds the results of sessions up that ran together; a single one is returned as it is. What a thread used is in the
// result of every session that it served, without that session's own spinning: its work is what it used without that of any.
func combine(parts []*loadgen.Result) *loadgen.Result {
	if len(parts) == 1 {
		return parts[0]
	}
	first := parts[0]
	all := &loadgen.Result{Mode: first.Mode, Start: first.Start, Dur: first.Dur, Began: first.Began, ServerCPU: first.ServerCPU}
	for _, r := range parts {
		all.Sockets += r.Sockets
		all.Errors, all.Reads, all.Misses = all.Errors+r.Errors, all.Reads+r.Reads, all.Misses+r.Misses
		all.Checked, all.Corrupt = all.Checked+r.Checked, all.Corrupt+r.Corrupt
		all.FirstError = cmp.Or(all.FirstError, r.FirstError)
		all.Intended, all.Late, all.Unsent = all.Intended+r.Intended, all.Late+r.Late, all.Unsent+r.Unsent
		all.Sent, all.TimedOut, all.InFlight, all.Owed = all.Sent+r.Sent, all.TimedOut+r.TimedOut, all.InFlight+r.InFlight, all.Owed+r.Owed
		all.Replies, all.BytesIn, all.BytesOut = all.Replies+r.Replies, all.BytesIn+r.BytesIn, all.BytesOut+r.BytesOut
		all.Overflow, all.Spin, all.Reconnects = all.Overflow+r.Overflow, all.Spin+r.Spin, all.Reconnects+r.Reconnects
		for i, cpu := range r.ClientCPU {
			if i == len(all.ClientCPU) {
				all.ClientCPU, all.Spun = append(all.ClientCPU, cpu+r.Spun[i]), append(all.Spun, 0)
			}
			all.ClientCPU[i] = min(all.ClientCPU[i], cpu+r.Spun[i])
			all.Spun[i] += r.Spun[i]
		}
		addOperations(all, r)
		for _, x := range []struct{ to, from **hdrhistogram.Histogram }{{&all.Lateness, &r.Lateness}, {&all.Connect, &r.Connect}} {
			mergeInto(x.to, *x.from)
		}
	}
	for i := range all.ClientCPU {
		all.ClientCPU[i] = max(all.ClientCPU[i]-all.Spun[i], 0)
		all.Busiest = max(all.Busiest, float64(all.ClientCPU[i])/float64(max(all.Dur, 1)))
	}
	return all
}

// addOperations adds what is known of each operation, commands by what they are called.
func addOperations(all, r *loadgen.Result) {
	for op, name := range r.Names {
		if r.Ops[op] == 0 && r.Service[op] == nil {
			continue
		}
		to := op
		if loadgen.Op(op) >= loadgen.FirstTemplate {
			to, name = placeOf(all, name)
		}
		all.Names[to] = name
		all.Ops[to] += r.Ops[op]
		mergeInto(&all.Service[to], r.Service[op])
		mergeInto(&all.Response[to], r.Response[op])
	}
}

// otherCommands is what those are called together for which a result has no room.
const otherCommands = "OTHER"

// placeOf is where a result has the command of that name, which goes by the name returned: groups may have more commands together than
// there are places, and the last is then for all that are left.
func placeOf(all *loadgen.Result, name string) (op int, as string) {
	own := all.Names[loadgen.FirstTemplate:]
	i := slices.Index(own, name)
	if i < 0 {
		i = slices.Index(own, "")
	}
	if i < 0 {
		i, name = len(own)-1, otherCommands
	}
	return int(loadgen.FirstTemplate) + i, name
}

func mergeInto(to **hdrhistogram.Histogram, from *hdrhistogram.Histogram) {
	if from == nil {
		return
	}
	if *to == nil {
		*to = results.NewHistogram()
	}
	(*to).Merge(from)
}

func (s *grouped) rows(phase int, all *results.Slice) (rows []results.Slice, of []*loadgen.Result) {
	if len(s.point.Groups) == 0 {
		return nil, nil
	}
	for i, r := range s.last {
		rows = append(rows, partRow(s.point.part(phase, s.point.groups[i].name), all, r))
	}
	return rows, s.last
}

// partsText says what is reported apart, "" where nothing is.
func (p *point) partsText() string {
	if len(p.Groups) == 0 {
		return ""
	}
	return fmt.Sprintf("%d groups of clients put load on each server at once; its CPU time is that of all together, and is not told apart", len(p.Groups))
}
