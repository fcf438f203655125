package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios"
)

const mapFile = `name: x
arms: [shared, shard-arc, "null"]
workload: {keys: 1k, value_size: 100}
load: {connections: [1, 2, 4]}
run: {sampling: adaptive, blocks: 8}
`

// sampledRun is a run of text before its first block, whose arms are as the scenario has them; null does not compete.
func sampledRun(t *testing.T, text string) (*run, error) {
	t.Helper()
	sc, err := scenarios.Parse("x.yaml", []byte(text), scenarios.Names{})
	if err != nil {
		t.Fatal(err)
	}
	r := &run{opts: Options{Scenario: sc, Results: t.TempDir()}, order: newOrder(sc.Seed)}
	for _, p := range sc.Points {
		pt, err := newPoint(sc.Seed, p)
		if err != nil {
			t.Fatal(err)
		}
		r.points = append(r.points, pt)
	}
	for _, a := range sc.Arms {
		kind := kindTopology
		if a.Topology == "null" {
			kind = kindResponder
		}
		r.arms = append(r.arms, arm{Arm: a, kind: kind})
	}
	return r, r.open()
}

// made is a block that was never measured: both arms do the same at connections=2, where a block is sometimes better for the one and
// sometimes for the other, and elsewhere shared does twice as much.
func (r *run) made(number int, p *point) {
	var lines []results.Slice
	var trials []results.Trial
	for i, a := range r.arms {
		replies := uint64(10_000 + 100*((number*7+i*3)%5))
		switch {
		case p.Load.Connections == 2 && (number+i)%2 == 0:
			replies += 2000
		case p.Load.Connections != 2 && a.Name == "shared":
			replies *= 2
		}
		lines = append(lines, results.Slice{Point: p.Label, Arm: a.Name, Block: number, Dur: 50e6, Valid: true, Replies: replies, Ops: map[string]uint64{"GET": replies},
			ServerCPU: 1, ClientCPU: 1})
		trials = append(trials, results.Trial{Point: p.Label, Arm: a.Name, Block: number, Keys: p.Workload.Keys})
	}
	r.sampler.Add(lines, trials)
}

// TestAdaptiveRuns: points that are settled get no more than the first blocks, and all that are left go to the one that is not; rounds are
// shuffled, blocks of a round have its number, and the manifest says what was planned and what came of it.
func TestAdaptiveRuns(t *testing.T) {
	r, err := sampledRun(t, mapFile)
	if err != nil {
		t.Fatal(err)
	}
	visits := map[string][]int{}
	var firsts []string
	err = r.blocks(context.Background(), func(_ context.Context, number int, p *point) error {
		if len(visits[p.Label]) == 0 || !slices.Contains(visits[p.Label], number) {
			visits[p.Label] = append(visits[p.Label], number)
		} else {
			t.Errorf("%s has block %d twice", p.Label, number)
		}
		if r.begun%3 == 1 && number < 6 {
			firsts = append(firsts, p.Label)
		}
		r.made(number, p)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for label, want := range map[string]int{"connections=1": 6, "connections=2": 9, "connections=4": 6} {
		got := visits[label]
		if len(got) != want || got[0] != 0 || got[want-1] != want-1 {
			t.Errorf("%s has blocks %d, want %d", label, got, want)
		}
	}
	if slices.Sort(firsts); len(slices.Compact(firsts)) < 2 {
		t.Errorf("every round begins with %s", firsts[0])
	}
	if err := r.finish(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	run, err := results.Open(r.out.Dir())
	if err != nil {
		t.Fatal(err)
	}
	m := run.Manifest
	note := "21 of 24 blocks: who is best by throughput is not settled at connections=2"
	if m.Sampling == nil || !slices.Equal(m.Sampling.Looks, []int{6, 9, 15, 24}) || m.Sampling.Blocks != 24 || m.Sampling.Metric != string(analysis.Throughput) ||
		!slices.Contains(m.Notes, note) {
		t.Errorf("the manifest has %+v, notes %q", m.Sampling, m.Notes)
	}
	if !strings.Contains(string(m.Scenario.Resolved), `"sampling": "adaptive"`) {
		t.Errorf("resolved: %s", m.Scenario.Resolved)
	}
}

// TestAdaptiveRunsEndWhenTold: at once on Ctrl-C, and with the error of a block that failed.
func TestAdaptiveRunsEndWhenTold(t *testing.T) {
	broken := errors.New("the server ended")
	for _, want := range []error{context.Canceled, broken} {
		r, err := sampledRun(t, mapFile)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		got := r.blocks(ctx, func(_ context.Context, number int, p *point) error {
			r.made(number, p)
			if r.begun == 20 {
				if want == broken {
					return broken
				}
				cancel()
			}
			return nil
		})
		cancel()
		if !errors.Is(got, want) || r.begun != 20 {
			t.Errorf("%v after %d blocks, want %v after 20", got, r.begun, want)
		}
	}
}

// TestEvenRuns: what does not say otherwise has as many blocks of every point, and nothing chooses.
func TestEvenRuns(t *testing.T) {
	r, err := sampledRun(t, strings.Replace(mapFile, "adaptive", "even", 1))
	if err != nil || r.sampler != nil {
		t.Fatal(err, r.sampler)
	}
	visits := map[string]int{}
	err = r.blocks(context.Background(), func(_ context.Context, number int, p *point) error {
		visits[fmt.Sprint(number, p.Load.Connections)]++
		return nil
	})
	if err != nil || len(visits) != 24 || r.begun != 24 {
		t.Errorf("%v; %v", err, visits)
	}
}

// TestAdaptiveRunsNeedRivals: responders, and references that are not installed, leave nothing to compare.
func TestAdaptiveRunsNeedRivals(t *testing.T) {
	_, err := sampledRun(t, strings.Replace(mapFile, "shard-arc, ", "", 1))
	want := "x.yaml: run.sampling: adaptive asks which arm is best, and has no two to compare, only [shared]; add one, or use --set run.sampling=even"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestSixIsWhatAnIntervalTakes: package scenarios says it in words of its own.
func TestSixIsWhatAnIntervalTakes(t *testing.T) {
	if p := analysis.NewSampling(scenarios.MinAdaptive, 2, analysis.Throughput); p.Looks[0] != analysis.MinBlocks || scenarios.MinAdaptive != analysis.MinBlocks+1 {
		t.Errorf("with %d blocks looks are at %d", scenarios.MinAdaptive, p.Looks)
	}
}
