package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shardlab/shardlab/loadgen"
	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios"
	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/topologies"
)

// Kinds of arms, as results name them.
const (
	kindTopology  = "topology"
	kindResponder = "responder"
	kindReference = "reference"
)

// arm is one thing under comparison, ready to be started.
type arm struct {
	scenarios.Arm
	kind   string
	direct bool // a topology with a port for each shard
}

// prepareArms checks every arm at every point before anything is started, and leaves out optional references that are not
// installed. The notes say which.
func (r *run) prepareArms() error {
	for _, sa := range r.opts.Scenario.Arms {
		a := arm{Arm: sa, kind: kindTopology}
		if sa.Reference != "" {
			a.kind = kindReference
			if i := slices.IndexFunc(r.opts.Scenario.Points, func(p scenarios.Point) bool { return p.Load.Via != "" }); i >= 0 {
				return fmt.Errorf("%s: arm %s: a reference is another's program, which cannot have clients inside (load.via: %s); "+
					"leave it out", r.opts.Scenario.File, sa.Name, r.opts.Scenario.Points[i].Load.Via)
			}
			if _, err := exec.LookPath(sa.Command[0]); err != nil && r.opts.Visits == nil {
				if !sa.Optional {
					return &NotInstalledError{sa.Command[0], sa.Install}
				}
				r.note("%s is left out: %v", sa.Name, &NotInstalledError{sa.Command[0], sa.Install})
				continue
			}
		} else if err := a.check(r); err != nil {
			return fmt.Errorf("%s: arm %s: %w", r.opts.Scenario.File, sa.Name, err)
		}
		if p := a.otherProtocol(r.opts.Scenario.Points); p != "" {
			r.note("%s gets its load in %s, where topologies get it in %s", sa.Name, sa.ProtocolAt(r.opts.Scenario.Points[0]), p)
		}
		r.arms = append(r.arms, a)
	}
	if len(r.arms) == 0 {
		return errors.New("no arm is left to run")
	}
	return nil
}

// otherProtocol is one that topologies get their load in at some point, and this reference does not; "" if there is none.
func (a *arm) otherProtocol(points []scenarios.Point) string {
	for _, p := range points {
		if topology := cmp.Or(p.Load.Protocol, scenarios.RESP); a.kind == kindReference && topology != a.ProtocolAt(p) {
			return topology
		}
	}
	return ""
}

// NotInstalledError is a reference server that is not on the PATH.
type NotInstalledError struct{ Program, Install string }

func (e *NotInstalledError) Error() string {
	text := e.Program + " is not on the PATH"
	if e.Install != "" {
		text += "; install it with: " + e.Install
	}
	return text
}

func (a *arm) check(r *run) error {
	topo, err := topologies.Lookup(a.Topology)
	if err != nil {
		return err
	}
	if topo.Responder {
		a.kind = kindResponder
	}
	a.direct = topo.DirectPorts
	for _, p := range r.opts.Scenario.Points {
		if slices.ContainsFunc(p.Groupings(), func(g scenarios.Point) bool { return g.Load.Protocol == scenarios.Memcached }) {
			return errors.New("no topology speaks memcached; a reference that does says protocol: memcached in its arm")
		}
		cfg, err := a.config(p, r.cpus.server)
		var resolved topologies.Settings
		if err == nil {
			resolved, err = cfg.Resolve()
		}
		for _, g := range p.Groupings() {
			if err == nil && a.direct {
				err = separable(g.Workload, resolved.Shards)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// separable says which operations of a workload shards with ports of their own cannot be sent.
func separable(w scenarios.Workload, shards int) error {
	for _, m := range w.Mix {
		several := (m.Op == "MGET" || m.Op == "MSET") && (w.CrossShare == nil || *w.CrossShare != 0)
		if shards > 1 && several {
			return fmt.Errorf("the keys of one %s may be on several of its %d shards, which have ports of their own; "+
				"set workload.cross_share to 0, or shards to 1", m.Op, shards)
		}
		if strings.ContainsAny(m.Op, " \t") {
			return fmt.Errorf("%q may be for any shard, and shards have ports of their own; leave the arm out", m.Op)
		}
	}
	return nil
}

// config is what a topology arm is opened with at a point.
func (a *arm) config(p scenarios.Point, cpus []int) (topologies.Config, error) {
	s := a.SettingsAt(p)
	c := topologies.Config{
		Topology: a.Topology, CPUs: cpus,
		// The load generator's connections (one to each shard where shards have ports), those for control, and some for
		// whoever wants to look.
		MaxConns: max(server.DefaultMaxConns, p.Connections()*max(s.Shards, topologies.DefaultShards)+64),
	}
	if a.kind == kindResponder {
		c.NullValue = p.Workload.ValueSize
		if l := p.Workload.ValueLaw; l != nil {
			c.NullValue = law(l).Mean()
		}
	}
	for _, knob := range s.Pairs() {
		if err := c.Set(knob[0], knob[1]); err != nil {
			return c, fmt.Errorf("%s: %w", knob[0], err)
		}
	}
	return c, nil
}

// argv is the command line of a topology arm at a point. prepareArms has checked that there is a config.
func (a *arm) argv(exe string, p scenarios.Point, cpus []int) []string {
	c, _ := a.config(p, cpus)
	verb := "serve"
	if p.Load.Via != "" {
		verb = hostVerb
	}
	argv := []string{exe, verb, "--topology", c.Topology, "--bind", "127.0.0.1:0",
		"--cpus", scenarios.FormatCPUs(cpus), "--max-connections", strconv.Itoa(c.MaxConns)}
	for _, knob := range a.SettingsAt(p).Pairs() {
		argv = append(argv, "--"+strings.ReplaceAll(knob[0], "_", "-"), knob[1])
	}
	if c.NullValue != 0 {
		argv = append(argv, "--null-value", strconv.Itoa(c.NullValue))
	}
	if slices.ContainsFunc(p.Groupings(), func(g scenarios.Point) bool { return g.Load.Protocol == scenarios.HTTP }) {
		argv = append(argv, "--http", "127.0.0.1:0")
	}
	return argv
}

// describe is the arm's entry in the manifest. Settings that differ between points are those of the first.
func (a *arm) describe(r *run) results.Arm {
	d := results.Arm{Name: a.Name, Kind: a.kind, Topology: a.Topology, Responder: a.kind == kindResponder}
	if a.kind == kindReference {
		d.Command, d.Protocol = a.Command, a.Protocol
		if r.opts.Visits == nil { // else the command is not a program yet
			d.Version = versionOf(a.Command[0])
		}
		return d
	}
	first := r.opts.Scenario.Points[0]
	d.Command = a.argv("shardlab", first, r.cpus.server)
	d.Settings = map[string]string{}
	c, _ := a.config(first, r.cpus.server)
	if s, err := c.Resolve(); err == nil {
		for _, pair := range s.Pairs() {
			d.Settings[pair[0]] = pair[1]
		}
	}
	return d
}

// versionOf asks a reference for its version, in the way that most servers understand.
func versionOf(program string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(first)
}

// target says where the load generator finds a started arm.
func (a *arm) target(c *child, p scenarios.Point) loadgen.Target {
	t := loadgen.Target{Addr: c.addr, Responder: a.kind == kindResponder, Protocol: protocol(a.ProtocolAt(p))}
	if t.Protocol == loadgen.HTTP {
		t.Path = p.Load.Path
		if a.kind != kindReference {
			t.Addr, t.ControlAddr = c.web, c.addr
			return t // the ports of shards are not HTTP's
		}
	}
	if len(c.direct) > 0 {
		t.ShardAddrs = c.direct
		t.Route = topologies.Route(len(c.direct), a.SettingsAt(p).Route)
	}
	return t
}

// protocol is the load generator's word for a scenario's, which has been checked.
func protocol(name string) loadgen.Protocol {
	switch name {
	case scenarios.SCNP:
		return loadgen.SCNP
	case scenarios.Memcached:
		return loadgen.Memcached
	case scenarios.HTTP:
		return loadgen.HTTP
	}
	return loadgen.RESP
}

// distributions are the load generator's names of the scenarios' distributions.
var distributions = map[string]string{
	scenarios.Uniform: loadgen.Uniform, scenarios.Zipfian: loadgen.Zipf, scenarios.Hotspot: loadgen.Hotspot,
	scenarios.Latest: loadgen.Latest, scenarios.Moving: loadgen.Moving, scenarios.Sequential: loadgen.Sequential,
	scenarios.HotShard: loadgen.HotShard, scenarios.Popularity: loadgen.Popularity,
}

func law(l *scenarios.Law) loadgen.Law {
	return loadgen.Law{Min: l.Min, Max: l.Max, Median: l.Median, Sigma: l.Sigma, Values: l.Values, Weights: l.Weights}
}

func workload(seed uint64, w scenarios.Workload) (loadgen.Workload, error) {
	lw := loadgen.Workload{
		Keys: w.Keys, KeySize: w.KeySize, ValueSize: w.ValueSize, Seed: seed,
	}
	lw.Distribution, lw.Zipf, lw.Weights, lw.Scramble = distributions[w.Distribution], w.Zipf, w.Weights, w.Scramble
	lw.Hot = loadgen.Hot{
		Ops: w.HotOps, Keys: w.HotKeys, Period: uint64(w.HotPeriod), Drift: w.HotDrift, Shard: w.HotShard,
	}
	if w.SkewShards > 0 {
		var err error
		if lw.Sharding, err = loadgen.NewSharding(w.SkewShards, topologies.Route(w.SkewShards, "")); err != nil {
			return lw, err
		}
	}
	if w.KeyLaw != nil {
		lw.KeyLaw = law(w.KeyLaw)
	}
	if w.ValueLaw != nil {
		lw.ValueLaw = law(w.ValueLaw)
	}
	if w.TTL != nil {
		lw.TTL = law(w.TTL)
	}
	lw.Random, lw.KeysPerOp, lw.CrossShard = w.ValueRandom, w.KeysPerOp, -1
	lw.MayBeGone = w.ExpectedMisses != nil && *w.ExpectedMisses > 0
	if w.CrossShare != nil {
		lw.CrossShard = *w.CrossShare
	}
	if w.Trace != "" {
		return lw, nil // the rest is the trace's
	}
	for _, m := range w.Mix {
		if strings.ContainsAny(m.Op, " \t") {
			op := loadgen.FirstTemplate + loadgen.Op(len(lw.Templates))
			lw.Templates = append(lw.Templates, m.Op)
			lw.Mix = append(lw.Mix, loadgen.OpShare{Op: op, Share: m.Share})
			continue
		}
		op, err := loadgen.ParseOp(m.Op)
		if err != nil {
			return lw, err
		}
		lw.Mix = append(lw.Mix, loadgen.OpShare{Op: op, Share: m.Share})
	}
	return lw, nil
}

func load(l scenarios.LoadPlan) loadgen.Load {
	ll := loadgen.Load{Mode: loadgen.Closed, Connections: l.Connections, Pipeline: l.Pipeline}
	if l.Mode == scenarios.Open {
		ll = loadgen.Load{Mode: loadgen.Open, Connections: l.Connections, Rate: l.Rate, Arrival: arrival(l), Spin: l.Spin}
	}
	ll.Timeout, ll.RateTo, ll.Churn = l.Timeout, l.RateTo, l.Churn
	return ll
}

func arrival(l scenarios.LoadPlan) loadgen.Arrival {
	switch l.Arrival {
	case scenarios.Evenly:
		return loadgen.Arrival{Law: loadgen.Evenly}
	case scenarios.Bursts:
		return loadgen.Arrival{Law: loadgen.Bursts, On: l.BurstOn, Off: l.BurstOff, Share: l.BurstShare}
	case scenarios.Timestamps:
		return loadgen.Arrival{Law: loadgen.Listed, Times: l.ArrivalTimes, Speed: l.ArrivalSpeed}
	}
	return loadgen.Arrival{}
}
