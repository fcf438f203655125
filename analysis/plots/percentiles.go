package plots

import (
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/results"
)

// Percentiles is the response time by percentile: a panel for each point, a line for each arm, of the histograms of all
// blocks together. Closed and open loops come as separate figures, for their latencies are different quantities. A line
// ends where fewer than ten samples lie beyond it. blocks are those of a row one by one, drawn thin; nil draws none. hists are read,
// not kept.
func Percentiles(r *analysis.Report, hists map[analysis.PointArm]*hdrhistogram.Histogram, blocks func(point, arm string) []results.Interval,
	environment string) ([]Figure, error) {
	var figures []Figure
	for _, mode := range []string{"closed", "open"} {
		var points []analysis.PointReport
		for _, p := range r.Points {
			if p.Point.Mode == mode {
				points = append(points, p)
			}
		}
		if f, ok := percentileFigure(r, points, hists, blocks, environment); ok {
			f.Name = "latency-" + mode
			figures = append(figures, f.pages(3)...)
		}
	}
	if len(figures) == 0 {
		return nil, ErrNoData
	}
	return figures, nil
}

func percentileFigure(r *analysis.Report, points []analysis.PointReport,
	hists map[analysis.PointArm]*hdrhistogram.Histogram, blocks func(point, arm string) []results.Interval,
	environment string) (f Figure, ok bool) {
	lines := make([]map[string]plotter.XYs, len(points))
	var ys []float64
	right := nines(0.9)
	for i, p := range points {
		lines[i] = map[string]plotter.XYs{}
		for _, row := range p.Rows {
			xys := percentileLine(hists[analysis.PointArm{Point: p.Point.Label, Arm: row.Arm}])
			if len(xys) == 0 {
				continue
			}
			lines[i][row.Arm] = xys
			right = max(right, xys[len(xys)-1].X)
			ys = append(ys, xys[0].Y, xys[len(xys)-1].Y)
		}
	}
	if len(ys) == 0 {
		return f, false
	}
	lo, hi := logRange(ys)
	cols := min(2, len(points)) // of three, the labels from 99.99 on ran into each other
	var panels []*plot.Plot
	for i, p := range points {
		pl := logPanel(pointTitle(p), lo, hi, i%cols == 0)
		pl.X.Min, pl.X.Max = 0, right
		pl.X.Tick.Marker = percentileTicks{}
		pl.X.Label.Text = "percentile, %"
		if i%cols == 0 {
			pl.Y.Label.Text = "response time, " + loadStamp(points)
		}
		pl.Add(verticalGrid{pl.X.Tick.Marker}, horizontalGrid{logTicks{}})
		for _, row := range p.Rows {
			if blocks != nil && len(lines[i][row.Arm]) > 0 {
				pl.Add(grouped(row.Arm, blockLines(armLook(r, row.Arm), blocks(p.Point.Label, row.Arm))))
			}
		}
		for _, row := range p.Rows {
			if xys := lines[i][row.Arm]; len(xys) > 0 {
				for k := range xys {
					xys[k].Y = math.Log10(xys[k].Y)
				}
				pl.Add(grouped(row.Arm, &plotter.Line{XYs: xys, LineStyle: armLook(r, row.Arm).line()}))
			}
		}
		panels = append(panels, pl)
	}
	f = Figure{Title: "Response time by percentile", width: 10 * vg.Inch, legend: legendOf(r, points),
		panels: inRows(panels, cols)}
	for i := range f.legend {
		f.legend[i].bare = true
	}
	f.frame = vg.Points(140)
	for range f.panels {
		f.rows = append(f.rows, vg.Points(300))
	}
	f.Caption = caption(r, environment, "Thick lines: quantiles of all blocks' histograms merged, from intended send to "+
		"whole reply, cut where fewer than 10 samples lie beyond. Thin lines: the blocks one by one, their band; intervals are in the table.")
	return f, true
}

// blockLines are an arm's blocks one by one, thin and pale.
func blockLines(l look, blocks []results.Interval) plot.Plotter {
	return drawing(func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		for _, b := range blocks {
			var line []vg.Point
			for i, q := range percentileLine(b.Histogram) {
				if y := math.Log10(q.Y); i%5 == 0 && q.X <= p.X.Max && y >= p.Y.Min && y <= p.Y.Max {
					line = append(line, vg.Point{X: tx(q.X), Y: ty(y)})
				}
			}
			if len(line) > 1 {
				c.StrokeLines(draw.LineStyle{Color: l.tint(0.45), Width: vg.Points(0.5)}, line)
			}
		}
	})
}

// percentileLine reads a histogram at even steps of the axis. It is empty without samples for the 90th percentile.
func percentileLine(h *hdrhistogram.Histogram) (xys plotter.XYs) {
	if h == nil || h.TotalCount() < 100 {
		return nil
	}
	right := math.Log10(float64(h.TotalCount()) / 10)
	const steps = 300
	for i := range steps + 1 {
		x := right * float64(i) / steps
		v := h.ValueAtPercentile(100 * (1 - math.Pow(10, -x)))
		xys = append(xys, plotter.XY{X: x, Y: float64(max(1, v))}) // a logarithmic axis has no zero
	}
	return xys
}

// logPanel has a logarithmic axis of latency from lo to hi, labelled in the first panel of a row only. What is drawn in
// it is at log10 of its value.
func logPanel(title string, lo, hi float64, labelled bool) *plot.Plot {
	pl := newPlot(title)
	pl.Y.Min, pl.Y.Max = math.Log10(lo), math.Log10(hi)
	pl.Y.Tick.Marker = logTicks{}
	if !labelled {
		pl.Y.Tick.Marker = unlabelled{pl.Y.Tick.Marker}
	}
	return pl
}

// loadStamp is the load that an axis of latency belongs to.
func loadStamp(points []analysis.PointReport) string {
	for _, p := range points[1:] {
		if p.Load != points[0].Load {
			return points[0].Point.Mode + " loop as in each title"
		}
	}
	return points[0].Load
}
