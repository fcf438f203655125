package plots

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

var gridLine = draw.LineStyle{Color: faint, Width: vg.Points(0.6)}

// verticalGrid draws a faint line at every labelled tick of the x axis, below everything else.
type verticalGrid struct{ ticks plot.Ticker }

// Plot implements plot.Plotter.
func (g verticalGrid) Plot(c draw.Canvas, p *plot.Plot) {
	tx, _ := p.Transforms(&c)
	for _, t := range g.ticks.Ticks(p.X.Min, p.X.Max) {
		if t.Label != "" {
			c.StrokeLine2(gridLine, tx(t.Value), c.Min.Y, tx(t.Value), c.Max.Y)
		}
	}
}

// horizontalGrid is the same for the y axis.
type horizontalGrid struct{ ticks plot.Ticker }

// Plot implements plot.Plotter.
func (g horizontalGrid) Plot(c draw.Canvas, p *plot.Plot) {
	_, ty := p.Transforms(&c)
	for _, t := range g.ticks.Ticks(p.Y.Min, p.Y.Max) {
		if t.Label != "" {
			c.StrokeLine2(gridLine, c.Min.X, ty(t.Value), c.Max.X, ty(t.Value))
		}
	}
}
