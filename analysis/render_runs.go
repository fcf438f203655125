package analysis

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Text writes the comparison as tables, one of cost and one of latency for every point, then the footnotes.
func (c *RunComparison) Text(w io.Writer, s Style) error {
	t := &renderer{style: s, several: len(c.Points) > 1, report: &Report{SharedCPU: c.Shared}}
	t.line("A " + c.A.ID + "  " + c.A.Scenario)
	t.line("B " + c.B.ID + "  " + c.B.Scenario)
	t.lines(fmt.Sprintf("made %s apart: a drift of the machine between the runs is not excluded; to exclude it, "+
		"run both as arms of one run", apart(c.A.Started, c.B.Started)))
	for _, note := range c.Warnings {
		t.lines("warning: " + string(note))
	}
	for i := range c.Points {
		p := &c.Points[i]
		t.runTable(c, p, "throughput and cost", []Metric{Throughput, ServerCPU, ClientCPU, Memory})
		t.ladder(&p.a, " in A")
		t.ladder(&p.b, " in B")
		t.runTable(c, p, "response time", []Metric{P50, P99, P999})
		if p.Point.Mode == "open" {
			t.runTable(c, p, "service time, from the actual send", []Metric{ServiceP50, ServiceP99, ServiceP999})
		}
	}
	t.line("")
	t.notes.write(&t.out, s.width())
	_, err := io.WriteString(w, t.out.String())
	return err
}

func apart(a, b time.Time) string { return b.Sub(a).Abs().Round(time.Second).String() }

func (t *renderer) runTable(c *RunComparison, p *RunPoint, title string, metrics []Metric) {
	head := p.Load + " · B against A, " + title
	if p.Point.Label != "" {
		head = p.Point.Label + " · " + head
	}
	var own marks
	if c.Forced {
		own = append(own, t.notes.add("the environments differ ("+c.A.EnvKey+" and "+c.B.EnvKey+"): differences may be "+
			"those of the machines", ""))
	}
	t.fit(head, own, func() grid {
		g := t.newGrid()
		for i := range p.Rows {
			g.rows = append(g.rows, []gridCell{t.runName(p, &p.Rows[i])})
		}
		for _, m := range metrics {
			t.runColumn(&g, c, p, columnOf(m))
		}
		return g
	})
}

// runName is the arm with its verdict in A and, where it is another, in B.
func (t *renderer) runName(p *RunPoint, row *RunRow) gridCell {
	who := t.pointWho(p.Point.Label, row.Arm)
	var m, v marks
	if t.report.SharedCPU {
		m = append(m, t.notes.add(sharedNote, ""))
	}
	for _, w := range row.Warnings {
		m = append(m, t.notes.add(string(w), who))
	}
	for i, doubts := range [][]Warning{row.DoubtsA, row.DoubtsB} {
		for _, w := range doubts {
			m = append(m, t.notes.add(string(w), string("AB"[i])+" "+who))
		}
	}
	if p.Point.Inside > 0 {
		m = append(m, t.notes.add(insideNote, ""))
	}
	for i, j := range []Judgement{row.VerdictA, row.VerdictB} {
		for _, f := range j.Findings() {
			v = append(v, t.notes.add(findingText(f), detailed(string("AB"[i])+" "+who, f.Detail)))
		}
	}
	verdict, worse := string(row.VerdictA.Verdict), row.VerdictA.Verdict
	if row.VerdictB.Verdict != row.VerdictA.Verdict {
		verdict += " → " + string(row.VerdictB.Verdict)
	}
	if severity[row.VerdictB.Verdict] > severity[worse] {
		worse = row.VerdictB.Verdict
	}
	return gridCell{
		top:    span{row.Arm + m.String(), plain},
		bottom: span{" " + verdict + v.String(), verdictStyle(worse)},
	}
}

func (t *renderer) runColumn(g *grid, of *RunComparison, p *RunPoint, c column) {
	var medians []float64
	for _, row := range p.Rows {
		for _, e := range []*Estimate{row.Cells[c.metric].A, row.Cells[c.metric].B} {
			if e != nil {
				medians = append(medians, e.Value)
			}
		}
	}
	scale := c.unit.ScaleFor(medians...)
	var head marks
	if c.note != "" {
		head = append(head, t.notes.add(string(c.note), ""))
	}
	for _, row := range p.Rows {
		r := row.Cells[c.metric].Ratio
		if r != nil && r.Interval != nil {
			head = append(head, t.notes.add(fmt.Sprintf("median across blocks in A → in B; difference of the "+
				"geometric means [%.0f%% interval, unpaired: studentized bootstrap and Student's t, the wider]; "+
				"~ the interval includes 0%s", Level*100, byChance(of.Differences())), ""))
		} else if r != nil && r.Known() {
			head = append(head, t.notes.add(string(tooFewBlocks(r.N)), ""))
		}
	}
	g.head, g.marks = append(g.head, headOf(c.title, scale, medians)), append(g.marks, head)
	for i := range p.Rows {
		row := &p.Rows[i]
		g.rows[i] = append(g.rows[i], t.runCell(row.Cells[c.metric], scale, c, t.pointWho(p.Point.Label, row.Arm)))
	}
}

func (t *renderer) runCell(c RunCell, s Scale, col column, who string) gridCell {
	show := func(e *Estimate) string {
		if e == nil {
			return absent
		}
		return s.Format(e.Value)
	}
	text := show(c.A) + " → " + show(c.B)
	if c.Ratio == nil {
		return gridCell{top: span{strings.TrimSpace(text) + marks{t.notes.add(string(c.Absent), who)}.String(), dim}}
	}
	return gridCell{top: span{text, plain}, bottom: t.difference(c.Ratio, c.Unresolved, col, who)}
}
