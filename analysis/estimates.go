package analysis

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
)

var estimateColumns = []string{"run", "point", "arm", "metric", "unit", "value", "lo", "hi", "n", "reference", "ratio", "ratio_lo", "ratio_hi",
	"verdict", "group", "best_rank", "worst_rank", "absent"}

// CSV writes a row for each point, arm and metric: the estimate, the ratio to the reference and the place in the ranking. What is not
// known is an empty cell.
func (r *Report) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(estimateColumns); err != nil {
		return err
	}
	for i := range r.Points {
		p := &r.Points[i]
		for j := range p.Rows {
			for _, m := range Metrics() {
				if err := out.Write(r.estimate(p, &p.Rows[j], m)); err != nil {
					return err
				}
			}
		}
	}
	out.Flush()
	return out.Error()
}

func (r *Report) estimate(p *PointReport, row *Row, m Metric) []string {
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	cells := map[string]string{"run": r.Run.ID, "point": p.Point.Label, "arm": row.Arm, "metric": string(m), "unit": scales[m.Unit()][0].Name,
		"verdict": string(row.Verdict.Verdict)}
	bounds := func(i *Interval, lo, hi string) {
		if i != nil {
			cells[lo], cells[hi] = number(i.Lo), number(i.Hi)
		}
	}
	c := row.Cells[m]
	cells["absent"] = string(c.Absent)
	if e := c.Estimate; e != nil {
		cells["value"], cells["n"] = number(e.Value), strconv.Itoa(e.N)
		bounds(e.Interval, "lo", "hi")
	}
	if x := c.Ratio; x != nil && x.Known() {
		cells["reference"], cells["ratio"] = r.Reference, number(x.Value)
		bounds(x.Interval, "ratio_lo", "ratio_hi")
	}
	if place, ok := p.place(m, row.Arm); ok {
		cells["group"], cells["best_rank"], cells["worst_rank"] = strconv.Itoa(place.Group), strconv.Itoa(place.Best), strconv.Itoa(place.Worst)
	}
	line := make([]string, len(estimateColumns))
	for k, name := range estimateColumns {
		line[k] = cells[name]
	}
	return line
}

// place is where an arm stands in the ranking by a metric; ok is false where it has none.
func (p *PointReport) place(m Metric, arm string) (x Place, ok bool) {
	for _, r := range p.Rankings {
		if i := slices.IndexFunc(r.Places, func(x Place) bool { return x.Arm == arm }); r.Metric == m && i >= 0 {
			return r.Places[i], true
		}
	}
	return Place{}, false
}
