package plots

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// dpi is of PNGs: 10 inches are then 1200 pixels.
const dpi = 120

// Render writes every figure as NAME.png and NAME.svg into dir, which it makes if need be, and returns the paths in
// that order. On an error the paths are those written before it.
func Render(dir string, figures ...Figure) (paths []string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for _, f := range figures {
		for _, format := range []struct {
			ext   string
			write func(Figure, io.Writer) error
		}{{".png", Figure.PNG}, {".svg", Figure.SVG}} {
			path := filepath.Join(dir, f.Name+format.ext)
			if err := writeFile(path, f, format.write); err != nil {
				return paths, fmt.Errorf("figure %s: %w", f.Name, err)
			}
			paths = append(paths, path)
		}
	}
	return paths, nil
}

func writeFile(path string, f Figure, write func(Figure, io.Writer) error) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriter(file)
	if err := write(f, w); err != nil {
		return err
	}
	return w.Flush()
}

// PNG writes the figure as an image.
func (f Figure) PNG(w io.Writer) error {
	c := vgimg.NewWith(vgimg.UseWH(f.width, f.height()), vgimg.UseDPI(dpi))
	f.draw(draw.New(c))
	_, err := vgimg.PngCanvas{Canvas: c}.WriteTo(w)
	return err
}

// SVG writes the figure as a drawing whose texts are texts, in a font that may not be where it is read: Arial and
// Helvetica have the same widths.
func (f Figure) SVG(w io.Writer) error {
	c := vgsvg.New(f.width, f.height())
	f.draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return err
	}
	const family = "font-family:Liberation Sans"
	svg := withWidths(withGroups(b.Bytes()))
	_, err := w.Write(bytes.ReplaceAll(svg, []byte(family), []byte(family+",Arial,Helvetica,sans-serif")))
	return err
}

var svgStyled = regexp.MustCompile(`<text ([^>]*font-weight:(normal|bold)[^>]*font-size:([0-9.]+)px[^>]*)>([^<]+)</text>`)

// withWidths says of every text how wide it was laid out, so that another font is set to fit.
func withWidths(svg []byte) []byte {
	return svgStyled.ReplaceAllFunc(svg, func(text []byte) []byte {
		m := svgStyled.FindSubmatch(text)
		size, err := strconv.ParseFloat(string(m[3]), 64)
		if err != nil {
			return text
		}
		sty := sans(vg.Length(size))
		if string(m[2]) == "bold" {
			sty = bold(vg.Length(size))
		}
		width := sty.Width(html.UnescapeString(string(m[4])))
		return fmt.Appendf(nil, `<text textLength="%.5g" lengthAdjust="spacingAndGlyphs" %s>%s</text>`, width.Points(), m[1], m[4])
	})
}
