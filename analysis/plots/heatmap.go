package plots

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/results"
)

// heatBins are rows of a heat map per decade of latency.
const heatBins = 25

// heat is one arm's columns at one point.
type heat struct {
	arm     string
	columns []results.Interval
}

// HeatMap is response times over time: a column a second of a load, or a block of a run, colour by the logarithm of the count; a
// panel for each arm, a figure for each point.
func HeatMap(d Data) ([]Figure, error) {
	var figures []Figure
	for _, p := range d.Report.Points {
		var maps []heat
		for _, row := range p.Rows {
			columns, err := d.Intervals(p.Point.Label, row.Arm)
			if err != nil {
				continue // a row without a log, as an arm that never came to a block's end
			}
			if n := wholeSeconds(d.Seconds); n > 0 && len(columns) > n {
				columns = columns[:n] // without the tail: what came in after the end
			}
			if len(columns) >= 2 {
				maps = append(maps, heat{row.Arm, columns})
			}
		}
		if len(maps) == 0 {
			continue
		}
		f := heatFigure(d, p, maps)
		figures = withNext(figures, f)
	}
	if len(figures) == 0 {
		return nil, Unfit("a heat map needs two histograms of an arm: a run of two blocks, or a load of two seconds with --out")
	}
	return figures, nil
}

func wholeSeconds(seconds []results.Second) (n int) {
	for i := range seconds {
		if !seconds[i].Tail {
			n++
		}
	}
	return n
}

func heatFigure(d Data, p analysis.PointReport, maps []heat) Figure {
	var ys []float64
	most, per := int64(1), "block"
	if len(d.Seconds) > 0 {
		per = "second"
	}
	for _, m := range maps {
		for _, c := range m.columns {
			ys = append(ys, float64(max(1, c.Histogram.Min())), float64(c.Histogram.Max()))
		}
	}
	lo, hi := logRange(ys)
	for _, m := range maps {
		for _, c := range m.columns {
			for _, n := range heatColumn(c, math.Log10(lo), math.Log10(hi)) {
				most = max(most, n)
			}
		}
	}
	f := Figure{Name: "heatmap", Title: "Response time over time · " + pointTitle(p), width: 10 * vg.Inch, frame: vg.Points(140)}
	cols := min(2, len(maps))
	var panels []*plot.Plot
	for i, m := range maps {
		pl := logPanel(m.arm, lo, hi, i%cols == 0)
		pl.X.Min, pl.X.Max = 0, float64(len(m.columns))
		pl.X.Tick.Marker = blockTicks{}
		pl.X.Label.Text = per
		if i%cols == 0 {
			pl.Y.Label.Text = "response time"
		}
		pl.Add(heatOf(m, d.Seconds, most))
		panels = append(panels, pl)
	}
	f.panels = inRows(panels, cols)
	for range f.panels {
		f.rows = append(f.rows, vg.Points(230))
	}
	for _, share := range []float64{0, 0.5, 1} {
		n := math.Round(math.Pow(float64(most), share))
		f.legend = append(f.legend, entry{label: strings.TrimSuffix(analysis.FormatSI(n), ".00"), fill: heatColour(share)})
	}
	f.legend[len(f.legend)-1].label += " requests a cell"
	marks := fmt.Sprintf("Colour: requests of a %s in a cell, %d cells a decade, on a logarithmic scale. ", per, heatBins)
	if len(d.Seconds) > 0 {
		marks += "Triangles on top: seconds in which the server's collector ran, where it is known. "
	}
	f.Caption = d.caption(marks + "No band.")
	return f
}

// heatColumn counts the samples of one column by row.
func heatColumn(c results.Interval, lo, hi float64) []int64 {
	out := make([]int64, max(1, int(math.Ceil((hi-lo)*heatBins))))
	for _, b := range c.Histogram.Distribution() {
		if b.Count == 0 {
			continue
		}
		k := int((math.Log10((float64(b.From)+float64(max(b.To, 1)))/2) - lo) * heatBins)
		out[max(0, min(k, len(out)-1))] += b.Count
	}
	return out
}

// heatColour goes from pale yellow over orange and red to black: monotone in lightness, so that it reads without colour.
func heatColour(share float64) color.NRGBA {
	stops := []color.NRGBA{{0xFF, 0xF3, 0xC4, 0xFF}, {0xF9, 0xB5, 0x4C, 0xFF}, {0xD5, 0x5E, 0x00, 0xFF}, {0x7A, 0x1F, 0x4B, 0xFF},
		{0x1B, 0x0B, 0x2E, 0xFF}}
	at := max(0, min(1, share)) * float64(len(stops)-1)
	i := min(int(at), len(stops)-2)
	t := at - float64(i)
	mix := func(a, b uint8) uint8 { return uint8(float64(a) + t*(float64(b)-float64(a)) + 0.5) }
	a, b := stops[i], stops[i+1]
	return color.NRGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 0xFF}
}

// heatOf draws an image: cells as vectors would be tens of thousands of paths.
func heatOf(m heat, seconds []results.Second, most int64) plot.Plotter {
	return drawing(func(c draw.Canvas, p *plot.Plot) {
		const px = 6 // pixels a cell at least, so that viewers that smooth an image leave cells whole
		tx, _ := p.Transforms(&c)
		var img *image.NRGBA
		scale := math.Log(float64(most) + 1)
		for x, col := range m.columns {
			counts := heatColumn(col, p.Y.Min, p.Y.Max)
			wide := max(1, 600/len(m.columns))
			if img == nil {
				img = image.NewNRGBA(image.Rect(0, 0, wide*len(m.columns), px*len(counts)))
			}
			for y, n := range counts {
				if n == 0 {
					continue
				}
				fill := heatColour(math.Log(float64(n)) / scale)
				for i := range wide {
					for j := range px {
						img.SetNRGBA(x*wide+i, px*(len(counts)-1-y)+j, fill)
					}
				}
			}
		}
		group(c, m.arm, func() {
			c.DrawImage(c.Rectangle, img)
			for i, s := range seconds {
				if s.GCCycles > 0 && i < len(m.columns) {
					c.DrawGlyph(draw.GlyphStyle{Color: ink, Radius: 3, Shape: draw.PyramidGlyph{}},
						vg.Point{X: tx(float64(i) + 0.5), Y: c.Max.Y - 3})
				}
			}
		})
	})
}
