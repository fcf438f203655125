package analysis

import (
	"fmt"

	"github.com/shardlab/shardlab/results"
)

// Metric is the key of one column, in tables and in JSON.
type Metric string

// The metrics of a row. P50 to P999 are response times, from intended send to whole reply; the service times, from actual
// send, differ from them in open loops only.
const (
	Throughput Metric = "throughput"     // ops/s: sum of operations over sum of time, of the block's valid slices
	ServerCPU  Metric = "server_cpu"     // ns/op: sum of the server process's CPU time over sum of operations
	ClientCPU  Metric = "client_cpu"     // ns/op: the same of the load threads
	Memory     Metric = "memory_per_key" // bytes: growth of resident memory from empty to the end, over keys
	P50        Metric = "p50"            // ns: quantile of the block's merged histogram
	P99        Metric = "p99"
	P999       Metric = "p99.9"

	ServiceP50  Metric = "service_p50"
	ServiceP99  Metric = "service_p99"
	ServiceP999 Metric = "service_p99.9"
)

// Metrics is all of them, in the order of the tables.
func Metrics() []Metric {
	return []Metric{Throughput, ServerCPU, ClientCPU, Memory, P50, P99, P999, ServiceP50, ServiceP99, ServiceP999}
}

// A column is how a metric is read from a block and shown.
type column struct {
	metric   Metric
	title    string
	unit     Unit
	quantile float64 // 0 if the metric is none
	service  bool    // the quantile is of the service time
	note     Warning // what a reader must know of it
}

var columns = []column{
	{metric: Throughput, title: "throughput", unit: OpsPerSecond},
	{metric: ServerCPU, title: "server CPU/op", unit: Nanoseconds},
	{metric: ClientCPU, title: "client CPU/op", unit: Nanoseconds},
	{metric: Memory, title: "memory/entry", unit: Bytes, note: "memory/entry is the growth of the server's resident " +
		"memory from before the preload to after the last slice, divided by the keys: it includes the allocator's " +
		"slack and what serving itself took"},
	{metric: P50, title: "p50", unit: Nanoseconds, quantile: 0.5},
	{metric: P99, title: "p99", unit: Nanoseconds, quantile: 0.99},
	{metric: P999, title: "p99.9", unit: Nanoseconds, quantile: 0.999},
	{metric: ServiceP50, title: "p50", unit: Nanoseconds, quantile: 0.5, service: true},
	{metric: ServiceP99, title: "p99", unit: Nanoseconds, quantile: 0.99, service: true},
	{metric: ServiceP999, title: "p99.9", unit: Nanoseconds, quantile: 0.999, service: true},
}

func columnOf(m Metric) column {
	for _, c := range columns {
		if c.metric == m {
			return c
		}
	}
	panic("bug: no column " + string(m))
}

// MinSamples is the number of samples a quantile needs, 10/(1-q): ten of them then lie beyond it.
func MinSamples(q float64) uint64 {
	return uint64(10/(1-q) + 0.5)
}

// value reads the metric from a usable block. absent is the reason why there is none, worded without figures so that
// equal reasons are equal texts.
func (c column) value(b *block) (v float64, absent Warning) {
	if b.shared() && (c.metric == ServerCPU || c.metric == ClientCPU || c.metric == Memory) {
		return 0, "CPU time and memory are those of all groups of clients together: see the point without a group"
	}
	switch c.metric {
	case Throughput:
		return b.throughput(), ""
	case ServerCPU:
		return perOp(b.srvCPU, b.ops, "the server's CPU time was not measured, or nothing was completed")
	case ClientCPU:
		return perOp(b.cliCPU, b.ops, "the client's CPU time was not measured, or nothing was completed")
	case Memory:
		return memoryPerKey(b.trial)
	}
	if c.service {
		return c.quantileOf(b.trial.Service)
	}
	return c.quantileOf(b.trial.Response)
}

func perOp(cpu int64, ops uint64, absent Warning) (float64, Warning) {
	if cpu <= 0 || ops == 0 {
		return 0, absent
	}
	return float64(cpu) / float64(ops), ""
}

func memoryPerKey(t *results.Trial) (float64, Warning) {
	switch {
	case t.Keys <= 0:
		return 0, "no memory/entry: the server holds no keys"
	case t.RSSEmpty <= 0 || t.RSSLoaded <= 0:
		return 0, "no memory/entry: the server's resident memory was not measured"
	case t.RSSLoaded <= t.RSSEmpty:
		return 0, "no memory/entry: resident memory did not grow; preload more keys"
	}
	return float64(t.RSSLoaded-t.RSSEmpty) / float64(t.Keys), ""
}

func (c column) quantileOf(l results.Latency) (float64, Warning) {
	v := map[float64]int64{0.5: l.P50, 0.99: l.P99, 0.999: l.P999}[c.quantile]
	if need := MinSamples(c.quantile); l.N < need || v <= 0 {
		return 0, Warning(fmt.Sprintf("%s needs %d samples in every block; run longer slices or more of them",
			c.title, need))
	}
	return float64(v), ""
}

// histogramStep is the width of the histogram's bucket around a latency in ns: the agreed histograms keep three
// significant digits, so 2048 equal buckets below 2048 ns and 1024 for every doubling above.
func histogramStep(ns float64) float64 {
	step := 1.0
	for ns >= 2048 {
		ns /= 2
		step *= 2
	}
	return step
}

// Title is what a column of the metric is called: "server CPU/op".
func (m Metric) Title() string { return columnOf(m).title }

// Unit is what its values are.
func (m Metric) Unit() Unit { return columnOf(m).unit }

// HigherIsBetter says which way is wished for.
func (m Metric) HigherIsBetter() bool { return m == Throughput }
