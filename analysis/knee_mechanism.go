package analysis

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shardlab/shardlab/results"
)

// KneeMechanismNote says what the counters at a knee are of.
const KneeMechanismNote = "of each block's probes at the highest rate that met the bound, which differs by arm and block; median over blocks"

const kneeVoid Warning = "no counters at the knee: too many of the slices there are void"

// addMechanisms says what the servers did beside the operations at the rates that are their knees.
func (r *KneeReport) addMechanisms(m results.Manifest, lines []results.Slice, trials []results.Trial, infos []results.BlockInfo) {
	type key struct {
		PointArm
		block int
	}
	base := map[key]string{} // of what is measured at a knee: the point without its rate
	for _, row := range r.Knees {
		for _, k := range row.Blocks {
			for _, p := range m.Points {
				if of := strings.TrimSuffix(strings.TrimSuffix(p.Label, fmt.Sprintf("rate=%.0f", k.Lo)), ","); k.Lo > 0 && of != p.Label && of == k.Point {
					base[key{PointArm{p.Label, k.Arm}, k.Block}] = k.Point
				}
			}
		}
	}
	var at []results.Slice
	for _, s := range lines {
		if point, ok := base[key{PointArm{s.Point, s.Arm}, s.Block}]; ok {
			s.Point = point
			at = append(at, s)
		}
	}
	var of []results.Trial
	for _, t := range trials {
		if point, ok := base[key{PointArm{t.Point, t.Arm}, t.Block}]; ok {
			t.Point = point
			of = append(of, t)
		}
	}
	all := mechanisms(gather(at, of), infos)
	for i := range r.Knees {
		row := &r.Knees[i]
		key := PointArm{row.Point, row.Arm}
		row.Mechanisms = all[key]
		if len(row.Mechanisms) == 0 && slices.ContainsFunc(at, func(s results.Slice) bool { return s.Point == key.Point && s.Arm == key.Arm }) {
			row.Warnings = append(row.Warnings, kneeVoid)
		}
	}
}

// KneeMechanismNames are the counters of which any row has counted something, in the order of the table.
func KneeMechanismNames(rows []KneeRow) []string {
	return namesOf(func(name string) bool {
		return slices.ContainsFunc(rows, func(r KneeRow) bool { v, _ := find(r.Mechanisms, name); return v > 0 })
	})
}

// mechanismTable stands under the knees of a point, where anything was counted.
func (r *KneeReport) mechanismTable(b *strings.Builder, rows []KneeRow, s Style, n *notes) {
	names := KneeMechanismNames(rows)
	if len(names) == 0 {
		return
	}
	title := "mechanism at the knee" + marks{n.add(KneeMechanismNote, "")}.String()
	if rows[0].Point != "" {
		title = rows[0].Point + " · " + title
	}
	g := grid{width: s.width(), color: s.Color, gap: 2, head: []string{"arm"}}
	for _, row := range rows {
		g.rows = append(g.rows, []gridCell{{top: span{text: row.Arm}}})
	}
	g.addMechanisms(names, n, func(i int) []Mechanism { return rows[i].Mechanisms })
	b.WriteString("\n" + paint(span{title, bold}, s.Color) + "\n")
	g.unite()
	_ = g.write(b)
}
