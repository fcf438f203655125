package analysis

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/shardlab/shardlab/analysis/internal/synth"
	"github.com/shardlab/shardlab/results"
)

func TestBlockValues(t *testing.T) {
	lines := []results.Slice{
		{Dur: 50e6, Ops: map[string]uint64{"GET": 900, "SET": 100}, Replies: 1000, ServerCPU: 9e6, ClientCPU: 2e6, Valid: true},
		{Dur: 150e6, Ops: map[string]uint64{"GET": 3000}, Replies: 3000, ServerCPU: 11e6, ClientCPU: 4e6, Valid: true, Slice: 1},
	}
	trials := []results.Trial{{RSSEmpty: 1000, RSSLoaded: 131000, Keys: 1000,
		Response: results.Latency{N: 4000, P50: 700, P99: 900, P999: 950}}}
	m := results.Manifest{Points: []results.Point{{Keys: 1000}}, Arms: []results.Arm{{}}}
	r, err := New(m, lines, trials, Options{})
	if err != nil {
		t.Fatal(err)
	}
	cells := r.Points[0].Rows[0].Cells
	for metric, want := range map[Metric]float64{Throughput: 20000, ServerCPU: 5000, ClientCPU: 1500, Memory: 130,
		P50: 700, P99: 900} {
		c := cells[metric]
		if c.Estimate == nil || math.Abs(c.Estimate.Value-want) > 1e-6 {
			t.Errorf("%s is %+v, want %v", metric, c, want)
		}
	}
	// 4000 samples are not 10/(1-0.999), whatever the line says.
	if c := cells[P999]; c.Estimate != nil || !strings.Contains(string(c.Absent), "p99.9 needs 10000 samples") {
		t.Errorf("p99.9: %+v", c)
	}
}

func TestMinSamples(t *testing.T) {
	for q, want := range map[float64]uint64{0.5: 20, 0.9: 100, 0.99: 1000, 0.999: 10000} {
		if got := MinSamples(q); got != want {
			t.Errorf("%v needs %d, want %d", q, got, want)
		}
	}
}

func TestVoidBlocksAreLeftOutPairwise(t *testing.T) {
	r := closedRun()
	ofArm(r, "shared", func(_ int, s *results.Slice) {
		if s.Block == 2 {
			s.Valid = s.Slice < 6 // 2 of 8 void is more than a fifth
		}
	})
	rows := analyse(t, r, Options{}).Points[0].Rows
	if rows[0].Blocks != 5 || rows[0].Void != 1 || rows[1].Blocks != 6 {
		t.Errorf("%d and %d blocks, %d void", rows[0].Blocks, rows[1].Blocks, rows[0].Void)
	}
	ratio := rows[1].Cells[Throughput].Ratio
	if ratio.N != 5 || ratio.Unpaired != 1 || ratio.Interval != nil {
		t.Errorf("ratio %+v", ratio)
	}
	if rows[1].Cells[Throughput].Estimate.Interval == nil {
		t.Error("the other arm's six blocks have lost their interval")
	}
}

func TestUnfinishedBlocksDoNotCount(t *testing.T) {
	r := closedRun()
	r.Manifest.Status = results.Interrupted
	r.Trials = r.Trials[:len(r.Trials)-1]
	rep := analyse(t, r, Options{})
	if row := rep.Points[0].Rows[1]; row.Blocks != 5 || row.Unfinished != 1 || row.Verdict.Verdict != Valid {
		t.Errorf("%+v", row)
	}
	if len(rep.Warnings) != 1 || !strings.Contains(string(rep.Warnings[0]), "interrupted") {
		t.Errorf("warnings %q", rep.Warnings)
	}
}

func TestQuantileThatOneBlockLacksIsAbsent(t *testing.T) {
	r := closedRun()
	r.Trials[3].Response.N = 999
	c := analyse(t, r, Options{}).Points[0].Rows[1].Cells[P99]
	if c.Estimate != nil || c.Ratio != nil || c.Absent == "" {
		t.Errorf("p99: %+v", c)
	}
}

func TestDifferenceBelowResolution(t *testing.T) {
	r := closedRun()
	for i := range r.Trials {
		r.Trials[i].Response.P50 = 600000
		if r.Trials[i].Arm == "routed" {
			r.Trials[i].Response.P50 = 600900 // buckets are 512 wide here
			r.Trials[i].Response.P99 = 2 * r.Trials[i-1].Response.P99
		}
	}
	cells := analyse(t, r, Options{}).Points[0].Rows[1].Cells
	if !cells[P50].Unresolved || cells[P99].Unresolved {
		t.Errorf("p50 unresolved %v, p99 %v", cells[P50].Unresolved, cells[P99].Unresolved)
	}
}

func TestReference(t *testing.T) {
	r := closedRun()
	rep := analyse(t, r, Options{Reference: "routed"})
	if rep.Reference != "routed" || rep.Points[0].Rows[1].Cells[Throughput].Ratio != nil {
		t.Error("the reference is compared with itself")
	}
	if ratio := rep.Points[0].Rows[0].Cells[Throughput].Ratio; ratio == nil || math.Abs(ratio.Value-80./99) > 0.03 {
		t.Errorf("ratio %+v", ratio)
	}
	_, err := New(r.Manifest, nil, nil, Options{Reference: "rooted"})
	if err == nil || err.Error() != `reference arm "rooted": not in the run; have shared, routed` {
		t.Errorf("error %v", err)
	}
}

// TestReferenceDoubtsAreSaidOnce: points at which the reference is unsound in one way share a line.
func TestReferenceDoubtsAreSaidOnce(t *testing.T) {
	made := func(bound ...string) []Warning {
		r := synth.New(synth.Config{Seed: 5, Arms: twoArms, Points: synth.Closed(3), Blocks: 6, Slices: 4})
		ofArm(r, "shared", func(_ int, s *results.Slice) {
			if slices.Contains(bound, s.Point) {
				s.ClientBusy = 0.93
			}
		})
		return analyse(t, r, Options{}).Warnings
	}
	const said = "the reference shared is client-bound: "
	for _, c := range []struct {
		bound []string
		want  string
	}{
		{nil, ""},
		{[]string{"pipeline=4"}, "pipeline=4: " + said},
		{[]string{"pipeline=1", "pipeline=4"}, "pipeline=1; pipeline=4: " + said},
		{[]string{"pipeline=1", "pipeline=4", "pipeline=16"}, "all 3 points: " + said},
	} {
		w := made(c.bound...)
		if c.want == "" && len(w) > 0 || c.want != "" && (len(w) != 1 || !strings.HasPrefix(string(w[0]), c.want)) {
			t.Errorf("bound at %q: warnings %q, want one that begins with %q", c.bound, w, c.want)
		}
	}
}

func TestLoadLabel(t *testing.T) {
	check := func(want string, p results.Point) {
		t.Helper()
		if got := loadLabel(p); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	check("closed(50)", results.Point{Mode: "closed", Connections: 50, Pipeline: 1})
	check("closed(50×16)", results.Point{Mode: "closed", Connections: 50, Pipeline: 16})
	check("open 20k/s", results.Point{Mode: "open", Rate: 20000})
	check("open 7.5k/s poisson", results.Point{Mode: "open", Rate: 7500, Arrival: "poisson"})
}

func TestSameInputSameBytes(t *testing.T) {
	var first []byte
	for range 3 {
		r := closedRun()
		var b bytes.Buffer
		rep := analyse(t, r, Options{})
		if err := rep.JSON(&b); err != nil {
			t.Fatal(err)
		}
		if err := rep.Text(&b, Style{Color: true}); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b.Bytes()
		} else if !bytes.Equal(first, b.Bytes()) {
			t.Fatal("two analyses of the same run differ")
		}
		// The order of the lines says nothing.
		rand.New(rand.NewPCG(1, 1)).Shuffle(len(r.Slices), func(i, j int) {
			r.Slices[i], r.Slices[j] = r.Slices[j], r.Slices[i]
		})
	}
}

// TestBadLinesNeverPanic breaks lines at random: every report is still text, and JSON without NaN.
func TestBadLinesNeverPanic(t *testing.T) {
	rng := rand.New(rand.NewPCG(77, 1))
	odd := []int64{0, -1, 1, math.MaxInt64, math.MinInt64, 1e9}
	pick := func() int64 { return odd[rng.IntN(len(odd))] }
	bases := []*synth.Run{closedRun(), openRun(20e3)}
	for range 25 {
		r := *bases[rng.IntN(2)]
		r.Slices, r.Trials = slices.Clone(r.Slices), slices.Clone(r.Trials)
		r.Manifest.Points = slices.Clone(r.Manifest.Points)
		for range 1 + rng.IntN(200) {
			s := &r.Slices[rng.IntN(len(r.Slices))]
			tr := &r.Trials[rng.IntN(len(r.Trials))]
			switch rng.IntN(9) {
			case 0:
				s.Dur = pick()
			case 1:
				s.ServerCPU, s.ClientCPU = pick(), pick()
			case 2:
				s.Ops, s.Replies = map[string]uint64{"GET": uint64(pick())}, uint64(pick())
			case 3:
				s.Block, s.Slice = int(pick()), int(pick())
			case 4:
				s.Arm, s.Point = "who", "where"
			case 5:
				tr.RSSEmpty, tr.RSSLoaded, tr.Keys = pick(), pick(), int(pick())
			case 6:
				tr.Response = results.Latency{N: uint64(pick()), P50: pick(), P99: pick(), P999: pick()}
			case 7:
				s.ClientBusy, s.LatenessP = math.NaN(), math.Inf(1)
			case 8:
				r.Manifest.Points[0].Rate, r.Manifest.Points[0].Keys = float64(pick()), int(pick())
			}
		}
		var b bytes.Buffer
		rep := analyse(t, &r, Options{})
		if err := rep.JSON(&b); err != nil {
			t.Fatal(err)
		}
		if err := rep.Text(&b, Style{Width: 1 + rng.IntN(150)}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEmptyRun(t *testing.T) {
	rep, err := New(results.Manifest{ID: "x"}, nil, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := rep.Text(&b, Style{}); err != nil || b.String() != "run x\nno measurements\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}

// An interrupted run shows the points that it has finished, and says which it has not.
func TestUnfinishedPointsAreLeftOut(t *testing.T) {
	r := synth.New(synth.Config{Seed: 5, Arms: twoArms, Points: synth.Closed(2), Blocks: 6, Slices: 8})
	first := r.Manifest.Points[0].Label
	r.Manifest.Status = results.Interrupted
	r.Trials = slices.DeleteFunc(r.Trials, func(tr results.Trial) bool { return tr.Point != first })
	report := analyse(t, r, Options{})
	for _, p := range report.Points {
		if p.Point.Label != first {
			t.Errorf("point %q is shown without a finished block", p.Point.Label)
		}
	}
	if len(report.Points) != 1 || !strings.Contains(fmt.Sprint(report.Warnings), "no block was finished") {
		t.Errorf("%d points, warnings %q", len(report.Points), report.Warnings)
	}
}

func TestStolenTimeIsSaid(t *testing.T) {
	r := closedRun()
	if rep := analyse(t, r, Options{}); strings.Contains(fmt.Sprint(rep.Warnings), "hypervisor") {
		t.Errorf("warnings of a quiet run: %q", rep.Warnings)
	}
	r.Slices[0].Steal, r.Slices[1].Steal = 1, 2
	r.Slices[2].Steal, r.Slices[2].Valid = 50, false // void: not counted
	want := "the hypervisor took 30ms from 2 of the slices that count"
	if rep := analyse(t, r, Options{}); !strings.Contains(fmt.Sprint(rep.Warnings), want) {
		t.Errorf("warnings %q, want %q", rep.Warnings, want)
	}
}

// A block that was finished and is void is not an unfinished one: its row stands, and says that it is invalid.
func TestFinishedVoidBlocksAreShown(t *testing.T) {
	r := closedRun()
	r.Manifest.Status = results.Interrupted
	for i := range r.Slices {
		r.Slices[i].Valid = false
	}
	report := analyse(t, r, Options{})
	if len(report.Points) != 1 || report.Points[0].Rows[0].Verdict.Verdict != Invalid {
		t.Errorf("%d points, warnings %q", len(report.Points), report.Warnings)
	}
}
