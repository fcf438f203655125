package analysis

import (
	"io"
	"strings"
	"unicode/utf8"
)

// Terminal colours, as SGR parameters.
const (
	plain  = ""
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

// span is a piece of text of one colour.
type span struct {
	text  string
	style string
}

// gridCell is two lines: a value, and below it what qualifies it.
type gridCell struct {
	top, bottom span
}

// grid is a table of two-line cells. The first column names the row.
type grid struct {
	head  []string
	marks []marks // of the head's columns but the first
	rows  [][]gridCell
	width int // of the terminal, in columns
	color bool
	gap   int // columns between columns
}

// unite takes the marks that all columns have off their heads, and returns them; the others' stay.
func (g *grid) unite() marks {
	common := shared(g.marks)
	for i, m := range g.marks {
		g.head[i+1] += m.String()
	}
	g.marks = nil
	return common
}

// write prints the table. Columns that do not fit beside the first are printed below, with the first repeated, so that
// a narrow terminal loses nothing.
func (g *grid) write(w io.Writer) error {
	widths := g.widths()
	var b strings.Builder
	for from := 1; from < len(widths); {
		used, to := widths[0]+g.gap+widths[from], from+1
		for to < len(widths) && used+g.gap+widths[to] <= g.width {
			used += g.gap + widths[to]
			to++
		}
		cols := []int{0}
		for c := from; c < to; c++ {
			cols = append(cols, c)
		}
		g.writeColumns(&b, cols, widths)
		from = to
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// fits says whether all columns stand side by side.
func (g *grid) fits() bool {
	total := -g.gap // none after the last
	for _, w := range g.widths() {
		total += w + g.gap
	}
	return total <= g.width
}

func (g *grid) widths() []int {
	w := make([]int, len(g.head))
	for c, h := range g.head {
		w[c] = columnsOf(h)
		for _, row := range g.rows {
			w[c] = max(w[c], columnsOf(row[c].top.text), columnsOf(row[c].bottom.text))
		}
	}
	return w
}

func (g *grid) writeColumns(b *strings.Builder, cols, widths []int) {
	line := func(at func(c int) span) {
		var spans []span
		for _, c := range cols {
			spans = append(spans, at(c))
		}
		g.writeLine(b, spans, cols, widths)
	}
	line(func(c int) span { return span{g.head[c], bold} })
	for _, row := range g.rows {
		line(func(c int) span { return row[c].top })
		for _, c := range cols {
			if row[c].bottom.text != "" {
				line(func(c int) span { return row[c].bottom })
				break
			}
		}
	}
}

// writeLine pads every span but the last, so that no line ends in blanks.
func (g *grid) writeLine(b *strings.Builder, spans []span, cols, widths []int) {
	last := len(spans) - 1
	for last > 0 && spans[last].text == "" {
		last--
	}
	for i, s := range spans[:last+1] {
		b.WriteString(paint(s, g.color))
		if i < last {
			b.WriteString(strings.Repeat(" ", widths[cols[i]]-columnsOf(s.text)+g.gap))
		}
	}
	b.WriteByte('\n')
}

func paint(s span, color bool) string {
	if !color || s.style == plain || s.text == "" {
		return s.text
	}
	return "\x1b[" + s.style + "m" + s.text + "\x1b[0m"
}

// columnsOf is the width of text in a terminal. Names are words of the registry; wide characters do not occur.
func columnsOf(s string) int { return utf8.RuneCountInString(s) }

// wrap breaks text at blanks into lines of at most width columns; a longer word stands alone.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && columnsOf(line)+1+columnsOf(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
