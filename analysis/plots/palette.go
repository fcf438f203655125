package plots

import (
	"fmt"
	"image/color"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// colours are Okabe and Ito's, which remain distinct under the common kinds of colour blindness, strongest first. Their
// yellow is left out, for a thin line of it on white is not seen; the grey that others have added to them stands for it, darker.
var colours = []color.NRGBA{
	{0x00, 0x72, 0xB2, 0xFF}, // blue
	{0xD5, 0x5E, 0x00, 0xFF}, // vermillion
	{0x00, 0x9E, 0x73, 0xFF}, // bluish green
	{0xCC, 0x79, 0xA7, 0xFF}, // reddish purple
	{0xE6, 0x9F, 0x00, 0xFF}, // orange
	{0x56, 0xB4, 0xE9, 0xFF}, // sky blue
	{0x00, 0x00, 0x00, 0xFF}, // black
	{0x77, 0x77, 0x77, 0xFF}, // grey
}

const (
	blue = iota
	vermillion
	green
	purple
	orange
	sky
	black
	grey
)

// dashes and glyphs tell arms apart without colour. Their number shares no factor with that of the colours, so that a
// pair of colour and dashes recurs only after 56 arms.
var dashes = [][]vg.Length{nil, {7, 3}, {2, 2}, {9, 3, 2, 3}, {14, 5}, {5, 2, 1, 2, 1, 2}, {3, 5}}

const (
	solid = iota
	dashed
	dotted
	dashDot
	long
	dashDotDot
	sparse
)

var glyphs = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.SquareGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{},
	draw.BoxGlyph{}, draw.CrossGlyph{}, draw.TriangleGlyph{}}

// known are the arms that have a look of their own in every run. The eight topologies have a colour each; of those that share one with
// them redis and null stand beside all, and differ in what is seen best, a line without gaps against dashes, long ones against dots.
var known = map[string]place{
	"shared":       {blue, solid, 0},
	"shard-arc":    {vermillion, dashed, 1},
	"thread-local": {green, dotted, 2},
	"multi-direct": {purple, dashDot, 3},
	"direct-shard": {orange, long, 4},
	"routed":       {sky, dashDotDot, 5},
	"reuseport":    {black, dashed, 4},
	"engine":       {grey, dotted, 0},
	"redis":        {black, solid, 6},
	"null":         {green, long, 1},
	"memcached":    {purple, long, 2},
	"valkey":       {orange, dashDotDot, 3},
	"control":      {sky, solid, 4},
	"base":         {black, dashDot, 5},
	"head":         {blue, dotted, 6},
}

// place is where an arm's colour, dashes and glyph stand in their lists.
type place struct{ colour, dash, glyph int }

// placeOf is an arm's look as places. Arms that are not known take what no other has, in the order of the manifest.
func placeOf(arms []string, arm string) place {
	if p, ok := known[arm]; ok {
		return p
	}
	nth := 0
	for _, a := range arms {
		if a == arm {
			break
		}
		if _, ok := known[a]; !ok {
			nth++
		}
	}
	taken := map[[2]int]bool{}
	for _, p := range known {
		taken[[2]int{p.colour, p.dash}] = true
	}
	free := make([]place, 0, len(colours)*len(dashes))
	for i := range cap(free) {
		k := i + 17 // vermillion first: such an arm stands beside shared or redis
		if p := (place{k % len(colours), k % len(dashes), k % len(glyphs)}); !taken[[2]int{p.colour, p.dash}] {
			free = append(free, p)
		}
	}
	return free[nth%len(free)]
}

// look is how an arm appears.
type look struct {
	color color.NRGBA
	dash  []vg.Length
	glyph draw.GlyphDrawer
}

func lookOf(p place) look { return look{colours[p.colour], dashes[p.dash], glyphs[p.glyph]} }

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

// Line is an arm's colour in every figure, as a page writes it ("#0072B2"), and its dashes as an SVG does, "" for a line without gaps.
// arms are the run's.
func Line(arms []string, arm string) (colour, dash string) {
	l := lookOf(placeOf(arms, arm))
	var lengths []string
	for _, d := range l.dash {
		lengths = append(lengths, strconv.FormatFloat(float64(d), 'f', -1, 64))
	}
	return fmt.Sprintf("#%02X%02X%02X", l.color.R, l.color.G, l.color.B), strings.Join(lengths, " ")
}
