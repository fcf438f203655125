package plots

import (
	"regexp"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// drawing is a plotter that is a function.
type drawing func(c draw.Canvas, p *plot.Plot)

// Plot implements plot.Plotter.
func (f drawing) Plot(c draw.Canvas, p *plot.Plot) { f(c, p) }

// An SVG has one group, <g data-arm="NAME">, around everything that is drawn for an arm in a panel, so that a page can show
// and hide it. vgsvg writes no attributes of others; a text that begins with one of these marks becomes the tag.
const groupBegin, groupEnd = "\uE000", "\uE001"

var groupTag = regexp.MustCompile(`<text [^>]*>(` + groupBegin + `|` + groupEnd + `)([^<]*)</text>\n`)

// group draws what belongs to an arm.
func group(c draw.Canvas, arm string, draw func()) {
	if arm == "" || !isSVG(c.Canvas) {
		draw()
		return
	}
	c.FillText(sans(sizeTick), vg.Point{}, groupBegin+arm)
	draw()
	c.FillText(sans(sizeTick), vg.Point{}, groupEnd)
}

// isSVG looks through the canvases that cropping has put around each other.
func isSVG(c vg.Canvas) bool {
	for {
		outer, ok := c.(draw.Canvas)
		if !ok {
			_, svg := c.(*vgsvg.Canvas)
			return svg
		}
		c = outer.Canvas
	}
}

// withGroups puts the tags where the marks are.
func withGroups(svg []byte) []byte {
	return groupTag.ReplaceAllFunc(svg, func(text []byte) []byte {
		m := groupTag.FindSubmatch(text)
		if string(m[1]) == groupEnd {
			return []byte("</g>\n")
		}
		return []byte(`<g data-arm="` + string(m[2]) + `">` + "\n") // escaped as every text is, quotes too
	})
}

// grouped draws another plotter within an arm's group.
func grouped(arm string, of plot.Plotter) plot.Plotter {
	return drawing(func(c draw.Canvas, p *plot.Plot) { group(c, arm, func() { of.Plot(c, p) }) })
}
