package analysis

import (
	"math"
	"slices"
)

// Phase is who is best at one point, and whether it can be told.
type Phase struct {
	Point  string   `json:"point"`
	Winner string   `json:"winner"`
	Second string   `json:"second,omitempty"` // who comes closest
	Margin Ratio    `json:"margin"`           // winner's value over second's, paired by block
	Ties   []string `json:"ties,omitempty"`   // arms whose difference from the winner may be none: their intervals include 1
}

// Phases says of every point which arm is best by a metric: the most throughput, the least of everything else. Responders
// compete with nobody, and neither do invalid rows. Points with less than two arms left are not in the result.
//
// The winner was chosen by looking at the data, so its margin is a little flattered; that is why it counts as told apart only
// where its interval against every other arm excludes 1.
func Phases(r *Report, m Metric, responders []string) []Phase {
	var out []Phase
	for _, p := range r.Points {
		var rows []Row
		for _, row := range p.Rows {
			if row.Verdict.Verdict != Invalid && row.Cells[m].Estimate != nil && !slices.Contains(responders, row.Arm) {
				rows = append(rows, row)
			}
		}
		if len(rows) < 2 {
			continue
		}
		best := rows[0]
		for _, row := range rows[1:] {
			if beats(row, best, m) {
				best = row
			}
		}
		phase := Phase{Point: p.Point.Label, Winner: best.Arm}
		closest := math.Inf(1)
		for _, row := range rows {
			if row.Arm == best.Arm {
				continue
			}
			margin := PairedRatio(best.Cells[m].Blocks, row.Cells[m].Blocks)
			if !margin.Distinct() {
				phase.Ties = append(phase.Ties, row.Arm)
			}
			if d := math.Abs(math.Log(margin.Value)); margin.Known() && d < closest {
				closest, phase.Second, phase.Margin = d, row.Arm, margin
			}
		}
		out = append(out, phase)
	}
	return out
}

// beats says whether a is better than b in the blocks that both have; where they have none in common, by their medians.
func beats(a, b Row, m Metric) bool {
	ratio := PairedRatio(a.Cells[m].Blocks, b.Cells[m].Blocks).Value
	if ratio == 0 {
		ratio = a.Cells[m].Estimate.Value / b.Cells[m].Estimate.Value
	}
	return (ratio > 1) == (m == Throughput) && ratio != 1
}
