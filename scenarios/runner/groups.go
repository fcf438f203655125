package runner

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/shardlab/shardlab/loadgen"
	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios"
)

// group is the clients of a point that are reported together: those of one of its groups, or all of them.
type group struct {
	scenarios.Point // as the group sees it
	name            string
	workload        loadgen.Workload
	load            loadgen.Load   // what it is connected for: the most that any phase asks
	phases          []loadgen.Load // what it does in each
	skew            loadgen.Skew
}

// split fills in the groups of a point that has groups or phases.
func (p *point) split(seed uint64) error {
	if len(p.Groups)+len(p.Phases) == 0 {
		return nil
	}
	for i, as := range p.Groupings() {
		g := group{Point: as, workload: p.workload}
		var err error
		if len(p.Groups) > 0 {
			g.name = p.Groups[i].Name
			if g.workload, err = workload(seed+uint64(i)*0xD1B54A32D192ED03, as.Workload); err != nil {
				return err
			}
		}
		g.phases = p.loadsOf(i)
		g.load = mostOf(g.phases)
		if g.skew, err = loadgen.SkewOf(g.workload, g.load.Connections); err != nil {
			return err
		}
		p.groups = append(p.groups, g)
	}
	p.shareValues()
	return p.hashParts()
}

// seen is the point as each of its groups sees it.
func (p *point) seen() []point {
	if len(p.groups) == 0 {
		return []point{*p}
	}
	var all []point
	for _, g := range p.groups {
		all = append(all, point{Point: g.Point, workload: g.workload, load: g.load, hash: p.hash, skew: g.skew})
	}
	return all
}

// loadsOf is what group i does in each phase.
func (p *point) loadsOf(i int) (all []loadgen.Load) {
	plans := []scenarios.LoadPlan{p.Groupings()[i].Load}
	if len(p.Phases) > 0 {
		plans = nil
	}
	for _, ph := range p.Phases {
		if len(p.Groups) > 0 {
			plans = append(plans, ph.Groups[i])
		} else {
			plans = append(plans, ph.Load)
		}
	}
	most := 0
	for _, l := range plans {
		most = max(most, l.Connections)
	}
	for _, l := range plans {
		x := load(l)
		if x.Connections < most {
			x.Active, x.Connections = x.Connections, most
		}
		all = append(all, x)
	}
	return all
}

// mostOf is a load that has room for all of them: a session is connected for it, and takes their shapes later.
func mostOf(phases []loadgen.Load) loadgen.Load {
	l := phases[0]
	rate := 0.0
	for _, x := range phases {
		rate, l.Churn = max(rate, x.Rate, x.RateTo), max(l.Churn, x.Churn)
	}
	if l.Mode == loadgen.Open {
		l.Backlog = int(min(max(2*rate, 4096), 1<<20))
	}
	return l
}

// shareValues tells every group of the sizes that values have which others write, or the preload.
func (p *point) shareValues() {
	own := func(w loadgen.Workload) loadgen.Law {
		if w.ValueLaw.Max != 0 {
			return w.ValueLaw
		}
		return loadgen.Fixed(w.ValueSize)
	}
	laws := []loadgen.Law{own(p.workload)}
	for _, g := range p.groups {
		laws = append(laws, own(g.workload))
	}
	for i := range p.groups {
		w := &p.groups[i].workload
		for _, l := range laws {
			same := func(x loadgen.Law) bool { return reflect.DeepEqual(x, l) }
			if !same(own(*w)) && !slices.ContainsFunc(w.OtherValues, same) {
				w.OtherValues = append(w.OtherValues, l)
			}
		}
	}
}

// hashParts names the operations of all groups in all phases.
func (p *point) hashParts() error {
	var all []string
	for _, g := range p.groups {
		for _, l := range g.phases {
			h, err := loadgen.StreamHash(g.workload, l)
			if err != nil {
				return err
			}
			all = append(all, h)
		}
	}
	p.hash = loadgen.JoinHashes(all)
	return nil
}

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
		d.Connections, d.Rate, d.Churn = d.Connections+x.Connections, d.Rate+x.Rate, d.Churn+x.Churn
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

// grouped are the sessions of all groups of a point, which run together.
type grouped struct {
	controller
	pool     *loadgen.Pool
	point    *point
	sessions []*loadgen.Session
	preload  func(ctx context.Context) (keys int, err error)
	keys     int               // that were there at the end of the last Preload
	last     []*loadgen.Result // of each group
}

// connectGroups opens the sessions of a point's groups. All get the block's own draw.
func (b *block) connectGroups(ctx context.Context, v *visitor) (session, error) {
	s := &grouped{pool: b.r.pool, point: b.point}
	for i := range b.point.groups {
		g := &b.point.groups[i]
		x, err := b.r.pool.Connect(ctx, v.arm.target(v.child, g.Point), b.drawn(g.workload), g.load)
		if err != nil {
			s.Close()
			return nil, err
		}
		s.sessions = append(s.sessions, x)
	}
	s.controller = s.sessions[0]
	s.preload = func(ctx context.Context) (int, error) {
		err := s.sessions[0].Preload(ctx)
		return s.sessions[0].Preloaded(), err
	}
	if len(b.point.Groups) > 0 {
		s.preload = func(ctx context.Context) (int, error) { return b.preloadGroups(ctx, v) }
	}
	return s, s.shape(0)
}

// preloadGroups fills the key space that all groups share, through connections that are closed then. Counters that any of them
// counts are there, too.
func (b *block) preloadGroups(ctx context.Context, v *visitor) (keys int, err error) {
	w := b.drawn(b.point.workload)
	for _, g := range b.point.groups {
		for _, m := range g.workload.Mix {
			if m.Op == loadgen.Incr || m.Op == loadgen.Decr {
				w.Mix = append(slices.Clone(w.Mix), loadgen.OpShare{Op: m.Op, Share: 1})
			}
		}
	}
	all := b.point.Point
	all.Load.Protocol = b.point.groups[0].Load.Protocol
	s, err := b.r.pool.Connect(ctx, v.arm.target(v.child, all), w, loadgen.Load{Connections: min(b.point.Load.Connections, 50), Pipeline: 1})
	if err != nil {
		return 0, err
	}
	defer s.Close()
	err = s.Preload(ctx)
	return s.Preloaded(), err
}

func (s *grouped) Preload(ctx context.Context) (err error) {
	s.keys, err = s.preload(ctx)
	return err
}

func (s *grouped) Preloaded() int { return s.keys }

// shape gives every session what its group does in a phase.
func (s *grouped) shape(phase int) error {
	for i, x := range s.sessions {
		l := s.point.groups[i].phases[phase]
		l.Backlog = s.point.groups[i].load.Backlog
		if err := x.Shape(l); err != nil {
			return err
		}
	}
	return nil
}

// Run runs one window of all sessions. The server's CPU time is that of them all, and in the result of all together only.
func (s *grouped) Run(ctx context.Context, w loadgen.Window) (*loadgen.Result, error) {
	jobs := make([]loadgen.Job, len(s.sessions))
	for i, x := range s.sessions {
		jobs[i] = loadgen.Job{Session: x, Window: w}
		if i > 0 {
			jobs[i].Window.ServerCPU = nil
		}
	}
	var err error
	if s.last, err = s.pool.RunTogether(ctx, jobs); err != nil {
		return nil, err
	}
	return combine(s.last), nil
}

func (s *grouped) Sockets() (n int) {
	for _, x := range s.sessions {
		n += x.Sockets()
	}
	return n
}

func (s *grouped) Close() error {
	for _, x := range s.sessions {
		x.Close()
	}
	return nil
}

// combine adds the results of sessions up that ran together; a single one is returned as it is. What a thread used is in the
// result of every session that it served, without that session's own spinning: the least of them is its work.
func combine(parts []*loadgen.Result) *loadgen.Result {
	if len(parts) == 1 {
		return parts[0]
	}
	first := parts[0]
	all := &loadgen.Result{Mode: first.Mode, Start: first.Start, Dur: first.Dur, ServerCPU: first.ServerCPU}
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
				all.ClientCPU = append(all.ClientCPU, cpu)
			}
			all.ClientCPU[i] = min(all.ClientCPU[i], cpu)
		}
		addOperations(all, r)
		for _, x := range []struct{ to, from **hdrhistogram.Histogram }{{&all.Lateness, &r.Lateness}, {&all.Connect, &r.Connect}} {
			mergeInto(x.to, *x.from)
		}
	}
	for _, cpu := range all.ClientCPU {
		all.Busiest = max(all.Busiest, float64(cpu)/float64(max(all.Dur, 1)))
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
		for loadgen.Op(to) >= loadgen.FirstTemplate && all.Names[to] != "" && all.Names[to] != name {
			if to++; to == int(loadgen.NumOps) {
				to = int(loadgen.FirstTemplate)
			}
		}
		all.Names[to] = name
		all.Ops[to] += r.Ops[op]
		mergeInto(&all.Service[to], r.Service[op])
		mergeInto(&all.Response[to], r.Response[op])
	}
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

// apart is a session whose clients are reported in parts, beside all of them together.
type apart interface {
	// rows are those of the last window's parts, with what each is of; all is the row of them together.
	rows(phase int, all *results.Slice) ([]results.Slice, []*loadgen.Result)
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

// partRow is a row of some of the clients: what is the server's, or the load threads', cannot be told apart.
func partRow(label string, all *results.Slice, r *loadgen.Result) results.Slice {
	row := results.Slice{Point: label, Arm: all.Arm, Block: all.Block, Slice: all.Slice, Pos: all.Pos, T: all.T, Valid: all.Valid, Why: all.Why}
	measured(&row, r)
	row.Shared, row.ServerCPU, row.ClientCPU, row.ClientSpin = true, 0, 0, r.Spin.Nanoseconds()
	row.ClientBusy, row.ClientGC, row.ClientWait, row.ClientRuns = all.ClientBusy, all.ClientGC, all.ClientWait, all.ClientRuns
	row.Steal, row.Throttled, row.ThrottledPeriods, row.ListenDrops = all.Steal, all.Throttled, all.ThrottledPeriods, all.ListenDrops
	return row
}

// stages are the visits of a block: a phase, or the slices there are where nothing has phases.
func (b *block) stages() []scenarios.Visit {
	all := b.point.Visits(b.r.opts.Scenario.Run)
	if !b.r.opts.Scenario.Shuffle {
		return all
	}
	drawn := make([]scenarios.Visit, len(all))
	for to, from := range b.r.order.shuffle(len(all)) {
		drawn[to] = all[from]
	}
	return drawn
}

// slicesOf is how many slices a block of the scenario's has, of all arms and points together.
func (r *run) slicesOf() (n int) {
	for i := range r.points {
		for _, v := range r.points[i].Visits(r.opts.Scenario.Run) {
			n += v.Rounds * len(r.arms)
		}
	}
	return n
}

// drawn is a workload with a seed of the block's own: all arms of a block get the same operations at the same times,
// but another block is another draw. Otherwise an odd draw would look like a property of the servers, and its chance
// would be in no interval. The first block has the scenario's seed, and so the operation stream that the manifest names.
func (b *block) drawn(w loadgen.Workload) loadgen.Workload {
	w.Seed += uint64(b.number) * 0x9E3779B97F4A7C15
	return w
}

// partsText says what is reported apart, "" where nothing is.
func (p *point) partsText() string {
	if len(p.Groups) == 0 {
		return ""
	}
	return fmt.Sprintf("%d groups of clients put load on each server at once; its CPU time is that of all together, and is not told apart", len(p.Groups))
}
