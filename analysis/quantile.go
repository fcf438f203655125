package analysis

import (
	"math"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"
	"gonum.org/v1/gonum/stat/distuv"
)

// Quantile is a quantile of recorded values with its interval, in ns.
type Quantile struct {
	Q     float64   `json:"q"`
	Value int64     `json:"ns"`
	Range *Interval `json:"interval,omitempty"` // at Level; nil where the values are too few for one
	// AtLeast says that requests that timed out stand at or below the value, with less than they took: it is a lower bound.
	AtLeast bool    `json:"at_least,omitempty"`
	Alike   float64 `json:"design_effect,omitempty"` // variance over that of independent values, at least 1; 0: not known
}

// Quantiles returns those that h has enough values for: 10/(1-q), as MinSamples has it. Intervals are of order statistics:
// the number of values below a quantile is binomial, so the values at the ranks n·q ± 1.96·√(n·q·(1-q)) enclose it, whatever
// the distribution. That takes the values for independent draws, which those of one stall are not.
func Quantiles(h *hdrhistogram.Histogram, qs ...float64) []Quantile {
	if h == nil {
		return nil
	}
	n := h.TotalCount()
	var out []Quantile
	for _, q := range qs {
		if n == 0 || uint64(n) < MinSamples(q) {
			continue
		}
		x := Quantile{Q: q, Value: h.ValueAtQuantile(100 * q)}
		half := 1.959964 * math.Sqrt(float64(n)*q*(1-q))
		lo, hi := math.Floor(float64(n)*q-half), math.Ceil(float64(n)*q+half)
		if lo >= 1 && hi <= float64(n) {
			x.Range = &Interval{Lo: float64(h.ValueAtQuantile(100 * lo / float64(n))),
				Hi: float64(h.ValueAtQuantile(100 * hi / float64(n)))}
		}
		out = append(out, x)
	}
	return out
}

// minBatches is the fewest stretches whose differences say how alike the values within one are.
const minBatches = 5

// QuantilesOver is Quantiles with intervals that allow for values of one stretch of time being alike, as those of a stall are: the
// variance of the share below a quantile is that of whole batches, with what neighbouring batches have in common (Bartlett's weight
// at lag 1), where it is more than the binomial one. It is at least as wide. Below five batches it is Quantiles.
func QuantilesOver(h *hdrhistogram.Histogram, batches []*hdrhistogram.Histogram, qs ...float64) []Quantile {
	out := Quantiles(h, qs...)
	if len(batches) < minBatches {
		return out
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(len(batches) - 1)}.Quantile(1 - (1-Level)/2)
	bars := make([][]hdrhistogram.Bar, len(batches))
	for i, b := range batches {
		bars[i] = slices.DeleteFunc(b.Distribution(), func(b hdrhistogram.Bar) bool { return b.Count == 0 })
	}
	n := float64(h.TotalCount())
	for i := range out {
		x := &out[i]
		x.Alike = max(1, designEffect(bars, x.Value))
		half := t * math.Sqrt(n*x.Q*(1-x.Q)*x.Alike)
		lo, hi := math.Floor(n*x.Q-half), math.Ceil(n*x.Q+half)
		if x.Range = nil; lo >= 1 && hi <= n {
			x.Range = &Interval{Lo: float64(h.ValueAtQuantile(100 * lo / n)), Hi: float64(h.ValueAtQuantile(100 * hi / n))}
		}
	}
	return out
}

// designEffect is by how much the variance of the share of values up to v exceeds that of independent values.
func designEffect(batches [][]hdrhistogram.Bar, v int64) float64 {
	below, count := make([]float64, len(batches)), make([]float64, len(batches))
	var k, n float64
	for i, bars := range batches {
		for _, b := range bars {
			count[i] += float64(b.Count)
			if b.From <= v {
				below[i] += float64(b.Count)
			}
		}
		k, n = k+below[i], n+count[i]
	}
	p := k / n
	if !(p > 0 && p < 1) {
		return 1
	}
	squares, neighbours, last := 0.0, 0.0, 0.0
	for i := range below {
		e := below[i] - p*count[i]
		squares += e * e
		neighbours += e * last
		last = e
	}
	s := float64(len(batches))
	return s / (s - 1) * max(squares, squares+neighbours) / (n * p * (1 - p))
}
