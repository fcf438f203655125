package plots

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/shardlab/shardlab/analysis"
)

// ErrClosedLoop says that a run has no offered rate to plot against. In a closed loop the server sets the rate.
const ErrClosedLoop = Unfit("latency against rate needs an open-loop run: sweep load.rate")

// metRate is the share of the offered rate that counts as met, as for the verdict.
const metRate = 0.99

// groupsPerPage bounds a figure's height to that of a sheet of paper.
const groupsPerPage = 3

// LatencyByRate is the response time against the achieved rate, a column of panels for each quantile and a row for each
// combination of the other swept parameters. Points are joined in the order of the offered rate: beyond saturation an
// arm achieves no more, and its line folds back or rises.
func LatencyByRate(r *analysis.Report, environment string) ([]Figure, error) {
	groups := rateGroups(r)
	if len(groups) == 0 {
		if len(r.Points) == 0 {
			return nil, ErrNoData
		}
		return nil, ErrClosedLoop
	}
	metrics := []analysis.Metric{analysis.P50, analysis.P99, analysis.P999}
	var ys []float64
	right := 0.0
	for _, g := range groups {
		for _, c := range rateCurves(r, g.points, metrics...) {
			for _, p := range c.points {
				ys = append(ys, p.lo, p.hi)
				right = max(right, p.x)
			}
		}
	}
	lo, hi := logRange(ys)
	f := Figure{Name: "latency-rate", Title: "Response time against rate", width: 10 * vg.Inch}
	var all []analysis.PointReport
	scale := analysis.OpsPerSecond.ScaleFor(right)
	for i, g := range groups {
		all = append(all, g.points...)
		row := make([]*plot.Plot, len(metrics))
		for k, m := range metrics {
			pl := logPanel(strings.TrimSpace(string(m)+"  "+g.name), lo, hi, k == 0)
			pl.X.Min, pl.X.Max = 0, max(1, right*1.06)
			pl.X.Tick.Marker = linearTicks{scale}
			if endsPage(i, len(groups), groupsPerPage) {
				pl.X.Label.Text = "achieved rate, operations (" + scale.Name + ")"
			}
			if k == 0 {
				pl.Y.Label.Text = "response time, " + g.loop()
			}
			pl.Add(verticalGrid{pl.X.Tick.Marker}, horizontalGrid{logTicks{}},
				curves(rateCurves(r, g.points, m)))
			row[k] = pl
		}
		f.panels = append(f.panels, row)
		f.rows = append(f.rows, vg.Points(310))
	}
	met := fmt.Sprintf("last rate met (≥ %.0f %%)", metRate*100)
	f.legend = append(legendOf(r, all), entry{label: met, ring: true})
	f.frame = vg.Points(150)
	f.Caption = caption(r, environment, "Points: median of the blocks, joined in the order of the offered rate. "+
		"Whiskers: at least 95 % interval of the median, from 6 blocks on. Ring: the last point that achieved 99 % of "+
		"the offered rate. A quantile without 10/(1-q) samples in every block is not drawn.")
	return f.pages(groupsPerPage), nil
}

// rateGroup is the points that differ in their rate only, in its order.
type rateGroup struct {
	name   string
	points []analysis.PointReport
}

// loop is what stands on the axis: the loop with its arrival law, without the rate.
func (g rateGroup) loop() string {
	_, law, _ := strings.Cut(g.points[0].Load, "/s")
	return "open loop" + law
}

func rateGroups(r *analysis.Report) (groups []rateGroup) {
	for _, p := range r.Points {
		if p.Point.Mode != "open" || p.Point.RateTo > 0 { // a ramp is of no one rate
			continue
		}
		step := "rate-" + strconv.FormatFloat(p.Point.Rate, 'f', -1, 64) // what a step of the rate is called
		var name []string
		for _, param := range p.Point.Params {
			if param.Name != "rate" && !(param.Name == "phase" && param.Value == step) {
				name = append(name, param.Name+"="+param.Value)
			}
		}
		n := strings.Join(name, ",")
		i := slices.IndexFunc(groups, func(g rateGroup) bool { return g.name == n })
		if i < 0 {
			i = len(groups)
			groups = append(groups, rateGroup{name: n})
		}
		groups[i].points = append(groups[i].points, p)
	}
	for _, g := range groups {
		slices.SortStableFunc(g.points, func(a, b analysis.PointReport) int {
			return cmp.Compare(a.Point.Rate, b.Point.Rate)
		})
	}
	return groups
}

// ratePoint is one rate of one arm; lo and hi are its interval, or its value twice.
type ratePoint struct {
	x, y, lo, hi float64
	met          bool
}

type curve struct {
	arm    string
	look   look
	points []ratePoint // in the order of the offered rate
}

// rateCurves is a curve for every arm and metric that has points.
func rateCurves(r *analysis.Report, points []analysis.PointReport, metrics ...analysis.Metric) (out []curve) {
	for _, m := range metrics {
		for _, arm := range r.Arms {
			c := curve{arm: arm, look: armLook(r, arm)}
			for _, p := range points {
				for _, row := range p.Rows {
					rate, lat := row.Cells[analysis.Throughput].Estimate, row.Cells[m].Estimate
					if row.Arm != arm || rate == nil || lat == nil {
						continue
					}
					rp := ratePoint{x: rate.Value, y: lat.Value, lo: lat.Value, hi: lat.Value,
						met: rate.Value >= metRate*p.Point.Rate}
					if lat.Interval != nil {
						rp.lo, rp.hi = lat.Interval.Lo, lat.Interval.Hi
					}
					c.points = append(c.points, rp)
				}
			}
			if len(c.points) > 0 {
				out = append(out, c)
			}
		}
	}
	return out
}

type curves []curve

// Plot implements plot.Plotter.
func (cs curves) Plot(c draw.Canvas, p *plot.Plot) {
	for _, cv := range cs {
		group(c, cv.arm, func() { cv.draw(c, p) })
	}
}

func (cv curve) draw(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	var line []vg.Point
	last := -1
	for i, rp := range cv.points {
		line = append(line, vg.Point{X: tx(rp.x), Y: ty(math.Log10(rp.y))})
		if rp.met {
			last = i
		}
	}
	c.StrokeLines(cv.look.line(), line)
	for i, rp := range cv.points {
		if rp.lo < rp.hi {
			thin := draw.LineStyle{Color: cv.look.color, Width: vg.Points(1)}
			c.StrokeLine2(thin, line[i].X, ty(math.Log10(rp.lo)), line[i].X, ty(math.Log10(rp.hi)))
		}
		c.DrawGlyph(cv.look.mark(3.5), line[i])
	}
	if last >= 0 {
		c.DrawGlyph(ring(cv.look.color), line[last])
	}
}
