package analysis

import (
	"fmt"
	"math"
	"slices"
)

// Level is the coverage that every interval of this package promises at least (median) or aims at (ratio).
const Level = 0.95

// MinBlocks is the smallest number of blocks for which an interval at Level is given. With five values the widest
// order-statistic interval of the median, minimum to maximum, covers 1 - 2/2^5 = 93.75 %; with six, 96.9 %.
const MinBlocks = 6

// A Warning is a statistical doubt about one result, worded so that the reader knows what to do. It is an error by
// type but not a failure: the result that carries it stands, without whatever the warning says is missing.
type Warning string

// Error returns the warning's text.
func (w Warning) Error() string { return string(w) }

// Interval is a closed interval, in the unit of the value it belongs to.
type Interval struct {
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
}

// Contains says whether v lies in the interval.
func (i Interval) Contains(v float64) bool { return i.Lo <= v && v <= i.Hi }

// Sample is the values of one metric of one arm, one per block. A block is one fresh process, so the values are
// independent; slices within a block are not, and have no place here.
type Sample struct {
	sorted []float64
}

// NewSample copies values. Those that are not finite are left out.
func NewSample(values []float64) Sample {
	s := make([]float64, 0, len(values))
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			s = append(s, v)
		}
	}
	slices.Sort(s)
	return Sample{sorted: s}
}

// N is the number of values.
func (s Sample) N() int { return len(s.sorted) }

// Median is the middle value, or the mean of the two middle ones; 0 for an empty sample.
func (s Sample) Median() float64 {
	n := len(s.sorted)
	switch {
	case n == 0:
		return 0
	case n%2 == 1:
		return s.sorted[n/2]
	default:
		// Halved before they are added, so that two huge values do not overflow.
		return s.sorted[n/2-1]/2 + s.sorted[n/2]/2
	}
}

// MedianInterval is the narrowest interval between symmetric order statistics that covers the median with
// probability at least Level, whatever the distribution (David & Nagaraja, Order Statistics, 7.1), and its exact
// coverage. ok is false below MinBlocks values.
func (s Sample) MedianInterval() (i Interval, coverage float64, ok bool) {
	n := len(s.sorted)
	k, coverage := medianRank(n)
	if k == 0 {
		return Interval{}, 0, false
	}
	return Interval{Lo: s.sorted[k-1], Hi: s.sorted[n-k]}, coverage, true
}

// medianRank is the largest k, counted from 1, for which the k-th smallest and k-th largest of n values enclose the
// median with probability 1 - 2 P(Binomial(n, 1/2) < k) >= Level; 0 if there is none.
func medianRank(n int) (k int, coverage float64) {
	tail := 0.0
	lgN, _ := math.Lgamma(float64(n + 1))
	for j := 0; j < n/2; j++ {
		lgJ, _ := math.Lgamma(float64(j + 1))
		lgR, _ := math.Lgamma(float64(n - j + 1))
		tail += math.Exp(lgN - lgJ - lgR - float64(n)*math.Ln2)
		if 1-2*tail < Level {
			break
		}
		k, coverage = j+1, 1-2*tail
	}
	return k, coverage
}

// Estimate is what a sample says of the true value: the median across blocks with its interval.
type Estimate struct {
	Value    float64   `json:"value"`
	Interval *Interval `json:"interval,omitempty"` // nil below MinBlocks
	Coverage float64   `json:"coverage,omitempty"` // exact, at least Level
	N        int       `json:"n"`                  // blocks
	Warnings []Warning `json:"warnings,omitempty"`
}

// Summarize estimates the median of a sample that is not empty.
func (s Sample) Summarize() Estimate {
	e := Estimate{Value: s.Median(), N: s.N()}
	if i, coverage, ok := s.MedianInterval(); ok {
		e.Interval, e.Coverage = &i, coverage
	} else {
		e.Warnings = append(e.Warnings, tooFewBlocks(s.N()))
	}
	return e
}

func tooFewBlocks(n int) Warning {
	return Warning(fmt.Sprintf("need >= %d blocks for a %.0f%% interval, have %d", MinBlocks, Level*100, n))
}
