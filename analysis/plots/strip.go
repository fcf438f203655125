package plots

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/shardlab/shardlab/analysis"
)

// strip is one arm's bar with the blocks on it.
type strip struct {
	y    float64
	arm  string
	cell analysis.Cell
	look look
}

type strips []strip

// Plot implements plot.Plotter.
func (s strips) Plot(c draw.Canvas, p *plot.Plot) {
	for _, st := range s {
		group(c, st.arm, func() { st.draw(c, p) })
	}
}

func (st strip) draw(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	zero, mid, half := tx(0), ty(st.y), (ty(st.y+0.36) - ty(st.y))
	e := st.cell.Estimate
	if e == nil {
		sty := sans(sizeTick)
		c.FillText(sty, vg.Point{X: zero + 6, Y: mid - sizeTick/3}, "not measured")
		return
	}
	at := tx(e.Value)
	c.FillPolygon(st.look.pale(), []vg.Point{{X: zero, Y: mid - half}, {X: at, Y: mid - half},
		{X: at, Y: mid + half}, {X: zero, Y: mid + half}})
	for i, b := range st.cell.Blocks {
		c.DrawGlyph(draw.GlyphStyle{Color: st.look.color, Radius: 2.2, Shape: draw.CircleGlyph{}},
			vg.Point{X: tx(b.Value), Y: mid + half*vg.Length(0.8*jitter(i))})
	}
	thick := draw.LineStyle{Color: ink, Width: vg.Points(2.2)}
	c.StrokeLine2(thick, at, mid-half, at, mid+half)
	if e.Interval != nil {
		whisker(c, tx(e.Interval.Lo), tx(e.Interval.Hi), mid, half/3)
	}
}

// jitter is the i-th of a sequence in (-1, 1) that spreads evenly however many are taken: multiples of the golden
// ratio.
func jitter(i int) float64 {
	const golden = 0.6180339887498949
	x := (float64(i) + 0.5) * golden
	return 2*(x-float64(int(x))) - 1
}
