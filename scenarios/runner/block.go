package runner

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/shardlab/shardlab/loadgen"
	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios"
	"github.com/shardlab/shardlab/server/wire"
)

// visitor is an arm alive in a block: its process, its connections, and what was measured of it so far.
type visitor struct {
	arm      *arm
	child    *child
	session  session
	cpu      func() int64
	trial    results.Trial
	parts    map[string]*latencies // by label
	progress ArmProgress
	warming  *warming // nil where the warm-up takes a fixed time
	tells    bool     // of its collector and its allocations, in INFO runtime
}

// block runs every arm at one point in fresh processes.
func (r *run) block(ctx context.Context, number int, p *point) (err error) {
	b := &block{r: r, number: number, point: p, visitors: make([]*visitor, len(r.arms))}
	defer b.stop()
	if err := b.begin(ctx); err != nil {
		return err
	}
	for _, stage := range b.stages() {
		for round := range stage.Rounds {
			for pos, i := range r.order.round(len(b.visitors)) {
				if err := b.slice(ctx, b.visitors[i], stage, round, pos); err != nil {
					return fmt.Errorf("%s, block %d%s: %w", b.visitors[i].arm.Name, number+1, label(p.part(stage.Phase, "")), err)
				}
				r.done++
				b.report(Measuring)
			}
		}
	}
	return b.end(ctx)
}

type block struct {
	r        *run
	number   int
	point    *point
	visitors []*visitor      // in the order of the scenario
	slices   []results.Slice // for a sampler: all clients' together, without their parts
	trials   []results.Trial
	started  time.Time // of the first slice
	finished bool
}

// begin starts the arms in random order, then preloads and warms them.
func (b *block) begin(ctx context.Context) error {
	starts := b.r.order.shuffle(len(b.r.arms))
	visit := results.Visit{Block: b.number, Point: b.point.Label}
	for _, i := range starts {
		a := &b.r.arms[i]
		visit.Arms = append(visit.Arms, a.Name)
		v := &visitor{arm: a, progress: ArmProgress{Name: a.Name}, parts: map[string]*latencies{}}
		b.visitors[i] = v
	}
	if err := b.r.out.Manifest(func(m *results.Manifest) { m.Order = append(m.Order, visit) }); err != nil {
		return err
	}
	if err := b.each(ctx, Starting, starts, b.start); err != nil {
		return err
	}
	if err := b.each(ctx, Preloading, starts, b.preload); err != nil {
		return err
	}
	if err := b.warm(ctx, starts); err != nil {
		return err
	}
	b.started = time.Now()
	return nil
}

// each does something with every arm, in the given order.
func (b *block) each(ctx context.Context, phase string, order []int, do func(context.Context, *visitor) error) error {
	for _, i := range order {
		b.report(phase)
		if err := do(ctx, b.visitors[i]); err != nil {
			return fmt.Errorf("%s: %s: %w", b.visitors[i].arm.Name, phase, err)
		}
	}
	return nil
}

func (b *block) start(ctx context.Context, v *visitor) error {
	var err error
	if v.arm.kind == kindReference {
		command := v.arm.Command
		if visits := b.r.opts.Visits; visits != nil {
			command, err = visits.Command(b.number, b.point.Label, v.arm.Name)
		}
		if err == nil {
			v.child, err = startReference(ctx, b.r.spawner, command, b.r.cpus.server)
		}
	} else {
		argv := v.arm.argv(b.r.opts.Exe, b.point.Point, b.r.cpus.server)
		v.child, err = startTopology(ctx, b.r.spawner, argv, v.arm.direct, b.r.cpus.server)
	}
	if err != nil {
		return err
	}
	v.cpu = cpuClock(v.child.pid())
	if err := b.connect(ctx, v); err != nil {
		return err
	}
	u, err := readUsage(v.child.pid())
	v.trial = results.Trial{
		Point: b.point.Label, Arm: v.arm.Name, Block: b.number, PID: v.child.pid(), Sockets: v.session.Sockets(),
		RSSEmpty: u.rss,
	}
	if err != nil {
		return err
	}
	return b.identify(ctx, v)
}

func (b *block) connect(ctx context.Context, v *visitor) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if b.point.Load.Via == scenarios.InProcess {
		h, err := openHosted(ctx, v.child, newHostLoad(b.workload().Seed, b.point.Point, b.r.cpus.server))
		v.session = h
		return b.explain(v, err)
	}
	if b.point.Load.Via == scenarios.Mixed {
		m, err := b.connectMixed(ctx, v)
		if err != nil {
			return b.explain(v, err)
		}
		v.session = m
		return nil
	}
	if len(b.point.groups) > 0 {
		s, err := b.connectGroups(ctx, v)
		if err != nil {
			return b.explain(v, err)
		}
		v.session = s
		return nil
	}
	s, err := b.r.pool.Connect(ctx, v.arm.target(v.child, b.point.Point), b.workload(), b.point.load)
	if err != nil { // and s is nil
		return b.explain(v, err)
	}
	v.session = s
	return nil
}

// reconnect replaces connections that a saturated server has not answered in time. Their operations begin anew.
func (b *block) reconnect(ctx context.Context, v *visitor) error {
	v.session.Close()
	return b.connect(ctx, v)
}

// workload is the point's, as the block draws it.
func (b *block) workload() loadgen.Workload { return b.drawn(b.point.workload) }

// identify makes sure that the process we started is the one that answers: on a port that somebody else had taken,
// we would measure a stranger.
func (b *block) identify(ctx context.Context, v *visitor) error {
	info, err := serverInfo(ctx, v.session, "server")
	if err != nil {
		return b.explain(v, err)
	}
	if pid, ok := info["process_id"]; ok && pid != strconv.Itoa(v.child.pid()) {
		return fmt.Errorf("%s answers from process %s, not from %d which was started", v.child.addr, pid, v.child.pid())
	}
	if info, err = serverInfo(ctx, v.session, "runtime"); err != nil {
		return b.explain(v, err)
	}
	_, v.tells = info["gc_cycles"]
	return nil
}

func (b *block) preload(ctx context.Context, v *visitor) error {
	// A server that takes less than 1 MB/s, or a thousand keys a second, is not going to be measured.
	w := b.point.Workload
	patience := time.Duration(w.Keys)*time.Millisecond + time.Duration(w.Keys*(w.KeySize+w.ValueSize))*time.Microsecond
	timed, cancel := context.WithTimeout(ctx, startTimeout+patience)
	defer cancel()
	if err := v.session.Preload(timed); err != nil {
		return b.explain(v, err)
	}
	if v.arm.kind != kindResponder {
		v.trial.Keys = v.session.Preloaded()
	}
	return nil
}

// end records what belongs to whole processes. Only then the block counts.
func (b *block) end(ctx context.Context) error {
	for _, v := range b.visitors {
		if err := b.counters(ctx, v); err != nil {
			return fmt.Errorf("%s, block %d%s: %w", v.arm.Name, b.number+1, label(b.point.Label), b.explain(v, err))
		}
		u, err := readUsage(v.child.pid())
		if err != nil {
			return err
		}
		v.trial.RSSLoaded = u.rss
		for _, d := range b.point.describeAll(b.r.opts.Scenario.Run) {
			if err := b.endPart(v, d); err != nil {
				return err
			}
		}
	}
	if b.r.sampler != nil {
		b.r.sampler.Add(b.slices, b.trials)
	}
	b.finished = true
	b.report(Measuring)
	return nil
}

// endPart records what a block has of one of the labels that its point has in results.
func (b *block) endPart(v *visitor, d results.Point) error {
	l := v.latencies(d.Label)
	t := v.trial
	t.Point, t.Response, t.Service = d.Label, results.NewLatency(l.response.total()), results.NewLatency(l.service.total())
	if d.Group != "" { // the process is not this group's alone
		t.RSSEmpty, t.RSSLoaded = 0, 0
	}
	h := results.BlockHistograms{
		Point: d.Label, Arm: v.arm.Name, Block: b.number, Start: b.started, End: time.Now(), Response: l.response,
	}
	if d.Mode != scenarios.Closed {
		h.Service = l.service
	}
	if b.r.sampler != nil && d.Label == b.point.Label {
		b.trials = append(b.trials, t)
	}
	return errors.Join(b.r.out.Histograms(h), b.r.out.Trial(t))
}

// counters keeps all that the server says of itself at the end of its block.
func (b *block) counters(ctx context.Context, v *visitor) error {
	info, err := serverInfo(ctx, v.session, "all")
	if err != nil {
		return err
	}
	delete(info, "executable") // where Redis lay is nobody's business, and not even true: it names our working directory
	return b.r.out.Counters(struct {
		Point string            `json:"point"`
		Arm   string            `json:"arm"`
		Block int               `json:"block"`
		Info  map[string]string `json:"info"`
	}{b.point.Label, v.arm.Name, b.number, info})
}

// stop ends every process of the block, all at once.
func (b *block) stop() {
	var wg sync.WaitGroup
	for _, v := range b.visitors {
		if v == nil {
			continue
		}
		if v.session != nil {
			v.session.Close()
		}
		if v.child != nil && v.child.cmd.Process != nil {
			wg.Go(v.child.stop)
		}
	}
	wg.Wait()
}

// EndedError is a server that has ended by itself while it was asked something.
type EndedError struct {
	How   error // its exit status and last words
	Under error // what was asked
}

func (e *EndedError) Error() string {
	return fmt.Sprintf("the server ended (%v) under: %v", e.How, e.Under)
}
func (e *EndedError) Unwrap() error { return e.Under }

// explain adds to an error of the load that the server has ended, when it has: then that is the reason.
func (b *block) explain(v *visitor, err error) error {
	if err == nil {
		return nil
	}
	select {
	case <-v.child.exited:
		return &EndedError{v.child.ended(), err}
	case <-time.After(50 * time.Millisecond): // its end may be on the way
		return err
	}
}

func (b *block) report(phase string) {
	if b.r.opts.Observer == nil {
		return
	}
	plan := b.r.opts.Scenario.Run
	p := Progress{
		Phase: phase, Done: b.r.done, Slices: plan.Blocks * b.r.slicesOf(),
		Block: b.number + 1, Blocks: plan.Blocks, Point: b.point.Label, BlockDone: b.finished,
	}
	if b.r.sampler != nil {
		p.Block, p.Blocks = b.r.begun, plan.Blocks*len(b.r.points)
	}
	for _, v := range b.visitors {
		p.Arms = append(p.Arms, v.progress)
	}
	b.r.opts.Observer.Progress(p)
}

// controller is who takes control commands.
type controller interface {
	Do(ctx context.Context, args ...string) (wire.Reply, error)
	ControlProtocol() loadgen.Protocol
}

// serverInfo asks for a section of INFO, or for memcached's statistics; it is empty where there is nothing to ask.
func serverInfo(ctx context.Context, s controller, section string) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	info := map[string]string{}
	switch s.ControlProtocol() {
	case loadgen.HTTP:
		return info, nil
	case loadgen.Memcached:
		reply, err := s.Do(ctx, "stats")
		for line := range strings.Lines(string(reply.Payload)) {
			if f := strings.Fields(line); len(f) == 3 {
				info[f[1]] = f[2]
			}
		}
		if pid, ok := info["pid"]; ok {
			info["process_id"] = pid
		}
		return info, err
	}
	reply, err := s.Do(ctx, "INFO", section)
	if reply.Kind == wire.ErrorReply {
		return info, nil // a server need not know INFO
	}
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(reply.Payload)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[name] = value
		}
	}
	return info, nil
}

func label(l string) string {
	if l == "" {
		return ""
	}
	return ", " + l
}
