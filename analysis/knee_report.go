package analysis

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/shardlab/shardlab/results"
)

// KneeReport is what a search has found: for each arm the highest rate that meets a bound on response time, as an interval.
type KneeReport struct {
	Run      RunInfo          `json:"run"`
	Plan     results.KneePlan `json:"plan"`
	Level    float64          `json:"level"` // that the intervals aim at
	Knees    []KneeRow        `json:"knees"`
	Warnings []Warning        `json:"warnings,omitempty"`
}

// KneeRow is one arm at one point. The interval is of the median over blocks: between order statistics of the blocks' lower ends and
// of their upper ends.
type KneeRow struct {
	Point    string         `json:"point,omitempty"`
	Arm      string         `json:"arm"`
	Lo       float64        `json:"lo_per_s"`           // 0: some blocks found no rate that met the bound
	Hi       float64        `json:"hi_per_s,omitempty"` // 0: the knee is at least Lo, for the reason in Open
	Open     string         `json:"open,omitempty"`     // as in results.Knee
	Coverage float64        `json:"coverage"`           // that order statistics of so many blocks have; 0 for one block
	Blocks   []results.Knee `json:"blocks"`             // those that came to their end, or if none did, all
	Warnings []Warning      `json:"warnings,omitempty"`

	Mechanisms []Mechanism `json:"mechanisms,omitempty"` // at the highest rate that met the bound
}

// NewKneeReport puts the blocks of a search together.
func NewKneeReport(m results.Manifest, knees []results.Knee) (*KneeReport, error) {
	if m.Knee == nil {
		return nil, fmt.Errorf("run %s has not searched for a knee; shardlab knee does", m.ID)
	}
	r := &KneeReport{Run: runInfo(m), Plan: *m.Knee, Level: Level, Knees: []KneeRow{}}
	if m.Status != "" && m.Status != results.Complete {
		r.Warnings = append(r.Warnings, Warning("the run is "+m.Status+": this is what it had found"))
	}
	if m.CPUs.Shared {
		r.Warnings = append(r.Warnings, sharedNote)
	}
	var points []string
	for _, k := range knees {
		if !slices.Contains(points, k.Point) {
			points = append(points, k.Point)
		}
	}
	for _, p := range points {
		for _, a := range m.Arms {
			var of []results.Knee
			for _, k := range knees {
				if k.Point == p && k.Arm == a.Name {
					of = append(of, k)
				}
			}
			if len(of) > 0 {
				r.Knees = append(r.Knees, newKneeRow(p, a.Name, of))
			}
		}
	}
	return r, nil
}

func newKneeRow(point, arm string, knees []results.Knee) KneeRow {
	row := KneeRow{Point: point, Arm: arm, Blocks: knees}
	ended := slices.DeleteFunc(slices.Clone(knees), func(k results.Knee) bool { return k.Open == results.KneeInterrupted })
	if len(ended) > 0 {
		row.Blocks = ended
	} else {
		row.Open = results.KneeInterrupted
	}
	n := len(row.Blocks)
	rank, coverage := medianRank(n)
	if rank == 0 { // minimum to maximum
		rank, coverage = 1, max(0, 1-math.Exp2(float64(1-n)))
	}
	row.Coverage = coverage
	var lo, hi []float64
	for _, k := range row.Blocks {
		lo = append(lo, k.Lo)
		if k.Hi > 0 {
			hi = append(hi, k.Hi)
		} else {
			hi = append(hi, math.Inf(1))
		}
	}
	slices.Sort(lo)
	slices.Sort(hi)
	row.Lo = lo[rank-1]
	if row.Hi = hi[n-rank]; math.IsInf(row.Hi, 1) {
		row.Hi = 0
	}
	row.doubts()
	return row
}

// Inconclusive says of how many rows an end of the interval is missing, and not because it was asked for.
func (r *KneeReport) Inconclusive() (n int) {
	for _, k := range r.Knees {
		if k.Open == results.KneeClientBound || k.Open == results.KneeUnsteady || k.Open == results.KneeInterrupted || k.Open == results.KneeTime || k.Lo == 0 {
			n++
		}
	}
	return n
}

// JSON writes the report as one indented object.
func (r *KneeReport) JSON(w io.Writer) error { return writeJSON(w, r) }

// Text writes a table for each point.
func (r *KneeReport) Text(w io.Writer, s Style) error {
	var b strings.Builder
	fmt.Fprintf(&b, "run %s  %s\n", r.Run.ID, r.Run.Scenario)
	for _, warning := range r.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", warning)
	}
	if len(r.Knees) == 0 {
		b.WriteString("no rate was probed\n")
	}
	var n notes
	for i := 0; i < len(r.Knees); {
		j := i
		for j < len(r.Knees) && r.Knees[j].Point == r.Knees[i].Point {
			j++
		}
		title := "highest rate that meets " + r.Plan.SLO
		if p := r.Knees[i].Point; p != "" {
			title = p + " · " + title
		}
		b.WriteString("\n" + paint(span{title, bold}, s.Color) + "\n")
		g := r.grid(r.Knees[i:j], s, &n)
		_ = g.write(&b) // a strings.Builder takes everything
		r.mechanismTable(&b, r.Knees[i:j], s, &n)
		i = j
	}
	b.WriteString("\n")
	n.write(&b, s.width())
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *KneeReport) grid(rows []KneeRow, s Style, n *notes) grid {
	head := marks{n.add(fmt.Sprintf("[highest rate that met the bound, lowest that missed it], both from below and right after an overload; "+
		"over blocks, each a fresh process of every arm: order statistics that enclose the median with at least %.0f%%. Rates are "+
		"%.1f%% apart", Level*100, 100*(r.Plan.Step-1)), "")}
	g := grid{width: s.width(), color: s.Color, gap: 2, head: []string{"arm", "knee, /s" + head.String(), "block by block, /s", "probes"}}
	for _, row := range rows {
		var m marks
		for _, w := range row.Warnings {
			m = append(m, n.add(string(w), strings.TrimSpace(row.Point+" "+row.Arm)))
		}
		probes := 0
		var blocks []string
		for _, k := range row.Blocks {
			probes += len(k.Probes)
			blocks = append(blocks, KneeText(k.Lo, k.Hi))
		}
		cell := gridCell{top: span{KneeText(row.Lo, row.Hi), bold}}
		if row.Open != "" {
			cell.bottom = span{row.Open, yellow}
		}
		g.rows = append(g.rows, []gridCell{
			{top: span{text: row.Arm + m.String()}}, cell, {top: span{text: strings.Join(blocks, " ")}},
			{top: span{text: fmt.Sprint(probes)}},
		})
	}
	return g
}

// KneeText is an interval of rates: "[52.1k, 56.7k]", "≥ 52.1k", "< 103".
func KneeText(lo, hi float64) string {
	switch {
	case lo == 0 && hi == 0:
		return absent
	case lo == 0:
		return "< " + FormatSI(hi)
	case hi == 0:
		return "≥ " + FormatSI(lo)
	}
	return fmt.Sprintf("[%s, %s]", FormatSI(lo), FormatSI(hi))
}
