package plots

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/analysis/gate"
	"github.com/shardlab/shardlab/analysis/internal/synth"
	"github.com/shardlab/shardlab/results"
)

var update = flag.Bool("update", false, "rewrite the golden images")

// goldenDPI keeps the images small: a page is 500 pixels wide.
const goldenDPI = 50

// data is a made-up run as figures are given it.
func data(t *testing.T, arms []synth.Arm, points []results.Point) Data {
	t.Helper()
	run := synth.New(synth.Config{Seed: 5, Arms: arms, Points: points, Blocks: 6, Slices: 6, Noise: 0.02})
	for i := range run.Slices {
		s := &run.Slices[i]
		s.T = int64(i) * 55e6
		s.ServerUser, s.ServerSys, s.GCCPU = s.ServerCPU/3, s.ServerCPU*2/3, s.ServerCPU/20
		s.CtxVol, s.Steal, s.GCCycles = int64(s.Replies/10), int64(i%7/6), int64(i%5/4)
		if i%41 == 40 {
			s.Valid, s.Why = false, "steal: 3 ticks"
		}
	}
	r, err := analysis.New(run.Manifest, run.Slices, run.Trials, analysis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := Data{Report: r, Run: analysis.Run{Manifest: run.Manifest, Slices: run.Slices, Trials: run.Trials}, Environment: environment}
	d.Histograms = func() (map[analysis.PointArm]*hdrhistogram.Histogram, error) {
		hists := map[analysis.PointArm]*hdrhistogram.Histogram{}
		for k, h := range run.Histograms {
			hists[analysis.PointArm{Point: k[0], Arm: k[1]}] = h
		}
		return hists, nil
	}
	d.Intervals = func(point, arm string) (all []results.Interval, err error) {
		for b := range 6 {
			all = append(all, results.Interval{Block: b, Histogram: run.Histograms[[2]string{point, arm}]})
		}
		return all, nil
	}
	return d
}

// sweepOf is a sweep of two keys, closed.
func sweepOf(connections []string, sizes []string) (points []results.Point) {
	for _, c := range connections {
		for _, s := range sizes {
			p := synth.Closed(1)[0]
			p.Label = "connections=" + c + ",value_size=" + s
			p.Params = []results.Param{{Name: "connections", Value: c}, {Name: "value_size", Value: s}}
			points = append(points, p)
		}
	}
	return points
}

func someRuns(r *analysis.Report) (all []analysis.TrendPoint) {
	for i := range 10 {
		for _, p := range analysis.TrendOf(r) {
			p.Run = fmt.Sprint("run", i)
			p.Started = p.Started.Add(time.Duration(i) * 24 * time.Hour)
			p.Revision = fmt.Sprintf("%07x", 0xabc0000+i)
			if i < 1 {
				p.EnvKey = "another"
			}
			if i > 3 {
				p.Ratio.Value *= 1.05
			}
			all = append(all, p)
		}
	}
	return all
}

// someGates is a record of 14 gates: the anchor moves after two, the machine is another once, and CPU time creeps up.
func someGates() (all []analysis.TrendPoint) {
	wobble := []float64{0.004, -0.006, 0.002, 0.007, -0.003, 0, 0.005, -0.004, 0.003, -0.002, 0.006, -0.005, 0.001, 0.004}
	for i, w := range wobble {
		for k, m := range []gate.Metric{gate.CPU, gate.Throughput, gate.P50, gate.P99} {
			p := analysis.TrendPoint{Run: fmt.Sprint("gate", i), Started: time.Date(2026, 11, 1+i, 12, 0, 0, 0, time.UTC), Arm: gate.Head,
				Revision: fmt.Sprintf("%07x%033x", 0xabc0000+i, 0), Anchor: "bbbbbbb0", EnvKey: "0f0f0f0f0f", Point: "reads", Metric: analysis.Metric(m)}
			spread := []float64{0.008, 0.012, 0.02, 0.06}[k]
			x := w * float64(k+1)
			switch {
			case m == gate.P99:
				p.Point = "latency"
			case m == gate.CPU && i > 1:
				x += 0.006 * float64(i-2)
			}
			if i < 2 {
				p.Anchor = "aaaaaaa0"
			}
			if i == 5 {
				p.EnvKey, p.Revision = "another", p.Revision+analysis.DirtyMark
			}
			p.Ratio = analysis.Ratio{Value: math.Exp(x), Interval: &analysis.Interval{Lo: math.Exp(x - spread), Hi: math.Exp(x + spread)}, N: 24}
			all = append(all, p)
		}
	}
	return all
}

func someVerdict() *gate.Verdict {
	row := func(m gate.Metric, ratio float64, o gate.Outcome) gate.Row {
		return gate.Row{Point: "pipeline=1", Metric: m, Delta: 0.05, Outcome: o, Ratio: ratio, N: 6,
			Interval: &analysis.Interval{Lo: ratio * 0.985, Hi: ratio * 1.015}}
	}
	return &gate.Verdict{Outcome: gate.Regressed, Rows: []gate.Row{row(gate.CPU, 1.07, gate.Regressed), row(gate.Throughput, 1.002, gate.Pass),
		row(gate.P50, 0.9, gate.Improved), row(gate.P99, 1.03, gate.Inconclusive)}, Controls: []gate.Row{row(gate.CPU, 1.001, gate.Pass)}}
}

// madeGoldens is what goldens has made: it takes a second, and nothing changes it.
var madeGoldens map[string]Data

// goldens is every kind of figure with data that it can carry.
func goldens(t *testing.T) map[string]Data {
	if madeGoldens != nil {
		return madeGoldens
	}
	closed, open := data(t, arms, synth.Closed(2)), data(t, arms[:4], synth.Open(40e3, 10e3, 75e3))
	grid := data(t, arms[:3], sweepOf([]string{"1", "8", "64"}, []string{"64", "4KiB"}))
	grow := data(t, arms[:2], sweepOf([]string{"1", "2", "4", "8", "16", "32", "64"}, []string{"64"}))
	trend := data(t, arms[:3], synth.Closed(1))
	trend.Trend = func() []analysis.TrendPoint { return someRuns(trend.Report) }
	out := map[string]Data{"load": open, "matrix": grid, "scaling": grow, "trend": trend}
	for _, k := range Kinds() {
		if _, ok := out[k.Name]; !ok {
			out[k.Name] = closed
		}
	}
	madeGoldens = out
	return out
}

// TestFiguresLookAsTheyDid compares pictures pixel by pixel, with some tolerance for edges: `go test ./analysis/plots -update` rewrites
// them, and whoever does so looks at them.
func TestFiguresLookAsTheyDid(t *testing.T) {
	set := goldens(t)
	for _, k := range Kinds() {
		figures, err := k.Draw(set[k.Name])
		if err != nil {
			t.Errorf("%s: %v", k.Name, err)
			continue
		}
		compareGolden(t, k.Name, figures[0])
	}
	figures, err := AnchorTrend(someGates())
	if err != nil {
		t.Fatal(err)
	}
	compareGolden(t, "trend-anchor", figures[0])
	gated := set["forest"]
	gated.Verdict = someVerdict()
	figures, err = Forest(gated)
	if err != nil {
		t.Fatal(err)
	}
	compareGolden(t, "forest-gate", figures[0])
}

func compareGolden(t *testing.T, name string, f Figure) {
	t.Helper()
	c := vgimg.NewWith(vgimg.UseWH(f.width, f.height()), vgimg.UseDPI(goldenDPI))
	f.draw(draw.New(c))
	path := filepath.Join("testdata", "golden", name+".png")
	if *update {
		var b bytes.Buffer
		if err := png.Encode(&b, c.Image()); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatalf("%v; make it with -update", err)
	}
	defer file.Close()
	want, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if share := different(c.Image(), want); share > 0.002 {
		t.Errorf("%s: %.2f %% of the pixels differ from %s; if it is meant, run with -update and look at it", name, 100*share, path)
	}
}

// different is the share of pixels of which any channel differs by more than a quarter of the range.
func different(a, b image.Image) float64 {
	if a.Bounds() != b.Bounds() {
		return 1
	}
	n, total := 0, 0
	far := func(x, y uint32) bool { return max(x, y)-min(x, y) > 0x4000 }
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			r, g, bl, _ := a.At(x, y).RGBA()
			r2, g2, b2, _ := b.At(x, y).RGBA()
			total++
			if far(r, r2) || far(g, g2) || far(bl, b2) {
				n++
			}
		}
	}
	return float64(n) / float64(total)
}

var svgText = regexp.MustCompile(`(?s)<text [^>]*>([^<]*)</text>`)

// TestEveryFigureSaysWhatItIs: run, revision, n and what the band is stand under each, arms are groups that are closed again, and
// nothing is drawn by the name of an arm that has none.
func TestEveryFigureSaysWhatItIs(t *testing.T) {
	set := goldens(t)
	for _, k := range Kinds() {
		figures, err := k.Draw(set[k.Name])
		if err != nil {
			t.Errorf("%s: %v", k.Name, err)
			continue
		}
		for _, f := range figures {
			s := svg(t, f)
			var texts []string
			for _, m := range svgText.FindAllStringSubmatch(s, -1) {
				texts = append(texts, m[1])
			}
			all := strings.Join(texts, "\n")
			for _, want := range []string{"run 20260102t030405Z-abc1234-synthetic-0f0f0f", "revision abc1234", "blocks, each a fresh process"} {
				if !strings.Contains(all, want) {
					t.Errorf("%s: no %q in the caption", f.Name, want)
				}
			}
			if !strings.Contains(s, `<g data-arm="thread-local">`) && k.Name != "scaling" {
				t.Errorf("%s: no group for an arm", f.Name)
			}
			if strings.Contains(s, `data-arm=""`) || strings.ContainsAny(s, groupBegin+groupEnd) {
				t.Errorf("%s: a mark is left, or a group without a name", f.Name)
			}
			if open, end := strings.Count(s, "<g"), strings.Count(s, "</g>"); open != end {
				t.Errorf("%s: %d groups are opened, %d closed", f.Name, open, end)
			}
		}
	}
}

// TestAnchorTrend: the figure says which gates it is of and names what creeps, marks that series alone and no other, has a panel for each
// scenario and metric, and needs two gates.
func TestAnchorTrend(t *testing.T) {
	gates := someGates()
	figures, err := AnchorTrend(gates)
	if err != nil || len(figures) != 1 {
		t.Fatalf("%d figures, %v", len(figures), err)
	}
	s := svg(t, figures[0])
	for _, want := range []string{"14 gates, 2026-11-01 to 2026-11-14 · newest revision abc000d", "anchor bbbbbbb", "n = 24 blocks, each a fresh process",
		"Creep: reads, server CPU/op: 6 of the last 7", "of a creep, beyond 3 %", "reads  p50<", "latency  p99<", ">ratio to the anchor<", ">gate, by revision<"} {
		if !strings.Contains(s, want) {
			t.Errorf("no %q", want)
		}
	}
	if n := strings.Count(s, "Creep: "); n != 1 {
		t.Errorf("%d creeps", n)
	}
	fifth := gates[0] // the last row is not full
	fifth.Metric = analysis.Metric(gate.Allocs)
	gates = append(gates, fifth)
	if figures, err = AnchorTrend(gates); err != nil || strings.Count(svg(t, figures[0]), ">gate, by revision<") != 2 {
		t.Errorf("five panels: each column's last one names its axis: %v", err)
	}
	flat := slices.DeleteFunc(slices.Clone(gates), func(p analysis.TrendPoint) bool { return p.Metric == analysis.Metric(gate.CPU) })
	if figures, err = AnchorTrend(flat); err != nil || strings.Contains(svg(t, figures[0]), "creep") {
		t.Errorf("without what creeps: %v", err)
	}
	if _, err = AnchorTrend(gates[:3]); !errors.As(err, new(Unfit)) || !strings.Contains(err.Error(), "two gates") {
		t.Errorf("one gate: %v", err)
	}
}

// TestUnfitRunsSayWhatWouldDo: each kind refuses a run that cannot carry it, in one line.
func TestUnfitRunsSayWhatWouldDo(t *testing.T) {
	alone := data(t, arms[:1], synth.Closed(1))
	alone.Histograms = func() (map[analysis.PointArm]*hdrhistogram.Histogram, error) { return nil, nil }
	alone.Intervals = func(string, string) ([]results.Interval, error) { return nil, os.ErrNotExist }
	alone.Run.Slices = nil
	for kind, want := range map[string]string{
		"load": "sweep load.rate", "scaling": "a closed-loop sweep", "forest": "add an arm", "strip": "a run of two arms",
		"ecdf": "let a block end", "ridge": "let a block end", "heatmap": "a run of two blocks", "time": "two slices", "cost": "longer slices",
		"matrix": "a sweep of two keys", "trend": "two runs of the scenario", "latency": "let the run end",
	} {
		k, err := FindKind(kind)
		if err != nil {
			t.Fatal(err)
		}
		_, err = k.Draw(alone)
		if unfit := Unfit(""); !errors.As(err, &unfit) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", kind, err, want)
		}
	}
	if _, err := FindKind("pie"); err == nil || !strings.Contains(err.Error(), "have throughput, latency") {
		t.Errorf("pie: %v", err)
	}
	many := make([]synth.Arm, 9)
	for i := range many {
		many[i] = synth.Arm{Name: fmt.Sprint("arm", i), Rate: 1e4, ServerCPU: 100, P50: 1e5}
	}
	if _, err := Ridge(data(t, many, synth.Closed(1))); err == nil || !strings.Contains(err.Error(), "at most 8") {
		t.Errorf("nine ridges: %v", err)
	}
}

// TestArmsLookTheSameInEveryRun: names decide, not places.
func TestArmsLookTheSameInEveryRun(t *testing.T) {
	a, b := []string{"shared", "redis", "mine"}, []string{"redis", "mine", "yours", "multi-direct"}
	if placeOf(a, "redis") != placeOf(b, "redis") || placeOf(a, "mine") != placeOf(b, "mine") || placeOf(b, "mine") == placeOf(b, "yours") {
		t.Error("an arm changes its look")
	}
	seen := map[place]string{}
	for _, arm := range b {
		if other, ok := seen[placeOf(b, arm)]; ok {
			t.Errorf("%s looks like %s", arm, other)
		}
		seen[placeOf(b, arm)] = arm
	}
}
