package plots

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/analysis/gate"
)

// Trend is every arm's ratio to the reference over the runs of a scenario, a row of panels for each point, throughput and CPU per
// operation side by side. Ratios within runs may be compared over months and machines; absolute times may not.
func Trend(d Data) ([]Figure, error) {
	var points []analysis.TrendPoint
	if d.Trend != nil {
		points = d.Trend()
	}
	t := newTimeline(points)
	if len(t.runs) < 2 {
		return nil, Unfit("a trend needs two runs of the scenario with a second arm in the same folder: run it again at another revision")
	}
	r := d.Report
	f := Figure{Name: "trend", Title: "Ratio to " + r.Reference + " over runs", width: 10 * vg.Inch}
	for i, p := range r.Points {
		var panels []*plot.Plot
		for _, m := range []analysis.Metric{analysis.Throughput, analysis.ServerCPU} {
			pl := t.panel(m.Title() + "  " + p.Point.Label)
			if endsPage(i, len(r.Points), groupsPerPage) {
				pl.X.Label.Text = "run, by revision"
			}
			if m == analysis.Throughput {
				pl.Y.Label.Text = "ratio to " + r.Reference
			}
			for _, arm := range r.Arms {
				pl.Add(grouped(arm, t.line(armLook(r, arm), nil, func(q analysis.TrendPoint) bool {
					return q.Arm == arm && q.Point == p.Point.Label && q.Metric == m
				})))
			}
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
		f.Caption = append([]string{fmt.Sprintf("Creep: %s of %s %s went from %.3f to %.3f: %d of the last %d runs lie more than %.3g %% from those before.",
			c.Metric, c.Point, c.Arm, c.Before, c.Now, c.Beyond, c.Of, 100*analysis.TrendFloor)}, f.Caption...)
	}
	f.frame = f.frameHeight()
	return f.pages(groupsPerPage), nil
}

// AnchorTrend is the ratios of a record of gates to their anchor, a panel for each scenario and metric, all with one axis.
func AnchorTrend(points []analysis.TrendPoint) ([]Figure, error) {
	t := newTimeline(points)
	if len(t.runs) < 2 {
		return nil, Unfit("a trend needs two gates in its record: shardlab gate --trend appends one")
	}
	type subject struct {
		point  string
		metric analysis.Metric
	}
	creeps := analysis.Creeps(points)
	var panels []*plot.Plot
	var seen []subject
	for _, s := range analysis.TrendSeriesOf(points) {
		is := subject{s.Point, s.Metric}
		if slices.Contains(seen, is) {
			continue
		}
		seen = append(seen, is)
		pl := t.panel(s.Point + "  " + gate.Metric(s.Metric).Title())
		pl.Add(drawing(func(c draw.Canvas, p *plot.Plot) { // below the lines, with the grid above it
			_, ty := p.Transforms(&c)
			fillBox(c, vg.Rectangle{Min: vg.Point{X: c.Min.X, Y: ty(-math.Log1p(analysis.TrendFloor))},
				Max: vg.Point{X: c.Max.X, Y: ty(math.Log1p(analysis.TrendFloor))}}, bandColour)
			t.marks(c, p)
		}))
		for _, s := range analysis.TrendSeriesOf(points) {
			if (subject{s.Point, s.Metric}) != is {
				continue
			}
			i := slices.IndexFunc(creeps, func(c analysis.Creep) bool {
				return c.Point == s.Point && c.Metric == s.Metric && c.Anchor == s.Anchor && c.EnvKey == s.EnvKey
			})
			var special func(analysis.TrendPoint) bool
			if i >= 0 {
				last := s.Last()
				special = func(q analysis.TrendPoint) bool {
					return creeps[i].Holds(q.Ratio) && slices.ContainsFunc(last, func(l analysis.TrendPoint) bool { return l.Run == q.Run })
				}
			}
			pl.Add(t.line(anchorLook, special, func(q analysis.TrendPoint) bool {
				return q.Point == s.Point && q.Metric == s.Metric && q.Anchor == s.Anchor && q.EnvKey == s.EnvKey
			}))
		}
		panels = append(panels, pl)
	}
	const columns, rowsOnPage = 2, 4
	f := Figure{Name: "trend", Title: "Ratio to the anchor over gates of the main branch", width: 10 * vg.Inch, panels: inRows(panels, columns)}
	for i, row := range f.panels {
		f.rows = append(f.rows, vg.Points(210))
		row[0].Y.Label.Text = "ratio to the anchor"
		for k, pl := range row {
			if pl != nil && (endsPage(i, len(f.panels), rowsOnPage) || f.panels[i+1][k] == nil) { // nothing stands below it
				pl.X.Label.Text = "gate, by revision"
			}
		}
	}
	f.legend = []entry{{label: "one gate, 99 % interval", look: anchorLook, line: true}, {label: "within 3 % of the anchor", fill: bandColour}}
	if len(creeps) > 0 {
		f.legend = append(f.legend, entry{label: "of a creep, beyond 3 %", ring: true})
	}
	f.Caption = append(t.adviceCaption(creeps), t.anchorCaption()...)
	f.frame = f.frameHeight()
	return f.pages(rowsOnPage), nil
}

var (
	bandColour = color.NRGBA{0xEE, 0xF3, 0xF7, 0xFF}
	anchorLook = look{colours[0], nil, draw.CircleGlyph{}}
)

func (t *timeline) adviceCaption(creeps []analysis.Creep) (out []string) {
	for i := range creeps {
		out = append(out, "Creep: "+gate.Advice(&creeps[i])+".")
	}
	return out
}

func (t *timeline) anchorCaption() []string {
	from, to := t.runs[0], t.runs[len(t.runs)-1]
	lo, hi := to.Ratio.N, to.Ratio.N
	for _, p := range t.points {
		lo, hi = min(lo, p.Ratio.N), max(hi, p.Ratio.N)
	}
	n := fmt.Sprintf("n = %d", lo)
	if hi > lo {
		n += fmt.Sprintf(" to %d", hi)
	}
	return []string{
		"Points: geometric mean of the blocks' ratios head over anchor, on a logarithmic axis. Whiskers: 99 % interval of Student's t. Lines join what may be " +
			"compared. Uprights: another kind of machine (env_key, dashed) or another anchor (solid) from here on.",
		fmt.Sprintf("%d gates, %s to %s · newest revision %s · anchor %s · env_key %.8s · %s blocks, each a fresh process", len(t.runs),
			from.Started.UTC().Format(time.DateOnly), to.Started.UTC().Format(time.DateOnly), analysis.ShortRevision(to.Revision),
			analysis.ShortRevision(to.Anchor), to.EnvKey, n),
	}
}

// timeline is the runs of a trend side by side, in the order of time.
type timeline struct {
	points []analysis.TrendPoint // by time
	runs   []analysis.TrendPoint // the first point of each
	index  map[string]int        // of a run
	reach  float64               // of the axis from 1 to either side, as a log
}

func newTimeline(points []analysis.TrendPoint) *timeline {
	t := &timeline{points: slices.Clone(points), index: map[string]int{}, reach: math.Log(1.1)}
	analysis.SortTrend(t.points)
	for _, p := range t.points {
		if _, ok := t.index[p.Run]; !ok {
			t.index[p.Run] = len(t.runs)
			t.runs = append(t.runs, p)
		}
		t.reach = max(t.reach, 1.15*math.Abs(math.Log(p.Ratio.Value)))
	}
	t.reach = min(t.reach, math.Log(16))
	return t
}

// panel is an empty one with the axes of all.
func (t *timeline) panel(title string) *plot.Plot {
	pl := newPlot(title)
	pl.X.Min, pl.X.Max = -0.5, float64(len(t.runs))-0.5
	pl.Y.Min, pl.Y.Max = -t.reach, t.reach
	pl.Y.Tick.Marker = ratioTicks{}
	pl.X.Tick.Marker = t.ticks()
	pl.Add(drawing(t.marks))
	return pl
}

// marks are the grid, the line of no difference, and uprights where what follows may not be compared with what was before.
func (t *timeline) marks(c draw.Canvas, p *plot.Plot) {
	horizontalGrid{p.Y.Tick.Marker}.Plot(c, p)
	tx, ty := p.Transforms(&c)
	c.StrokeLine2(draw.LineStyle{Color: ink, Width: vg.Points(0.8)}, c.Min.X, ty(0), c.Max.X, ty(0))
	for i := 1; i < len(t.runs); i++ {
		style := draw.LineStyle{Color: ink, Width: vg.Points(0.8)}
		switch was, is := t.runs[i-1], t.runs[i]; {
		case is.Anchor != was.Anchor:
			style.Width = vg.Points(1.4)
		case is.EnvKey != was.EnvKey:
			style.Dashes = []vg.Length{3, 3}
		default:
			continue
		}
		x := tx(float64(i) - 0.5)
		c.StrokeLine2(style, x, c.Min.Y, x, c.Max.Y)
	}
}

func (t *timeline) ticks() plot.ConstantTicks {
	var ticks []plot.Tick
	step := max(1, (len(t.runs)+5)/6)
	for i := range t.runs {
		tick := plot.Tick{Value: float64(i)}
		if i%step == 0 {
			tick.Label = analysis.ShortRevision(t.runs[i].Revision)
		}
		ticks = append(ticks, tick)
	}
	return ticks
}

// line joins the points that are of it, with their intervals and a ring around the special ones; nil: none is.
func (t *timeline) line(l look, special, of func(analysis.TrendPoint) bool) plot.Plotter {
	return drawing(func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		y := func(v float64) vg.Length { return ty(max(p.Y.Min, min(p.Y.Max, math.Log(v)))) }
		var line []vg.Point
		for _, q := range t.points {
			if !of(q) {
				continue
			}
			pt := vg.Point{X: tx(float64(t.index[q.Run])), Y: y(q.Ratio.Value)}
			if i := q.Ratio.Interval; i != nil {
				c.StrokeLine2(draw.LineStyle{Color: l.color, Width: vg.Points(1)}, pt.X, y(i.Lo), pt.X, y(i.Hi))
			}
			c.DrawGlyph(l.mark(3), pt)
			if special != nil && special(q) {
				c.DrawGlyph(ring(ink), pt)
			}
			line = append(line, pt)
		}
		if len(line) > 1 {
			c.StrokeLines(l.line(), line)
		}
	})
}
