package analysis

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shardlab/shardlab/analysis/internal/synth"
	"github.com/shardlab/shardlab/results"
)

func runOf(r *synth.Run) Run { return Run{r.Manifest, r.Slices, r.Trials} }

// laterRun is the same scenario with routed 10 % faster, an hour later.
func laterRun() Run {
	arms := append([]synth.Arm{}, twoArms...)
	arms[1].Rate *= 1.1
	r := synth.New(synth.Config{Seed: 9, Arms: arms, Points: synth.Closed(1), Blocks: 7, Slices: 8, Noise: 0.01})
	r.Manifest.ID = "20260102t040405Z-abd2345-synthetic-1e1e1e"
	r.Manifest.Started = r.Manifest.Started.Add(time.Hour)
	return runOf(r)
}

func TestCompareRuns(t *testing.T) {
	c, err := CompareRuns(runOf(closedRun()), laterRun(), RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rows := c.Points[0].Rows
	routed := rows[1].Cells[Throughput]
	if math.Abs(routed.Ratio.Value-1.1) > 0.03 || routed.Ratio.N != 6 || !routed.Ratio.Distinct() {
		t.Errorf("routed: %+v", routed.Ratio)
	}
	if shared := rows[0].Cells[Throughput].Ratio; shared.Distinct() {
		t.Errorf("shared did not change: %+v", shared)
	}
	var b strings.Builder
	if err := c.Text(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "runs.txt", b.String())
	if !strings.Contains(b.String(), "made 1h0m0s apart") {
		t.Error("the header does not say that the runs were made at different times")
	}
}

func TestRunsThatAreNotComparable(t *testing.T) {
	check := func(want string, change func(*Run)) {
		t.Helper()
		b := laterRun()
		change(&b)
		_, err := CompareRuns(runOf(closedRun()), b, RunOptions{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want %q", err, want)
		}
	}
	check("operation stream differs: 5eed in", func(b *Run) { b.Manifest.Points[0].StreamHash = "beef" })
	check("load differs: closed loop", func(b *Run) { b.Manifest.Points[0].Mode = "open" })
	check("there is nothing to compare; with one RUN", func(b *Run) { b.Manifest.ID = runOf(closedRun()).Manifest.ID })
	check("load differs", func(b *Run) { b.Manifest.Points[0].Connections = 51 })
	check("environments differ", func(b *Run) { b.Manifest.EnvKey = "env2" })
	check(ErrNothingToCompare.Error(), func(b *Run) { b.Manifest.Points[0].Label = "elsewhere" })
	check(ErrNothingToCompare.Error(), func(b *Run) { b.Slices, b.Trials = nil, nil })
}

func TestForcedComparisonSaysSoOnEveryTable(t *testing.T) {
	b := laterRun()
	b.Manifest.EnvKey = "env2"
	if _, err := CompareRuns(runOf(closedRun()), b, RunOptions{}); !errors.Is(err, ErrEnvironment) {
		t.Errorf("error %v", err)
	}
	c, err := CompareRuns(runOf(closedRun()), b, RunOptions{Force: true})
	if err != nil || !c.Forced {
		t.Fatalf("forced: %v", err)
	}
	var out strings.Builder
	if err := c.Text(&out, Style{}); err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), "time¹")+strings.Count(out.String(), "cost¹") != 2 ||
		!strings.Contains(out.String(), "¹ the environments differ (env1 and env2)") {
		t.Errorf("a table lacks the note:\n%s", out.String())
	}
}

func TestComparisonTellsWhatItLacks(t *testing.T) {
	a, b := runOf(closedRun()), laterRun()
	a.Manifest.Arms[1].Name = "other"
	b.Manifest.Arms[0].Settings = map[string]string{"shards": "8"}
	c, err := CompareRuns(a, b, RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Points[0].Rows) != 1 || len(c.Points[0].Rows[0].Warnings) != 1 ||
		!strings.Contains(string(c.Points[0].Rows[0].Warnings[0]), "with different settings: shards ") || !strings.HasSuffix(string(c.Points[0].Rows[0].Warnings[0]), ", 8 in B") {
		t.Errorf("rows %+v", c.Points[0].Rows)
	}
	only := slices.IndexFunc(c.Warnings, func(w Warning) bool { return strings.HasSuffix(string(w), "only: routed") })
	if len(c.Warnings) != 3 || only < 0 || !strings.HasPrefix(string(c.Warnings[0]), "A: ") { // and what A says of the arm that was renamed
		t.Errorf("warnings %q", c.Warnings)
	}
}

// TestTwoRunsKeepTheirDoubts: what a run says of its rows is said of them beside another run too.
func TestTwoRunsKeepTheirDoubts(t *testing.T) {
	a, b := runOf(closedRun()), laterRun()
	b.Manifest.Status = results.Interrupted
	b.Manifest.Points[0].Ceiling = &results.Ceiling{Generator: &results.Rung{OpsPerSec: 500e3}}
	for i := range b.Slices {
		if s := &b.Slices[i]; s.Arm == "routed" {
			s.Late, s.Intended, s.ClientBusy = s.Replies, s.Replies, 0.95
		}
	}
	c, err := CompareRuns(a, b, RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := c.Text(&text, Style{Width: 400}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"warning: B: the run is interrupted", "ceiling in B: the clients alone 500 k/s, of which shared", " valid → client-bound",
		"— B routed (95% busy)", "sent over 1 ms after they were due: the delay is in the response times, not in the service times — B routed"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	if strings.Contains(text.String(), "the reference") || strings.Contains(text.String(), "ceiling in A") {
		t.Errorf("there is no reference, and no ceiling of A:\n%s", text.String())
	}
	if row := c.Points[0].Rows[1]; row.CeilingB == nil || row.CeilingA != nil || len(row.DoubtsB) != 1 {
		t.Errorf("%+v", row)
	}
}
