package plots

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/shardlab/shardlab/analysis"
)

// Trend is every arm's ratio to the reference over the runs of a scenario, a row of panels for each point, throughput and CPU per
// operation side by side. Ratios within runs may be compared over months and machines; absolute times may not.
func Trend(d Data) ([]Figure, error) {
	var points []analysis.TrendPoint
	if d.Trend != nil {
		points = d.Trend()
	}
	slices.SortStableFunc(points, func(a, b analysis.TrendPoint) int {
		return cmp.Or(cmp.Compare(a.Started.UnixNano(), b.Started.UnixNano()), cmp.Compare(a.Run, b.Run))
	})
	var runs []analysis.TrendPoint // the first point of each
	index := map[string]int{}
	reach := math.Log(1.1)
	for _, p := range points {
		if _, ok := index[p.Run]; !ok {
			index[p.Run] = len(runs)
			runs = append(runs, p)
		}
		reach = max(reach, 1.15*math.Abs(math.Log(p.Ratio.Value)))
	}
	if len(runs) < 2 {
		return nil, Unfit("a trend needs two runs of the scenario with a second arm in the same folder: run it again at another revision")
	}
	r := d.Report
	f := Figure{Name: "trend", Title: "Ratio to " + r.Reference + " over runs", width: 10 * vg.Inch}
	for i, p := range r.Points {
		var panels []*plot.Plot
		for _, m := range []analysis.Metric{analysis.Throughput, analysis.ServerCPU} {
			name := "throughput"
			if m == analysis.ServerCPU {
				name = "server CPU/op"
			}
			pl := newPlot(name + "  " + p.Point.Label)
			pl.X.Min, pl.X.Max = -0.5, float64(len(runs))-0.5
			pl.Y.Min, pl.Y.Max = -min(reach, math.Log(16)), min(reach, math.Log(16))
			pl.Y.Tick.Marker = ratioTicks{}
			pl.X.Tick.Marker = runTicks(runs)
			if endsPage(i, len(r.Points), groupsPerPage) {
				pl.X.Label.Text = "run, by revision"
			}
			if m == analysis.Throughput {
				pl.Y.Label.Text = "ratio to " + r.Reference
			}
			pl.Add(horizontalGrid{pl.Y.Tick.Marker}, trendOf(r, runs, index, points, p.Point.Label, m))
			panels = append(panels, pl)
		}
		f.panels = append(f.panels, panels)
		f.rows = append(f.rows, vg.Points(230))
	}
	for _, e := range legendOf(r, r.Points) {
		if e.arm != r.Reference {
			f.legend = append(f.legend, e)
		}
	}
	f.Caption = d.caption("Points: geometric mean of the blocks' ratios of one run. Whiskers: 95 % interval, paired by block, from 6 blocks on. " +
		"Dashed uprights: another kind of machine from here on (env_key).")
	for _, c := range analysis.Creeps(points) {
		f.Caption = append([]string{fmt.Sprintf("Creep: %s of %s %s went from %.3f to %.3f: 5 of the last 7 runs lie more than 3 %% from those before.",
			c.Metric, c.Point, c.Arm, c.Before, c.Now)}, f.Caption...)
	}
	f.frame = f.frameHeight()
	return f.pages(groupsPerPage), nil
}

func runTicks(runs []analysis.TrendPoint) plot.ConstantTicks {
	var ticks []plot.Tick
	step := max(1, (len(runs)+5)/6)
	for i := range runs {
		t := plot.Tick{Value: float64(i)}
		if i%step == 0 {
			t.Label = fmt.Sprintf("%.7s", cmp.Or(runs[i].Revision, "unknown"))
		}
		ticks = append(ticks, t)
	}
	return ticks
}

func trendOf(r *analysis.Report, runs []analysis.TrendPoint, index map[string]int, points []analysis.TrendPoint, at string,
	m analysis.Metric) plot.Plotter {
	return drawing(func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		y := func(v float64) vg.Length { return ty(max(p.Y.Min, min(p.Y.Max, math.Log(v)))) }
		c.StrokeLine2(draw.LineStyle{Color: ink, Width: vg.Points(0.8)}, c.Min.X, ty(0), c.Max.X, ty(0))
		for i := 1; i < len(runs); i++ {
			if runs[i].EnvKey != runs[i-1].EnvKey {
				x := tx(float64(i) - 0.5)
				c.StrokeLine2(draw.LineStyle{Color: ink, Width: vg.Points(0.8), Dashes: []vg.Length{3, 3}}, x, c.Min.Y, x, c.Max.Y)
			}
		}
		for _, arm := range r.Arms {
			l := armLook(r, arm)
			group(c, arm, func() {
				var line []vg.Point
				for _, q := range points {
					if q.Arm != arm || q.Point != at || q.Metric != m {
						continue
					}
					pt := vg.Point{X: tx(float64(index[q.Run])), Y: y(q.Ratio.Value)}
					if i := q.Ratio.Interval; i != nil {
						c.StrokeLine2(draw.LineStyle{Color: l.color, Width: vg.Points(1)}, pt.X, y(i.Lo), pt.X, y(i.Hi))
					}
					c.DrawGlyph(l.mark(3), pt)
					line = append(line, pt)
				}
				if len(line) > 1 {
					c.StrokeLines(l.line(), line)
				}
			})
		}
	})
}
