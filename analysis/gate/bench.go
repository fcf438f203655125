package gate

import (
	"cmp"
	"slices"

	"github.com/shardlab/shardlab/results"
)

// Bench is what the rows of a verdict stand on, for the Go benchmark format: a line for each block and arm, with the metrics for whose rows
// the block counts, as the rows read them. So the medians that benchstat finds are those of the verdict. The count of a line is of slices.
func Bench(p Plan, lines []results.Slice, trials []results.Trial) (rows []results.BenchRow) {
	first, second, _ := p.passes(lines, trials)
	type key struct{ point, block int }
	at := map[key]int{} // of base's row, head's being the next
	var order []key
	points := p.Points()
	for _, t := range first.primaries {
		if again := second.of(t.Primary); again != nil && len(again.blocks) > 0 {
			t = again
		}
		for i := range t.used {
			b := &t.used[i]
			if _, ok := b.X[t.Metric]; !ok || !b.usable() {
				continue
			}
			k := key{slices.Index(points, t.Point), b.Number}
			j, ok := at[k]
			if !ok {
				j = len(rows)
				at[k], order = j, append(order, k)
				for _, arm := range []string{Base, Head} {
					rows = append(rows, results.BenchRow{Point: t.Point, Arm: arm, Count: uint64(b.Pairs - b.Void)})
				}
			}
			rows[j].Values = append(rows[j].Values, results.BenchValue{Value: b.Ref[t.Metric], Unit: t.meter.bench})
			rows[j+1].Values = append(rows[j+1].Values, results.BenchValue{Value: b.Arm[t.Metric], Unit: t.meter.bench})
		}
	}
	slices.SortFunc(order, func(a, b key) int { return cmp.Or(cmp.Compare(a.point, b.point), cmp.Compare(a.block, b.block)) })
	sorted := make([]results.BenchRow, 0, len(rows))
	for _, k := range order {
		sorted = append(sorted, rows[at[k]], rows[at[k]+1])
	}
	return sorted
}
