package analysis

import (
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/shardlab/shardlab/analysis/series"
	"github.com/shardlab/shardlab/results"
)

const (
	// maxDrift is the mean drift within blocks above which an arm is unsteady, as a log-ratio (2 %) ...
	maxDrift = 0.02
	// ... provided that it is certain: by Student's t over blocks, at this level for drift and for trend each. Three standard errors,
	// which stood here, are passed by chance by 3 % of steady rows of six blocks and by 10 % of three.
	steadyLevel = 0.005
	// minDriftBlocks is the fewest blocks that give a standard error worth anything.
	minDriftBlocks = 3
	// minDriftRounds is the fewest rounds of a block that have two halves of two.
	minDriftRounds = 4
	// memoryLevel is how often a row of independent slices is said to have a memory.
	memoryLevel = 0.01
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
	return d.Blocks >= minDriftBlocks && math.Abs(d.Mean) > maxDrift && studentP(d.Mean, d.Error, d.Blocks) < steadyLevel
}

// Order is what the order of an arm's slices within its blocks says, or that of a load's seconds: whether there is a trend, and
// whether neighbours resemble each other. It is of the same quantity as Drift.
type Order struct {
	Blocks   int     `json:"blocks"`   // with slices enough to judge
	Tau      float64 `json:"tau"`      // Kendall's rank correlation with time, mean over blocks
	Trending int     `json:"trending"` // blocks that have a trend of their own, at 5 %, by Mann and Kendall's test
	// Change is from the first slice to the last, by the Theil-Sen slope, a log-ratio; mean over blocks of what differs from the
	// median of the arms, as of Drift. TrendP is by Student's t over blocks, which are independent whatever slices are; of a single
	// series by Mann and Kendall's test with the variance that its memory leaves.
	Change float64 `json:"change"`
	TrendP float64 `json:"trend_p"`
	Lag1   float64 `json:"lag1"`   // rank correlation of neighbours once a trend is taken out, mean over blocks
	Lag1P  float64 `json:"lag1_p"` // one-sided
}

// unsteady says whether there is a trend both large and certain.
func (o Order) unsteady() bool {
	return o.Blocks > 0 && o.TrendP < steadyLevel && math.Abs(o.Change) > maxDrift
}

// remembers says whether values resemble those before them.
func (o Order) remembers() bool { return o.Blocks > 0 && o.Lag1P < memoryLevel }

// orderSums gathers what the blocks of an arm say.
type orderSums struct {
	changes          []float64 // less what the arms of the block share
	tau, lag1, score float64
	trending         int
	last             series.Trend
}

func (s *orderSums) add(t series.Trend, n int, shared float64) {
	s.last = t
	s.changes = append(s.changes, t.Change-shared)
	s.tau += t.Tau
	if t.P < 0.05 {
		s.trending++
	}
	if m := t.Left; m.P < 1 { // else all values are equal, and have no order
		s.lag1 += m.R
		s.score += m.Score(n)
	}
}

func (s *orderSums) order() Order {
	n := float64(len(s.changes))
	o := Order{Blocks: len(s.changes), Tau: s.tau / n, Trending: s.trending, Lag1: s.lag1 / n, TrendP: s.last.P}
	var se float64
	if o.Change, se = meanError(s.changes); n > 1 {
		o.TrendP = studentP(o.Change, se, o.Blocks)
	}
	o.Lag1P = math.Erfc(s.score/math.Sqrt(2*n)) / 2
	return o
}

// orderOf judges a single series.
func orderOf(x []float64) Order {
	if len(x) < series.MinTrend || slices.ContainsFunc(x, func(v float64) bool { return math.IsInf(v, 0) || math.IsNaN(v) }) {
		return Order{}
	}
	var s orderSums
	s.add(series.TrendOf(x), len(x), 0)
	return s.order()
}

// studentP is how often n values around zero have a mean so far from it, in standard errors; 1 below minDriftBlocks.
func studentP(mean, se float64, n int) float64 {
	switch {
	case n < minDriftBlocks || mean == 0:
		return 1
	case se == 0:
		return 0
	}
	return 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(n - 1)}.Survival(math.Abs(mean)/se)
}

// drifts measures every arm of a point against the median drift of the arms in the same rounds of the same block, so
// that a drift of the machine, which all share, does not count. The median and not the mean: with the mean, one arm
// that drifts by 10 % among three would make the other two drift by -3 %. A single arm is taken as it is.
//
// An arm without a block of minDriftRounds common rounds is not in the result.
func drifts(open bool, rows map[string][]*block) map[string]Drift {
	values := map[string][]float64{}
	for _, arms := range sameBlocks(rows) {
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
	values, rounds := commonRounds(open, arms)
	if len(rounds) < minDriftRounds {
		return nil
	}
	half := len(rounds) / 2
	drift := make(map[string]float64, len(arms))
	var all []float64
	for arm, v := range values {
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

// paceOrder judges the seconds of a load.
func paceOrder(pace []float64) Order {
	logs := make([]float64, len(pace))
	for i, v := range pace {
		logs[i] = math.Log(v) // not finite where nothing was answered: then there is no order to judge
	}
	return orderOf(logs)
}

// orders judges the order of every arm's slices.
func orders(open bool, rows map[string][]*block) map[string]Order {
	sums := map[string]*orderSums{}
	byBlock := sameBlocks(rows)
	for _, number := range slices.Sorted(maps.Keys(byBlock)) { // the order of a sum moves its last bits
		values, rounds := commonRounds(open, byBlock[number])
		if len(rounds) < series.MinTrend {
			continue
		}
		lines, trends, changes := map[string][]float64{}, map[string]series.Trend{}, []float64{}
		for arm, v := range values {
			for _, r := range rounds {
				lines[arm] = append(lines[arm], v[r])
			}
			trends[arm] = series.TrendOf(lines[arm])
			changes = append(changes, trends[arm].Change)
		}
		shared := 0.0
		if len(changes) > 1 {
			shared = NewSample(changes).Median()
		}
		for arm, x := range lines {
			if sums[arm] == nil {
				sums[arm] = &orderSums{}
			}
			sums[arm].add(trends[arm], len(x), shared)
		}
	}
	out := make(map[string]Order, len(sums))
	for arm, s := range sums {
		out[arm] = s.order()
	}
	return out
}

// sameBlocks gathers the arms of each block that are usable.
func sameBlocks(rows map[string][]*block) map[int]map[string]*block {
	byBlock := map[int]map[string]*block{}
	for arm, blocks := range rows {
		for _, b := range usableBlocks(blocks) {
			if byBlock[b.number] == nil {
				byBlock[b.number] = map[string]*block{}
			}
			byBlock[b.number][arm] = b
		}
	}
	return byBlock
}

// commonRounds is each arm's value by round, and the rounds that all arms have, in order.
func commonRounds(open bool, arms map[string]*block) (values map[string]map[int]float64, rounds []int) {
	values = make(map[string]map[int]float64, len(arms))
	have := map[int]int{} // arms that have the round
	for arm, b := range arms {
		values[arm] = roundValues(open, b)
		for r := range values[arm] {
			have[r]++
		}
	}
	maps.DeleteFunc(have, func(_, n int) bool { return n < len(arms) })
	return values, slices.Sorted(maps.Keys(have))
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
