package runner

import (
	"context"
	"reflect"
	"slices"

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

// apart is a session whose clients are reported in parts, beside all of them together.
type apart interface {
	// rows are those of the last window's parts, with what each is of; all is the row of them together.
	rows(phase int, all *results.Slice) ([]results.Slice, []*loadgen.Result)
}

// partRow is a row of some of the clients: what is the server's, or the load threads', cannot be told apart.
func partRow(label string, all *results.Slice, r *loadgen.Result) results.Slice {
	row := results.Slice{Point: label, Arm: all.Arm, Block: all.Block, Slice: all.Slice, Pos: all.Pos, T: all.T, Valid: all.Valid, Why: all.Why}
	measured(&row, r)
	row.Shared, row.ServerCPU, row.ClientCPU, row.ClientSpin = true, 0, 0, r.Spin.Nanoseconds()
	row.Visit, row.ClientBusy, row.ClientGC, row.ClientWait, row.ClientRuns = all.Visit, all.ClientBusy, all.ClientGC, all.ClientWait, all.ClientRuns
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
