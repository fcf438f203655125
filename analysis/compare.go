package analysis

import (
	"fmt"
	"math"
	"slices"
)

// A BlockValue is one metric of one arm in one block.
type BlockValue struct {
	Block int     `json:"block"`
	Value float64 `json:"value"`
}

// Ratio is how many times the reference's value an arm's value is: exp of the mean log-ratio, which treats half and
// double alike. With N = 0 there is no ratio, and a warning says why.
type Ratio struct {
	Value    float64   `json:"ratio,omitempty"`
	Interval *Interval `json:"interval,omitempty"` // at Level; nil below MinBlocks
	N        int       `json:"n"`                  // pairs; for two runs the smaller number of blocks
	Unpaired int       `json:"unpaired,omitempty"` // blocks left out because one of the two has no usable value there
	Warnings []Warning `json:"warnings,omitempty"`
}

// Known says whether there is a ratio at all.
func (r Ratio) Known() bool { return r.N > 0 }

// Distinct says whether the interval excludes 1. Without an interval nothing is distinct.
func (r Ratio) Distinct() bool { return r.Interval != nil && !r.Interval.Contains(1) }

// PairedRatio compares arm with ref block by block, so that what a block's time did to both cancels. Blocks in which
// either has no value, or none above zero, are left out and counted. Both are in any order, each block at most once.
func PairedRatio(arm, ref []BlockValue) Ratio { return pairedRatio(arm, ref, false) }

// pairedRatio is PairedRatio where looked says that the number of blocks came of looking at differences: the interval holds at Level
// then, too, and is wider.
func pairedRatio(arm, ref []BlockValue, looked bool) Ratio {
	logs := pairedLogs(arm, ref)
	blocks := make(map[int]bool, len(arm)+len(ref))
	for _, v := range slices.Concat(arm, ref) {
		blocks[v.Block] = true
	}
	r := Ratio{N: len(logs), Unpaired: len(blocks) - len(logs)}
	switch {
	case r.N == 0:
		r.Warnings = append(r.Warnings, "no block in which both arms have a usable value: no difference")
		return r
	case r.N < MinBlocks:
		r.Warnings = append(r.Warnings, tooFewBlocks(r.N))
	default:
		interval := meanInterval
		if looked {
			interval = lookedInterval
		}
		i := expInterval(interval(logs, resamples))
		r.Interval = &i
	}
	if r.Unpaired > 0 {
		r.Warnings = append(r.Warnings, "the difference leaves out blocks in which one of the two arms is void")
	}
	mean, _ := meanError(logs)
	r.Value = math.Exp(mean)
	return r
}

// pairedLogs is the logarithm of arm's value over ref's in every block in which both have one above zero.
func pairedLogs(arm, ref []BlockValue) (logs []float64) {
	refs := make(map[int]float64, len(ref))
	for _, v := range ref {
		refs[v.Block] = v.Value
	}
	for _, v := range arm {
		if l, ok := logRatio(v.Value, refs[v.Block]); ok {
			logs = append(logs, l)
		}
	}
	return logs
}

// unresolved reports whether a difference to a value is less than two steps of the histogram that it was read from.
func unresolved(c column, r Ratio, base float64) bool {
	return c.quantile > 0 && r.Known() && math.Abs(r.Value-1)*base < 2*histogramStep(base)
}

// unpairedRatio compares two samples that share no blocks, as two runs made at different times: exp of the difference
// of mean logs. Values not above zero are left out and counted. looked is as in pairedRatio, of either sample.
func unpairedRatio(y, x []BlockValue, looked bool) Ratio {
	ly, lx := logs(y), logs(x)
	r := Ratio{N: min(len(ly), len(lx)), Unpaired: len(y) + len(x) - len(ly) - len(lx)}
	if r.N == 0 {
		r.Warnings = append(r.Warnings, "one of the two runs has no usable block: no difference")
		return r
	}
	if r.N < MinBlocks {
		r.Warnings = append(r.Warnings, tooFewBlocks(r.N))
	} else {
		i := expInterval(differenceInterval(ly, lx, resamples, looked))
		r.Interval = &i
	}
	my, _ := meanError(ly)
	mx, _ := meanError(lx)
	r.Value = math.Exp(my - mx)
	return r
}

func logs(values []BlockValue) []float64 {
	var out []float64
	for _, v := range values {
		if l, ok := logRatio(v.Value, 1); ok {
			out = append(out, l)
		}
	}
	return out
}

func logRatio(x, ref float64) (l float64, ok bool) {
	if !(x > 0) || !(ref > 0) {
		return 0, false
	}
	l = math.Log(x) - math.Log(ref)
	return l, !math.IsInf(l, 0)
}

// expInterval leaves the log scale. A bound beyond what a float64 holds is cut, so that it stays a number in JSON.
func expInterval(i Interval) Interval {
	return Interval{Lo: math.Exp(max(i.Lo, -700)), Hi: math.Exp(min(i.Hi, 700))}
}

// String is the ratio as a difference in per cent, as tables print it: "+0.6% [-0.3, +1.5]".
func (r Ratio) String() string {
	if !r.Known() {
		return "–"
	}
	if r.Interval == nil {
		return percent(r.Value) + "%"
	}
	return fmt.Sprintf("%s%% [%s, %s]", percent(r.Value), percent(r.Interval.Lo), percent(r.Interval.Hi))
}

// percent is the difference of a ratio from 1, signed, with one decimal below 100 %.
func percent(ratio float64) string {
	p := (ratio - 1) * 100
	switch {
	case p >= 1e5:
		return fmt.Sprintf("%+.0e", p)
	case math.Abs(p) >= 99.95:
		return fmt.Sprintf("%+.0f", p)
	case math.Abs(p) < 1e-9:
		return "+0.0"
	}
	return fmt.Sprintf("%+.1f", p)
}
