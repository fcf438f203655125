package plots

import (
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// colours are Okabe and Ito's, which remain distinct under the common kinds of colour blindness, strongest first. Their
// yellow is left out: a thin line of it on white is not seen.
var colours = []color.NRGBA{
	{0x00, 0x72, 0xB2, 0xFF}, // blue
	{0xD5, 0x5E, 0x00, 0xFF}, // vermillion
	{0x00, 0x9E, 0x73, 0xFF}, // bluish green
	{0xCC, 0x79, 0xA7, 0xFF}, // reddish purple
	{0xE6, 0x9F, 0x00, 0xFF}, // orange
	{0x56, 0xB4, 0xE9, 0xFF}, // sky blue
	{0x00, 0x00, 0x00, 0xFF}, // black
}

// dashes and glyphs tell arms apart without colour. Their numbers share no factor with that of the colours, so that a
// pair of colour and dashes recurs only after 42 arms.
var dashes = [][]vg.Length{nil, {7, 3}, {2, 2}, {9, 3, 2, 3}, {12, 4}, {5, 2, 1, 2, 1, 2}}

var glyphs = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.SquareGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{},
	draw.BoxGlyph{}, draw.CrossGlyph{}, draw.TriangleGlyph{}, draw.PlusGlyph{}}

// look is how an arm appears, by its place in the manifest.
type look struct {
	color color.NRGBA
	dash  []vg.Length
	glyph draw.GlyphDrawer
}

func lookOf(arm int) look {
	return look{colours[arm%len(colours)], dashes[arm%len(dashes)], glyphs[arm%len(glyphs)]}
}

func (l look) line() draw.LineStyle {
	return draw.LineStyle{Color: l.color, Width: vg.Points(1.8), Dashes: l.dash}
}

func (l look) mark(radius vg.Length) draw.GlyphStyle {
	return draw.GlyphStyle{Color: l.color, Radius: radius, Shape: l.glyph}
}

// ring goes around a mark that is special.
func ring(c color.Color) draw.GlyphStyle {
	return draw.GlyphStyle{Color: c, Radius: 6, Shape: draw.RingGlyph{}}
}

// pale is the colour as a background for marks of the colour itself.
func (l look) pale() color.NRGBA {
	mix := func(c uint8) uint8 { return uint8(255 - (255-int(c))*30/100) }
	return color.NRGBA{mix(l.color.R), mix(l.color.G), mix(l.color.B), 0xFF}
}
