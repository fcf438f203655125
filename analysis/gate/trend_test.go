package gate

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/results"
)

func trendPlan() Plan {
	p := NewPlan(threePrimaries().Primaries, []int{24})
	p.Confirm = false
	return p
}

// A measurement has as many blocks as its plan says, however plain the difference is after six.
func TestMeasurementHasAFixedLength(t *testing.T) {
	m := usual()
	m.head = 0.3
	for n := range 25 {
		m.blocks = n
		lines, trials := m.run()
		block, points := Next(trendPlan(), lines, trials, n, 0)
		if done := len(points) == 0; done != (n == 24) || !done && block != n {
			t.Errorf("after %d blocks: block %d of %q", n, block, points)
		}
	}
}

// Ratios are the verdict's rows, whatever the verdict; what is not sound is an error that says why.
func TestRatios(t *testing.T) {
	m := usual()
	m.blocks, m.head = 24, 0.07
	lines, trials := m.run()
	rows, err := Ratios(trendPlan(), lines, trials)
	if err != nil || len(rows) != 3 || rows[0].N != 24 || math.Abs(math.Log(rows[0].Ratio)-0.07) > 0.01 || rows[0].Interval == nil || rows[1].Ratio > 0.97 {
		t.Fatalf("%+v, %v", rows, err)
	}
	for i := range lines {
		if lines[i].Arm == Head && lines[i].Slice == 0 && lines[i].Block < 3 {
			lines[i].Replies = 0
		}
	}
	if again, err := Ratios(trendPlan(), lines, trials); err != nil || again[0].N != 24 || math.Abs(again[0].Ratio/rows[0].Ratio-1) > 0.01 {
		t.Errorf("no replies in a slice of three blocks: %+v, %v", again, err)
	}
	check := func(name string, m made, change func(*results.Slice), want string) {
		t.Helper()
		lines, trials := m.run()
		for i := range lines {
			if change != nil {
				change(&lines[i])
			}
		}
		if rows, err := Ratios(trendPlan(), lines, trials); !errors.Is(err, ErrUnsound) || !strings.Contains(err.Error(), want) || rows != nil {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	dirty := m
	dirty.control = 0.1
	check("contaminated", dirty, nil, "contaminated: server CPU/op of base against itself is 1.1")
	check("head fails", m, func(s *results.Slice) {
		if s.Arm == Head && s.Slice == 0 {
			s.Errors = 1
		}
	}, "server CPU/op: it fails: error replies in 24 slices of 24 blocks")
	check("noisy", m, func(s *results.Slice) {
		if s.Block < 12 {
			s.Valid, s.Why = false, "steal: 4 ticks"
		}
	}, "12 of 24 blocks are void (steal)")
	check("p50 missing", m, func(s *results.Slice) { s.Response.P50 = 0 }, "p50: p50 needs 20 requests in every slice")
	short := m
	short.blocks = 3
	check("ended early", short, nil, "3 of the 4 blocks that are the fewest")
	if _, err := Ratios(Plan{}, lines, trials); err == nil || errors.Is(err, ErrUnsound) {
		t.Errorf("no plan: %v", err)
	}
}

// record is n gates of two primaries of reads; CPU time is x of the gate's number.
func record(n int, x func(int) float64) (all []TrendLine) {
	for i := range n {
		common := TrendLine{Time: time.Date(2026, 11, 1+i, 0, 0, 0, 0, time.UTC), Run: fmt.Sprint("run", i), Revision: fmt.Sprintf("%040x", i), Anchor: strings.Repeat("a", 40),
			EnvKey: "0123456789ab"}
		row := func(m Metric, r float64) Row {
			return Row{Point: "scenario=reads", Metric: m, Ratio: r, Interval: &analysis.Interval{Lo: r * 0.99, Hi: r * 1.01}, N: 24}
		}
		all = append(all, TrendLines(common, []Row{row(CPU, x(i)), row(Throughput, 1/x(i)), row(P50, 1)})...)
	}
	return all
}

// What is written is read again, and each damage is told by its line.
func TestTrendIsReadBack(t *testing.T) {
	lines := record(3, func(i int) float64 { return 1 + 0.01*float64(i) })
	var b bytes.Buffer
	for _, l := range lines {
		if err := json.NewEncoder(&b).Encode(l); err != nil {
			t.Fatal(err)
		}
	}
	whole := b.String()
	got, err := ReadTrend(strings.NewReader("\n"+whole), "x.jsonl")
	if err != nil || !slices.Equal(got, lines) || got[0].Scenario != "reads" || !got[0].Valid {
		t.Fatalf("%+v, %v", got, err)
	}
	for edit, want := range map[string]string{
		`{"schema":"shardlab.trend/1"|{"schema":"shardlab.trend/2"`: `its schema is "shardlab.trend/2"`,
		`"ratio":1,|"ratio":-1,`:                                    "a ratio of -1 in [0.99, 1.01]",
		`"ratio":1,|"ratio":2,`:                                     "the first between the others",
		`"lo":0.99|"lo":0`:                                          "all three must be above 0",
		`"metric":"cpu"|"metric":"speed"`:                           `unknown metric "speed"; have [cpu`,
		`"n":24|"n":0`:                                              "n is 0; it counts blocks",
		`"scenario":"reads"|"scenario":""`:                          "run, revision, anchor or scenario is missing",
		`"run":"run0"|"run":""`:                                     "run, revision, anchor or scenario is missing",
		`"time":"2026-11-01T00:00:00Z"|"time":"now"`:                "parsing time",
		`"ratio":1,|"ratio":1e999,`:                                 "cannot unmarshal number",
		`{"schema"|{"schema`:                                        "invalid character",
		`"valid":true}|"valid":true`:                                "unexpected end of JSON input",
		`{|` + strings.Repeat("x", maxTrendLine):                    "token too long",
	} {
		from, to, _ := strings.Cut(edit, "|")
		bad := "\n" + strings.Replace(whole, from, to, 1)
		if bad == "\n"+whole {
			t.Errorf("%s is not there", from)
		}
		if _, err := ReadTrend(strings.NewReader(bad), "x.jsonl"); err == nil || !strings.Contains(err.Error(), "x.jsonl:2: ") || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%.60s: %v, want %q", edit, err, want)
		}
	}
}

func rendered(t *testing.T, write func(*bytes.Buffer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A creep is told with its direction: more CPU time is worse, more throughput better. Others are compared apart or not at all.
func TestTrendTellsACreep(t *testing.T) {
	lines := record(9, func(i int) float64 { return 1 + 0.006*float64(i) })
	text := func(lines []TrendLine) string {
		return rendered(t, func(b *bytes.Buffer) error { return NewTrend(lines).Text(b, analysis.Style{}) })
	}
	got := text(lines)
	if !strings.Contains(got, "against aaaaaaa, env_key 01234567: 9 gates, 2026-11-01 to 2026-11-09, the newest of 0000000\n") ||
		!strings.Contains(got, "no creep: nowhere do 5 of the last 7 gates lie more than 3 %") {
		t.Errorf("four of seven:\n%s", got)
	}
	lines = record(11, func(i int) float64 { return 1 + 0.006*float64(i) })
	got = text(lines)
	for _, want := range []string{"+2.4 +3.0 +3.6 +4.2 +4.8 +5.4 +6.0  +6.0 %  [+4.9, +7.1]", "5 of 7, worse", "advice: reads, server CPU/op: 5 of the last 7 gates lie more than 3 % above the anchor",
		"it has become worse by steps that no gate has found", "advice: reads, throughput: 5 of the last 7 gates lie more than 3 % below", "reads     p50"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if got = text(record(11, func(i int) float64 { return 1 - 0.006*float64(i) })); !strings.Contains(got, "6 of 7, better") || !strings.Contains(got, "move the anchor, or a way back to it") {
		t.Error(got)
	}
	moved := record(12, func(int) float64 { return 1.05 })
	for i := range moved {
		if i >= 30 {
			moved[i].Anchor = strings.Repeat("b", 40)
		}
		if i >= 33 {
			moved[i].EnvKey = "fedcba9876"
		}
	}
	moved[0].Valid = false
	got = text(moved)
	for _, want := range []string{"the anchor has moved since", "against bbbbbbb, env_key 01234567: 1 gate, ", "against bbbbbbb, env_key fedcba98: 1 gate, ",
		"1 line marked as not valid is left out", "only gates against one anchor on one kind of machine (env_key) are compared", "no creep"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if md := rendered(t, func(b *bytes.Buffer) error { return NewTrend(lines).Markdown(b) }); !strings.Contains(md, "| reads | server CPU/op | +2.4") ||
		!strings.Contains(md, "| --- |") || !strings.Contains(md, "- advice: reads") {
		t.Error(md)
	}
}

// The CSV is of what may be compared with the newest gate: a row each, and a blank where it has not measured something.
func TestTrendCSV(t *testing.T) {
	lines := record(5, func(i int) float64 { return 1 + 0.01*float64(i) })
	for i := range lines[:3] {
		lines[i].EnvKey = "another"
	}
	lines = append(lines[:6], lines[7:]...) // the third gate has no CPU time
	rows, err := csv.NewReader(strings.NewReader(rendered(t, func(b *bytes.Buffer) error { return NewTrend(lines).CSV(b) }))).ReadAll()
	want := [][]string{{"time", "commit", "reads.cpu", "reads.throughput", "reads.p50"},
		{"2026-11-02T00:00:00Z", fmt.Sprintf("%040x", 1), "1.01", rows[1][3], "1"},
		{"2026-11-03T00:00:00Z", fmt.Sprintf("%040x", 2), "", rows[2][3], "1"},
		{"2026-11-04T00:00:00Z", fmt.Sprintf("%040x", 3), "1.03", rows[3][3], "1"},
		{"2026-11-05T00:00:00Z", fmt.Sprintf("%040x", 4), "1.04", rows[4][3], "1"}}
	if err != nil || !slices.EqualFunc(rows, want, slices.Equal) || !strings.HasPrefix(rows[1][3], "0.990099") {
		t.Errorf("%q, %v", rows, err)
	}
}
