package gate

import (
	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/results"
)

// Metric names what can be gated.
type Metric string

// The metrics. A quantile needs 10/(1-q) samples in every slice, so p99 is for open loops at a rate whose slices have a
// thousand requests; in a closed loop it measures the scheduler.
const (
	CPU        Metric = "cpu"        // server CPU time per operation
	Throughput Metric = "throughput" // replies per second
	P50        Metric = "p50"        // of the response time
	P99        Metric = "p99"
	// Allocs is allocations per operation, the operation itself counted as one: so none is not nothing, and a ratio has
	// a meaning. Servers tell it that answer INFO runtime as shardlab does.
	Allocs Metric = "allocs"
)

// meter is how a metric is read from slices.
type meter struct {
	metric Metric
	title  string
	unit   string
	bench  string  // its unit in the Go benchmark format
	higher bool    // is better
	delta  float64 // default
	// sums says that a block's value is the ratio of sums over slices, else it is the mean of slices' log-ratios: the mean of
	// logs of quantiles has a quarter of the spread that a quantile of the merged histogram has, which a few stalls own.
	sums bool
	// value is a slice's figure, as above divided by below; both must be above 0.
	value func(s *results.Slice) (above, below float64)
}

var meters = []meter{
	{CPU, "server CPU/op", "ns", "cpu-ns/op", false, 0.05, true, func(s *results.Slice) (float64, float64) {
		return float64(s.ServerCPU), float64(s.Replies)
	}},
	{Throughput, "throughput", "/s", "ops/s", true, 0.05, false, func(s *results.Slice) (float64, float64) {
		return float64(s.Replies), float64(s.Dur) / 1e9
	}},
	{P50, "p50", "ns", "p50-ns", false, 0.075, false, func(s *results.Slice) (float64, float64) { return float64(s.Response.P50), 1 }},
	{Allocs, "1 + allocations/op", "", "1+allocs/op", false, 0.05, true, func(s *results.Slice) (float64, float64) {
		if s.HeapLive <= 0 { // the server does not tell; none in a slice is nothing odd, since Go counts what it allocates a span at a time
			return 0, 0
		}
		return float64(s.AllocObjs) + float64(s.Replies), float64(s.Replies)
	}},
	{P99, "p99", "ns", "p99-ns", false, 0.15, false, func(s *results.Slice) (float64, float64) { return float64(s.Response.P99), 1 }},
}

// Metrics lists all of them.
func Metrics() []Metric {
	var all []Metric
	for _, m := range meters {
		all = append(all, m.metric)
	}
	return all
}

// MinSamples is how many requests a slice must have for a metric.
func MinSamples(m Metric) uint64 {
	switch m {
	case P50:
		return analysis.MinSamples(0.5)
	case P99:
		return analysis.MinSamples(0.99)
	}
	return 1
}

// DefaultDelta is the δ of a metric for which none is given.
func DefaultDelta(m Metric) float64 {
	x, _ := find(m)
	return x.delta
}

// Title is what people call the metric: "server CPU/op".
func (m Metric) Title() string {
	x, _ := find(m)
	return x.title
}

func (m Metric) higherIsBetter() bool {
	x, _ := find(m)
	return x.higher
}

func find(m Metric) (meter, bool) {
	for _, x := range meters {
		if x.metric == m {
			return x, true
		}
	}
	return meter{}, false
}

// format is a value in its unit: "7.81 µs", "81.2 k/s".
func (m meter) format(v float64) string {
	switch m.unit {
	case "ns":
		return analysis.FormatDuration(v)
	case "/s":
		return analysis.FormatRate(v)
	}
	return analysis.Digits3(v) + m.unit
}
