package analysis

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shardlab/shardlab/results"
)

func kneeManifest(arms ...string) results.Manifest {
	m := results.Manifest{Status: results.Complete, Knee: &results.KneePlan{SLO: "p99 < 1ms", Step: 1.05}}
	for _, a := range arms {
		m.Arms = append(m.Arms, results.Arm{Name: a})
	}
	return m
}

// searched makes a block for each pair of ends.
func searched(arm string, ends ...[2]float64) (out []results.Knee) {
	for i, e := range ends {
		out = append(out, results.Knee{Arm: arm, Block: i, Lo: e[0], Hi: e[1], Probes: make([]results.KneeProbe, 10)})
	}
	return out
}

func reportKnee(t *testing.T, m results.Manifest, knees ...results.Knee) *KneeReport {
	t.Helper()
	r, err := NewKneeReport(m, knees)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestKneeOverBlocks: from order statistics of the lower ends to those of the upper.
func TestKneeOverBlocks(t *testing.T) {
	check := func(name string, lo, hi, coverage float64, ends ...[2]float64) {
		t.Helper()
		k := reportKnee(t, kneeManifest("a"), searched("a", ends...)...).Knees[0]
		if k.Lo != lo || k.Hi != hi || !near(k.Coverage, coverage) {
			t.Errorf("%s: [%g, %g] %g, want [%g, %g] %g", name, k.Lo, k.Hi, k.Coverage, lo, hi, coverage)
		}
	}
	check("one", 10, 11, 0, [2]float64{10, 11})
	check("three", 9, 12, 0.75, [2]float64{10, 11}, [2]float64{9, 12}, [2]float64{9, 10})
	check("six", 1, 16, 0.96875, [2]float64{1, 11}, [2]float64{2, 12}, [2]float64{3, 13}, [2]float64{4, 14}, [2]float64{5, 15}, [2]float64{6, 16})
	check("nine, the odd ones are outside", 2, 18, 0.9609375, [2]float64{1, 11}, [2]float64{2, 12}, [2]float64{3, 13}, [2]float64{4, 14},
		[2]float64{5, 15}, [2]float64{6, 16}, [2]float64{7, 17}, [2]float64{8, 18}, [2]float64{9, 0})
	check("one without an upper end", 5, 0, 0.5, [2]float64{5, 6}, [2]float64{6, 0})
	check("one without a lower end", 0, 7, 0.5, [2]float64{0, 6}, [2]float64{6, 7})
}

func near(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }

func TestKneeReportText(t *testing.T) {
	m := kneeManifest("first", "second", "third", "absent")
	second := searched("second", [2]float64{80e3, 0}, [2]float64{85e3, 90e3})
	second[0].Open = results.KneeClientBound
	third := searched("third", [2]float64{20e3, 30e3}, [2]float64{10e3, 0})
	third[0].FromBelow, third[0].FromAbove = 28e3, 20e3
	third[1].Open = results.KneeInterrupted
	r := reportKnee(t, m, append(append(searched("first", [2]float64{50e3, 52e3}, [2]float64{51e3, 53e3}), second...), third...)...)
	var b bytes.Buffer
	if err := r.Text(&b, Style{Width: 120}); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	for _, want := range []string{
		"highest rate that meets p99 < 1ms",
		"[50.0k, 53.0k]", "≥ 80.0k", "client-bound", "[20.0k, 30.0k]",
		"client-bound: in 1 of 2 blocks the load generator was at its limit",
		"hysteresis: in 1 of 1 blocks the server bore less after an overload (20k/s) than before (28k/s)",
		"Rates are 5.0% apart", "encloses the median with 50%; 6 blocks give 95%",
	} {
		if !strings.Contains(strings.Join(strings.Fields(got), " "), want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "absent") || strings.Contains(got, "[10.0k") {
		t.Errorf("shows what was not searched, or not to its end:\n%s", got)
	}
	if n := r.Inconclusive(); n != 1 {
		t.Errorf("%d inconclusive, want second only", n)
	}
	if _, err := NewKneeReport(results.Manifest{}, nil); err == nil {
		t.Error("a run that has not searched has a report")
	}
}

// TestFruitlessKnee: where no rate met the bound the lowest says why, and what would do.
func TestFruitlessKnee(t *testing.T) {
	for _, c := range []struct {
		open  string
		hi    float64
		probe results.KneeProbe
		want  string
	}{
		{results.KneeClientBound, 0, results.KneeProbe{Outcome: "undecided", N: 2000, Value: 15e5, Dur: 4e9, Limit: "late; spin"},
			"no rate met the bound; at the lowest, 625/s, it was 1.50 ms (2000 response times in 4.00 s), but the load generator was at its own limit: late; spin"},
		{results.KneeUndecided, 0, results.KneeProbe{Outcome: "undecided", N: 2000, Value: 9e5, Dur: 4e9}, "to tell it from the bound: take a longer --probe-max"},
		{results.KneeUndecided, 0, results.KneeProbe{Outcome: "undecided", Why: "steal: much"}, "nothing could be measured (steal: much)"},
		{"", 625, results.KneeProbe{Outcome: "misses", N: 2000, Value: 9e6, Dur: 4e9}, "take a wider bound, or begin lower with --from and"},
	} {
		k := searched("a", [2]float64{0, c.hi})
		c.probe.Rate = 625
		k[0].Open, k[0].Probes = c.open, []results.KneeProbe{{Rate: 10e3, Outcome: "client-bound"}, c.probe}
		r := reportKnee(t, kneeManifest("a"), k...)
		text := fmt.Sprint(r.Knees[0].Warnings)
		if !strings.Contains(text, c.want) || r.Knees[0].Open != c.open || r.Inconclusive() != 1 {
			t.Errorf("no %q in %s; open %q", c.want, text, r.Knees[0].Open)
		}
	}
}

// TestShortSearch: what time has left open is said.
func TestShortSearch(t *testing.T) {
	k := searched("a", [2]float64{20e3, 0}, [2]float64{20e3, 30e3})
	k[0].Open = results.KneeTime
	k[1].Probes = []results.KneeProbe{{Rate: 25e3, Outcome: "undecided", Dur: 4e9}, {Rate: 10e3, Outcome: "undecided", Dur: 4e9}}
	r := reportKnee(t, kneeManifest("a"), k...)
	text := fmt.Sprint(r.Knees[0].Warnings)
	if r.Knees[0].Open != results.KneeTime || r.Inconclusive() != 1 || !strings.Contains(text, "--search-max") ||
		!strings.Contains(text, "1 of 12 probes had shown nothing after up to 4.00 s") {
		t.Errorf("%+v", r.Knees[0])
	}
}

// TestInterruptedKnee: what there is is shown, and marked.
func TestInterruptedKnee(t *testing.T) {
	m := kneeManifest("a")
	m.Status = results.Interrupted
	k := searched("a", [2]float64{20e3, 0})
	k[0].Open = results.KneeInterrupted
	r := reportKnee(t, m, k...)
	if row := r.Knees[0]; row.Open != results.KneeInterrupted || row.Lo != 20e3 || r.Inconclusive() != 1 || len(r.Warnings) != 1 {
		t.Errorf("%+v", r)
	}
	if r := reportKnee(t, m); len(r.Knees) != 0 {
		t.Errorf("%+v", r)
	}
}

// TestKneeMechanisms reads each block's counters at that block's own knee, whatever was counted at other rates.
func TestKneeMechanisms(t *testing.T) {
	m := kneeManifest("a")
	knees := searched("a", [2]float64{1000, 2000}, [2]float64{2000, 4000}, [2]float64{0, 1000})
	var lines []results.Slice
	var trials []results.Trial
	for i, rate := range []string{"1000", "2000", "4000"} {
		m.Points = append(m.Points, results.Point{Label: "pipeline=8,rate=" + rate, Mode: "open"})
		for block := range 3 {
			s := results.Slice{Point: m.Points[i].Label, Arm: "a", Block: block, Valid: true, Dur: 1e9, Replies: 100, Ops: map[string]uint64{"GET": 100},
				CtxVol: 1000}
			if i == block { // the knee: block 0 at 1000, block 1 at 2000; block 2 has none
				s.CtxVol = int64(100 * (block + 1))
			}
			lines = append(lines, s)
			trials = append(trials, results.Trial{Point: s.Point, Arm: "a", Block: block})
		}
	}
	for i := range knees {
		knees[i].Point = "pipeline=8"
	}
	infos := []results.BlockInfo{{Point: "pipeline=8", Arm: "a", Block: 0, Info: map[string]string{"hops": "5", "total_commands_processed": "10"}},
		{Point: "pipeline=8", Arm: "a", Block: 1, Info: map[string]string{"hops": "7", "total_commands_processed": "10"}}}
	r, err := New(m, lines, trials, Options{Knees: knees, Infos: infos})
	if err != nil {
		t.Fatal(err)
	}
	row := r.Knee.Knees[0]
	for name, want := range map[string]float64{"voluntary switches/op": 1.5, "hops/op": 0.6} {
		if v, ok := find(row.Mechanisms, name); !ok || !near(v, want) {
			t.Errorf("%s: %g, want %g in %+v", name, v, want, row.Mechanisms)
		}
	}
	var b bytes.Buffer
	if err := r.Text(&b, Style{Width: 400}); err != nil || !strings.Contains(b.String(), "pipeline=8 · mechanism at the knee") ||
		!strings.Contains(b.String(), "rate by rate") || strings.Contains(b.String(), string(kneeVoid)) {
		t.Errorf("%v\n%s", err, b.String())
	}

	// Where nothing that was counted counts, it says so.
	for i := range lines {
		lines[i].Valid = false
	}
	if r, err = New(m, lines, trials, Options{Knees: knees, Infos: infos}); err != nil {
		t.Fatal(err)
	}
	if row := r.Knee.Knees[0]; len(row.Mechanisms) > 0 || !slices.Contains(row.Warnings, kneeVoid) {
		t.Errorf("all slices are void, and the row has %+v, %q", row.Mechanisms, row.Warnings)
	}
}
