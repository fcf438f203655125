package analysis

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/shardlab/shardlab/results"
)

// TestLoadTable: the whole table, for good figures and for bad ones.
func TestLoadTable(t *testing.T) {
	m := results.Manifest{
		Status: results.Complete,
		Points: []results.Point{{Mode: "open", Connections: 100, Rate: 50e3, Arrival: "poisson", Keys: 1e6}},
		Arms:   []results.Arm{{Name: "target", Version: "redis 7.0.15", Settings: map[string]string{"address": "127.0.0.1:6379"}}},
	}
	rng := rand.New(rand.NewPCG(1, 2))
	response, service := results.NewHistogram(), results.NewHistogram()
	const n = 1_500_000
	for range n {
		v := int64(80e3 + 20e3*rng.ExpFloat64())
		service.RecordValue(v)
		response.RecordValue(v + int64(5e3*rng.ExpFloat64()))
	}
	good := results.Slice{
		Arm: "target", Dur: 30e9, Ops: map[string]uint64{"GET": n * 9 / 10, "SET": n / 10}, Replies: n, Intended: n, Late: 12,
		ClientCPU: 9e9, ClientBusy: 0.31, LatenessP: 41e3, Valid: true,
		Response: results.NewLatency(response), Service: results.NewLatency(service),
	}
	bad := good
	bad.ClientBusy, bad.Errors, bad.FirstError = 0.97, 3, "GET: LOADING wait"
	bad.Ops = map[string]uint64{"GET": n*9/10 - 3, "SET": n / 10}
	var out strings.Builder
	for _, s := range []results.Slice{good, bad} {
		for _, width := range []int{200, 100} {
			trial := results.Trial{Arm: "target", Keys: 1e6, Response: s.Response, Service: s.Service}
			r, err := NewLoadReport(Load{Manifest: m, Slice: s, Trial: trial, Response: response, Service: service})
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Text(&out, Style{Width: width}); err != nil {
				t.Fatal(err)
			}
			out.WriteByte('\n')
		}
	}
	golden(t, "load.txt", out.String())
}

// TestTimedOutQuantilesAreBounds: where some requests timed out, quantiles that reach the timeout say that they are at least that.
func TestTimedOutQuantilesAreBounds(t *testing.T) {
	const n, timeout = 100_000, int64(20e6)
	h := results.NewHistogram()
	h.RecordValues(1e6, n*98/100)
	h.RecordValues(timeout, n*2/100)
	m := results.Manifest{
		Status: results.Complete, Arms: []results.Arm{{Name: "target"}},
		Points: []results.Point{{Mode: "closed", Connections: 100, Pipeline: 1, Keys: 1e6, TimeoutNS: timeout}},
	}
	s := results.Slice{
		Arm: "target", Dur: 30e9, Ops: map[string]uint64{"GET": n * 98 / 100}, Replies: n, Sent: n, TimedOut: n * 2 / 100, Valid: true,
		Response: results.NewLatency(h), Service: results.NewLatency(h),
	}
	r, err := NewLoadReport(Load{Manifest: m, Slice: s, Trial: results.Trial{Arm: "target", Keys: 1e6}, Response: h, Service: h})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range r.Response {
		if want := q.Q >= 0.98; q.AtLeast != want {
			t.Errorf("p%g, %d ns: a lower bound is %v", 100*q.Q, q.Value, q.AtLeast)
		}
	}
	var out strings.Builder
	if err := r.Text(&out, Style{Width: 200}); err != nil || !strings.Contains(out.String(), "≥ 20") || r.Judgement.Verdict != Saturated {
		t.Errorf("%v, verdict %s:\n%s", err, r.Judgement.Verdict, out.String())
	}
}

// TestQuantileIntervals: of 400 samples of 20,000 exponential draws the intervals must hold the true quantile about 95 times in
// a hundred: 380 on average with a standard deviation of 4.4.
func TestQuantileIntervals(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	truth := map[float64]float64{0.5: 693147, 0.99: 4605170}
	held := map[float64]int{}
	const samples = 400
	for range samples {
		h := results.NewHistogram()
		for range 20_000 {
			h.RecordValue(int64(1e6 * rng.ExpFloat64()))
		}
		for _, q := range Quantiles(h, 0.5, 0.99) {
			if q.Range.Lo <= truth[q.Q]*1.0005 && truth[q.Q]*0.9995 <= q.Range.Hi { // the histogram's step is 0.1 %
				held[q.Q]++
			}
		}
	}
	for q, n := range held {
		if n < 362 || n == samples {
			t.Errorf("q %v: %d of %d intervals hold the true value", q, n, samples)
		}
	}
	if len(held) != 2 {
		t.Errorf("quantiles of %v", held)
	}
	few := hdrhistogram.New(1, 1000, 3)
	few.RecordValues(5, 99)
	if got := Quantiles(few, 0.5, 0.9, 0.99); len(got) != 1 {
		t.Errorf("99 values have quantiles %+v, want the median alone", got)
	}
}

// TestQuantilesOver: of requests whose seconds are fast and slow by turns, intervals that take them for independent hold the true quantile
// seldom; those over batches hold it as often as promised.
func TestQuantilesOver(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const seconds, each = 24, 2000
	samples := 150
	if testing.Short() {
		samples = 60
	}
	// A second's latencies are exponential with a mean that is lognormal; the true quantiles are those of many seconds.
	second := func() *hdrhistogram.Histogram {
		h := results.NewHistogram()
		level := 1e6 * math.Exp(0.2*rng.NormFloat64())
		for range each {
			h.RecordValue(int64(level * rng.ExpFloat64()))
		}
		return h
	}
	long := results.NewHistogram()
	for range 3000 {
		long.Merge(second())
	}
	qs := []float64{0.5, 0.99}
	naive, held := map[float64]int{}, map[float64]int{}
	for range samples {
		all := results.NewHistogram()
		var batches []*hdrhistogram.Histogram
		for range seconds {
			batches = append(batches, second())
			all.Merge(batches[len(batches)-1])
		}
		for i, q := range QuantilesOver(all, batches, qs...) {
			truth := float64(long.ValueAtQuantile(100 * q.Q))
			if q.Range.Contains(truth) {
				held[q.Q]++
			}
			if Quantiles(all, qs...)[i].Range.Contains(truth) {
				naive[q.Q]++
			}
		}
	}
	for _, q := range qs {
		t.Logf("q %v: %d of %d intervals hold it, %d of those that take requests for independent", q, held[q], samples, naive[q])
		if held[q] < samples*90/100 || naive[q] > samples*75/100 {
			t.Errorf("q %v: %d of %d intervals hold it, %d of those that take requests for independent", q, held[q], samples, naive[q])
		}
	}
	few := results.NewHistogram()
	few.RecordValues(7, 40)
	if got := QuantilesOver(few, []*hdrhistogram.Histogram{few, few, few, few, few, few}, 0.5); got[0].Alike != 1 {
		t.Errorf("equal values: %+v", got)
	}
}

// TestLoadOrder: the seconds of a load say whether it was steady.
func TestLoadOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	judge := func(level func(i int) float64) *LoadReport {
		m := results.Manifest{Points: []results.Point{{Mode: "closed", Connections: 4}}, Arms: []results.Arm{{Name: "target"}}}
		h := results.NewHistogram()
		h.RecordValues(1e6, 30_000)
		l := Load{Manifest: m, Response: h, Service: h, Slice: results.Slice{Arm: "target", Dur: 30e9, Valid: true, Replies: 30_000,
			Ops: map[string]uint64{"GET": 30_000}}, Trial: results.Trial{Arm: "target"}}
		for i := range 30 {
			l.Pace = append(l.Pace, 1000*(level(i)+0.01*rng.NormFloat64()))
		}
		r, err := NewLoadReport(l)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := judge(func(int) float64 { return 1 }); r.Judgement.Verdict != Valid || r.Order == nil || len(r.Warnings) > 0 {
		t.Errorf("steady: %+v, %v", r.Judgement, r.Warnings)
	}
	if r := judge(func(i int) float64 { return 1 + 0.004*float64(i) }); r.Judgement.Verdict != Unsteady {
		t.Errorf("climbing: %+v, %+v", r.Judgement, r.Order)
	}
	if r := judge(func(i int) float64 { return 1 + 0.1*math.Sin(float64(i)/2) }); len(r.Warnings) != 1 {
		t.Errorf("up and down: %+v, %v", r.Judgement, r.Warnings)
	}
}
