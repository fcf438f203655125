package analysis

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// Style is how text is laid out.
type Style struct {
	Width int  // columns of the terminal; 0 is 100, and below 40 is 40
	Color bool // SGR colours; off, the text carries the same facts
}

func (s Style) width() int {
	if s.Width == 0 {
		return 100
	}
	return max(40, s.Width)
}

const (
	absent          = "–"
	serverBoundNote = "server-bound: the server used its processors up, as one that polls may do while it waits; no fault, and " +
		"where the client is bound too, both were near their limits"
	sharedNote = "server and client shared CPUs: each slows the other, and absolute figures are of the pair"
	insideNote = "clients in the server's process share its processors: server CPU and memory are the whole process's, clients " +
		"included, and client CPU is a part of it; compare neither with rows whose clients are elsewhere"
)

// Text writes the report as tables: for every point one of throughput and cost and one of latency, then the footnotes
// of all of them.
func (r *Report) Text(w io.Writer, s Style) error {
	t := &renderer{report: r, style: s, several: len(r.Points) > 1}
	if r.Knee != nil { // begins with the run's name, too
		if err := r.Knee.Text(&t.out, s); err != nil {
			return err
		}
		t.line("\n" + paint(span{"rate by rate", bold}, s.Color))
	} else {
		t.line(strings.TrimSpace(fmt.Sprintf("run %s  %s", r.Run.ID, r.Run.Scenario)))
	}
	for _, note := range r.Warnings {
		t.lines("warning: " + string(note))
	}
	if len(r.Points) == 0 {
		t.line("no measurements")
	}
	for i := range r.Points {
		p := &r.Points[i]
		t.table(p, "throughput and cost", []Metric{Throughput, ServerCPU, ClientCPU, Memory})
		t.ladder(p, "")
		t.table(p, "response time", []Metric{P50, P99, P999})
		if p.Point.Mode == "open" {
			t.table(p, "service time, from the actual send", []Metric{ServiceP50, ServiceP99, ServiceP999})
		}
		t.mechanismTable(p)
		t.ranking(p)
	}
	t.scaling()
	if len(r.Points) > 0 {
		t.line("")
		t.notes.write(&t.out, s.width())
	}
	_, err := io.WriteString(w, t.out.String())
	return err
}

// renderer gathers the text; the notes of all tables are numbered together.
type renderer struct {
	report  *Report
	style   Style
	several bool // points: rows are named with theirs in footnotes
	compact bool // differences without blanks, for a table that would not fit otherwise
	out     strings.Builder
	notes   notes
}

func (t *renderer) line(s string) { t.out.WriteString(s + "\n") }

func (t *renderer) lines(s string) {
	for _, l := range wrap(s, t.style.width()) {
		t.line(l)
	}
}

func (t *renderer) table(p *PointReport, title string, metrics []Metric) {
	parts := []string{p.Load, fmt.Sprintf("%d blocks × %d slices", p.Blocks, p.Slices), title}
	if p.Point.Label != "" {
		parts = append([]string{p.Point.Label}, parts...)
	}
	t.fit(strings.Join(parts, " · "), nil, func() grid { return t.pointGrid(p, metrics) })
}

// fit prints a table with its differences set tight where it is too wide otherwise. Building it again adds no note. Notes that hold for all
// columns are marked at the title, with its own.
func (t *renderer) fit(title string, own marks, build func() grid) {
	g := build()
	common := append(own, g.unite()...)
	if !g.fits() {
		t.compact = true
		g = build()
		g.unite()
		t.compact = false
	}
	t.line("")
	for _, l := range wrap(title+common.String(), t.style.width()) {
		t.line(paint(span{l, bold}, t.style.Color))
	}
	_ = g.write(&t.out) // a strings.Builder takes everything
}

func (t *renderer) newGrid() grid {
	g := grid{head: []string{"arm"}, width: t.style.width(), color: t.style.Color, gap: 2}
	if t.compact {
		g.gap = 1
	}
	return g
}

func (t *renderer) pointGrid(p *PointReport, metrics []Metric) grid {
	g := t.newGrid()
	for i := range p.Rows {
		g.rows = append(g.rows, []gridCell{t.nameCell(p, &p.Rows[i])})
	}
	for _, m := range metrics {
		t.column(&g, p, columnOf(m))
	}
	return g
}

// nameCell is the arm with its verdict below: no figure without one, also where the terminal is narrow.
func (t *renderer) nameCell(p *PointReport, row *Row) gridCell {
	who := t.pointWho(p.Point.Label, row.Arm)
	name := row.Arm
	var m marks
	if t.report.SharedCPU {
		m = append(m, t.notes.add(sharedNote, ""))
	}
	if p.Point.Inside > 0 {
		m = append(m, t.notes.add(insideNote, ""))
	}
	for _, w := range row.Warnings {
		m = append(m, t.notes.add(string(w), who))
	}
	if row.ServerBusy > serverBound {
		m = append(m, t.notes.add(serverBoundNote, detailed(who, fmt.Sprintf("%.0f%%", 100*row.ServerBusy))))
	}
	verdict := string(row.Verdict.Verdict)
	var v marks
	for _, f := range row.Verdict.Findings() {
		v = append(v, t.notes.add(findingText(f), detailed(who, f.Detail)))
	}
	return gridCell{
		top:    span{name + m.String(), plain},
		bottom: span{" " + verdict + v.String(), verdictStyle(row.Verdict.Verdict)},
	}
}

func findingText(f Finding) string { return string(f.Verdict) + ": " + f.Reason + "; " + f.Fix }

func detailed(who, detail string) string {
	if detail == "" {
		return who
	}
	return who + " (" + detail + ")"
}

func verdictStyle(v Verdict) string {
	switch v {
	case Valid:
		return green
	case Invalid:
		return red
	}
	return yellow
}

// pointWho names a row in a footnote, with its point only where there are several.
func (t *renderer) pointWho(point, arm string) string {
	if !t.several || point == "" {
		return arm
	}
	return point + " " + arm
}

// column appends one metric to every row, in one scale.
func (t *renderer) column(g *grid, p *PointReport, c column) {
	var medians []float64
	for _, row := range p.Rows {
		if e := row.Cells[c.metric].Estimate; e != nil {
			medians = append(medians, e.Value)
		}
	}
	scale := c.unit.ScaleFor(medians...)
	g.head, g.marks = append(g.head, headOf(c.title, scale, medians)), append(g.marks, t.headMarks(p, c))
	digits := 0
	for _, v := range medians {
		digits = max(digits, columnsOf(scale.Format(v)))
	}
	for i := range p.Rows {
		row := &p.Rows[i]
		g.rows[i] = append(g.rows[i], t.cell(row.Cells[c.metric], scale, digits, c, t.pointWho(p.Point.Label, row.Arm)))
	}
}

// headOf is a column's title with its unit, which one without values has not.
func headOf(title string, s Scale, values []float64) string {
	if len(values) == 0 {
		return title
	}
	return title + ", " + s.Name
}

// headMarks are the notes that hold for a whole column: what its intervals are, or why there are none.
func (t *renderer) headMarks(p *PointReport, c column) (m marks) {
	if c.note != "" {
		m = append(m, t.notes.add(string(c.note), ""))
	}
	if p.Tails != "" && c.quantile >= 0.99 {
		m = append(m, t.notes.add(string(p.Tails), ""))
	}
	for _, row := range p.Rows {
		cell := row.Cells[c.metric]
		if e := cell.Estimate; e != nil && e.Interval != nil {
			m = append(m, t.notes.add(fmt.Sprintf("median across blocks [interval of the median from order "+
				"statistics, at least %.0f%%]; a block is one fresh process of every arm", Level*100), ""))
		} else if e != nil {
			m = append(m, t.notes.add(string(tooFewBlocks(e.N)), ""))
		}
		if r := cell.Ratio; r != nil && r.Interval != nil {
			m = append(m, t.notes.add(t.differenceNote(), ""))
		} else if r != nil && r.Known() {
			m = append(m, t.notes.add(string(tooFewBlocks(r.N)), ""))
		}
	}
	return m
}

func (t *renderer) cell(c Cell, s Scale, digits int, col column, who string) gridCell {
	if c.Estimate == nil {
		why := c.Absent
		if why == "" {
			why = "not measured"
		}
		return gridCell{top: span{absent + marks{t.notes.add(string(why), who)}.String(), dim}}
	}
	e := c.Estimate
	value := s.Format(e.Value)
	top := strings.Repeat(" ", max(0, digits-columnsOf(value))) + value
	if e.Interval != nil {
		top += fmt.Sprintf(" [%s–%s]", s.Format(e.Interval.Lo), s.Format(e.Interval.Hi))
	}
	cell := gridCell{top: span{top, plain}}
	if c.Ratio != nil {
		cell.bottom = t.difference(c.Ratio, c.Unresolved, col, who)
	}
	return cell
}

// difference is the second line of a cell.
func (t *renderer) difference(r *Ratio, unresolved bool, col column, who string) span {
	if !r.Known() {
		return span{absent + t.ratioMarks(r, who), dim}
	}
	if unresolved {
		return span{"≤ resolution" + marks{t.notes.add("≤ resolution: the difference is less than two steps of the histogram",
			"")}.String(), dim}
	}
	text, style := r.String(), plain
	if r.Interval != nil && !r.Distinct() {
		text += " ~"
		style = dim
	}
	if t.compact {
		text = strings.NewReplacer(", ", ",", "] ~", "]~").Replace(text)
	}
	if r.Distinct() {
		style = betterStyle(col, r.Value)
	}
	return span{text + t.ratioMarks(r, who), style}
}

// ratioMarks are the notes of one difference, without those that its column's head has.
func (t *renderer) ratioMarks(r *Ratio, who string) string {
	var m marks
	for _, w := range r.Warnings {
		if r.N == 0 || w != tooFewBlocks(r.N) {
			m = append(m, t.notes.add(string(w), who))
		}
	}
	return m.String()
}

func (t *renderer) differenceNote() string {
	return fmt.Sprintf("difference to %s, paired by block: geometric mean of the blocks' ratios [%.0f%% interval, "+
		"studentized bootstrap and Student's t, the wider]; ~ the interval includes 0%s", t.report.Reference, Level*100, byChance(t.report.Differences()))
}

// byChance reminds of how many of n intervals mean nothing.
func byChance(n int) string {
	if n < 20 {
		return ""
	}
	return fmt.Sprintf("; of the %d intervals here about %.0f exclude 0 by chance alone", n, float64(n)*(1-Level))
}

// betterStyle is green for a difference in the direction that is wished for.
func betterStyle(c column, ratio float64) string {
	if better := ratio > 1; better == (c.metric == Throughput) && !math.IsNaN(ratio) {
		return green
	}
	return red
}
