package plots

import (
	"image/color"
	"strings"

	stdfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// Text sizes in points, for a figure seen at its own size.
const (
	sizeTitle   = 14
	sizePanel   = 11.5
	sizeLabel   = 11
	sizeTick    = 10
	sizeCaption = 9
)

var (
	ink   = color.NRGBA{0x22, 0x22, 0x22, 0xFF}
	faint = color.NRGBA{0xE2, 0xE2, 0xE2, 0xFF}
)

// sans is upright text, aligned left and to its baseline. Fonts are set on every text: gonum's default is a variable
// that all its users share.
func sans(size vg.Length) text.Style {
	return text.Style{
		Color:   ink,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
		Handler: plot.DefaultTextHandler,
	}
}

func bold(size vg.Length) text.Style {
	s := sans(size)
	s.Font.Weight = stdfont.WeightBold
	return s
}

// wrapText breaks s at blanks so that no line is wider than width, unless a single word is.
func wrapText(sty text.Style, s string, width vg.Length) (lines []string) {
	line := ""
	for _, word := range strings.Fields(s) {
		next := word
		if line != "" {
			next = line + " " + word
		}
		if line != "" && sty.Width(next) > width {
			lines = append(lines, line)
			next = word
		}
		line = next
	}
	return append(lines, line)
}

// newPlot is an empty panel in the house style, with axes that already have their range.
func newPlot(title string) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	p.Title.TextStyle = bold(sizePanel)
	p.Title.TextStyle.XAlign, p.Title.TextStyle.YAlign = text.XCenter, text.YTop
	p.Title.Padding = vg.Points(5)
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		label, tick := sans(sizeLabel), sans(sizeTick)
		label.XAlign, label.YAlign = a.Label.TextStyle.XAlign, a.Label.TextStyle.YAlign
		tick.XAlign, tick.YAlign = a.Tick.Label.XAlign, a.Tick.Label.YAlign
		a.Label.TextStyle, a.Tick.Label = label, tick
		a.Label.Padding = vg.Points(4)
		a.LineStyle.Width, a.LineStyle.Color = vg.Points(0.7), ink
		a.Tick.LineStyle = a.LineStyle
		a.Tick.Length = vg.Points(4)
		a.Padding = 0
	}
	return p
}
