package plots

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/analysis/gate"
)

// rowsPerPage bounds the height of a forest to that of a sheet of paper.
const rowsPerPage = 34

// forestRow is one ratio with its interval. mark is where a gate's δ lies, 0 for none.
type forestRow struct {
	arm   string
	label string
	ratio analysis.Ratio
	mark  float64
	look  look
	color color.Color
}

// Forest is ratios with their intervals on a logarithmic axis, so that half and double lie equally far from 1: a run's arms
// against the reference, a column of panels for each metric; or a gate's primaries and its null control.
func Forest(d Data) ([]Figure, error) {
	if d.Verdict != nil {
		return gateForest(d)
	}
	r := d.Report
	metrics := []analysis.Metric{analysis.Throughput, analysis.ServerCPU, analysis.P50, analysis.P99}
	titles := []string{"throughput", "server CPU/op", "p50", "p99"}
	columns := make([][]forestRow, len(metrics))
	for _, p := range r.Points {
		for _, row := range p.Rows {
			if row.Arm == r.Reference {
				continue
			}
			for k, m := range metrics {
				f := forestRow{arm: row.Arm, label: forestLabel(r, p, row), look: armLook(r, row.Arm)}
				f.color = f.look.color
				if ratio := row.Cells[m].Ratio; ratio != nil && ratio.Known() {
					f.ratio = *ratio
				}
				columns[k] = append(columns[k], f)
			}
		}
	}
	if len(columns[0]) == 0 {
		return nil, Unfit("a forest needs two arms with finished blocks: add an arm")
	}
	f := forestFigure(columns, titles, "ratio to "+r.Reference)
	f.Title = "Ratio to " + r.Reference
	f.Caption = d.caption("Points: geometric mean of the blocks' ratios, on logarithmic axes: one for throughput and CPU, one for times. " +
		"Whiskers: 95 % interval, paired by block, from 6 blocks on; an arrow leads out of the axis. Open points: the interval includes 1, or is " +
		"not known. An empty row: not measured.")
	f.frame = f.frameHeight()
	return f.pages(1), nil
}

func forestLabel(r *analysis.Report, p analysis.PointReport, row analysis.Row) string {
	label := row.Arm
	if len(r.Points) > 1 {
		label = p.Point.Label + "  " + label
	}
	if v := row.Verdict.Verdict; v != analysis.Valid {
		label += "\n" + string(v)
	}
	return label
}

var outcomeColours = map[gate.Outcome]color.NRGBA{
	gate.Pass: colours[blue], gate.Regressed: colours[vermillion], gate.Improved: colours[green], gate.Inconclusive: colours[grey],
}

func gateForest(d Data) ([]Figure, error) {
	v := d.Verdict
	var rows []forestRow
	add := func(list []gate.Row, control bool) {
		for _, g := range list {
			label := fmt.Sprintf("%s %s  n=%d\n%s", g.Point, g.Metric, g.N, g.Outcome)
			if control {
				label = "control: " + label
			}
			f := forestRow{label: label, look: look{outcomeColours[g.Outcome], nil, draw.CircleGlyph{}}, color: outcomeColours[g.Outcome],
				ratio: analysis.Ratio{Value: g.Ratio, Interval: g.Interval, N: g.N}, mark: 1 + g.Delta}
			if g.Metric == gate.Throughput {
				f.mark = 1 / f.mark // less is worse
			}
			rows = append(rows, f)
		}
	}
	add(v.Rows, false)
	add(v.Controls, true)
	if len(rows) == 0 {
		return nil, Unfit("a forest of a gate needs a primary: declare one")
	}
	f := forestFigure([][]forestRow{rows}, []string{""}, "head over base")
	f.Title = "Gate: " + string(v.Outcome)
	for _, o := range []gate.Outcome{gate.Pass, gate.Regressed, gate.Improved, gate.Inconclusive} {
		f.legend = append(f.legend, entry{label: string(o), look: look{outcomeColours[o], nil, draw.CircleGlyph{}}, line: true})
	}
	f.Caption = d.caption("Points: geometric mean of the blocks' ratios head over base, on a logarithmic axis. Whiskers: 99 % interval of " +
		"Student's t. Open points: it includes 1. Upright marks: δ, the change for the worse that must be found. Control rows compare base with itself.")
	f.frame = f.frameHeight()
	return f.pages(1), nil
}

// forestFigure lays the columns out side by side, two with one axis: ratios of times may be twenty times those of throughput and CPU, whose
// intervals would then be hidden behind their points. Rows that do not fit on a page go to the next.
func forestFigure(columns [][]forestRow, titles []string, label string) Figure {
	f := Figure{Name: "forest", width: 10 * vg.Inch}
	reaches := make([]float64, len(columns))
	for k := range columns {
		pair := columns[k/2*2 : min(k/2*2+2, len(columns))]
		reaches[k] = ratioReach(pair)
	}
	for from := 0; from < len(columns[0]); from += rowsPerPage {
		to := min(from+rowsPerPage, len(columns[0]))
		var panels []*plot.Plot
		for k, rows := range columns {
			panels = append(panels, forestPanel(rows[from:to], titles[k], label, reaches[k], k == 0))
		}
		f.panels = append(f.panels, panels)
		f.rows = append(f.rows, vg.Length(to-from)*vg.Points(24)+vg.Points(64))
	}
	return f
}

// ratioReach is how far the axis goes from 1 on either side, as a log: as far as the points, within a factor of 16.
func ratioReach(columns [][]forestRow) float64 {
	reach := math.Log(1.1)
	for _, rows := range columns {
		for _, r := range rows {
			if r.ratio.Known() && r.ratio.Value > 0 {
				reach = max(reach, 1.3*math.Abs(math.Log(r.ratio.Value)))
			}
			if r.mark > 0 {
				reach = max(reach, 1.2*math.Abs(math.Log(r.mark)))
			}
		}
	}
	return min(reach, math.Log(16))
}

func forestPanel(rows []forestRow, title, label string, reach float64, names bool) *plot.Plot {
	pl := newPlot(title)
	pl.X.Min, pl.X.Max = -reach, reach
	pl.X.Tick.Marker = ratioTicks{}
	pl.X.Label.Text = label
	pl.Y.Min, pl.Y.Max = -0.5, float64(len(rows))-0.5
	pl.Y.Tick.Length = 0
	var ticks []plot.Tick
	for i, r := range rows {
		t := plot.Tick{Value: float64(len(rows) - 1 - i)}
		if names {
			t.Label = r.label
		}
		ticks = append(ticks, t)
	}
	pl.Y.Tick.Marker = plot.ConstantTicks(ticks)
	pl.Add(verticalGrid{pl.X.Tick.Marker}, drawing(func(c draw.Canvas, p *plot.Plot) {
		tx, _ := p.Transforms(&c)
		c.StrokeLine2(draw.LineStyle{Color: ink, Width: vg.Points(1)}, tx(0), c.Min.Y, tx(0), c.Max.Y)
		for i, r := range rows {
			group(c, r.arm, func() { r.draw(c, p, float64(len(rows)-1-i)) })
		}
	}))
	return pl
}

func (r forestRow) draw(c draw.Canvas, p *plot.Plot, y float64) {
	if !r.ratio.Known() || !(r.ratio.Value > 0) {
		return
	}
	tx, ty := p.Transforms(&c)
	mid := ty(y)
	line := draw.LineStyle{Color: r.color, Width: vg.Points(1.6)}
	const radius, cap = 3.4, 5.5 // the ends of an interval are seen also where it is shorter than its point
	if i := r.ratio.Interval; i != nil {
		lo, hi := math.Log(i.Lo), math.Log(i.Hi)
		for _, end := range []float64{lo, hi} {
			if end >= p.X.Min && end <= p.X.Max {
				c.StrokeLine2(draw.LineStyle{Color: r.color, Width: vg.Points(1.2)}, tx(end), mid-cap, tx(end), mid+cap)
			}
		}
		c.StrokeLine2(line, tx(max(lo, p.X.Min)), mid, tx(min(hi, p.X.Max)), mid)
		if lo < p.X.Min {
			arrow(c, r.color, tx(p.X.Min), mid, 6)
		}
		if hi > p.X.Max {
			arrow(c, r.color, tx(p.X.Max), mid, -6)
		}
	}
	if r.mark > 0 {
		x := tx(math.Log(r.mark))
		c.StrokeLine2(draw.LineStyle{Color: ink, Width: vg.Points(1.2)}, x, ty(y-0.35), x, ty(y+0.35))
	}
	at := math.Log(r.ratio.Value)
	switch {
	case at < p.X.Min:
		arrow(c, r.color, tx(p.X.Min), mid, 6)
	case at > p.X.Max:
		arrow(c, r.color, tx(p.X.Max), mid, -6)
	case r.ratio.Distinct():
		c.DrawGlyph(draw.GlyphStyle{Color: r.color, Radius: radius, Shape: draw.CircleGlyph{}}, vg.Point{X: tx(at), Y: mid})
	default:
		c.DrawGlyph(draw.GlyphStyle{Color: color.White, Radius: radius, Shape: draw.CircleGlyph{}}, vg.Point{X: tx(at), Y: mid})
		c.DrawGlyph(draw.GlyphStyle{Color: r.color, Radius: radius, Shape: draw.RingGlyph{}}, vg.Point{X: tx(at), Y: mid})
	}
}

// arrow has its tip at x and its back so far to the right.
func arrow(c draw.Canvas, fill color.Color, x, y, back vg.Length) {
	c.FillPolygon(fill, []vg.Point{{X: x, Y: y}, {X: x + back, Y: y - 4}, {X: x + back, Y: y + 4}})
}

// ratioTicks labels round ratios on an axis of logs, from 1 outwards as far apart as labels need.
type ratioTicks struct{}

// Ticks implements plot.Ticker.
func (ratioTicks) Ticks(lo, hi float64) (ticks []plot.Tick) {
	steps := []float64{1.02, 1.05, 1.1, 1.2, 1.5, 2, 4, 8, 16, 64, 256}
	gap := (hi - lo) / 7
	ticks = append(ticks, plot.Tick{Value: 0, Label: "1"})
	last := 0.0
	for _, s := range steps {
		x := math.Log(s)
		if x-last < gap || x > max(hi, -lo) {
			continue
		}
		last = x
		for _, at := range []float64{x, -x} {
			if at <= hi && at >= lo {
				ticks = append(ticks, plot.Tick{Value: at, Label: ratioLabel(math.Exp(at))})
			}
		}
	}
	return ticks
}

func ratioLabel(v float64) string {
	switch {
	case v >= 1:
		return fmt.Sprintf("%.3g", v)
	case v < 0.51:
		return fmt.Sprintf("1/%.3g", 1/v)
	}
	return fmt.Sprintf("%.2f", v)
}
