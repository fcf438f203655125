package plots

import (
	"fmt"
	"image/color"
	"slices"

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

// known are the arms that have a look of their own in every run, those that stand beside each other most often first: they
// differ in colour. Others take the next places, in the order of the manifest.
var known = []string{"shared", "shard-arc", "thread-local", "multi-direct", "direct-shard", "routed", "redis", "reuseport",
	"engine", "null", "memcached", "valkey", "control", "base", "head"}

// placeOf is an arm's place, which decides its look.
func placeOf(arms []string, arm string) int {
	if i := slices.Index(known, arm); i >= 0 {
		return i
	}
	next := len(known)
	for _, a := range arms {
		if a == arm {
			break
		}
		if !slices.Contains(known, a) {
			next++
		}
	}
	return next
}

// look is how an arm appears.
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
func (l look) pale() color.NRGBA { return l.tint(0.30) }

// tint is the colour mixed with white; 1 is the colour itself.
func (l look) tint(share float64) color.NRGBA {
	mix := func(c uint8) uint8 { return uint8(255 - (255-float64(c))*share) }
	return color.NRGBA{mix(l.color.R), mix(l.color.G), mix(l.color.B), 0xFF}
}

// Colour is an arm's in every figure, as a page writes it: "#0072B2". arms are the run's.
func Colour(arms []string, arm string) string {
	c := lookOf(placeOf(arms, arm)).color
	return fmt.Sprintf("#%02X%02X%02X", c.R, c.G, c.B)
}
