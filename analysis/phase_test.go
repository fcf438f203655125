package analysis

import (
	"slices"
	"testing"

	"github.com/shardlab/shardlab/analysis/internal/synth"
	"github.com/shardlab/shardlab/results"
)

func phasesOf(t *testing.T, arms []synth.Arm, m Metric, responders ...string) []Phase {
	t.Helper()
	run := synth.New(synth.Config{Seed: 3, Arms: arms, Points: synth.Closed(2), Blocks: 8, Slices: 6, Noise: 0.01})
	r, err := New(run.Manifest, run.Slices, run.Trials, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return Phases(r, m, responders)
}

func TestPhasesNameTheWinner(t *testing.T) {
	arms := []synth.Arm{{Name: "slow", Rate: 50e3, ServerCPU: 9000, P50: 900e3}, {Name: "fast", Rate: 80e3, ServerCPU: 5000, P50: 500e3},
		{Name: "middle", Rate: 60e3, ServerCPU: 7000, P50: 700e3}, {Name: "null", Rate: 200e3, ServerCPU: 900, P50: 90e3}}
	for _, m := range []Metric{Throughput, ServerCPU, P50} {
		phases := phasesOf(t, arms, m, "null")
		if len(phases) != 2 {
			t.Fatalf("%s: %d phases", m, len(phases))
		}
		for _, p := range phases {
			if p.Winner != "fast" || p.Second != "middle" || len(p.Ties) > 0 || (p.Margin.Value > 1) != (m == Throughput) {
				t.Errorf("%s: %+v", m, p)
			}
		}
	}
	// Twins are a tie, and so say both of their points.
	arms[2] = synth.Arm{Name: "twin", Rate: 80e3, ServerCPU: 5000, P50: 500e3}
	for _, p := range phasesOf(t, arms, Throughput, "null") {
		twins := []string{"fast", "twin"}
		if !slices.Contains(twins, p.Winner) || len(p.Ties) != 1 || !slices.Contains(twins, p.Ties[0]) {
			t.Errorf("twins: %+v", p)
		}
	}
	if phases := phasesOf(t, arms[:1], Throughput); len(phases) != 0 {
		t.Errorf("one arm alone wins %+v", phases)
	}
}

func TestCreepIsSeen(t *testing.T) {
	series := func(ratios ...float64) (out []TrendPoint) {
		for i, r := range ratios {
			out = append(out, TrendPoint{Run: FormatSI(float64(i)), Arm: "a", Metric: ServerCPU, Ratio: Ratio{Value: r, N: 7}})
			out[i].Started = out[i].Started.AddDate(0, 0, i)
		}
		return out
	}
	if c := Creeps(series(1, 1, 1.01, 1.0, 1.04, 1.05, 1.04, 1.06, 1.05)); len(c) != 1 || c[0].Before != 1 || c[0].Now != 1.04 {
		t.Errorf("a creep gave %+v", c)
	}
	for name, s := range map[string][]TrendPoint{
		"flat":             series(1, 1, 1.01, 1, 0.99, 1.02, 1, 1, 1.01),
		"four of seven":    series(1, 1, 1, 1, 1.04, 1.05, 1.04, 1.06, 1.01),
		"both sides":       series(1, 1, 1.05, 0.95, 1.05, 0.95, 1.05, 0.95, 1.05),
		"no history":       series(1.05, 1.05, 1.05, 1.05, 1.05, 1.05, 1.05),
		"nothing whatever": nil,
	} {
		if c := Creeps(s); len(c) != 0 {
			t.Errorf("%s gave %+v", name, c)
		}
	}
}

func TestRoundsArePaired(t *testing.T) {
	line := func(arm string, block, round int, replies uint64, why string) results.Slice {
		return results.Slice{Arm: arm, Block: block, Slice: round, T: int64(1000*block + 10*round), Dur: 1e9, Replies: replies, ServerCPU: 1,
			ClientCPU: 1, Valid: why == "", Why: why}
	}
	lines := []results.Slice{line("b", 1, 0, 40, ""), line("a", 1, 0, 10, ""), line("a", 0, 0, 10, ""), line("b", 0, 0, 20, ""),
		line("a", 0, 1, 10, "steal: 3"), line("b", 0, 1, 20, ""), line("b", 0, 2, 20, "")}
	got := RoundRatios(lines, "", "b", "a", Throughput)
	want := []RoundRatio{{0, 0, 0, 2, ""}, {0, 1, 10, 0, "steal: 3"}, {1, 0, 1000, 4, ""}}
	if !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestCostsAddUp(t *testing.T) {
	run := synth.New(synth.Config{Seed: 3, Arms: []synth.Arm{{Name: "a", Rate: 50e3, ServerCPU: 9000, P50: 9e5}}, Points: synth.Closed(1),
		Blocks: 8, Slices: 6})
	for i := range run.Slices {
		run.Slices[i].ServerUser, run.Slices[i].ServerSys, run.Slices[i].GCCPU = 30e6, 20e6, 5e6
	}
	r, err := New(run.Manifest, run.Slices, run.Trials, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := Costs(r, run.Slices, run.Trials)[PointArm{"pipeline=1", "a"}]
	if c.User != 4500 || c.System != 3600 || c.Collector != 900 {
		t.Errorf("%+v, want half, two fifths and a tenth of 9000", c)
	}
	for i := range run.Slices {
		run.Slices[i].ServerUser, run.Slices[i].ServerSys = 1e6, 1e6
	}
	if c := Costs(r, run.Slices, run.Trials); len(c) != 0 {
		t.Errorf("10 ticks gave %+v", c)
	}
}
