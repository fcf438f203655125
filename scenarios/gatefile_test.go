package scenarios

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func gateNames() GateNames {
	return GateNames{Deltas: map[string]float64{"cpu": 0.05, "throughput": 0.05, "p50": 0.075, "p99": 0.15}, Samples: map[string]uint64{"p99": 1000},
		Arms:  []string{"base", "head", "control"},
		Looks: []int{6, 10}, MinBlocks: 4, MaxBlocks: 40}
}

const goodGate = `name: mine
build: [go, build, "-ldflags=-randlayout={layout}", -o, "{bin}", ./cmd/server]
start: ["{bin}", --port, "{port}"]
inject: [--inject, "{what}"]
primaries: {cpu: 3%, throughput: 5%}
run: {slices: 40ms}
scenarios:
  - name: reads
    workload: {keys: 1k, mix: {get: 1}}
    load: {connections: 8, pipeline: [1, 16]}
    primaries: [p50]
  - scenario: ycsb
    name: borrowed
  - name: shape
    than: ["{bin}", --slow, --port, "{port}"]
    claims: {throughput: 1.3}
`

func TestGateFile(t *testing.T) {
	g, err := ParseGate("gate.yaml", []byte(strings.Replace(goodGate, "ycsb", "open-loop", 1)), gateNames())
	if err != nil {
		t.Fatal(err)
	}
	if g.Name != "mine" || g.Layouts != 3 || len(g.Inject) != 2 || g.Scenario.Run.Slice != 40*time.Millisecond ||
		g.Scenario.Run.SlicesPerBlock != 30 || g.Scenario.Run.Blocks != 10 || len(g.Scenario.Arms) != 3 || g.Scenario.Arms[1].Name != "head" {
		t.Errorf("%+v\n%+v", g, g.Scenario)
	}
	if len(g.Cases) < 3 || len(g.Cases) != len(g.Scenario.Points) {
		t.Fatalf("%d cases of %d points", len(g.Cases), len(g.Scenario.Points))
	}
	c := g.Cases[1]
	if c.Point != "scenario=reads,pipeline=16" || g.Scenario.Points[1].Label != c.Point || c.Primaries[0] != (GatePrimary{"p50", 0.075, 0}) || c.Start[2] != "{port}" {
		t.Errorf("%+v", c)
	}
	if c = g.Cases[len(g.Cases)-1]; c.Point != "scenario=shape" || len(c.Than) != 4 || c.Primaries[0] != (GatePrimary{"throughput", 0.05, 1.3}) {
		t.Errorf("%+v", c)
	}
	if c = g.Cases[2]; !strings.HasPrefix(c.Point, "scenario=borrowed") || c.Primaries[0] != (GatePrimary{"cpu", 0.03, 0}) {
		t.Errorf("%+v", c)
	}
}

func TestGateFileErrors(t *testing.T) {
	check := func(edit, with, want string) {
		t.Helper()
		text := strings.Replace(strings.Replace(goodGate, "ycsb", "open-loop", 1), edit, with, 1)
		if _, err := ParseGate("gate.yaml", []byte(text), gateNames()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", with, err, want)
		}
	}
	check("name: mine", "nmae: mine", `gate.yaml:1: unknown key "nmae"; did you mean "name"`)
	check("name: mine", "name: Mine", "gate.yaml:1: name: \"Mine\" is not a name")
	check("name: mine", "looks: [6, 6]", "looks ascend, from 4 to 40 blocks")
	check("name: mine", "layouts: 99", "99 is out of range: 1 to 8")
	check("name: mine\nbuild: [go, build, \"-ldflags=-randlayout={layout}\"", "layouts: 3\nbuild: [go, build, \"-s\"", "3 layouts need {layout} in the build command")
	check(`"{bin}", ./cmd`, `mine, ./cmd`, "gate.yaml:2: build: has no {bin} in it")
	check(`--port, "{port}"`, `--port, {port}`, `{port} without quotes is a table in YAML; write "{port}"`)
	check(`--port, "{port}"`, `--port, 1`, "gate.yaml:3: start: has no {port} in it")
	check(`start: ["{bin}", --port, "{port}"]`, "", "gate.yaml:8: start: is missing")
	check("cpu: 3%", "cpu: 3", `gate.yaml:5: cpu: "3" is not what can be found; write per cent`)
	check("load: {connections: 8, pipeline: [1, 16]}\n    primaries: [p50]", "load: {mode: open, rate: 10k, connections: 8}\n    primaries: [p99]",
		"gate.yaml:8: p99 needs 1000 requests in every slice, so 1172 on the average, and 400 are due in 40ms at a rate of 10000; raise load.rate, or make slices longer (run: {slices: 118ms})")
	check("load: {connections: 8, pipeline: [1, 16]}\n    primaries: [p50]", "load: {mode: open, rate: 28k, connections: 8}\n    primaries: [p99]",
		"so 1172 on the average, and 1120 are due in 40ms")
	check("load: {connections: 8, pipeline: [1, 16]}\n    primaries: [p50]", "load: {mode: open, rate: 24.9k, arrival: uniform, connections: 8}\n    primaries: [p99]",
		"p99 needs 1000 requests in every slice, and 996 are due in 40ms at a rate of 24900")
	check("cpu: 3%", "cup: 3%", `unknown metric "cup"; did you mean "cpu"`)
	check("primaries: [p50]", "primaries: []", "gate.yaml:11: primaries: is empty: the gate would compare nothing")
	check("primaries: [p50]", "primaries: [p50, p50]", "p50 is there twice")
	check("run: {slices: 40ms}", "run: {blocks: 3}", "gate.yaml:6: blocks: a gate goes on until it has its verdict")
	check("run: {slices: 40ms}", "run: {sampling: adaptive}", "gate.yaml:6: sampling: a gate goes on at every point until it has its verdict; leave the key out")
	check("run: {slices: 40ms}", "run: {slices: long}", "gate.yaml:6: slices: a gate's arms are visited in turn")
	check("run: {slices: 40ms}", "run: {slice: 40ms}", `gate.yaml:6: unknown key "slice"`)
	check("keys: 1k", "keyz: 1k", `gate.yaml:9: unknown key "keyz"`)
	check("    primaries: [p50]", "    arms: [shared]", "gate.yaml:11: arms: has no meaning in a gate's scenario")
	check("  - name: reads", "  - about: x\n    name: reads", "about: has no meaning in a gate's scenario")
	check("name: borrowed", "name: reads", `two scenarios are named "reads", the other at gate.yaml:8`)
	check("    claims: {throughput: 1.3}", "", "gate.yaml:14: than and claims go together")
	check("claims: {throughput: 1.3}", "claims: {throughput: 999}", "999\" times as good is out of range")
	check("claims: {throughput: 1.3}", "claims: {speed: 2}", `unknown metric "speed"`)
	check("claims: {throughput: 1.3}", "claims: {throughput: 1.3}\n    primaries: [cpu]", "gate.yaml:17: primaries: has no meaning beside claims")
	check("scenario: open-loop", "scenario: nosuch", `unknown scenario "nosuch"`)
	check("scenario: open-loop", "scenario: open-loop\n    load: {connections: 1}", "load: has no meaning beside scenario: open-loop")
	for rev, want := range map[string]string{"HEAD": "", "HEAD~3": "", "main@{1}": "", "'-x'": "", "a..b": "", "''": "", "origin/HEAD": "",
		"[a]": "wants one value, not a list"} {
		text := "anchor: " + rev + "\n" + strings.Replace(goodGate, "ycsb", "open-loop", 1)
		if want == "" {
			want = "is not a fixed revision; write a commit or a tag"
		}
		if _, err := ParseGate("gate.yaml", []byte(text), gateNames()); err == nil || !strings.Contains(err.Error(), "gate.yaml:1: anchor: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("anchor: %s: %v, want %q", rev, err, want)
		}
	}
	for text, want := range map[string]string{"": "a gate is a table of keys", "- x": "a gate is a table of keys", "name: x": "scenarios: wants a list",
		"scenarios: []": "gate.yaml:1: scenarios: wants a list", "scenarios: [[x]]": "a scenario is the name of one, or a table, not a list"} {
		if _, err := ParseGate("gate.yaml", []byte(text), gateNames()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// An anchor is read as it is written, also where YAML would make a number of it; and against it only revisions are compared.
func TestGateAnchor(t *testing.T) {
	for _, rev := range []string{"632a930", "632e930", "0123456", "v1.2.0", "release/2026-11"} {
		g, err := ParseGate("gate.yaml", []byte("anchor: "+rev+"\n"+strings.Replace(goodGate, "ycsb", "open-loop", 1)), gateNames())
		if err != nil || g.Anchor != rev {
			t.Fatalf("anchor: %s is %q, %v", rev, g.Anchor, err)
		}
		if g.AgainstRevisions(); len(g.Cases) != len(g.Scenario.Points) || slices.Contains(g.Names(), "shape") || !slices.Contains(g.Names(), "reads") {
			t.Errorf("against the anchor: %v", g.Names())
		}
	}
}

// What an earlier file compares and a later one does not is told: a scenario, or a metric of one that is still there.
func TestGateLost(t *testing.T) {
	parse := func(text string) *Gate {
		t.Helper()
		g, err := ParseGate("gate.yaml", []byte(strings.Replace(text, "ycsb", "open-loop", 1)), gateNames())
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	full := parse(goodGate)
	check := func(g, earlier *Gate, want string) {
		t.Helper()
		if got := strings.Join(g.Lost(earlier), ", "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	check(full, full, "")
	less := parse(strings.Replace(goodGate, "  - scenario: ycsb\n    name: borrowed\n", "", 1))
	check(less, full, "scenario borrowed")
	check(full, less, "")
	check(parse(strings.Replace(goodGate, "primaries: {cpu: 3%, throughput: 5%}", "primaries: {cpu: 4%}", 1)), full, "throughput of borrowed")
	check(parse(strings.Replace(goodGate, "name: borrowed", "name: renamed", 1)), full, "scenario borrowed")
}
