// Package synth makes the lines of a run that never happened, from a known truth: what the tests of package analysis
// and of its plots feed them. It knows nothing of statistics beyond a seeded normal deviate.
//
// A Run belongs to the caller, who may change any line of it.
package synth

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/shardlab/shardlab/results"
)

// Arm is the truth about one arm at every point.
type Arm struct {
	Name      string
	Kind      string  // "" is "topology"
	Rate      float64 // ops/s it can do at the first point; later points add 60 % each
	ServerCPU float64 // ns/op
	P50       float64 // ns, in a closed loop, or far below Rate in an open one
	Responder bool
}

// Config of a run. Noise is the relative standard deviation of a block; a slice has twice that on top.
type Config struct {
	Seed   uint64
	Arms   []Arm
	Points []results.Point
	Blocks int
	Slices int
	Noise  float64
}

// Run is the made-up lines and, by point and arm, the histograms of all blocks together.
type Run struct {
	Manifest   results.Manifest
	Slices     []results.Slice
	Trials     []results.Trial
	Histograms map[[2]string]*hdrhistogram.Histogram
}

// Closed is n closed-loop points with 50 connections, of pipeline 1, 4, 16 ...
func Closed(n int) []results.Point {
	points := make([]results.Point, n)
	for i := range points {
		depth := 1 << (2 * i)
		points[i] = results.Point{Label: fmt.Sprintf("pipeline=%d", depth), Mode: "closed", Connections: 50,
			Params:   []results.Param{{Name: "pipeline", Value: fmt.Sprint(depth)}},
			Pipeline: depth, Keys: 100000, ValueSize: 64, StreamHash: "5eed", SliceNS: 50e6, LeadNS: 3e6}
	}
	return points
}

// Open is an open-loop point for each rate.
func Open(rates ...float64) []results.Point {
	points := make([]results.Point, len(rates))
	for i, r := range rates {
		label := fmt.Sprintf("%gk", r/1000)
		points[i] = results.Point{Label: "rate=" + label, Mode: "open", Connections: 100, Rate: r, Keys: 100000,
			Params:    []results.Param{{Name: "rate", Value: label}},
			ValueSize: 64, StreamHash: "5eed", SliceNS: 1500e6, LeadNS: 3e6}
	}
	return points
}

// New makes the run. The same configuration gives the same lines.
func New(c Config) *Run {
	rng := rand.New(rand.NewPCG(c.Seed, 7))
	c.Points = slices.Clone(c.Points)
	for i := range c.Points {
		c.Points[i].Slices = c.Slices
	}
	r := &Run{Histograms: map[[2]string]*hdrhistogram.Histogram{}}
	r.Manifest = results.Manifest{Schema: results.Schema, ID: "20260102t030405Z-abc1234-synthetic-0f0f0f",
		Status: results.Complete, Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Points: c.Points,
		Blocks: c.Blocks, EnvKey: "env1"}
	r.Manifest.Scenario.Name = "synthetic"
	r.Manifest.Code.Revision = "abc1234def5678900000"
	for _, a := range c.Arms {
		kind := a.Kind
		if kind == "" {
			kind = "topology"
		}
		r.Manifest.Arms = append(r.Manifest.Arms, results.Arm{Name: a.Name, Kind: kind, Responder: a.Responder})
	}
	for i, p := range c.Points {
		for b := range c.Blocks {
			for _, a := range c.Arms {
				r.block(rng, c, p, a, b, 1+0.6*float64(i))
			}
		}
	}
	return r
}

// block appends one trial and its slices. speed is how much more than at the first point the arm can do.
func (r *Run) block(rng *rand.Rand, c Config, p results.Point, a Arm, b int, speed float64) {
	level := math.Exp(c.Noise * rng.NormFloat64())
	can := a.Rate * speed * level
	rate, p50 := can, a.P50/level*math.Sqrt(speed)
	if p.Mode == "open" {
		rate, p50 = queue(p.Rate, a.Rate*level, a.P50/level)
	}
	h := hdrhistogram.New(1, 60e9, 3)
	draw := rand.New(rand.NewPCG(rng.Uint64(), 3))
	n := min(30000, int(rate*float64(p.SliceNS)/1e9*float64(c.Slices)))
	for range n {
		_ = h.RecordValue(int64(p50*math.Exp(0.35*draw.NormFloat64()+0.12*draw.ExpFloat64()*draw.ExpFloat64())) + 1)
	}
	lat := Summary(h)
	for s := range c.Slices {
		x := rate
		if p.Mode != "open" {
			x *= math.Exp(2 * c.Noise * rng.NormFloat64())
		}
		ops := x * float64(p.SliceNS) / 1e9
		line := results.Slice{Point: p.Label, Arm: a.Name, Block: b, Slice: s, Dur: p.SliceNS, Valid: true,
			Ops:       map[string]uint64{"GET": uint64(ops * 0.9), "SET": uint64(ops) - uint64(ops*0.9)},
			Replies:   uint64(ops),
			ServerCPU: int64(ops * a.ServerCPU / level), ClientCPU: int64(ops * 900), ClientBusy: 0.5,
			Response: lat}
		if p.Mode == "open" {
			// All that was due is answered in the end, if later than the window.
			line.Intended = uint64(p.Rate * float64(p.SliceNS) / 1e9)
			line.Ops = map[string]uint64{"GET": line.Intended * 9 / 10, "SET": line.Intended - line.Intended*9/10}
		}
		r.Slices = append(r.Slices, line)
	}
	empty := int64(8 << 20)
	keys := p.Keys
	r.Trials = append(r.Trials, results.Trial{Point: p.Label, Arm: a.Name, Block: b, PID: 100 + b, RSSEmpty: empty,
		RSSLoaded: empty + int64(float64(keys)*130*level), Keys: keys, Response: lat, Service: lat})
	key := [2]string{p.Label, a.Name}
	if r.Histograms[key] == nil {
		r.Histograms[key] = hdrhistogram.New(1, 60e9, 3)
	}
	r.Histograms[key].Merge(h)
}

// queue is what an arm that can do so many ops/s achieves of an offered rate, and its median response time, which grows
// like 1/(1-load) and is cut at twenty times.
func queue(offered, can, p50 float64) (rate, p50Loaded float64) {
	load := min(offered/can, 0.95)
	return min(offered, 0.97*can), p50 / (1 - load)
}

// Summary is a histogram as trials.jsonl has it: no quantile without 10/(1-q) samples.
func Summary(h *hdrhistogram.Histogram) results.Latency {
	l := results.Latency{N: uint64(h.TotalCount()), Mean: h.Mean(), Max: h.Max()}
	at := func(q float64, need uint64) int64 {
		if l.N < need {
			return 0
		}
		return h.ValueAtPercentile(q)
	}
	l.P50, l.P90, l.P99, l.P999 = at(50, 20), at(90, 100), at(99, 1000), at(99.9, 10000)
	return l
}
