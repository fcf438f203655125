package plots

import (
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/shardlab/shardlab/analysis"
)

// Scaling is throughput against what is swept, both from zero, with the law where the data carry one: a panel for each combination
// of the other swept keys. A curve ends where the measurements do.
func Scaling(d Data) ([]Figure, error) {
	all := d.Report.Scaling
	if len(all) == 0 {
		return nil, Unfit("scaling needs a closed-loop sweep of at least three values of workers, shards or connections")
	}
	f := Figure{Name: "scaling", Title: "Throughput by " + all[0].Key, width: 10 * vg.Inch}
	var wheres []string
	right, top := 0.0, 0.0
	for _, s := range all {
		if len(wheres) == 0 || wheres[len(wheres)-1] != s.Where {
			wheres = append(wheres, s.Where)
		}
		for _, p := range s.Points {
			right, top = max(right, p.N), max(top, p.Throughput.Value)
			if i := p.Throughput.Interval; i != nil {
				top = max(top, i.Hi)
			}
		}
	}
	scale := analysis.OpsPerSecond.ScaleFor(top)
	var panels []*plot.Plot
	cols := min(2, len(wheres))
	for k, where := range wheres {
		pl := newPlot(where)
		pl.X.Min, pl.X.Max, pl.Y.Min, pl.Y.Max = 0, right*1.05, 0, top*1.08
		pl.X.Tick.Marker, pl.Y.Tick.Marker = linearTicks{analysis.Scale{Factor: 1}}, linearTicks{scale}
		pl.X.Label.Text = all[0].Key
		if k%cols == 0 {
			pl.Y.Label.Text = "throughput (" + scale.Name + ")"
		}
		pl.Add(verticalGrid{pl.X.Tick.Marker}, horizontalGrid{pl.Y.Tick.Marker})
		for _, s := range all {
			if s.Where == where {
				pl.Add(scalingOf(d.Report, s))
			}
		}
		panels = append(panels, pl)
	}
	f.panels = inRows(panels, cols)
	for range f.panels {
		f.rows = append(f.rows, vg.Points(300))
	}
	f.legend = legendOf(d.Report, d.Report.Points)
	text := d.caption("Points: median of the blocks. Whiskers: at least 95 % interval of the median, from 6 blocks on. Curves: " +
		analysis.ScalingLaw + ", where the data can carry a fit, only as far as was measured; " +
		"intervals below are 95 %, by bootstrap and jackknife over blocks and the jackknife over N. Ring: the peak.")
	f.Caption = slices.Clone(text[:1])
	for _, s := range all {
		f.Caption = append(f.Caption, strings.TrimSpace(s.Where+" "+s.Arm)+": "+s.Text())
	}
	f.Caption = append(f.Caption, text[1:]...)
	f.frame = f.frameHeight()
	return []Figure{f}, nil
}

func scalingOf(r *analysis.Report, s analysis.Scaling) plot.Plotter {
	l := armLook(r, s.Arm)
	return drawing(func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		group(c, s.Arm, func() {
			if u := s.Fit; u != nil {
				const steps = 200
				first, last := s.Points[0].N, s.Points[len(s.Points)-1].N
				var xys plotter.XYs
				for i := range steps + 1 {
					n := first + (last-first)*float64(i)/steps
					xys = append(xys, plotter.XY{X: n, Y: u.At(n)})
				}
				(&plotter.Line{XYs: xys, LineStyle: l.line()}).Plot(c, p)
			}
			for _, x := range s.Points {
				at := vg.Point{X: tx(x.N), Y: ty(x.Throughput.Value)}
				if i := x.Throughput.Interval; i != nil {
					thin := draw.LineStyle{Color: l.color, Width: vg.Points(1)}
					c.StrokeLine2(thin, at.X, ty(math.Max(0, i.Lo)), at.X, ty(i.Hi))
				}
				c.DrawGlyph(l.mark(3.5), at)
			}
			if s.Peak > 0 {
				c.DrawGlyph(ring(l.color), vg.Point{X: tx(s.Peak), Y: ty(s.Fit.At(s.Peak))})
			}
		})
	})
}
