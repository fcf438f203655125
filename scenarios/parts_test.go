package scenarios

import (
	"strings"
	"testing"
	"time"
)

const grouped = `name: x
arms: [shared]
workload: {keys: 1k, mix: {set: 1}, value_size: 100}
load: {connections: [8, 16], pipeline: 4}
groups:
  - name: heavy
  - name: probe
    workload: {keys: 10, mix: {get: 1}, distribution: zipfian, value_size: 64..128}
    load: {mode: open, rate: 500, connections: 2}
`

func TestGroupsTakeWhatTheyDoNotSay(t *testing.T) {
	s := mustParse(t, grouped)
	if len(s.Points) != 2 {
		t.Fatalf("%d points", len(s.Points))
	}
	p := s.Points[1]
	heavy, probe := p.Groups[0], p.Groups[1]
	if heavy.Load.Mode != Closed || heavy.Load.Connections != 16 || heavy.Load.Pipeline != 4 || heavy.Workload.Mix[0].Op != "SET" {
		t.Errorf("heavy: %+v", heavy)
	}
	if l := probe.Load; l.Mode != Open || l.Connections != 2 || l.Pipeline != 0 || l.Rate != 500 || l.Arrival != Poisson {
		t.Errorf("probe: %+v", l)
	}
	if w := probe.Workload; w.Keys != 10 || w.Mix[0].Op != "GET" || w.Distribution != Zipfian || w.KeySize != p.Workload.KeySize || w.ValueLaw == nil {
		t.Errorf("probe: %+v", w)
	}
	if n := p.Connections(); n != 18 {
		t.Errorf("%d connections, want 18", n)
	}
	if g := p.Groupings(); len(g) != 2 || g[1].Load.Rate != 500 || g[1].Label != p.Label {
		t.Errorf("%+v", g)
	}
}

const phased = `name: x
arms: [shared]
load: {mode: open, rate: 1k, connections: 8}
phases:
  - {name: calm, for: 2s}
  - {name: ramp, for: 3s, rate: 2k, rate_to: 9k}
  - {name: burst, for: 1s, arrival: bursts, burst_share: 0.9}
  - {name: stairs, for: 1s, connections: 20}
  - {name: churn, for: 1s, churn: 50/s}
groups:
  - name: all
  - {name: probe, load: {rate: 100, connections: 1}}
`

func TestPhasesChangeTheLoad(t *testing.T) {
	s := mustParse(t, phased)
	p := s.Points[0]
	if len(p.Phases) != 5 || s.Shuffle {
		t.Fatalf("%+v", p.Phases)
	}
	ramp := p.Phases[1]
	if ramp.For != 3*time.Second || ramp.Load.Rate != 2000 || ramp.Load.RateTo != 9000 || p.Load.RateTo != 0 {
		t.Errorf("%+v", ramp)
	}
	if all, probe := ramp.Groups[0], ramp.Groups[1]; all.Rate != 2000 || all.RateTo != 9000 || probe.Rate != 100 || probe.RateTo != 0 {
		t.Errorf("groups in a ramp: %+v, %+v", all, probe)
	}
	if b := p.Phases[2].Load; b.Arrival != Bursts || b.BurstShare != 0.9 || b.BurstOn == 0 || b.Rate != 1000 {
		t.Errorf("%+v", b)
	}
	if c := p.Phases[4].Load; c.Churn != 50 {
		t.Errorf("%+v", c)
	}
	if n := p.Connections(); n != 21 {
		t.Errorf("%d connections, want those of the stairs and the probe's", n)
	}
	if got, want := s.underLoad(0), 6*(8*time.Second+5*s.Run.LeadIn); got != want {
		t.Errorf("%v under load, want %v", got, want)
	}
}

func TestStepsArePhases(t *testing.T) {
	s := mustParse(t, "name: x\narms: [shared]\nload: {mode: open}\nsteps: {rate: [10k, 20k], for: 5s}\n")
	p := s.Points[0].Phases
	if !s.Shuffle || len(p) != 2 || p[0].Name != "rate-10000" || p[1].Load.Rate != 20e3 || p[1].For != 5*time.Second {
		t.Errorf("%v %+v", s.Shuffle, p)
	}
	s = mustParse(t, "name: x\narms: [shared]\nsteps: {connections: [1, 50], for: 1s, shuffle: false}\n")
	if p := s.Points[0]; s.Shuffle || p.Phases[1].Load.Connections != 50 || p.Connections() != 50 || p.Load.Connections != 1 {
		t.Errorf("%+v", p)
	}
}

func TestPartErrors(t *testing.T) {
	check := func(file, want string) {
		t.Helper()
		_, err := Parse("f.yaml", []byte("name: x\narms: [shared]\n"+file), known3)
		if err == nil || strings.TrimPrefix(err.Error(), "f.yaml:") != want {
			t.Errorf("for\n%s\ngot  %v\nwant %s", file, err, want)
		}
	}
	check("groups: 5", "3: groups: wants a list of 1 to 16 tables, each with a name")
	check("groups: [{load: {}}]", "3: name: is missing; a group needs one, as in name: probe")
	check("groups: [{name: a}, {name: a}]", `3: groups: two are named "a"; give one another name`)
	check("groups: [{name: a, mix: {get: 1}}]", `3: unknown key "mix" in groups; it belongs in workload`)
	check("groups: [{name: a, load: {rate: 5}}]", "3: rate: has no meaning with mode: closed; it needs mode: open")
	check("groups: [{name: a, load: {pipeline: [1, 2]}}]", "3: pipeline: wants one value; a list is a sweep, and this key cannot be swept")
	check("groups: [{name: a, workload: {keys: 1M}}]", "3: groups: a has 1000000 keys, and workload 100000; a group's are the first of those")
	check("groups: [{name: a, workload: {key_size: 20}}]",
		"3: groups: a has key_size or value_random of its own; they are those of workload, which has the keys")
	check("groups: [{name: a, load: {connections: 20k}}, {name: b}]", "3: groups: 20050 connections of all groups together are out of range: 1 to 20k")
	check("phases: [{name: a}]", "3: for: is missing; a phase needs a length, as in for: 5s")
	check("phases: [{name: a, for: 5s, rate: 5}]", "3: rate: has no meaning with mode: closed; it needs mode: open")
	check("phases: [{name: a, for: 1us}]", "3: for: 1µs is out of range: 5ms to 24h")
	check("phases: [{name: a, for: 1s, pipeline: 5}]", `3: unknown key "pipeline" in phases; it belongs in load`)
	check("phases: [{name: a, for: 1s}]\nsteps: {rate: [1], for: 1s}", "4: steps: are phases, and there are phases at f.yaml:3; write one or the other")
	check("load: {connections: [1, 2]}\nphases: [{name: a, for: 1s, connections: 5}]",
		"4: connections: is swept, and a phase says it, too; write it in one of the two places")
	check("phases: [{name: a, for: 1s}]\nrun: {slices: 10ms}", "4: slices: has no meaning with phases, each of which is one visit in a block, as long as it says")
	check("steps: {rate: 10k, for: 1s}", "3: steps: want one of rate, connections and churn with 1 to 64 values, as in rate: [10k, 50k]")
	check("steps: {churn: [10, 10], for: 1s}", `3: churn: "10" is there twice`)
	check("steps: {churn: [1], rate: [1], for: 1s}", "3: rate: is stepped, and churn is; one key at a time, or write phases")
	check("slo: p99 < 1ms\nload: {mode: open, rate: 5}\ngroups: [{name: a}]", "3: slo: has no meaning with groups or phases: one load is made heavier until it is not met")
	check("load: {mode: open, rate: 5, arrival: bursts, rate_to: 10}", "3: rate_to: has no meaning with arrival: bursts; it needs arrival: poisson or uniform")
	check("slo: p99 < 1ms\nload: {mode: open, rate: 5, rate_to: 10}", "3: slo: has no meaning with rate_to: what is searched for is one rate")
	check("load: {churn: 1M}", "3: churn: 1000000 is out of range: 0 to 20k")
}

// TestPartsSurviveCanonicalForm: what Validate checks is what a file must meet.
func TestPartsSurviveCanonicalForm(t *testing.T) {
	for _, text := range []string{grouped, phased} {
		s := mustParse(t, text)
		if err := s.Validate(known3); err != nil {
			t.Error(err)
		}
		s.Points[0].Groups[1].Name = s.Points[0].Groups[0].Name
		if err := s.Validate(known3); err == nil {
			t.Error("two groups of one name are valid")
		}
	}
}
