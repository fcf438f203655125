package analysis

import (
	"fmt"
	"slices"
	"strings"
)

const (
	switchNote = "per operation, of the server's process over whole visits, lead-in included"
	infoNote   = "as the server counted over its life, preload and warm-up included"
)

// mechanismTable shows what the servers did beside the operations, where anything was counted.
func (t *renderer) mechanismTable(p *PointReport) {
	shown := p.MechanismNames()
	if len(shown) == 0 {
		return
	}
	title := "mechanism"
	if p.Point.Label != "" {
		title = p.Point.Label + " · " + title
	}
	t.fit(title, func() grid {
		g := t.newGrid()
		for _, row := range p.Rows {
			g.rows = append(g.rows, []gridCell{{top: span{text: row.Arm}}})
		}
		for _, name := range shown {
			note := switchNote
			if slices.ContainsFunc(counters, func(c counter) bool { return c.name == name && c.info != nil }) {
				note = infoNote
			}
			g.head, g.marks = append(g.head, name), append(g.marks, marks{t.notes.add(note, "")})
			for i := range p.Rows {
				text := absent
				if v, ok := p.Rows[i].mechanism(name); ok {
					text = Digits3(v)
				}
				g.rows[i] = append(g.rows[i], gridCell{top: span{text: text}})
			}
		}
		return g
	})
}

// MechanismNames are the counters of which any row has counted something, in the order of the table. CPU per operation has a table of its own.
func (p *PointReport) MechanismNames() (names []string) {
	for _, c := range counters {
		if c.name != cpuPerOp && slices.ContainsFunc(p.Rows, func(r Row) bool { v, _ := r.mechanism(c.name); return v > 0 }) {
			names = append(names, c.name)
		}
	}
	return names
}

// scaling says what was fitted to a sweep.
func (t *renderer) scaling() {
	all := t.report.Scaling
	if len(all) == 0 {
		return
	}
	t.line("")
	t.line(paint(span{"throughput by " + all[0].Key + ": " + ScalingLaw, bold}, t.style.Color))
	for i := range all {
		s := &all[i]
		for k, l := range wrap(fmt.Sprintf("%s: %s", strings.TrimSpace(s.Where+" "+s.Arm), s.Text()), t.style.width()-2) {
			if k > 0 {
				l = "  " + l
			}
			t.line(l)
		}
	}
}
