package results

import (
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The one configuration of every latency histogram, in nanoseconds. Two histograms can be merged without loss only
// where these agree. One takes 216 KiB. A latency above MaxLatency is recorded as MaxLatency and counted in
// Slice.Overflow.
const (
	MinLatency    = 1
	MaxLatency    = 60e9
	LatencyDigits = 3
)

// NewHistogram returns an empty histogram of that configuration. Histograms are not safe for concurrent use.
func NewHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(MinLatency, MaxLatency, LatencyDigits)
}

// NewLatency summarises a histogram. A quantile q is 0 where h has fewer than 10/(1-q) samples: then fewer than ten of
// them lie beyond it, and it would say more about luck than about the server. Nil is an empty histogram.
func NewLatency(h *hdrhistogram.Histogram) Latency {
	if h == nil || h.TotalCount() == 0 {
		return Latency{}
	}
	n := h.TotalCount()
	// In thousandths, so that the bound is exact: 10/(1-0.999) is not 10000 in floating point.
	quantile := func(mille int64) int64 {
		if n*(1000-mille) < 10*1000 {
			return 0
		}
		return h.ValueAtPercentile(float64(mille) / 10)
	}
	return Latency{
		// Rounded to a tenth of a nanosecond: the rest of the digits depend on the machine that adds them up.
		N: uint64(n), Mean: math.Round(h.Mean()*10) / 10, Max: h.Max(),
		P50: quantile(500), P90: quantile(900), P99: quantile(990), P999: quantile(999),
	}
}
