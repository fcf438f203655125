package scenarios

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const base = `name: x
workload: {distribution: zipfian, zipf: 1.2}
load:
  mode: closed
  pipeline: [1, 16]
arms: [shared, shard-arc, "null"]
run:
  slices: 20ms
  slices_per_block: 7
`

func override(t *testing.T, s *Scenario, o Overrides) *Scenario {
	t.Helper()
	changed, err := s.Override(o)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

func TestOverride(t *testing.T) {
	s := mustParse(t, base)
	before := string(s.Canonical())
	chosen := []string{"null", "shared"}
	o := override(t, s, Overrides{Blocks: "3", Slices: "30ms", Seed: "7", Arms: chosen, Set: []string{
		"load.connections=10", "load.pipeline=[8,\n4]", "workload.mix={get: 1, set: 1}", "about=new words",
		"settings.shards=4",
	}})
	if r := o.Run; r.Blocks != 3 || r.Slice != 30*time.Millisecond || r.SlicesPerBlock != 7 {
		t.Errorf("run is %+v", r)
	}
	if o.Seed != 7 || o.About != "new words" {
		t.Errorf("got %s", o.Canonical())
	}
	if p := o.Points[0]; p.Load.Connections != 10 || p.Workload.Mix[0].Share != 0.5 || p.Settings.Shards != 4 {
		t.Errorf("point is %+v", p)
	}
	if got := labels(o); !slices.Equal(got, []string{"pipeline=8", "pipeline=4"}) {
		t.Errorf("points are %q", got)
	}
	if len(o.Arms) != 2 || o.Arms[0].Name != "null" || o.Arms[1].Name != "shared" {
		t.Errorf("arms are %+v, want the order of --arms", o.Arms)
	}
	if o.File != s.File || o.Source != s.Source {
		t.Error("the file was forgotten")
	}
	if string(s.Canonical()) != before {
		t.Error("the original was changed")
	}
	if got := override(t, s, Overrides{}); string(got.Canonical()) != before {
		t.Error("no override changed something")
	}
}

func TestOverrideOfAnOverride(t *testing.T) {
	s := mustParse(t, base)
	s = override(t, s, Overrides{Arms: []string{"null", "shared"}, Set: []string{"load.connections=9"}})
	s = override(t, s, Overrides{Blocks: "2"})
	if s.Points[0].Load.Connections != 9 || s.Run.Blocks != 2 || len(s.Arms) != 2 || s.Arms[0].Name != "null" {
		t.Errorf("the first override was lost: %s", s.Canonical())
	}
}

// TestOverrideDropsWhatHasNoMeaning: whoever asks for an open loop need not know that the file sweeps the pipeline.
func TestOverrideDropsWhatHasNoMeaning(t *testing.T) {
	s := mustParse(t, base)
	r := override(t, s, Overrides{Slices: "long"}).Run
	if !r.Long || r.SlicesPerBlock != 1 || r.Slice != 5*time.Second {
		t.Errorf("--slices long gives %+v", r)
	}
	o := override(t, s, Overrides{Set: []string{"load.mode=open", "load.rate=5k"}})
	if p := o.Points[0]; len(o.Points) != 1 || p.Load.Pipeline != 0 || p.Load.Rate != 5000 {
		t.Errorf("mode=open gives %s", o.Canonical())
	}
	if o := override(t, s, Overrides{Set: []string{"workload.distribution=uniform"}}); o.Points[0].Workload.Zipf != 0 {
		t.Errorf("distribution=uniform leaves zipf %g", o.Points[0].Workload.Zipf)
	}
	if o := override(t, s, Overrides{Set: []string{"workload.distribution="}}); o.Points[0].Workload.Zipf != 0 {
		t.Errorf("the default distribution leaves zipf %g", o.Points[0].Workload.Zipf)
	}
	o = override(t, s, Overrides{Set: []string{"workload.distribution=[uniform, zipfian]"}})
	if len(o.Points) != 4 || o.Points[3].Workload.Zipf != 1.2 {
		t.Errorf("a sweep with zipfian in it drops the exponent: %s", o.Canonical())
	}
	if o := override(t, s, Overrides{Set: []string{"load.pipeline="}}); o.Points[0].Load.Pipeline != 1 {
		t.Errorf("an empty pipeline is %d, want the default", o.Points[0].Load.Pipeline)
	}
}

func TestOverrideErrors(t *testing.T) {
	s := mustParse(t, base)
	check := func(o Overrides, want string) {
		t.Helper()
		_, err := s.Override(o)
		if err == nil || err.Error() != want {
			t.Errorf("%+v:\ngot  %v\nwant %s", o, err, want)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("more than one line: %q", err)
		}
	}
	set := func(arg, want string) { t.Helper(); check(Overrides{Set: []string{arg}}, want) }

	set("load.connections=x",
		`--set load.connections=x: connections: "x" is not a count; write digits, with k, M or G `+
			`for thousands, millions, billions, as in 100k`)
	set("load.connections=0", "--set load.connections=0: connections: 0 is out of range: 1 to 20k")
	set("load.connections=#", "--set load.connections=#: connections: is empty; write a value or leave the key out")
	set("load.conections=1", `--set load.conections=1: unknown key "conections" in load; did you mean "connections"? `+
		`have mode, connections, pipeline, arrival, burst_on, burst_off, burst_share, `+
		`arrival_column, arrival_unit, arrival_speed, arrival_file, rate, rate_to, churn, spin, timeout, protocol, path, via, in_process_share`)
	set("connections=1", "--set connections=1: write the section too: load.connections")
	set("laod.rate=1",
		`--set laod.rate=1: unknown section "laod"; did you mean "load"? have workload, load, groups, phases, steps, settings, arms, run`)
	set("load=1", "--set load=1: load is a section; set one of its keys, as in load.mode")
	set("arms=shared", "--set arms=shared: arms are chosen with --arms, as in --arms shared,redis")
	set("load.rate", "--set load.rate: write section.key=value, as in --set load.connections=10")
	set("load.rate=5k", "--set load.rate=5k: rate: has no meaning with mode: closed; it needs mode: open")
	set("load.mode=open", "--set load.mode=open: rate: is missing; "+
		"an open loop needs one, in operations per second, as in rate: 10k")
	set("load.pipeline=[1", "--set load.pipeline=[1: not YAML: sequence end token ']' not found")
	set("about=a\nb: c", `"--set about=a\nb: c": not YAML: unexpected key name`)
	set("name=", "s/test.yaml:1: name: is missing; a scenario needs one, as in name: hot-keys")
	set("workload.key_size=6", "--set workload.key_size=6: key_size: 6 bytes cannot hold the number of the last of "+
		"100000 keys; use at least 7")
	check(Overrides{Blocks: "many"}, `--blocks many: blocks: "many" is not a count; write digits, with k, M or G `+
		`for thousands, millions, billions, as in 100k`)
	check(Overrides{Slices: "1s", Set: []string{"run.long_slice=4s"}},
		"--set run.long_slice=4s: long_slice: has no meaning with slices: 1s; it needs slices: long")
	check(Overrides{Seed: "x"}, `--seed x: seed: "x" is not a seed; write a whole number from 0 to 2^64-1`)
	check(Overrides{Arms: []string{"shraed"}}, `--arms shraed: unknown arm "shraed"; did you mean "shared"? `+
		`have shared, shard-arc, null`)
	check(Overrides{Arms: []string{"shared", "shared"}}, "--arms shared,shared: arm shared is there twice")

	if _, err := (&Scenario{Name: "x"}).Override(Overrides{}); err == nil {
		t.Error("no error for a scenario that was not read from a file")
	}
}
