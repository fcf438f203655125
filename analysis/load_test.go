package analysis

import (
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
			r, err := NewLoadReport(m, s, trial, response, service)
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
