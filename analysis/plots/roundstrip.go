package plots

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/shardlab/shardlab/analysis"
)

// columnsPerPage is how many points stand side by side.
const columnsPerPage = 3

// RoundStrip is every round's ratio to the reference in the order of time, a row of panels for each arm and a column for each
// point: drift, two modes and what was dropped are seen here and nowhere else.
func RoundStrip(d Data) ([]Figure, error) {
	r := d.Report
	var arms []string
	for _, a := range r.Arms {
		if a != r.Reference {
			arms = append(arms, a)
		}
	}
	if len(arms) == 0 || len(r.Points) == 0 {
		return nil, Unfit("a strip is of ratios to a reference: it needs a run of two arms")
	}
	var figures []Figure
	pages := (len(r.Points) + columnsPerPage - 1) / columnsPerPage
	for k := range pages {
		points := r.Points[k*columnsPerPage : min((k+1)*columnsPerPage, len(r.Points))]
		if f, ok := stripFigure(d, arms, points); ok {
			if k > 0 {
				f.Name = fmt.Sprintf("strip-%d", k+1)
			}
			figures = append(figures, f)
		}
	}
	if len(figures) == 0 {
		return nil, Unfit("a strip needs rounds in which an arm and the reference were both visited")
	}
	return figures, nil
}

func stripFigure(d Data, arms []string, points []analysis.PointReport) (f Figure, ok bool) {
	r := d.Report
	rounds := make([][][]analysis.RoundRatio, len(arms))
	var far []float64 // from 1, as logs
	for i, a := range arms {
		for _, p := range points {
			list := analysis.RoundRatios(d.Run.Slices, p.Point.Label, a, r.Reference, roundMetric(p))
			rounds[i] = append(rounds[i], list)
			for _, x := range list {
				ok = true
				if x.Ratio > 0 {
					far = append(far, math.Abs(math.Log(x.Ratio)))
				}
			}
		}
	}
	reach := math.Log(1.1)
	if len(far) > 0 {
		slices.Sort(far)
		reach = max(reach, min(1.3*far[len(far)*97/100], 1.05*far[len(far)-1], math.Log(16))) // a few far out would hide how blocks differ
	}
	f = Figure{Name: "strip", Title: "Slices in the order of time, ratio to " + r.Reference, width: 10 * vg.Inch, frame: vg.Points(120)}
	for i, a := range arms {
		var panels []*plot.Plot
		for j, p := range points {
			title := ""
			if i == 0 {
				title = pointTitle(p)
			}
			pl := stripOf(r, a, rounds[i][j], title, reach)
			if j == 0 {
				pl.Y.Label.Text = a
			} else {
				pl.Y.Tick.Marker = unlabelled{pl.Y.Tick.Marker}
			}
			if i == len(arms)-1 {
				pl.X.Label.Text = "block"
			} else {
				pl.X.Tick.Marker = unlabelled{pl.X.Tick.Marker}
			}
			panels = append(panels, pl)
		}
		f.panels = append(f.panels, panels)
		f.rows = append(f.rows, max(60, min(110, (sheet-f.frame)/vg.Length(len(arms))))) // all on one sheet
	}
	f.legend = []entry{{label: "block's mean", look: look{color: ink}, line: true, bare: true},
		{label: "void slice", look: look{color: ink, glyph: draw.CrossGlyph{}}}}
	f.Caption = d.caption(fmt.Sprintf("Dots: one round's ratio to %s (throughput in a closed loop, median response time in an open one), on "+
		"a logarithmic axis, in the order of the rounds. No interval is drawn: rounds of a block are no sample. What lies beyond the "+
		"axis is drawn at its edge.", r.Reference))
	return f, ok
}

// roundMetric is what is compared: the rate of an open loop is given.
func roundMetric(p analysis.PointReport) analysis.Metric {
	if p.Point.Mode == "open" {
		return analysis.P50
	}
	return analysis.Throughput
}

func stripOf(r *analysis.Report, arm string, rounds []analysis.RoundRatio, title string, reach float64) *plot.Plot {
	pl := newPlot(title)
	blocks, perBlock := 1, 1
	for _, x := range rounds {
		blocks, perBlock = max(blocks, x.Block+1), max(perBlock, x.Round+1)
	}
	pl.X.Min, pl.X.Max = 0, float64(blocks)
	pl.Y.Min, pl.Y.Max = -reach, reach
	pl.X.Tick.Marker = blockTicks{}
	pl.Y.Tick.Marker = ratioTicks{}
	at := func(x analysis.RoundRatio) float64 {
		return float64(x.Block) + (float64(x.Round)+0.5)/float64(perBlock)
	}
	l := armLook(r, arm)
	pl.Add(horizontalGrid{pl.Y.Tick.Marker}, drawing(func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		for b := 1; b < blocks; b++ {
			c.StrokeLine2(gridLine, tx(float64(b)), c.Min.Y, tx(float64(b)), c.Max.Y)
		}
		c.StrokeLine2(draw.LineStyle{Color: ink, Width: vg.Points(0.8)}, c.Min.X, ty(0), c.Max.X, ty(0))
		group(c, arm, func() {
			sums, counts := make([]float64, blocks), make([]int, blocks)
			for _, x := range rounds {
				pt := vg.Point{X: tx(at(x)), Y: c.Min.Y + 4}
				if x.Void != "" {
					c.DrawGlyph(draw.GlyphStyle{Color: ink, Radius: 3, Shape: draw.CrossGlyph{}}, pt)
					continue
				}
				y := math.Log(x.Ratio)
				sums[x.Block] += y
				counts[x.Block]++
				pt.Y = ty(max(-reach, min(reach, y)))
				c.DrawGlyph(draw.GlyphStyle{Color: l.color, Radius: 1.8, Shape: draw.CircleGlyph{}}, pt)
			}
			for b, n := range counts {
				if n > 0 {
					y := ty(max(-reach, min(reach, sums[b]/float64(n))))
					c.StrokeLine2(draw.LineStyle{Color: ink, Width: vg.Points(1.6)}, tx(float64(b)+0.05), y, tx(float64(b)+0.95), y)
				}
			}
		})
	}))
	return pl
}

// blockTicks numbers blocks in their middle.
type blockTicks struct{}

// Ticks implements plot.Ticker.
func (blockTicks) Ticks(lo, hi float64) (ticks []plot.Tick) {
	step := max(1, int(math.Ceil((hi-lo)/12)))
	for b := 0; float64(b) < hi; b += step {
		ticks = append(ticks, plot.Tick{Value: float64(b) + 0.5, Label: fmt.Sprint(b)})
	}
	return ticks
}
