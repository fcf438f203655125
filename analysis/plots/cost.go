package plots

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/shardlab/shardlab/analysis"
)

// The shares of a bar are tints of the arm's colour.
const tintUser, tintSystem, tintCollector = 0.85, 0.45, 0.18

// CostStack is server CPU time per operation by where it is spent, a bar from zero for each arm.
func CostStack(d Data) ([]Figure, error) {
	r := d.Report
	costs := analysis.Costs(r, d.Run.Slices, d.Run.Trials)
	if len(costs) == 0 {
		return nil, Unfit("a cost stack needs a second of server CPU time for each arm, as the kernel counts it: run more or longer slices")
	}
	f := Figure{Name: "cost", Title: "Server CPU time per operation", width: 10 * vg.Inch}
	top := largest(r, analysis.ServerCPU)
	scale := analysis.Nanoseconds.ScaleFor(top)
	page := perPage(r, vg.Points(130), vg.Points(28), pointsPerPage)
	for i, p := range r.Points {
		pl := newPlot(pointTitle(p))
		pl.X.Min, pl.X.Max = 0, max(1, top*1.04)
		pl.X.Tick.Marker = linearTicks{scale}
		if endsPage(i, len(r.Points), page) {
			pl.X.Label.Text = "server CPU time per operation, " + scale.Name
		}
		pl.Y.Min, pl.Y.Max = -0.5, float64(len(p.Rows))-0.5
		pl.Y.Tick.Length = 0
		var ticks []plot.Tick
		pl.Add(verticalGrid{pl.X.Tick.Marker})
		for j, row := range p.Rows {
			y := float64(len(p.Rows) - 1 - j)
			ticks = append(ticks, plot.Tick{Value: y, Label: row.Arm})
			cost, ok := costs[analysis.PointArm{Point: p.Point.Label, Arm: row.Arm}]
			pl.Add(costBar(row, armLook(r, row.Arm), cost, ok, y))
		}
		pl.Y.Tick.Marker = plot.ConstantTicks(ticks)
		f.panels = append(f.panels, []*plot.Plot{pl})
		f.rows = append(f.rows, vg.Length(len(p.Rows))*vg.Points(28)+panelHeight)
	}
	grey := look{color: color.NRGBA{0x33, 0x33, 0x33, 0xFF}}
	f.legend = []entry{{label: "user", fill: grey.tint(tintUser)}, {label: "system", fill: grey.tint(tintSystem)},
		{label: "garbage collector", fill: grey.tint(tintCollector)}}
	f.Caption = d.caption("Bar: median of the blocks, parted by the kernel's ticks over all visits. Whisker: at least 95 % interval of the " +
		"median of the whole, from 6 blocks on. The collector's time is known of Go servers only; elsewhere it is within user.")
	f.frame = f.frameHeight()
	return f.pages(page), nil
}

func costBar(row analysis.Row, l look, cost analysis.Cost, parted bool, y float64) plot.Plotter {
	return drawing(func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		e := row.Cells[analysis.ServerCPU].Estimate
		group(c, row.Arm, func() {
			if e == nil {
				c.FillText(sans(sizeTick), vg.Point{X: tx(0) + 6, Y: ty(y) - sizeTick/3}, "not measured")
				return
			}
			parts := []struct{ share, tint float64 }{{cost.User, tintUser}, {cost.System, tintSystem}, {cost.Collector, tintCollector}}
			if !parted {
				parts = parts[:1]
				parts[0].share = e.Value
			}
			from := 0.0
			for _, part := range parts {
				fillBox(c, vg.Rectangle{Min: vg.Point{X: tx(from), Y: ty(y - 0.34)}, Max: vg.Point{X: tx(from + part.share), Y: ty(y + 0.34)}},
					l.tint(part.tint))
				from += part.share
			}
			if e.Interval != nil {
				whisker(c, tx(e.Interval.Lo), tx(e.Interval.Hi), ty(y), ty(y+0.12)-ty(y))
			}
		})
	})
}

// whisker is a lying interval with ends of half the given height each way.
func whisker(c draw.Canvas, lo, hi, y, half vg.Length) {
	thin := draw.LineStyle{Color: ink, Width: vg.Points(1)}
	c.StrokeLine2(thin, lo, y, hi, y)
	c.StrokeLine2(thin, lo, y-half, lo, y+half)
	c.StrokeLine2(thin, hi, y-half, hi, y+half)
}
