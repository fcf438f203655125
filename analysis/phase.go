package analysis

import (
	"math"
	"slices"

	"github.com/shardlab/shardlab/results"
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
			if beats(row.Cells[m].Blocks, best.Cells[m].Blocks, m) {
				best = row
			}
		}
		phase := Phase{Point: p.Point.Label, Winner: best.Arm}
		closest := math.Inf(1)
		for _, row := range rows {
			if row.Arm == best.Arm {
				continue
			}
			margin := pairedRatio(best.Cells[m].Blocks, row.Cells[m].Blocks, r.Sampling != nil)
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

// WinMetric is what the best arm of a point is told by: throughput, and where that is what was offered, the 99th percentile.
func WinMetric(p results.Point) Metric {
	if p.Mode == "open" {
		return P99
	}
	return Throughput
}

// beats says whether an arm with the values a is better than one with b in the blocks that both have; where they have none in common, by their
// medians.
func beats(a, b []BlockValue, m Metric) bool {
	d := math.Log(sampleOf(a).Median() / sampleOf(b).Median())
	if logs := pairedLogs(a, b); len(logs) > 0 {
		d, _ = meanError(logs)
	}
	return (d > 0) == m.HigherIsBetter() && d != 0
}
