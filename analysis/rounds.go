package analysis

import (
	"cmp"
	"slices"

	"github.com/shardlab/shardlab/results"
)

// RoundRatio is how an arm did against the reference in one round of a block, both visited within a few slices of each
// other. Rounds are no sample: they show drift, modes and what was dropped.
type RoundRatio struct {
	Block int
	Round int
	T     int64   // ns since the run's start, of the arm's window
	Ratio float64 // arm over reference; 0 where one of the two is void
	Void  string  // why
}

// RoundRatios pairs an arm's slices at a point with the reference's, in the order of time. Throughput, ServerCPU, P50 and P99
// are known of slices; a slice without the quantile is left out.
func RoundRatios(lines []results.Slice, point, arm, ref string, m Metric) []RoundRatio {
	type round struct{ block, slice int }
	refs := map[round]*results.Slice{}
	for i := range lines {
		if s := &lines[i]; s.Point == point && s.Arm == ref {
			refs[round{s.Block, s.Slice}] = s
		}
	}
	var out []RoundRatio
	for i := range lines {
		s := &lines[i]
		r := refs[round{s.Block, s.Slice}]
		if s.Point != point || s.Arm != arm || r == nil {
			continue
		}
		x := RoundRatio{Block: s.Block, Round: s.Slice, T: s.T}
		a, b := SliceValue(s, m), SliceValue(r, m)
		switch {
		case !usableSlice(s) || !usableSlice(r):
			x.Void = cmp.Or(s.Why, r.Why, "void")
		case a > 0 && b > 0:
			x.Ratio = a / b
		default:
			continue
		}
		out = append(out, x)
	}
	slices.SortStableFunc(out, func(a, b RoundRatio) int { return cmp.Compare(a.T, b.T) })
	return out
}

// SliceValue is a metric of one slice; 0 where the slice does not have it.
func SliceValue(s *results.Slice, m Metric) float64 {
	switch {
	case m == Throughput && s.Dur > 0:
		return float64(s.Replies) / float64(s.Dur) * 1e9
	case m == ServerCPU && s.Replies > 0:
		return float64(s.ServerCPU) / float64(s.Replies)
	case m == ClientCPU && s.Replies > 0:
		return float64(s.ClientCPU) / float64(s.Replies)
	case m == P50:
		return float64(s.Response.P50)
	case m == P99:
		return float64(s.Response.P99)
	}
	return 0
}
