package plots

import (
	"fmt"
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/shardlab/shardlab/analysis"
)

// minDensity is the fewest samples of which a distribution's shape is drawn.
const minDensity = 100

// shape is one arm's histogram at one point.
type shape struct {
	arm string
	h   *hdrhistogram.Histogram
}

// shapes are the histograms of a point's arms that have enough samples, in the order of the arms.
func shapes(d Data, p analysis.PointReport, hists map[analysis.PointArm]*hdrhistogram.Histogram) (out []shape) {
	for _, row := range p.Rows {
		h := hists[analysis.PointArm{Point: p.Point.Label, Arm: row.Arm}]
		if h != nil && h.TotalCount() >= minDensity {
			out = append(out, shape{row.Arm, h})
		}
	}
	return out
}

// latencyPanels makes a panel for every point with an axis of latency across, the same for all.
func latencyPanels(d Data, name string, add func(pl *plot.Plot, s []shape, hists []shape)) (Figure, error) {
	hists, err := d.Histograms()
	if err != nil {
		return Figure{}, err
	}
	var all []shape
	var ys []float64
	for _, p := range d.Report.Points {
		for _, s := range shapes(d, p, hists) {
			all = append(all, s)
			ys = append(ys, float64(max(1, s.h.ValueAtPercentile(0.1))), float64(s.h.ValueAtPercentile(100*(1-10/float64(s.h.TotalCount())))))
		}
	}
	if len(all) == 0 {
		return Figure{}, Unfit(fmt.Sprintf("a figure of kind %s needs histograms of %d response times: let a block end", name, minDensity))
	}
	lo, hi := logRange(ys)
	f := Figure{Name: name, width: 10 * vg.Inch, frame: vg.Points(140)}
	cols := min(2, len(d.Report.Points))
	var panels []*plot.Plot
	for _, p := range d.Report.Points {
		pl := newPlot(pointTitle(p))
		pl.X.Min, pl.X.Max = math.Log10(lo), math.Log10(hi)
		pl.X.Tick.Marker = acrossTicks{}
		pl.X.Label.Text = "response time"
		pl.Add(verticalGrid{pl.X.Tick.Marker})
		add(pl, shapes(d, p, hists), all)
		panels = append(panels, pl)
	}
	f.panels = inRows(panels, cols)
	f.legend = legendOf(d.Report, d.Report.Points)
	for i := range f.legend {
		f.legend[i].bare = true
	}
	return f, nil
}

// ECDF is the share of requests that were answered within a time, a line for each arm.
func ECDF(d Data) ([]Figure, error) {
	f, err := latencyPanels(d, "ecdf", func(pl *plot.Plot, s, _ []shape) {
		pl.Y.Min, pl.Y.Max = 0, 1
		pl.Y.Tick.Marker = percentTicks{}
		pl.Y.Label.Text = "answered within, % of requests"
		pl.Add(horizontalGrid{pl.Y.Tick.Marker})
		for _, x := range s {
			pl.Add(grouped(x.arm, &plotter.Line{XYs: cumulative(x.h, pl.X.Min, pl.X.Max), LineStyle: armLook(d.Report, x.arm).line()}))
		}
	})
	if err != nil {
		return nil, err
	}
	f.Title = "Distribution of response time"
	for range f.panels {
		f.rows = append(f.rows, vg.Points(300))
	}
	f.Caption = d.caption("Lines: share of all blocks' requests that were answered within the time, from intended send to whole " +
		"reply. No band. Tails are better seen in the figure of percentiles.")
	return f.pages(4), nil
}

// cumulative reads the distribution at even steps of log10 of ns.
func cumulative(h *hdrhistogram.Histogram, lo, hi float64) (xys plotter.XYs) {
	const steps = 400
	bars := h.Distribution()
	total, below, k := float64(h.TotalCount()), int64(0), 0
	for i := range steps + 1 {
		x := lo + (hi-lo)*float64(i)/steps
		for k < len(bars) && float64(bars[k].To) <= math.Pow(10, x) {
			below += bars[k].Count
			k++
		}
		xys = append(xys, plotter.XY{X: x, Y: float64(below) / total})
	}
	return xys
}

// percentTicks labels shares as per cent.
type percentTicks struct{}

// Ticks implements plot.Ticker.
func (percentTicks) Ticks(lo, hi float64) (ticks []plot.Tick) {
	for p := 0; p <= 100; p += 10 {
		t := plot.Tick{Value: float64(p) / 100}
		if p%20 == 0 {
			t.Label = fmt.Sprint(p)
		}
		ticks = append(ticks, t)
	}
	return ticks
}

// Bins of a density: finer than this, a histogram of three digits shows its own steps.
const binsPerDecade = 40

// maxRidges is how many arms stand above each other.
const maxRidges = 8

// Ridge is the density of response times, an arm above the other, all with the same bins and the same height.
func Ridge(d Data) ([]Figure, error) {
	if n := len(d.Report.Arms); n > maxRidges {
		return nil, Unfit(fmt.Sprintf("a ridge of %d arms cannot be read; run at most %d with --arms, or use --kind ecdf", n, maxRidges))
	}
	top := 0.0
	f, err := latencyPanels(d, "ridge", func(pl *plot.Plot, s, all []shape) {
		if top == 0 {
			for _, x := range all {
				for _, v := range density(x.h, pl.X.Min, pl.X.Max) {
					top = max(top, v)
				}
			}
		}
		pl.Y.Min, pl.Y.Max = 0, float64(len(s))+0.4
		pl.Y.Tick.Length = 0
		var ticks []plot.Tick
		for i, x := range s {
			base := float64(len(s) - 1 - i)
			ticks = append(ticks, plot.Tick{Value: base, Label: x.arm})
			pl.Add(ridgeOf(armLook(d.Report, x.arm), x, base, top))
		}
		pl.Y.Tick.Marker = plot.ConstantTicks(ticks)
	})
	if err != nil {
		return nil, err
	}
	f.Title = "Density of response time"
	f.legend = nil
	for range f.panels {
		f.rows = append(f.rows, vg.Length(len(d.Report.Arms))*vg.Points(44)+vg.Points(70))
	}
	f.Caption = d.caption(fmt.Sprintf("Areas: requests of all blocks per unit of log time, %d bins a decade, one scale of height for all. Thick "+
		"mark: median. No band.", binsPerDecade))
	return f.pages(4), nil
}

// density is the share of samples per decade in each bin between lo and hi.
func density(h *hdrhistogram.Histogram, lo, hi float64) []float64 {
	n := max(1, int(math.Ceil((hi-lo)*binsPerDecade)))
	out := make([]float64, n)
	for _, b := range h.Distribution() {
		if b.Count == 0 {
			continue
		}
		mid := math.Log10((float64(b.From) + float64(max(b.To, 1))) / 2)
		if k := int((mid - lo) * binsPerDecade); k >= 0 && k < n {
			out[k] += float64(b.Count)
		}
	}
	for i := range out {
		out[i] *= binsPerDecade / float64(h.TotalCount())
	}
	return out
}

func ridgeOf(l look, s shape, base, top float64) plot.Plotter {
	return drawing(func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		group(c, s.arm, func() {
			line := []vg.Point{{X: c.Min.X, Y: ty(base)}}
			for k, v := range density(s.h, p.X.Min, p.X.Max) {
				y := ty(base + 1.3*v/top)
				a, b := p.X.Min+float64(k)/binsPerDecade, p.X.Min+float64(k+1)/binsPerDecade
				line = append(line, vg.Point{X: tx(a), Y: y}, vg.Point{X: tx(min(b, p.X.Max)), Y: y})
			}
			line = append(line, vg.Point{X: c.Max.X, Y: ty(base)})
			c.FillPolygon(l.pale(), line)
			c.StrokeLines(draw.LineStyle{Color: l.color, Width: vg.Points(1.2)}, line)
			m := tx(math.Log10(float64(max(1, s.h.ValueAtPercentile(50)))))
			c.StrokeLine2(draw.LineStyle{Color: ink, Width: vg.Points(2)}, m, ty(base), m, ty(base+0.25))
		})
	})
}
