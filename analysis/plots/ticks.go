package plots

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"

	"github.com/shardlab/shardlab/analysis"
)

// linearTicks labels round multiples of 1, 2 or 5, in units of scale. gonum's own choose well but know no unit.
type linearTicks struct{ scale analysis.Scale }

// Ticks implements plot.Ticker.
func (t linearTicks) Ticks(lo, hi float64) (ticks []plot.Tick) {
	step := niceStep((hi - lo) / t.scale.Factor)
	if !(step > 0) || math.IsInf(step, 0) {
		return nil
	}
	first := math.Ceil(lo/t.scale.Factor/step-1e-9) + 0 // not -0
	for k := first; len(ticks) < 50; k++ {
		v := k * step
		if v*t.scale.Factor > hi*(1+1e-9) {
			break
		}
		label := strconv.FormatFloat(v, 'f', decimals(step), 64)
		ticks = append(ticks, plot.Tick{Value: v * t.scale.Factor, Label: label})
	}
	return ticks
}

// niceStep is the largest of 1, 2 and 5 times a power of ten that divides the range into at least four.
func niceStep(span float64) float64 {
	if !(span > 0) {
		return 0
	}
	power := math.Pow(10, math.Floor(math.Log10(span/4)))
	for _, m := range []float64{5, 2} {
		if span/(m*power) >= 4 {
			return m * power
		}
	}
	return power
}

func decimals(step float64) int {
	return max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
}

// logTicks labels 1, 2 and 5 times powers of ten as durations in ns, over many decades only the powers. The axis is
// linear in log10 of the value. gonum's LogScale is not used: it panics at zero, its LogTicks label nothing when no
// power of ten is in range (gonum/plot#747), and its layout makes room for the axis label as if that stood at the
// arithmetic middle of the range.
type logTicks struct{}

// Ticks implements plot.Ticker.
func (logTicks) Ticks(lo, hi float64) (ticks []plot.Tick) {
	if !(hi > lo) || math.IsInf(hi-lo, 0) {
		return nil
	}
	wide := hi-lo > 3.1 // decades
	for exp := math.Floor(lo); exp <= hi; exp++ {
		for m := 1.0; m < 10; m++ {
			x := exp + math.Log10(m)
			if x < lo-1e-9 || x > hi+1e-9 {
				continue
			}
			label := ""
			if m == 1 || !wide && (m == 2 || m == 5) {
				label = duration(m * math.Pow(10, exp))
			}
			ticks = append(ticks, plot.Tick{Value: x, Label: label})
		}
	}
	return ticks
}

// acrossTicks are logTicks of an axis that lies, without the labels that would run into those before them.
type acrossTicks struct{}

// Ticks implements plot.Ticker.
func (acrossTicks) Ticks(lo, hi float64) []plot.Tick {
	ticks := logTicks{}.Ticks(lo, hi)
	last := math.Inf(-1)
	for i := range ticks {
		if ticks[i].Label == "" {
			continue
		}
		if ticks[i].Value-last < (hi-lo)/7 {
			ticks[i].Label = ""
			continue
		}
		last = ticks[i].Value
	}
	return ticks
}

// unlabelled has blanks for the labels of another axis, for panels whose neighbour shows them: a blank keeps its tick a
// long one and takes the label's height, so that panels and their titles stay level.
type unlabelled struct{ plot.Ticker }

// Ticks implements plot.Ticker.
func (u unlabelled) Ticks(lo, hi float64) []plot.Tick {
	ticks := u.Ticker.Ticks(lo, hi)
	for i := range ticks {
		if ticks[i].Label != "" {
			ticks[i].Label = " "
		}
	}
	return ticks
}

// duration is a round number of ns without decimals: "200 µs".
func duration(ns float64) string {
	s := analysis.Nanoseconds.ScaleFor(ns)
	return strconv.FormatFloat(ns/s.Factor, 'g', 3, 64) + " " + s.Name
}

// logRange widens a range to 1, 2 or 5 times powers of ten, so that both ends are labelled. Without values above zero,
// which a logarithmic axis cannot have, it is a range that draws.
func logRange(values []float64) (lo, hi float64) {
	lo, hi = math.Inf(1), 0
	for _, v := range values {
		if v > 0 && !math.IsInf(v, 0) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if hi == 0 {
		return 1e3, 1e6
	}
	lo, hi = below125(lo), 1/below125(1/hi) // the reciprocal of 1, 2 or 5 times a power of ten is one too
	if lo == hi {
		hi *= 2
	}
	return lo, hi
}

// below125 is the largest of 1, 2 and 5 times a power of ten that is not above v.
func below125(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)+1e-9))
	for _, m := range []float64{5, 2} {
		if m*power <= v*(1+1e-9) {
			return m * power
		}
	}
	return power
}

// percentileTicks labels the axis of -log10(1-q).
type percentileTicks struct{}

// Ticks implements plot.Ticker.
func (percentileTicks) Ticks(lo, hi float64) (ticks []plot.Tick) {
	add := func(q float64, label string) {
		if x := nines(q); x >= lo-1e-9 && x <= hi+1e-9 {
			ticks = append(ticks, plot.Tick{Value: x, Label: label})
		}
	}
	add(0, "0")
	add(0.5, "50")
	add(0.9, "90")
	add(0.99, "99")
	for k, label := 3, "99.9"; k <= 9; k, label = k+1, label+"9" {
		add(1-math.Pow(10, -float64(k)), label)
	}
	return ticks
}

// nines is a quantile's place on the axis: 0.9 at 1, 0.99 at 2.
func nines(q float64) float64 { return -math.Log10(1 - q) }
