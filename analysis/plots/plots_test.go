package plots

import (
	"bytes"
	"errors"
	"fmt"
	"image/png"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/analysis/internal/synth"
	"github.com/shardlab/shardlab/results"
)

const environment = "AMD EPYC, 2 vCPU, KVM, Linux 6.18, go1.26.8"

var arms = []synth.Arm{
	{Name: "shared", Rate: 80e3, ServerCPU: 9000, P50: 600e3},
	{Name: "shard-arc", Rate: 81e3, ServerCPU: 8900, P50: 598e3},
	{Name: "thread-local", Rate: 120e3, ServerCPU: 6000, P50: 400e3},
	{Name: "multi-direct", Rate: 118e3, ServerCPU: 6100, P50: 405e3},
	{Name: "routed", Rate: 99e3, ServerCPU: 7600, P50: 500e3},
	{Name: "redis", Kind: "reference", Rate: 70e3, ServerCPU: 12000, P50: 700e3},
}

func report(t *testing.T, points []results.Point, blocks int) (*analysis.Report,
	map[analysis.PointArm]*hdrhistogram.Histogram) {
	t.Helper()
	run := synth.New(synth.Config{Seed: 1, Arms: arms, Points: points, Blocks: blocks, Slices: 4, Noise: 0.03})
	r, err := analysis.New(run.Manifest, run.Slices, run.Trials, analysis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	hists := map[analysis.PointArm]*hdrhistogram.Histogram{}
	for k, h := range run.Histograms {
		hists[analysis.PointArm{Point: k[0], Arm: k[1]}] = h
	}
	return r, hists
}

func svg(t *testing.T, f Figure) string {
	t.Helper()
	var b bytes.Buffer
	if err := f.SVG(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func mustContain(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, ">"+w) {
			t.Errorf("%q is not a text of the figure", w)
		}
	}
}

func TestThroughputNamesWhatItShows(t *testing.T) {
	r, _ := report(t, synth.Closed(2), 6)
	r.Points[0].Rows[2].Verdict.Verdict = analysis.ClientBound
	f, err := Throughput(r, environment)
	if err != nil {
		t.Fatal(err)
	}
	s := svg(t, f[0])
	mustContain(t, s, "shared<", "redis<", "client-bound<", "pipeline=1 · closed(50)<", "pipeline=4 · closed(50×4)<",
		"throughput, operations (k/s)<", "server CPU time per operation, µs<", "0<",
		"run 20260102t030405Z-abc1234-synthetic-0f0f0f · revision abc1234", "Bar and thick mark: median")
	if !strings.Contains(s, environment) || !strings.Contains(s, "n = 6 blocks") {
		t.Error("the caption lacks the environment or n")
	}
	if strings.Contains(s, ">-0<") {
		t.Error("an axis begins at -0")
	}
	for i, a := range arms {
		if c := armLook(r, a.Name).pale(); !strings.Contains(s, hex(c.R, c.G, c.B)) {
			t.Errorf("arm %d is not drawn in its colour", i)
		}
	}
}

func hex(rgb ...uint8) string {
	const digits = "0123456789ABCDEF"
	s := "#"
	for _, c := range rgb {
		s += string(digits[c>>4]) + string(digits[c&15])
	}
	return s
}

func TestEveryBlockIsADot(t *testing.T) {
	r, _ := report(t, synth.Closed(1), 7)
	f, err := Throughput(r, environment)
	if err != nil {
		t.Fatal(err)
	}
	// A dot is drawn as a path with arcs, and nothing else in this figure has any.
	if got, want := strings.Count(svg(t, f[0]), "A2.2,2.2"), 2*len(arms)*7; got < want {
		t.Errorf("%d arcs, want at least one for each of %d dots", got, want)
	}
}

func TestPercentilesSeparateClosedFromOpen(t *testing.T) {
	r, hists := report(t, append(synth.Closed(1), synth.Open(20e3)...), 2)
	figures, err := Percentiles(r, hists, nil, environment)
	if err != nil {
		t.Fatal(err)
	}
	if len(figures) != 2 || figures[0].Name != "latency-closed" || figures[1].Name != "latency-open" {
		t.Fatalf("want one figure of each loop, have %d", len(figures))
	}
	closed := svg(t, figures[0])
	mustContain(t, closed, "response time, closed(50)<", "percentile, %<", "99.9<", "1 ms<", "multi-direct<")
	if strings.Contains(closed, "open 20k/s") {
		t.Error("an open loop in the figure of the closed ones")
	}
	mustContain(t, svg(t, figures[1]), "response time, open 20k/s<")
}

func TestPercentileLineEndsWhereSamplesDo(t *testing.T) {
	h := hdrhistogram.New(1, 60e9, 3)
	for i := range int64(5000) {
		if err := h.RecordValue(i); err != nil { // 0 too, which a logarithmic axis cannot show
			t.Fatal(err)
		}
	}
	line := percentileLine(h)
	last := line[len(line)-1]
	if want := nines(1 - 10.0/5000); math.Abs(last.X-want) > 1e-9 {
		t.Errorf("the line ends at %v, want %v", last.X, want)
	}
	for _, p := range line {
		if p.Y < 1 {
			t.Fatalf("%v at %v is not above zero", p.Y, p.X)
		}
	}
	if got := percentileLine(nil); got != nil {
		t.Errorf("no histogram gave %v", got)
	}
	if got := percentileLine(hdrhistogram.New(1, 60e9, 3)); got != nil {
		t.Errorf("an empty histogram gave %v", got)
	}
}

func TestLatencyByRate(t *testing.T) {
	r, _ := report(t, synth.Open(40e3, 10e3, 75e3), 6)
	f, err := LatencyByRate(r, environment)
	if err != nil {
		t.Fatal(err)
	}
	mustContain(t, svg(t, f[0]), "p50<", "p99<", "p99.9<", "achieved rate, operations (k/s)<",
		"response time, open loop<", "last rate met (≥ 99 %)<", "thread-local<", "Points: median of the blocks")

	cs := rateCurves(r, rateGroups(r)[0].points, analysis.P50)
	if len(cs) != len(arms) {
		t.Fatalf("%d curves for %d arms", len(cs), len(arms))
	}
	redis := cs[5].points // can do about 70 k/s
	if len(redis) != 3 || !redis[0].met || !redis[1].met || redis[2].met {
		t.Errorf("redis met %+v, want the first two of three", redis)
	}
	if redis[0].x > redis[1].x || redis[1].x > redis[2].x {
		t.Error("points are not in the order of the offered rate")
	}
}

func TestRateGroupsKeepOtherParametersApart(t *testing.T) {
	points := synth.Open(10e3, 20e3, 10e3, 20e3)
	for i := range points {
		size := []string{"64", "1024"}[i/2]
		points[i].Label += ",value_size=" + size
		points[i].Params = append(points[i].Params, results.Param{Name: "value_size", Value: size})
	}
	r, _ := report(t, points, 1)
	groups := rateGroups(r)
	if len(groups) != 2 || groups[0].name != "value_size=64" || len(groups[1].points) != 2 {
		t.Errorf("groups %+v, want two of two points", groups)
	}
}

// TestStepsAreACurve: steps of the rate are points of one curve, other phases are figures of their own, and a ramp is in none.
func TestStepsAreACurve(t *testing.T) {
	point := func(phase string, rate, to float64) analysis.PointReport {
		return analysis.PointReport{Point: results.Point{
			Mode: "open", Rate: rate, RateTo: to, Params: []results.Param{{Name: "phase", Value: phase}},
		}}
	}
	groups := rateGroups(&analysis.Report{Points: []analysis.PointReport{
		point("rate-20000", 20e3, 0), point("rate-1000", 1000, 0), point("calm", 1000, 0), point("ramp", 1000, 2000),
	}})
	if len(groups) != 2 || groups[0].name != "" || len(groups[0].points) != 2 || groups[0].points[0].Point.Rate != 1000 ||
		groups[1].name != "phase=calm" {
		t.Errorf("%+v", groups)
	}
}

func TestNothingToDraw(t *testing.T) {
	empty := &analysis.Report{}
	if _, err := Throughput(empty, ""); !errors.Is(err, ErrNoData) {
		t.Errorf("throughput of nothing: %v", err)
	}
	if _, err := Percentiles(empty, nil, nil, ""); !errors.Is(err, ErrNoData) {
		t.Errorf("percentiles of nothing: %v", err)
	}
	if _, err := LatencyByRate(empty, ""); !errors.Is(err, ErrNoData) {
		t.Errorf("rates of nothing: %v", err)
	}
	closed, _ := report(t, synth.Closed(1), 1)
	if _, err := LatencyByRate(closed, ""); !errors.Is(err, ErrClosedLoop) {
		t.Errorf("rates of a closed loop: %v", err)
	}
	if _, err := Percentiles(closed, nil, nil, ""); !errors.Is(err, ErrNoData) {
		t.Errorf("percentiles without histograms: %v", err)
	}
}

// TestAbsentFiguresDraw has rows without server CPU, which references on other machines lack, and without throughput.
func TestAbsentFiguresDraw(t *testing.T) {
	r, _ := report(t, synth.Closed(1), 2)
	for _, row := range r.Points[0].Rows {
		row.Cells[analysis.ServerCPU] = analysis.Cell{Absent: "not measured"}
		row.Cells[analysis.Throughput] = analysis.Cell{Absent: "not measured"}
	}
	f, err := Throughput(r, "")
	if err != nil {
		t.Fatal(err)
	}
	mustContain(t, svg(t, f[0]), "not measured<")
}

func TestRenderWritesBothFormats(t *testing.T) {
	r, _ := report(t, synth.Closed(1), 1)
	f, err := Throughput(r, environment)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() + "/report"
	paths, err := Render(dir, f...)
	if err != nil || len(paths) != 2 || paths[0] != dir+"/throughput.png" || paths[1] != dir+"/throughput.svg" {
		t.Fatalf("paths %v, error %v", paths, err)
	}
	file, err := os.Open(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	img, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if w := img.Bounds().Dx(); w != 1200 {
		t.Errorf("%d pixels wide, want 10 inches at 120 dpi", w)
	}
	if _, err := Render(paths[0], f...); err == nil {
		t.Error("a file in place of the folder is no error")
	}
}

func TestLogTicksAlwaysLabel(t *testing.T) {
	for _, lo := range []float64{1, 30, 230, 420e3, 9.99e6} {
		for _, span := range []float64{1, 1.001, 1.7, 12, 900, 2e6} {
			a, b := logRange([]float64{lo, lo * span})
			if a > lo || b < lo*span || b <= a {
				t.Errorf("range of %g..%g is %g..%g", lo, lo*span, a, b)
			}
			labels := 0
			for _, tick := range (logTicks{}).Ticks(math.Log10(a), math.Log10(b)) {
				if tick.Label != "" {
					labels++
				}
			}
			if labels < 2 {
				t.Errorf("%g to %g has %d labels, want two at least", a, b, labels)
			}
		}
	}
	if lo, hi := logRange([]float64{0, -3, math.Inf(1)}); !(lo > 0 && hi > lo) {
		t.Errorf("range without positive values is %g..%g", lo, hi)
	}
}

func TestLinearTicks(t *testing.T) {
	scale := analysis.Scale{Name: "k/s", Factor: 1000}
	for _, top := range []float64{0.3, 7, 950, 83211, 4e6} {
		ticks := linearTicks{scale}.Ticks(0, top)
		if len(ticks) < 4 || len(ticks) > 12 || ticks[0].Label[0] != '0' {
			t.Errorf("0 to %g: %v", top, ticks)
		}
	}
	if got := (linearTicks{scale}).Ticks(5, 5); got != nil {
		t.Errorf("an empty range has ticks %v", got)
	}
}

// TestLooksAreDistinct: no two arms have one colour and dashes, and no two topologies one colour.
func TestLooksAreDistinct(t *testing.T) {
	all := slices.Sorted(maps.Keys(known))
	for i := range 30 {
		all = append(all, fmt.Sprint("mine", i))
	}
	seen := map[[2]string]string{}
	for _, arm := range all {
		colour, dash := Line(all, arm)
		if other, ok := seen[[2]string{colour, dash}]; ok {
			t.Errorf("%s looks like %s", arm, other)
		}
		seen[[2]string{colour, dash}] = arm
	}
	colours := map[string]string{}
	for _, topology := range []string{"shared", "shard-arc", "thread-local", "multi-direct", "reuseport", "routed", "direct-shard", "engine"} {
		colour, _ := Line(nil, topology)
		if other, ok := colours[colour]; ok {
			t.Errorf("%s has the colour of %s", topology, other)
		}
		colours[colour] = topology
	}
	if colour, dash := Line(all, "multi-direct"); colour != "#CC79A7" || dash != "9 3 2 3" {
		t.Errorf("multi-direct is %s, dashes %q", colour, dash)
	}
}

// TestOneSliceStretchesNoStrip: a slice in which an arm stood still leaves the axis as far as the others need it.
func TestOneSliceStretchesNoStrip(t *testing.T) {
	d := data(t, arms[:2], synth.Closed(1))
	reach := func() float64 {
		f, err := RoundStrip(d)
		if err != nil {
			t.Fatal(err)
		}
		return f[0].panels[0][0].Y.Max
	}
	before := reach()
	for i := range d.Run.Slices {
		if s := &d.Run.Slices[i]; s.Arm == "shard-arc" && s.Valid {
			s.Replies /= 100
			break
		}
	}
	if after := reach(); before <= 0 || after > 1.5*before {
		t.Errorf("the axis went %g far, %g with one slice far out", before, after)
	}
}

// TestLongSweepsTakeSeveralFigures: 200 points in one image would be some 60,000 pixels high, and what is higher than a sheet of paper is cut when it is
// printed.
func TestLongSweepsTakeSeveralFigures(t *testing.T) {
	points := make([]results.Point, 9)
	for i := range points {
		points[i] = synth.Closed(1)[0]
		points[i].Label = "keys=" + string(rune('1'+i))
	}
	r, _ := report(t, points, 1)
	f, err := Throughput(r, environment)
	if err != nil {
		t.Fatal(err)
	}
	if len(f) != 3 || f[0].Name != "throughput" || f[2].Name != "throughput-3" || len(f[2].panels) != 3 {
		t.Fatalf("%d figures", len(f))
	}
	for _, page := range f {
		mustContain(t, svg(t, page), "throughput, operations (k/s)<", "run 2026")
		if page.height() > sheet {
			t.Errorf("%s is %g points high, a sheet %d", page.Name, page.height(), sheet)
		}
	}
	mustContain(t, svg(t, f[2]), "Throughput and cost (3 of 3)<", "keys=9")
}
