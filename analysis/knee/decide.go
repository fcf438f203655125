package knee

import (
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"gonum.org/v1/gonum/stat/distuv"
)

// Outcome is what a probe has shown.
type Outcome uint8

// The outcomes.
const (
	Undecided Outcome = iota // the rate is too near the knee to tell, or the probe too short
	Meets
	Misses
	Limited // the bound was missed, and the load generator was at its own limit: the server may not be to blame
)

func (o Outcome) String() string {
	return [...]string{"undecided", "meets", "misses", "client-bound"}[o]
}

// Statistics of response time that a bound may be on, beside quantiles.
const (
	Mean = "mean"
	Max  = "max"
)

// Bound is a bound on response time.
type Bound struct {
	Stat     string  // Mean, Max, or "" for Quantile
	Quantile float64 // of 1
	Limit    int64   // ns
}

// Batch is a part of a probe, long enough to know little of the next.
type Batch struct {
	N    uint64  // response times
	Over uint64  // of those, above the limit
	High uint64  // of those, above a level that is the same for all batches of the probe: about the median of the first
	Mean float64 // ns
	Max  int64   // ns
}

// Batch summarises response times.
func (b Bound) Batch(h *hdrhistogram.Histogram, level int64) Batch {
	x := Batch{N: uint64(h.TotalCount())}
	if x.N == 0 {
		return x
	}
	x.Mean, x.Max = h.Mean(), h.Max()
	for _, bar := range h.Distribution() {
		if bar.From > b.Limit {
			x.Over += uint64(bar.Count)
		}
		if bar.From > level {
			x.High += uint64(bar.Count)
		}
	}
	return x
}

// Looks is how often Decide may be asked about the same probe while it grows. The tails are set for that: each look may be wrong
// on one side with 0.0075, so that all of them together are in less than 0.025 (they overlap).
const (
	Looks    = 4
	lookTail = 0.0075
)

// minBatches is the fewest that say anything of how batches differ.
const minBatches = 4

// Decide says on which side of the bound the response times lie. For a quantile q that is: whether more than 1-q of them are above
// the limit, which is the order-statistic interval of the quantile held against it, with as many response times as
// there would be if they were independent.
func (b Bound) Decide(batches []Batch) Outcome {
	var n, worst float64
	for _, x := range batches {
		n += float64(x.N)
		worst = max(worst, float64(x.Max))
	}
	if b.Stat == Max {
		switch {
		case worst > float64(b.Limit):
			return Misses
		case n == 0:
			return Undecided
		}
		return Meets
	}
	if len(batches) < minBatches || n == 0 || b.Stat == "" && n*(1-b.Quantile) < needed {
		return Undecided
	}
	excess, half := b.excess(batches, n)
	switch {
	case excess < -half:
		return Meets
	case excess > half:
		return Misses
	}
	return Undecided
}

// excess is by how much the n response times of the batches are on the wrong side, and how far that may be off.
func (b Bound) excess(batches []Batch, n float64) (excess, half float64) {
	t := distuv.StudentsT{Sigma: 1, Nu: float64(len(batches) - 1)}.Quantile(1 - lookTail)
	if b.Stat == Mean {
		excess, variance := spread(batches, func(x Batch) float64 { return (x.Mean - float64(b.Limit)) * float64(x.N) })
		return excess, t * math.Sqrt(variance)
	}
	tail := 1 - b.Quantile
	excess, variance := spread(batches, func(x Batch) float64 { return float64(x.Over) - tail*float64(x.N) })
	return excess, t * math.Sqrt(max(variance, clustering(batches, n, tail)*n*tail*b.Quantile))
}

// clustering is how many response times say as much as one that is independent of the others: those that queue together are above a
// limit together. It is how much more the batches differ than by chance, in what is above the limit and in what is above the
// median, whichever shows more: few clusters above the limit, or none, do not show how large they are, and the batches then
// agree too well. (With the first alone 83 % of intervals held the knee of an M/M/1 queue.)
func clustering(batches []Batch, n, tail float64) float64 {
	most := 1.0
	for _, of := range []func(Batch) uint64{
		func(x Batch) uint64 { return x.Over }, func(x Batch) uint64 { return x.High },
	} {
		var sum float64
		for _, x := range batches {
			sum += float64(of(x))
		}
		if p := sum / n; p > 0 && p < 1 {
			_, variance := spread(batches, func(x Batch) float64 { return float64(of(x)) - p*float64(x.N) })
			most = max(most, variance/(n*p*(1-p)))
		}
	}
	return most
}

// spread is the sum over all batches, and the variance of that sum as the batches' differences show it.
func spread(batches []Batch, of func(Batch) float64) (sum, variance float64) {
	for _, x := range batches {
		sum += of(x)
	}
	m := float64(len(batches))
	for _, x := range batches {
		d := of(x) - sum/m
		variance += d * d
	}
	return sum, variance * m / (m - 1)
}

// Value is the statistic that the bound is on, in ns; 0 where there are too few response times.
func (b Bound) Value(h *hdrhistogram.Histogram) int64 {
	switch n := float64(h.TotalCount()); {
	case n == 0:
		return 0
	case b.Stat == Mean:
		return int64(h.Mean())
	case b.Stat == Max:
		return h.Max()
	case n*(1-b.Quantile) < needed:
		return 0
	}
	return h.ValueAtQuantile(100 * b.Quantile)
}

// Sequential decides by a probe that goes on while it shows nothing: measure is called for one more look, of the next length and
// with its number, and returns what it adds.
func (b Bound) Sequential(lengths []time.Duration, measure func(look int, length time.Duration) ([]Batch, error)) (Outcome, error) {
	var all []Batch
	for look, length := range lengths {
		more, err := measure(look, length)
		if err != nil {
			return Undecided, err
		}
		all = append(all, more...)
		if o := b.Decide(all); o != Undecided {
			return o, nil
		}
	}
	return Undecided, nil
}
