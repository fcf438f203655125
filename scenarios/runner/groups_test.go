package runner

import (
	"slices"
	"testing"
	"time"

	"github.com/shardlab/shardlab/loadgen"
	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios"
)

const partsFile = `name: x
arms: [shared]
workload: {keys: 1k, value_size: 100}
load: {mode: open, rate: 1k, connections: 8}
groups:
  - {name: main, workload: {mix: {get: 1, "HSET h:{key} f {value}": 1}}}
  - {name: probe, workload: {value_size: 16..32, mix: {"APPEND a:{key} x": 1, get: 1}}, load: {rate: 100, connections: 1, churn: 0}}
phases:
  - {name: ramp, for: 1s, rate: 2k, rate_to: 9k}
  - {name: burst, for: 1s, arrival: bursts}
  - {name: stairs, for: 1s, connections: 20, churn: 50/s}
`

func partsPoint(t *testing.T) point {
	t.Helper()
	sc, err := scenarios.Parse("x.yaml", []byte(partsFile), scenarios.Names{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPoint(sc.Seed, sc.Points[0])
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPhasesReachTheLoad: what a scenario says of a phase is what the load generator is told.
func TestPhasesReachTheLoad(t *testing.T) {
	p := partsPoint(t)
	main, probe := p.groups[0], p.groups[1]
	if l := main.phases[0]; l.Rate != 2000 || l.RateTo != 9000 || l.Connections != 20 || l.Active != 8 || l.Churn != 0 {
		t.Errorf("ramp: %+v", l)
	}
	if l := main.phases[1]; l.Rate != 1000 || l.RateTo != 0 || l.Arrival.Law != loadgen.Bursts || l.Arrival.On == 0 {
		t.Errorf("burst: %+v", l)
	}
	if l := main.phases[2]; l.Active != 0 || l.Connections != 20 || l.Churn != 50 {
		t.Errorf("stairs: %+v", l)
	}
	if l := main.load; l.Churn != 50 || l.Backlog != 18_000 || l.Connections != 20 {
		t.Errorf("connected for %+v", l)
	}
	for i, l := range probe.phases {
		if l.Rate != 100 || l.RateTo != 0 || l.Connections != 1 || l.Churn != 0 {
			t.Errorf("probe in phase %d: %+v", i, l)
		}
	}
	if n := len(main.workload.OtherValues); n != 1 || main.workload.OtherValues[0].Max != 32 {
		t.Errorf("main knows values of %v", main.workload.OtherValues)
	}
	if main.workload.Seed == probe.workload.Seed {
		t.Error("two groups with the same draw")
	}
}

// TestPartsHaveLabels: each phase, and in it all groups together and each.
func TestPartsHaveLabels(t *testing.T) {
	p := partsPoint(t)
	var labels []string
	all := p.describeAll(scenarios.RunPlan{Slice: time.Second, SlicesPerBlock: 20})
	for _, d := range all {
		labels = append(labels, d.Label)
		if d.StreamHash != p.hash || d.Keys != 1000 || d.Slices != 1 {
			t.Errorf("%+v", d)
		}
	}
	want := []string{
		"phase=ramp", "phase=ramp,group=main", "phase=ramp,group=probe", "phase=burst", "phase=burst,group=main", "phase=burst,group=probe",
		"phase=stairs", "phase=stairs,group=main", "phase=stairs,group=probe",
	}
	if !slices.Equal(labels, want) {
		t.Errorf("%q", labels)
	}
	if d := all[0]; d.Rate != 5600 || d.Connections != 9 || len(d.Groups) != 2 || d.Mode != scenarios.Open {
		t.Errorf("%+v", d)
	}
	if d := all[7]; d.Churn != 50 || d.Connections != 20 || d.Group != "main" {
		t.Errorf("%+v", d)
	}
}

func TestCombine(t *testing.T) {
	result := func(command string, n uint64, cpu ...time.Duration) *loadgen.Result {
		r := &loadgen.Result{Mode: loadgen.Open, Dur: time.Second, Intended: n, Sent: n, Replies: n, ClientCPU: cpu, Spun: make([]time.Duration, len(cpu)), Busiest: 0.9}
		for _, op := range []loadgen.Op{loadgen.Get, loadgen.FirstTemplate} {
			r.Ops[op], r.Names[op] = n/2, "GET"
			h := results.NewHistogram()
			h.RecordValues(int64(n), int64(n/2))
			r.Service[op], r.Response[op] = h, h
		}
		r.Names[loadgen.FirstTemplate] = command
		return r
	}
	a := result("HSET", 100, 300*time.Millisecond, 500*time.Millisecond)
	a.ServerCPU = 7 * time.Second
	b := result("APPEND", 40, 200*time.Millisecond)
	all := combine([]*loadgen.Result{a, b})
	if all.Intended != 140 || all.Sent != 140 || all.Total() != 140 || all.ServerCPU != 7*time.Second {
		t.Errorf("%+v", all)
	}
	if !slices.Equal(all.ClientCPU, []time.Duration{200 * time.Millisecond, 500 * time.Millisecond}) || all.Busiest != 0.5 {
		t.Errorf("client CPU %v, busiest %v", all.ClientCPU, all.Busiest)
	}
	counts := map[string]int64{}
	for op, name := range all.Names {
		if all.Service[op] != nil {
			counts[name] += all.Service[op].TotalCount()
		}
	}
	if len(counts) != 3 || counts["GET"] != 70 || counts["HSET"] != 50 || counts["APPEND"] != 20 {
		t.Errorf("%v", counts)
	}
	if a.Service[loadgen.Get].TotalCount() != 50 {
		t.Error("a part was changed")
	}
}

// TestCombineSpinning: a thread that spins for each of its sessions has worked neither's spinning.
func TestCombineSpinning(t *testing.T) {
	const ms = time.Millisecond
	a := &loadgen.Result{Dur: time.Second, Spin: 800 * ms, Spun: []time.Duration{600 * ms, 200 * ms}, ClientCPU: []time.Duration{350 * ms, 300 * ms}}
	b := &loadgen.Result{Dur: time.Second, Spin: 250 * ms, Spun: []time.Duration{250 * ms}, ClientCPU: []time.Duration{700 * ms}}
	all := combine([]*loadgen.Result{a, b})
	if !slices.Equal(all.ClientCPU, []time.Duration{100 * ms, 300 * ms}) || all.Busiest != 0.3 || all.Spin != 1050*ms ||
		!slices.Equal(all.Spun, []time.Duration{850 * ms, 200 * ms}) {
		t.Errorf("%+v", all)
	}
}

// TestCombineCommands: a command of two groups is one, wherever each has it, and where there are more than a result has room for, none
// is lost.
func TestCombineCommands(t *testing.T) {
	result := func(commands ...string) *loadgen.Result {
		r := &loadgen.Result{Mode: loadgen.Closed}
		for i, name := range commands {
			op := loadgen.FirstTemplate + loadgen.Op(i)
			r.Names[op], r.Ops[op], r.Service[op] = name, 1, results.NewHistogram()
			r.Service[op].RecordValue(5)
		}
		return r
	}
	count := func(all *loadgen.Result) map[string]uint64 {
		n := map[string]uint64{}
		for op, name := range all.Names {
			if _, twice := n[name]; name != "" && twice {
				t.Errorf("%s has two places", name)
			}
			if n[name] += all.Ops[op]; all.Service[op] != nil && uint64(all.Service[op].TotalCount()) != all.Ops[op] {
				t.Errorf("%s: %d recorded of %d", name, all.Service[op].TotalCount(), all.Ops[op])
			}
		}
		delete(n, "")
		return n
	}
	got := count(combine([]*loadgen.Result{result("HSET"), result("APPEND", "HSET")}))
	if len(got) != 2 || got["HSET"] != 2 || got["APPEND"] != 1 {
		t.Errorf("%v", got)
	}
	got = count(combine([]*loadgen.Result{result("A", "B", "C", "D", "E"), result("F", "G", "H", "I", "A"), result("J", "B", "H")}))
	if len(got) != loadgen.MaxTemplates || got["A"] != 2 || got["B"] != 2 || got["G"] != 1 || got[otherCommands] != 4 {
		t.Errorf("%v", got)
	}
}
