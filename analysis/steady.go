package analysis

import (
	"maps"
	"math"
	"slices"

	"github.com/shardlab/shardlab/results"
)

const (
	// maxDrift is the mean drift within blocks above which an arm is unsteady, as a log-ratio (2 %) ...
	maxDrift = 0.02
	// ... provided that it is more than this many standard errors over blocks.
	driftErrors = 3.0
	// minDriftBlocks is the fewest blocks that give a standard error worth three of anything.
	minDriftBlocks = 3
	// minDriftRounds is the fewest rounds of a block that have two halves of two.
	minDriftRounds = 4
)

// Drift is how an arm's second half of a block differs from its first: mean over blocks of a log-ratio, 0.02 being 2 %
// more. It is of throughput in a closed loop; in an open loop, where the rate is given, of the median response time.
type Drift struct {
	Mean   float64 `json:"mean"`
	Error  float64 `json:"standard_error"`
	Blocks int     `json:"blocks"`
}

// unsteady says whether the drift is both large and certain.
func (d Drift) unsteady() bool {
	m := math.Abs(d.Mean)
	return d.Blocks >= minDriftBlocks && m > maxDrift && m > driftErrors*d.Error
}

// drifts measures every arm of a point against the median drift of the arms in the same rounds of the same block, so
// that a drift of the machine, which all share, does not count. The median and not the mean: with the mean, one arm
// that drifts by 10 % among three would make the other two drift by -3 %. A single arm is taken as it is.
//
// An arm without a block of minDriftRounds common rounds is not in the result.
func drifts(open bool, rows map[string][]*block) map[string]Drift {
	byBlock := map[int]map[string]*block{}
	for arm, blocks := range rows {
		for _, b := range usableBlocks(blocks) {
			if byBlock[b.number] == nil {
				byBlock[b.number] = map[string]*block{}
			}
			byBlock[b.number][arm] = b
		}
	}
	values := map[string][]float64{}
	for _, arms := range byBlock {
		for arm, d := range blockDrifts(open, arms) {
			values[arm] = append(values[arm], d)
		}
	}
	out := make(map[string]Drift, len(values))
	for arm, v := range values {
		// Sorted, because the blocks came out of a map and the order of a sum moves its last bits.
		mean, se := meanError(NewSample(v).sorted)
		if len(v) < 2 {
			se = 0
		}
		out[arm] = Drift{Mean: mean, Error: se, Blocks: len(v)}
	}
	return out
}

// blockDrifts is each arm's drift within one block, less the median of them.
func blockDrifts(open bool, arms map[string]*block) map[string]float64 {
	series := make(map[string]map[int]float64, len(arms))
	have := map[int]int{} // arms that have the round
	for arm, b := range arms {
		series[arm] = roundValues(open, b)
		for r := range series[arm] {
			have[r]++
		}
	}
	maps.DeleteFunc(have, func(_, n int) bool { return n < len(arms) })
	rounds := slices.Sorted(maps.Keys(have))
	if len(rounds) < minDriftRounds {
		return nil
	}
	half := len(rounds) / 2
	drift := make(map[string]float64, len(arms))
	var all []float64
	for arm, v := range series {
		drift[arm] = meanOf(v, rounds[len(rounds)-half:]) - meanOf(v, rounds[:half])
		all = append(all, drift[arm])
	}
	if len(arms) > 1 {
		common := NewSample(all).Median()
		for arm := range drift {
			drift[arm] -= common
		}
	}
	return drift
}

// roundValues is the log of what drift is measured in, by round.
func roundValues(open bool, b *block) map[int]float64 {
	v := make(map[int]float64, len(b.valid))
	for _, s := range b.valid {
		if x := steadyValue(open, s); x > 0 {
			v[s.Slice] = math.Log(x)
		}
	}
	return v
}

func steadyValue(open bool, s *results.Slice) float64 {
	if open {
		return float64(s.Response.P50)
	}
	return float64(s.Replies) / float64(s.Dur)
}

func meanOf(v map[int]float64, rounds []int) float64 {
	sum := 0.0
	for _, r := range rounds {
		sum += v[r]
	}
	return sum / float64(len(rounds))
}
