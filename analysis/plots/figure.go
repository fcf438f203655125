package plots

import (
	"fmt"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/shardlab/shardlab/analysis"
)

// Figure is a page of panels that share their axes, with a title, a legend and a caption around them.
type Figure struct {
	Name    string // file name without extension
	Title   string
	Caption []string // paragraphs

	width  vg.Length
	frame  vg.Length // height of what is not panels
	legend []entry
	panels [][]*plot.Plot // rows of equal length; nil where a row is not full
	rows   []vg.Length    // their heights
}

func (f Figure) height() vg.Length {
	h := f.frame
	for _, r := range f.rows {
		h += r
	}
	return h
}

// frameHeight is what title, legend and caption take.
func (f Figure) frameHeight() vg.Length {
	width := f.width - 2*margin
	h := vg.Length(2*margin + 1.8*sizeTitle + 20)
	lines := 0
	for _, p := range f.Caption {
		lines += len(wrapText(sans(sizeCaption), p, width))
	}
	h += vg.Length(lines) * sizeCaption * lineHeight
	x := vg.Length(0)
	for i, e := range f.legend {
		w := swatch + 6 + sans(sizeLabel).Width(e.label)
		if i == 0 || x+w > width {
			x = 0
			h += sizeLabel * 1.6
		}
		x += w + legendGap
	}
	return h
}

// pages cuts a figure into several of at most perPage rows: a long sweep would be an image that no viewer opens. Axes
// stay those of the whole.
func (f Figure) pages(perPage int) []Figure {
	n := (len(f.panels) + perPage - 1) / perPage
	if n <= 1 {
		return []Figure{f}
	}
	var out []Figure
	for k := range n {
		p := f
		from, to := k*perPage, min((k+1)*perPage, len(f.panels))
		p.panels, p.rows = f.panels[from:to], f.rows[from:to]
		p.Title = fmt.Sprintf("%s (%d of %d)", f.Title, k+1, n)
		if k > 0 {
			p.Name = fmt.Sprintf("%s-%d", f.Name, k+1)
		}
		out = append(out, p)
	}
	return out
}

// sheet is the height of a figure that fills a sheet of paper (A4) when it is printed as wide as that.
const sheet = 1050

// perPage is how many rows of so many arms, each armHeight high, a page may have beside a frame: a sheet's, but no more than most.
func perPage(r *analysis.Report, frame, armHeight vg.Length, most int) int {
	row := vg.Length(0)
	for _, p := range r.Points {
		row = max(row, vg.Length(len(p.Rows))*armHeight+panelHeight)
	}
	return max(1, min(most, int((sheet-frame)/row)))
}

// panelHeight is what title and axis take of a panel with a row for each arm.
const panelHeight = 52

// endsPage says whether row i of n is the last of its page, which carries the labels of a shared axis.
func endsPage(i, n, perPage int) bool { return i == n-1 || i%perPage == perPage-1 }

// entry is one item of the legend, which stands above the panels: over the data it would hide some.
type entry struct {
	label string
	look  look
	line  bool
	bare  bool // a line without glyphs
	ring  bool // the mark of a special point, not of an arm
	arm   string
	fill  color.Color // a box of it, in place of line and glyph
	hatch bool        // the box is hatched
}

const (
	margin     = 12 // points, around everything
	lineHeight = 1.3
	swatch     = 34 // length of a line in the legend
	legendGap  = 20 // between its entries
)

// draw fills the canvas.
func (f Figure) draw(c draw.Canvas) {
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	c = draw.Crop(c, margin, -margin, margin, -margin)

	title := bold(sizeTitle)
	y := c.Max.Y - sizeTitle
	c.FillText(title, vg.Point{X: c.Min.X, Y: y}, f.Title)
	y -= sizeTitle * 0.8
	y = f.drawLegend(c, y)

	caption := sans(sizeCaption)
	var lines []string
	for _, p := range f.Caption {
		lines = append(lines, wrapText(caption, p, c.Max.X-c.Min.X)...)
	}
	bottom := c.Min.Y + vg.Length(len(lines))*sizeCaption*lineHeight
	for i, l := range lines {
		c.FillText(caption, vg.Point{X: c.Min.X, Y: bottom - vg.Length(i+1)*sizeCaption*lineHeight + 2}, l)
	}
	f.drawPanels(draw.Crop(c, 0, 0, bottom-c.Min.Y+8, y-c.Max.Y))
}

// drawLegend sets the entries side by side in as many lines as they need, below y, and returns where they end.
func (f Figure) drawLegend(c draw.Canvas, y vg.Length) vg.Length {
	if len(f.legend) == 0 {
		return y
	}
	sty := sans(sizeLabel)
	const row = sizeLabel * 1.6
	x := c.Min.X
	y -= row
	for _, e := range f.legend {
		w := swatch + 6 + sty.Width(e.label)
		if x > c.Min.X && x+w > c.Max.X {
			x, y = c.Min.X, y-row
		}
		group(c, e.arm, func() { e.draw(c, x, y) })
		x += w + legendGap
	}
	return y - 12
}

// draw sets one entry's swatch and label with its lower left corner at x, y.
func (e entry) draw(c draw.Canvas, x, y vg.Length) {
	mid := y + sizeLabel*0.35
	switch {
	case e.fill != nil:
		box := vg.Rectangle{Min: vg.Point{X: x + 8, Y: mid - 5}, Max: vg.Point{X: x + swatch, Y: mid + 5}}
		fillBox(c, box, e.fill)
		if e.hatch {
			hatch(c, box)
		}
	case e.line:
		c.StrokeLine2(e.look.line(), x, mid, x+swatch, mid)
	}
	switch {
	case e.ring:
		c.DrawGlyph(ring(ink), vg.Point{X: x + swatch - 10, Y: mid})
	case !e.bare && e.fill == nil:
		c.DrawGlyph(e.look.mark(3.5), vg.Point{X: x + swatch/2, Y: mid})
	}
	c.FillText(sans(sizeLabel), vg.Point{X: x + swatch + 6, Y: y}, e.label)
}

func fillBox(c draw.Canvas, r vg.Rectangle, fill color.Color) {
	c.SetColor(fill)
	c.Fill(r.Path())
}

// hatch draws slanted lines over a box.
func hatch(c draw.Canvas, r vg.Rectangle) {
	line := draw.LineStyle{Color: color.NRGBA{A: 60}, Width: vg.Points(1.1)}
	h := r.Max.Y - r.Min.Y
	for x := r.Min.X - h; x < r.Max.X; x += 7 {
		a, b := vg.Point{X: x, Y: r.Min.Y}, vg.Point{X: x + h, Y: r.Max.Y}
		if a.X < r.Min.X {
			a = vg.Point{X: r.Min.X, Y: r.Min.Y + r.Min.X - x}
		}
		if b.X > r.Max.X {
			b = vg.Point{X: r.Max.X, Y: r.Min.Y + r.Max.X - x}
		}
		c.StrokeLine2(line, a.X, a.Y, b.X, b.Y)
	}
}

func (f Figure) drawPanels(c draw.Canvas) {
	if len(f.panels) == 0 {
		return
	}
	tiles := draw.Tiles{Rows: len(f.panels), Cols: len(f.panels[0]), PadX: 14, PadY: 12, PadRight: 10}
	canvases := plot.Align(f.panels, tiles, c)
	for j, row := range f.panels {
		for i, p := range row {
			if p != nil {
				p.Draw(canvases[j][i])
			}
		}
	}
}

// inRows cuts panels into rows of at most cols and fills the last with nil.
func inRows(panels []*plot.Plot, cols int) (rows [][]*plot.Plot) {
	cols = min(cols, len(panels))
	for from := 0; from < len(panels); from += cols {
		row := make([]*plot.Plot, cols)
		copy(row, panels[from:])
		rows = append(rows, row)
	}
	return rows
}

// withNext adds a figure of the same kind: from the second on, their names have numbers.
func withNext(figures []Figure, f Figure) []Figure {
	if n := len(figures); n > 0 {
		f.Name = fmt.Sprintf("%s-%d", f.Name, n+1)
	}
	return append(figures, f)
}
