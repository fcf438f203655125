package plots

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/shardlab/shardlab/analysis"
)

// plane is the points of a sweep that differ in two keys only.
type plane struct {
	name   string // of the other keys
	x, y   string // keys
	xs, ys []string
	at     map[[2]string]string // values of x and y to the point's label
}

// Matrix says who wins where, for a sweep of two keys: a panel of winners, and one for each arm of its ratio to the reference, all with
// the same axes. What is compared is throughput in closed loops and the 99th percentile in open ones.
func Matrix(d Data) ([]Figure, error) {
	r := d.Report
	planes := planesOf(r)
	if len(planes) == 0 {
		return nil, Unfit("a matrix needs a sweep of two keys, as load.connections: [1, 8, 64] with workload.value_size: [64, 4KiB]")
	}
	metric, what := analysis.WinMetric(r.Points[0].Point), "throughput"
	if metric == analysis.P99 {
		what = "p99 of response time"
	}
	var responders []string
	for _, a := range d.Run.Manifest.Arms {
		if a.Responder {
			responders = append(responders, a.Name)
		}
	}
	phases := map[string]analysis.Phase{}
	for _, p := range analysis.Phases(r, metric, responders) {
		phases[p.Point] = p
	}
	if len(phases) == 0 {
		return nil, Unfit("a matrix needs two arms with valid measurements at a point")
	}
	var figures []Figure
	for k, pl := range planes {
		f := matrixFigure(d, pl, metric, what, phases)
		if k > 0 {
			f.Name = fmt.Sprintf("matrix-%d", k+1)
		}
		figures = append(figures, f)
	}
	return figures, nil
}

// planesOf finds the first two keys with several values, and a plane for each combination of the others.
func planesOf(r *analysis.Report) (out []plane) {
	var keys []string
	values := map[string][]string{}
	for _, p := range r.Points {
		for _, x := range p.Point.Params {
			if !slices.Contains(keys, x.Name) {
				keys = append(keys, x.Name)
			}
			if !slices.Contains(values[x.Name], x.Value) {
				values[x.Name] = append(values[x.Name], x.Value)
			}
		}
	}
	keys = slices.DeleteFunc(keys, func(k string) bool { return len(values[k]) < 2 })
	if len(keys) < 2 {
		return nil
	}
	for _, p := range r.Points {
		var cell [2]string
		var others []string
		for _, x := range p.Point.Params {
			switch x.Name {
			case keys[0]:
				cell[0] = x.Value
			case keys[1]:
				cell[1] = x.Value
			default:
				others = append(others, x.Name+"="+x.Value)
			}
		}
		name := strings.Join(others, ",")
		i := slices.IndexFunc(out, func(pl plane) bool { return pl.name == name })
		if i < 0 {
			i = len(out)
			out = append(out, plane{name: name, x: keys[0], y: keys[1], xs: values[keys[0]], ys: values[keys[1]], at: map[[2]string]string{}})
		}
		out[i].at[cell] = p.Point.Label
	}
	return out
}

// square is one cell as drawn.
type square struct {
	fill   color.NRGBA
	text   string
	hatch  bool
	arm    string
	absent bool
}

func matrixFigure(d Data, pl plane, metric analysis.Metric, what string, phases map[string]analysis.Phase) Figure {
	r := d.Report
	f := Figure{Name: "matrix", Title: strings.TrimSpace("Who wins where, by " + what + "  " + pl.name), width: 10 * vg.Inch}
	rows := map[analysis.PointArm]analysis.Row{}
	for _, p := range r.Points {
		for _, row := range p.Rows {
			rows[analysis.PointArm{Point: p.Point.Label, Arm: row.Arm}] = row
		}
	}
	panels := []*plot.Plot{matrixPanel(pl, "winner, and its lead over the next", func(point string) square {
		return winner(r, phases, point)
	})}
	for _, arm := range r.Arms {
		if arm == r.Reference {
			continue
		}
		panels = append(panels, matrixPanel(pl, arm+" against "+r.Reference, func(point string) square {
			return ratioSquare(rows[analysis.PointArm{Point: point, Arm: arm}], metric)
		}))
	}
	cols := min(2, len(panels))
	f.panels = inRows(panels, cols)
	for range f.panels {
		f.rows = append(f.rows, vg.Length(len(pl.ys))*vg.Points(42)+vg.Points(70))
	}
	for _, e := range legendOf(r, r.Points) {
		f.legend = append(f.legend, entry{label: e.label, fill: e.look.tint(0.55)})
	}
	f.legend = append(f.legend, entry{label: "cannot be told apart", fill: color.White, hatch: true},
		entry{label: "better than the reference", fill: betterColour(1)}, entry{label: "worse", fill: betterColour(-1)})
	marks := "First panel: the best arm, and its ratio to the one that comes closest. Others: ratio to the " +
		"reference, full colour at a factor of two. All ratios are geometric means over blocks. Hatched: a 95 % interval, paired by block, " +
		"includes a tie, in the first panel that of the winner with any other arm; below 6 blocks every cell is. Responders and invalid " +
		"rows do not compete."
	if r.Sampling != nil {
		marks += " n: blocks of the cell, of which there are more where it was least certain who wins; intervals allow for that choice."
	}
	f.Caption = d.caption(marks)
	f.frame = f.frameHeight()
	return f
}

func winner(r *analysis.Report, phases map[string]analysis.Phase, point string) square {
	p, ok := phases[point]
	if !ok {
		return square{absent: true}
	}
	s := square{fill: armLook(r, p.Winner).tint(0.55), text: p.Winner + "\n" + lead(p.Margin.Value), hatch: len(p.Ties) > 0}
	if r.Sampling != nil {
		s.text += fmt.Sprintf("\nn = %d", p.Margin.N)
	}
	return s
}

func lead(ratio float64) string { return fmt.Sprintf("%+.1f %%", 100*(ratio-1)) }

func ratioSquare(row analysis.Row, metric analysis.Metric) square {
	ratio := row.Cells[metric].Ratio
	if ratio == nil || !ratio.Known() || row.Verdict.Verdict == analysis.Invalid {
		return square{absent: true, arm: row.Arm}
	}
	good := math.Log2(ratio.Value)
	if metric != analysis.Throughput {
		good = -good
	}
	return square{fill: betterColour(good), text: lead(ratio.Value), hatch: !ratio.Distinct(), arm: row.Arm}
}

// betterColour goes from orange, worse, over white to blue, better.
func betterColour(good float64) color.NRGBA {
	l := look{color: colours[blue]}
	if good < 0 {
		l.color = colours[orange]
	}
	return l.tint(0.75 * min(1, math.Abs(good)))
}

func matrixPanel(pl plane, title string, at func(point string) square) *plot.Plot {
	p := newPlot(title)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.5, float64(len(pl.xs))-0.5, -0.5, float64(len(pl.ys))-0.5
	p.X.Tick.Marker, p.Y.Tick.Marker = wordTicks(pl.xs), wordTicks(pl.ys)
	p.X.Tick.Length, p.Y.Tick.Length = 0, 0
	p.X.Label.Text, p.Y.Label.Text = keyLabel(pl.x), keyLabel(pl.y)
	p.Add(drawing(func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		for i, x := range pl.xs {
			for j, y := range pl.ys {
				box := vg.Rectangle{Min: vg.Point{X: tx(float64(i)-0.5) + 1, Y: ty(float64(j)-0.5) + 1},
					Max: vg.Point{X: tx(float64(i)+0.5) - 1, Y: ty(float64(j)+0.5) - 1}}
				label, ok := pl.at[[2]string{x, y}]
				if !ok {
					continue
				}
				s := at(label)
				group(c, s.arm, func() { s.draw(c, box) })
			}
		}
	}))
	return p
}

// keyLabel is a swept key on an axis, with the unit of what is no count.
func keyLabel(key string) string {
	switch {
	case strings.HasSuffix(key, "_size"):
		return key + ", bytes"
	case key == "rate":
		return "rate, operations/s"
	}
	return key
}

func (s square) draw(c draw.Canvas, box vg.Rectangle) {
	if s.absent {
		s.fill, s.text = faint, "–"
	}
	fillBox(c, box, s.fill)
	if s.hatch {
		hatch(c, box)
	}
	sty := sans(sizeCaption)
	for sty.Font.Size > 5 && sty.Width(longest(s.text)) > box.Max.X-box.Min.X-2 {
		sty.Font.Size -= 0.5
	}
	sty.XAlign, sty.YAlign = text.XCenter, text.YCenter
	c.FillText(sty, vg.Point{X: (box.Min.X + box.Max.X) / 2, Y: (box.Min.Y + box.Max.Y) / 2}, s.text)
}

func longest(lines string) (long string) {
	for l := range strings.SplitSeq(lines, "\n") {
		if len(l) > len(long) {
			long = l
		}
	}
	return long
}

func wordTicks(words []string) plot.ConstantTicks {
	var ticks []plot.Tick
	for i, w := range words {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: w})
	}
	return ticks
}
