package analysis

import "github.com/shardlab/shardlab/results"

// metricValues is one metric of one arm: a value for every usable block, or why there is none.
type metricValues struct {
	values []BlockValue
	absent Warning
}

// blockValues reads every metric. A metric that one block lacks is absent as a whole: the blocks without a tail
// quantile are the slow ones, and the others would flatter the arm.
func blockValues(blocks []*block) map[Metric]metricValues {
	out := make(map[Metric]metricValues, len(columns))
	usable := usableBlocks(blocks)
	for _, c := range columns {
		var mv metricValues
		for _, b := range usable {
			v, absent := c.value(b)
			if absent != "" {
				mv = metricValues{absent: absent}
				break
			}
			mv.values = append(mv.values, BlockValue{b.number, v})
		}
		if len(usable) == 0 {
			mv.absent = "there is no usable block"
		}
		out[c.metric] = mv
	}
	return out
}

// newRow summarizes an arm's blocks; looked is as in pairedRatio.
func newRow(a results.Arm, blocks []*block, ref map[Metric]metricValues, isRef, looked bool) Row {
	row := Row{Arm: a.Name, Kind: a.Kind, Cells: make(map[Metric]Cell, len(columns))}
	var overflow, timedOut uint64
	for _, b := range blocks {
		switch {
		case b.trial == nil:
			row.Unfinished++
		case b.usable():
			row.Blocks++
		default:
			row.Void++
		}
		for _, s := range b.all {
			overflow += s.Overflow
			timedOut += s.TimedOut
		}
	}
	if row.Void > 0 {
		row.Warnings = append(row.Warnings, "void blocks are left out")
	}
	row.Warnings = append(row.Warnings, warmupDoubts(finished(blocks))...)
	if late, due := lateArrivals(blocks); float64(late) > maxLate*float64(due) {
		row.Warnings = append(row.Warnings, "more than 0.1% of the arrivals were sent over 1 ms after they were due: the delay is "+
			"in the response times, not in the service times")
	}
	if timedOut > 0 {
		row.Warnings = append(row.Warnings, "requests timed out: they count as the timeout, so percentiles and maxima that reach it are "+
			"lower bounds")
	}
	if overflow > 0 {
		row.Warnings = append(row.Warnings, "some latencies were above the histogram's 60 s and are counted as 60 s")
	}
	for m, mv := range blockValues(blocks) {
		row.Cells[m] = newCell(columnOf(m), mv, ref[m], isRef, looked)
	}
	return row
}

const secondsWarning Warning = "seconds resemble those before them: they are not independent, and intervals are too narrow; load for longer"

const memoryWarning Warning = "slices resemble those before them: a block says less than its length promises; intervals are over " +
	"blocks, and do not take slices for independent"

// maxLate is the share of late arrivals below which nothing is said: it is what a p99.9 does not see.
const maxLate = 0.001

func lateArrivals(blocks []*block) (late, due uint64) {
	for _, b := range usableBlocks(blocks) {
		for _, s := range b.valid {
			late += s.Late
			due += s.Intended
		}
	}
	return late, due
}

func newCell(c column, mv, ref metricValues, isRef, looked bool) Cell {
	if mv.absent != "" {
		return Cell{Absent: mv.absent}
	}
	e := sampleOf(mv.values).Summarize()
	cell := Cell{Estimate: &e, Blocks: mv.values}
	if isRef || len(ref.values) == 0 {
		return cell
	}
	ratio := pairedRatio(mv.values, ref.values, looked)
	cell.Ratio = &ratio
	cell.Unresolved = unresolved(c, ratio, sampleOf(ref.values).Median())
	return cell
}

func sampleOf(values []BlockValue) Sample {
	v := make([]float64, len(values))
	for i, b := range values {
		v[i] = b.Value
	}
	return NewSample(v)
}
