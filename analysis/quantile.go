package analysis

import (
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Quantile is a quantile of recorded values with its interval, in ns.
type Quantile struct {
	Q     float64   `json:"q"`
	Value int64     `json:"ns"`
	Range *Interval `json:"interval,omitempty"` // at Level; nil where the values are too few for one
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
