package plots

import (
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/results"
)

// series is one quantity over time.
type series struct {
	label string
	value func(s *results.Slice) float64
	scale func(top float64) analysis.Scale
	shown func(lines []moment) bool // nil: always
}

// moment is a slice, or a second of a load, at its place in time.
type moment struct {
	at float64 // seconds since the run's start, or since the load's
	*results.Slice
}

func ones(float64) analysis.Scale { return analysis.Scale{Factor: 1} }

var serieses = []series{
	{"throughput (%s)", func(s *results.Slice) float64 { return analysis.SliceValue(s, analysis.Throughput) },
		func(top float64) analysis.Scale { return analysis.OpsPerSecond.ScaleFor(top) }, nil},
	{"server CPU, cores", func(s *results.Slice) float64 { return float64(s.ServerCPU) / float64(max(1, s.Dur)) }, ones,
		any1(func(s *results.Slice) bool { return s.ServerCPU > 0 })},
	{"client CPU, cores", func(s *results.Slice) float64 { return float64(s.ClientCPU) / float64(max(1, s.Dur)) }, ones, nil},
	{"steal, ticks", func(s *results.Slice) float64 { return float64(s.Steal) }, ones,
		any1(func(s *results.Slice) bool { return s.Steal > 0 })},
	{"collections", func(s *results.Slice) float64 { return float64(s.GCCycles) }, ones,
		any1(func(s *results.Slice) bool { return s.GCCycles > 0 })},
}

func any1(is func(s *results.Slice) bool) func([]moment) bool {
	return func(lines []moment) bool {
		for _, m := range lines {
			if is(m.Slice) {
				return true
			}
		}
		return false
	}
}

// OverTime is throughput, processor time and what disturbs them over time, from zero: a panel for each, a figure for each point.
func OverTime(d Data) ([]Figure, error) {
	var figures []Figure
	for _, p := range d.Report.Points {
		lines := moments(d, p.Point.Label)
		if len(lines) < 2 {
			continue
		}
		f := timeFigure(d, p, lines)
		figures = withNext(figures, f)
	}
	if len(figures) == 0 {
		return nil, Unfit("a figure over time needs two slices of a point, or a load of two seconds with --out")
	}
	return figures, nil
}

func moments(d Data, point string) (out []moment) {
	if len(d.Seconds) > 0 {
		for i := range d.Seconds {
			if s := &d.Seconds[i]; !s.Tail {
				out = append(out, moment{float64(s.T+s.Dur/2-d.Seconds[0].T) / 1e9, &s.Slice})
			}
		}
		return out
	}
	for i := range d.Run.Slices {
		if s := &d.Run.Slices[i]; s.Point == point {
			out = append(out, moment{float64(s.T+s.Dur/2) / 1e9, s})
		}
	}
	return out
}

func timeFigure(d Data, p analysis.PointReport, lines []moment) Figure {
	f := Figure{Name: "time", Title: "Over time · " + pointTitle(p), width: 10 * vg.Inch}
	left, right := lines[0].at, lines[0].at
	for _, m := range lines {
		left, right = min(left, m.at), max(right, m.at)
	}
	if left < 0.1*right {
		left = 0
	}
	var shown []series
	for _, s := range serieses {
		if s.shown == nil || s.shown(lines) {
			shown = append(shown, s)
		}
	}
	for i, s := range shown {
		pl := newPlot("")
		top := 0.0
		for _, m := range lines {
			top = max(top, s.value(m.Slice))
		}
		scale := s.scale(top)
		pl.X.Min, pl.X.Max = left, right+(right-left)*0.01+1e-9
		pl.Y.Min, pl.Y.Max = 0, max(top*1.05, scale.Factor)
		pl.X.Tick.Marker, pl.Y.Tick.Marker = linearTicks{analysis.Scale{Factor: 1}}, linearTicks{scale}
		pl.Y.Label.Text = s.label
		if scale.Name != "" {
			pl.Y.Label.Text = fmt.Sprintf(s.label, scale.Name)
		}
		if i == len(shown)-1 {
			pl.X.Label.Text = "time since the start, s"
		} else {
			pl.X.Tick.Marker = unlabelled{pl.X.Tick.Marker}
		}
		pl.Add(horizontalGrid{pl.Y.Tick.Marker}, timeDots(d, s, lines))
		f.panels = append(f.panels, []*plot.Plot{pl})
		f.rows = append(f.rows, vg.Points(125))
	}
	f.legend = legendOf(d.Report, []analysis.PointReport{p})
	for i := range f.legend {
		f.legend[i].bare = true // all points are small dots
	}
	f.Caption = d.caption("Points: slices, or seconds of a load, where they lie in time; those of an arm's block are joined. Crosses: void " +
		"slices. All axes of quantities begin at zero. No band.")
	f.frame = f.frameHeight()
	return f
}

func timeDots(d Data, s series, lines []moment) plot.Plotter {
	return drawing(func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		for _, arm := range d.Report.Arms {
			l := armLook(d.Report, arm)
			thin := draw.LineStyle{Color: l.tint(0.6), Width: vg.Points(0.8), Dashes: l.dash}
			group(c, arm, func() {
				var line []vg.Point
				block := -1
				flush := func() {
					if len(line) > 1 {
						c.StrokeLines(thin, line)
					}
					line = nil
				}
				for _, m := range lines {
					if m.Arm != arm {
						continue
					}
					if m.Block != block {
						flush()
						block = m.Block
					}
					pt := vg.Point{X: tx(m.at), Y: ty(s.value(m.Slice))}
					if !m.Valid {
						c.DrawGlyph(draw.GlyphStyle{Color: l.color, Radius: 3, Shape: draw.CrossGlyph{}}, pt)
						continue
					}
					line = append(line, pt)
					c.DrawGlyph(draw.GlyphStyle{Color: l.color, Radius: 1.6, Shape: draw.CircleGlyph{}}, pt)
				}
				flush()
			})
		}
	})
}
