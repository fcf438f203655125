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
	t.fit(title, nil, func() grid {
		g := t.newGrid()
		for _, row := range p.Rows {
			g.rows = append(g.rows, []gridCell{{top: span{text: row.Arm}}})
		}
		g.addMechanisms(shown, &t.notes, func(i int) []Mechanism { return p.Rows[i].Mechanisms })
		return g
	})
}

// addMechanisms adds a column for each counter.
func (g *grid) addMechanisms(names []string, n *notes, of func(row int) []Mechanism) {
	for _, name := range names {
		note := switchNote
		if slices.ContainsFunc(counters, func(c counter) bool { return c.name == name && c.info != nil }) {
			note = infoNote
		}
		g.head, g.marks = append(g.head, name), append(g.marks, marks{n.add(note, "")})
		for i := range g.rows {
			text := absent
			if v, ok := find(of(i), name); ok {
				text = Digits3(v)
			}
			g.rows[i] = append(g.rows[i], gridCell{top: span{text: text}})
		}
	}
}

// MechanismNames are the counters of which any row has counted something, in the order of the table. CPU per operation has a table of its own.
func (p *PointReport) MechanismNames() []string {
	return namesOf(func(name string) bool {
		return name != cpuPerOp && slices.ContainsFunc(p.Rows, func(r Row) bool { v, _ := r.mechanism(name); return v > 0 })
	})
}

func namesOf(shown func(name string) bool) (names []string) {
	for _, c := range counters {
		if shown(c.name) {
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
	for _, l := range wrap("throughput by "+all[0].Key+": "+ScalingLaw, t.style.width()) {
		t.line(paint(span{l, bold}, t.style.Color))
	}
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
