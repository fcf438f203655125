package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios/runner"
)

// loadMetrics serves how a load goes at /metrics, as of the last second. A scrape reads two records under a lock that the load's
// threads never take.
type loadMetrics struct {
	server *http.Server
	addr   net.Addr
	done   chan struct{}

	mu   sync.Mutex
	last runner.LoadProgress
}

// loadMetric is one metric: what it is called, what it is, and where it comes from.
type loadMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(p *runner.LoadProgress) float64
}

var loadMetricList = func() []loadMetric {
	var all []loadMetric
	add := func(name, help string, kind prometheus.ValueType, value func(p *runner.LoadProgress) float64) {
		all = append(all, loadMetric{prometheus.NewDesc("shardlab_load_"+name, help, nil, nil), kind, value})
	}
	total := func(name, help string, count func(s *results.Slice) uint64) {
		add(name+"_total", help, prometheus.CounterValue, func(p *runner.LoadProgress) float64 { return float64(count(&p.SoFar)) })
	}
	total("replies", "Replies read within the window.", func(s *results.Slice) uint64 { return s.Replies })
	total("errors", "Error replies and replies of a wrong type.", func(s *results.Slice) uint64 { return s.Errors })
	total("misses", "Reads that found nothing.", func(s *results.Slice) uint64 { return s.Misses })
	total("corrupt", "Checked values with the wrong content.", func(s *results.Slice) uint64 { return s.Corrupt })
	total("late", "Operations sent more than a millisecond after they were due.", func(s *results.Slice) uint64 { return s.Late })
	total("unsent", "Operations that were due and given up.", func(s *results.Slice) uint64 { return s.Unsent })
	total("timed_out", "Operations without a reply for the timeout.", func(s *results.Slice) uint64 { return s.TimedOut })
	total("bytes_sent", "Bytes from client to server.", func(s *results.Slice) uint64 { return s.BytesOut })
	total("bytes_received", "Bytes from server to client.", func(s *results.Slice) uint64 { return s.BytesIn })
	gauge := func(name, help string, value func(s *results.Second) float64) {
		add(name, help, prometheus.GaugeValue, func(p *runner.LoadProgress) float64 { return value(&p.Second) })
	}
	gauge("offered_per_second", "Operations due in the last second; 0 in a closed loop.", func(s *results.Second) float64 { return s.Offered })
	gauge("achieved_per_second", "Replies in the last second.", func(s *results.Second) float64 { return s.Achieved })
	gauge("client_busy_ratio", "Share of the last second that the busiest load thread was on a CPU.",
		func(s *results.Second) float64 { return s.ClientBusy })
	gauge("client_spin_ratio", "CPUs that load threads spent polling until the next arrival was due, in the last second.",
		func(s *results.Second) float64 { return float64(s.ClientSpin) / float64(max(s.Dur, 1)) })
	gauge("send_lateness_p99_seconds", "From due to sent, in the last second.", func(s *results.Second) float64 { return s.LatenessP / 1e9 })
	return all
}()

var loadLatency = prometheus.NewDesc("shardlab_load_latency_seconds",
	"Latency in the last second. Response is from when an operation was due, service from when it was sent.",
	[]string{"time", "quantile"}, nil)

// serveLoadMetrics listens at addr until close.
func serveLoadMetrics(addr string) (*loadMetrics, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("--prometheus: %w", err)
	}
	m := &loadMetrics{addr: ln.Addr(), done: make(chan struct{})}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m)
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	m.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		defer close(m.done)
		if err := m.server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			panic("bug: " + err.Error())
		}
	}()
	return m, nil
}

func (m *loadMetrics) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if m.server.Shutdown(ctx) != nil {
		m.server.Close()
	}
	<-m.done
}

func (m *loadMetrics) observe(p runner.LoadProgress) {
	if p.Second.Tail { // is no second
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p.SoFar.Ops = nil // goes on to be written to
	m.last = p
}

// Describe implements prometheus.Collector.
func (m *loadMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, x := range loadMetricList {
		ch <- x.desc
	}
	ch <- loadLatency
}

// Collect implements prometheus.Collector.
func (m *loadMetrics) Collect(ch chan<- prometheus.Metric) {
	m.mu.Lock()
	last := m.last
	m.mu.Unlock()
	for _, x := range loadMetricList {
		ch <- prometheus.MustNewConstMetric(x.desc, x.kind, x.value(&last))
	}
	for name, l := range map[string]results.Latency{"response": last.Second.Response, "service": last.Second.Service} {
		for quantile, ns := range map[string]int64{"0.5": l.P50, "0.9": l.P90, "0.99": l.P99, "0.999": l.P999, "1": l.Max} {
			if ns > 0 { // else too few for it
				ch <- prometheus.MustNewConstMetric(loadLatency, prometheus.GaugeValue, float64(ns)/1e9, name, quantile)
			}
		}
	}
}
