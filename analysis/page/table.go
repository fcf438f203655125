package page

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/analysis/gate"
)

// table is sortable by every column.
type table struct {
	Anchor string
	Title  string
	Head   []head
	Rows   []tableRow
	Notes  []string
	Words  bool // of sentences more than of numbers: on a phone a row's cells stand below each other
}

type head struct {
	Text    string
	Numeric bool
}

type tableRow struct {
	Arm   string // "" where the row is of none
	Cells []cell
}

// cell is what stands in a table: a text, a second line below, and what it is sorted by.
type cell struct {
	Text, Below, Key, Class string
	Numeric                 bool
}

func words(text string) cell { return cell{Text: text, Key: text} }

// sentence is a text that may be long.
func sentence(text string) cell { return cell{Text: text, Key: text, Class: "text"} }

func numeric(text string, v float64) cell {
	return cell{Text: text, Key: strconv.FormatFloat(v, 'g', -1, 64), Numeric: true}
}

// verdictTable is every row's verdict, the worst of reasons to doubt a figure standing before the figures.
func verdictTable(r *analysis.Report) table {
	t := table{Title: "Verdicts", Words: true, Head: []head{{Text: "point"}, {Text: "arm"}, {Text: "verdict"}, {Text: "why"}, {Text: "what would do"}}}
	for _, p := range r.Points {
		for _, row := range p.Rows {
			var why, fix []string
			for _, f := range row.Verdict.Findings() {
				text := f.Reason
				if f.Detail != "" {
					text += " (" + f.Detail + ")"
				}
				why, fix = append(why, text), append(fix, f.Fix)
			}
			for _, w := range row.Warnings {
				why = append(why, string(w))
			}
			v := words(string(row.Verdict.Verdict))
			v.Class = "verdict-" + string(row.Verdict.Verdict)
			t.Rows = append(t.Rows, tableRow{row.Arm, []cell{words(p.Point.Label), words(row.Arm), v, sentence(strings.Join(why, "; ")),
				sentence(strings.Join(fix, "; "))}})
		}
	}
	return t
}

// rankingTable is who is better than whom at each point, as far as it can be told.
func rankingTable(r *analysis.Report) table {
	t := table{Title: "Ranking", Words: true, Head: []head{{Text: "point"}, {Text: "metric"}, {Text: "order"}}}
	for i := range r.Points {
		p := &r.Points[i]
		for _, l := range p.RankingLines() {
			t.Rows = append(t.Rows, tableRow{"", []cell{words(p.Point.Label), words(l.Metrics), sentence(l.Text)}})
		}
	}
	if len(t.Rows) > 0 {
		t.note("Order: " + analysis.OrderNote + ".")
	}
	return t
}

// pointTables are the tables of one point, as compare prints them.
func pointTables(r *analysis.Report, p *analysis.PointReport) (out []table) {
	where := p.Load
	if p.Point.Label != "" {
		where = p.Point.Label + " · " + where
	}
	where = fmt.Sprintf("%s · %d blocks × %d slices", where, p.Blocks, p.Slices)
	add := func(title string, metrics ...analysis.Metric) {
		t := table{Title: where + " · " + title, Head: []head{{Text: "arm"}, {Text: "verdict"}}}
		for _, row := range p.Rows {
			v := words(string(row.Verdict.Verdict))
			v.Class = "verdict-" + v.Text
			t.Rows = append(t.Rows, tableRow{row.Arm, []cell{words(row.Arm), v}})
		}
		for _, m := range metrics {
			t.metric(p, m)
		}
		out = append(out, t)
	}
	add("throughput and cost", analysis.Throughput, analysis.ServerCPU, analysis.ClientCPU, analysis.Memory)
	add("response time", analysis.P50, analysis.P99, analysis.P999)
	if p.Point.Mode == "open" {
		add("service time, from the actual send", analysis.ServiceP50, analysis.ServiceP99, analysis.ServiceP999)
	}
	if names := p.MechanismNames(); len(names) > 0 {
		out = append(out, mechanismTable(where, p, names))
	}
	return out
}

// metric adds a column, in one scale.
func (t *table) metric(p *analysis.PointReport, m analysis.Metric) {
	var medians []float64
	for _, row := range p.Rows {
		if e := row.Cells[m].Estimate; e != nil {
			medians = append(medians, e.Value)
		}
	}
	scale := m.Unit().ScaleFor(medians...)
	title := m.Title()
	if len(medians) > 0 { // one without values has no unit
		title += ", " + scale.Name
	}
	t.Head = append(t.Head, head{title, true})
	for i, row := range p.Rows {
		t.Rows[i].Cells = append(t.Rows[i].Cells, metricCell(row.Cells[m], m, scale))
		if why := string(row.Cells[m].Absent); why != "" {
			t.note(row.Arm + ": " + m.Title() + ": " + why)
		}
	}
}

func (t *table) note(text string) { t.Notes = append(t.Notes, text) }

func metricCell(c analysis.Cell, m analysis.Metric, s analysis.Scale) cell {
	e := c.Estimate
	if e == nil {
		return cell{Text: "–"}
	}
	out := numeric(s.Format(e.Value), e.Value)
	if e.Interval != nil {
		out.Text += fmt.Sprintf(" [%s–%s]", s.Format(e.Interval.Lo), s.Format(e.Interval.Hi))
	}
	switch r := c.Ratio; {
	case r == nil || !r.Known():
	case c.Unresolved:
		out.Below = "≤ resolution"
	case r.Distinct():
		out.Below, out.Class = r.String(), "worse"
		if (r.Value > 1) == m.HigherIsBetter() {
			out.Class = "better"
		}
	case r.Interval != nil:
		out.Below, out.Class = r.String()+" ~", "tie"
	default:
		out.Below = r.String()
	}
	return out
}

func mechanismTable(where string, p *analysis.PointReport, names []string) table {
	t := table{Title: where + " · mechanism", Head: []head{{Text: "arm"}}}
	for _, row := range p.Rows {
		t.Rows = append(t.Rows, tableRow{row.Arm, []cell{words(row.Arm)}})
	}
	t.mechanisms(names, func(i int) []analysis.Mechanism { return p.Rows[i].Mechanisms })
	return t
}

// mechanisms adds a column for each counter.
func (t *table) mechanisms(names []string, of func(row int) []analysis.Mechanism) {
	for _, n := range names {
		t.Head = append(t.Head, head{n, true})
		for i := range t.Rows {
			c := cell{Text: "–"}
			for _, m := range of(i) {
				if m.Name == n {
					c = numeric(analysis.Digits3(m.Value), m.Value)
				}
			}
			t.Rows[i].Cells = append(t.Rows[i].Cells, c)
		}
	}
}

// kneeTable is what a search has found; without rows for other runs.
func kneeTable(k *analysis.KneeReport) (t table) {
	if k == nil {
		return t
	}
	t = table{Title: "Highest rate that meets " + k.Plan.SLO, Head: []head{{Text: "point"}, {Text: "arm"}, {"knee, /s", true}, {Text: "open end"}}}
	for _, row := range k.Knees {
		knee := numeric(analysis.KneeText(row.Lo, row.Hi), row.Lo)
		t.Rows = append(t.Rows, tableRow{row.Arm, []cell{words(row.Point), words(row.Arm), knee, words(row.Open)}})
		for _, w := range row.Warnings {
			t.note(strings.TrimSpace(row.Point+" "+row.Arm) + ": " + string(w))
		}
	}
	t.mechanisms(analysis.KneeMechanismNames(k.Knees), func(i int) []analysis.Mechanism { return k.Knees[i].Mechanisms })
	if len(t.Head) > 4 {
		t.note("Counters: " + analysis.KneeMechanismNote + ".")
	}
	return t
}

func newGate(v *gate.Verdict) *gateView {
	g := &gateView{Outcome: string(v.Outcome), Meaning: v.Meaning, Contaminated: v.Contaminated, Notes: v.Notes}
	g.Table = table{Title: "Primaries", Words: true, Head: []head{{Text: "what"}, {Text: "point"}, {Text: "metric"}, {Text: "outcome"},
		{"head / base", true}, {"δ", true}, {"n", true}, {Text: "meaning"}}}
	add := func(what string, rows []gate.Row) {
		for _, r := range rows {
			ratio := numeric(analysis.Digits3(r.Ratio), r.Ratio)
			if r.Interval != nil {
				ratio.Below = fmt.Sprintf("99 %%: %.3f–%.3f", r.Interval.Lo, r.Interval.Hi)
			}
			o := words(string(r.Outcome))
			o.Class = "outcome-" + o.Text
			g.Table.Rows = append(g.Table.Rows, tableRow{"", []cell{words(what), words(r.Point), words(string(r.Metric)), o, ratio,
				numeric(fmt.Sprintf("%.1f %%", 100*r.Delta), r.Delta), numeric(strconv.Itoa(r.N), float64(r.N)), sentence(r.Meaning)}})
		}
	}
	add("head", v.Rows)
	add("control", v.Controls)
	return g
}
