package gating

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/shardlab/shardlab/analysis/gate"
	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios"
	"github.com/shardlab/shardlab/scenarios/runner"
	"github.com/shardlab/shardlab/server"
)

// Names are the words of a gate file that packages under this one define.
func Names(names scenarios.Names) scenarios.GateNames {
	g := scenarios.GateNames{Names: names, Deltas: map[string]float64{}, Samples: map[string]uint64{}, Arms: []string{gate.Base, gate.Head, gate.Control},
		Looks: gate.DefaultBlocks, MinBlocks: gate.MinBlocks, MaxBlocks: gate.MaxBlocks}
	for _, m := range gate.Metrics() {
		g.Deltas[string(m)], g.Samples[string(m)] = gate.DefaultDelta(m), gate.MinSamples(m)
	}
	return g
}

// Options say what to gate and where the results go.
type Options struct {
	Gate       *scenarios.Gate
	Base, Head Source
	Seed       uint64 // added to that of the gate file: another order of everything, other operations
	NoControl  bool
	NoConfirm  bool
	// BaseWorse and HeadWorse are what to inject into the arms, as the gate's own arguments for that take it: for the
	// gate's own test.
	BaseWorse, HeadWorse string
	Builder              *Builder
	Results              string
	Argv                 []string
	Observer             runner.Observer
	Log                  func(string)
}

// session is a gate in progress. It is the runner's Visits.
type session struct {
	opts  Options
	ctx   context.Context
	plan  gate.Plan
	cases map[string]scenarios.GateCase
	begun [2]int         // blocks of the first pass and of the confirmation
	slots map[string]int // by arm, in the block in progress
}

// Run gates, and returns the run directory, also with an error once there is one, and its verdict. A build that goes
// wrong is a *BuildError.
func Run(ctx context.Context, opts Options) (dir string, verdict *gate.Verdict, err error) {
	s := &session{opts: opts, ctx: ctx, plan: PlanOf(opts.Gate, !opts.NoControl, !opts.NoConfirm), cases: map[string]scenarios.GateCase{}}
	if err := s.plan.Check(); err != nil {
		return "", nil, err
	}
	for _, c := range opts.Gate.Cases {
		s.cases[c.Point] = c
	}
	if err := s.build(); err != nil {
		return "", nil, err
	}
	release, err := unconfined()
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	sc := *opts.Gate.Scenario
	sc.Seed += opts.Seed
	if opts.NoControl {
		sc.Arms = slices.DeleteFunc(slices.Clone(sc.Arms), func(a scenarios.Arm) bool { return a.Name == gate.Control })
	}
	dir, err = runner.Run(ctx, runner.Options{
		Scenario: &sc, Results: opts.Results, Argv: opts.Argv, Observer: opts.Observer, Visits: s, Amend: s.amend,
	})
	if err != nil {
		return dir, nil, err
	}
	run, err := results.OpenIn(opts.Results, dir)
	if err != nil {
		return dir, nil, err
	}
	if verdict, err = Judge(run); err != nil {
		return dir, nil, err
	}
	var text, bench bytes.Buffer
	if err := errors.Join(verdict.JSON(&text), Bench(&bench, run)); err != nil {
		return dir, verdict, err
	}
	return dir, verdict, results.WriteVerdict(dir, text.Bytes(), bench.Bytes())
}

// unconfined remembers the processors of this process, which the runner confines to those of the client: release gives them
// back to whoever comes after, with as many of Go's processors, which follow a confinement within a second but only then.
func unconfined() (release func() error, err error) {
	cpus, err := server.Allowed()
	return func() error {
		err := server.Confine(cpus)
		if os.Getenv("GOMAXPROCS") == "" {
			runtime.SetDefaultGOMAXPROCS()
		}
		return err
	}, err
}

// Judge judges a gate's run by its own plan and slices: as often as one likes, with the same bytes.
func Judge(run *results.Run) (*gate.Verdict, error) {
	plan, err := planIn(run)
	if err != nil {
		return nil, err
	}
	return gate.Judge(plan, run.Manifest.ID, run.Slices, run.Trials)
}

// Bench writes what the verdict on a gate's run stands on in the Go benchmark format.
func Bench(w io.Writer, run *results.Run) error {
	plan, err := planIn(run)
	if err != nil {
		return err
	}
	return results.WriteBenchRows(w, &run.Manifest, gate.Bench(plan, run.Slices, run.Trials))
}

// planIn is the plan of a gate's run, checked.
func planIn(run *results.Run) (plan gate.Plan, err error) {
	if len(run.Manifest.Gate) == 0 {
		return plan, fmt.Errorf("%s is no gate's run; shardlab compare shows it", run.Manifest.ID)
	}
	if err := json.Unmarshal(run.Manifest.Gate, &plan); err != nil {
		return plan, fmt.Errorf("%s: the gate's plan: %w", run.Manifest.ID, err)
	}
	if err := plan.Check(); err != nil {
		return plan, fmt.Errorf("%s: the gate's plan: %w", run.Manifest.ID, err)
	}
	return plan, nil
}

// PlanOf is what a gate file promises.
func PlanOf(g *scenarios.Gate, control, confirm bool) gate.Plan {
	var primaries []gate.Primary
	for _, c := range g.Cases {
		for _, p := range c.Primaries {
			primaries = append(primaries, gate.Primary{Point: c.Point, Metric: gate.Metric(p.Metric), Delta: p.Delta, Claim: p.Claim})
		}
	}
	p := gate.NewPlan(primaries, g.Looks)
	p.Control, p.Confirm = control, confirm
	return p
}

// amend puts the promise and the code into the manifest.
func (s *session) amend(m *results.Manifest) {
	var err error
	if m.Gate, err = json.Marshal(s.plan); err != nil {
		panic("bug: a plan is not JSON: " + err.Error())
	}
	for i := range m.Arms {
		a := &m.Arms[i]
		x := s.buildOf(a.Name, 0).one()
		a.Version = x.source.Revision
		a.Command = append(slices.Clone(s.opts.Gate.Cases[0].Start), s.worse(a.Name)...)
		layouts := s.opts.Gate.Layouts
		if x.source.Bin != "" {
			layouts = 1
		}
		a.Settings = map[string]string{"layouts": fmt.Sprint(layouts)}
		if hash, err := sum(s.opts.Builder.made[x]); err == nil {
			a.Settings["sha256"] = hash // of the first layout
		}
	}
}

// Next implements runner.Visits.
func (s *session) Next(dir string) (int, []string, error) {
	run, err := results.OpenIn(s.opts.Results, dir)
	if err != nil {
		return 0, nil, err
	}
	block, points := gate.Next(s.plan, run.Slices, run.Trials, s.begun[0], s.begun[1])
	if len(points) == 0 {
		return 0, nil, nil
	}
	if block == s.plan.Blocks() {
		s.opts.Log("a primary has changed: measuring it again with new processes" + map[bool]string{true: " and layouts"}[s.opts.Gate.Layouts > 1])
	}
	s.begun[min(block/s.plan.Blocks(), 1)]++
	return block, points, s.prepare(block)
}

// build makes the builds of the first pass, so that what does not build is known before anything is measured, and head's of the
// confirmation: by then whoever waits for the verdict may have changed the working tree, and what is measured twice must be one program.
func (s *session) build() error {
	layouts := min(s.opts.Gate.Layouts, s.plan.Blocks())
	for block := range layouts {
		if err := s.prepare(block); err != nil {
			return err
		}
	}
	for block := range layouts {
		if !s.plan.Confirm {
			break
		}
		if _, err := s.opts.Builder.binary(s.ctx, s.buildOf(gate.Head, s.plan.Blocks()+block)); err != nil {
			return err
		}
	}
	return nil
}

// prepare makes the builds of a block and deals them the names under which they run.
func (s *session) prepare(block int) error {
	s.slots = map[string]int{}
	arms := s.opts.Gate.Scenario.Arms
	within := block % s.plan.Blocks()
	deal := rand.New(rand.NewPCG(s.opts.Gate.Scenario.Seed+s.opts.Seed, uint64(within))).Perm(len(arms))
	for i, a := range arms {
		s.slots[a.Name] = deal[i]
	}
	if block >= s.plan.Blocks() { // the confirmation has them swapped
		s.slots[gate.Base], s.slots[gate.Head] = s.slots[gate.Head], s.slots[gate.Base]
	}
	for _, a := range arms {
		bin, err := s.opts.Builder.binary(s.ctx, s.buildOf(a.Name, block))
		if err == nil {
			err = place(s.path(a.Name), bin)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// path is where an arm's binary is in the block in progress: all have paths of one length.
func (s *session) path(arm string) string {
	return filepath.Join(s.opts.Builder.dir, fmt.Sprintf("server-%d", s.slots[arm]))
}

// buildOf is an arm's build in a block: head and base in one layout, the control in the next, so that over as many
// blocks as there are layouts it has had the same as base. The confirmation has layouts of its own.
func (s *session) buildOf(arm string, block int) build {
	x := build{source: s.opts.Base}
	if arm == gate.Head {
		x.source = s.opts.Head
	}
	n := s.opts.Gate.Layouts
	if n < 2 {
		return x
	}
	turn := block % s.plan.Blocks()
	if arm == gate.Control {
		turn++
	}
	x.layout = 1 + turn%n
	if block >= s.plan.Blocks() {
		x.layout += n
	}
	return x
}

// Command implements runner.Visits.
func (s *session) Command(_ int, point, arm string) ([]string, error) {
	c, ok := s.cases[point]
	if !ok {
		return nil, fmt.Errorf("bug: no case at %s", point)
	}
	argv, bin := slices.Clone(c.Start), s.path(arm)
	if c.Than != nil { // two ways to start one build
		bin = s.path(gate.Head)
		if arm != gate.Head {
			argv = slices.Clone(c.Than)
		}
	}
	for i := range argv {
		argv[i] = strings.ReplaceAll(argv[i], scenarios.BinMark, bin)
	}
	return append(argv, s.worse(arm)...), nil
}

// worse are an arm's arguments that make it worse.
func (s *session) worse(arm string) []string {
	what := s.opts.BaseWorse
	if arm == gate.Head {
		what = s.opts.HeadWorse
	}
	if what == "" {
		return nil
	}
	argv := slices.Clone(s.opts.Gate.Inject)
	for i := range argv {
		argv[i] = strings.ReplaceAll(argv[i], scenarios.WhatMark, what)
	}
	return argv
}
