package analysis

import (
	"fmt"
	"strings"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/shardlab/shardlab/analysis/internal/synth"
	"github.com/shardlab/shardlab/results"
)

// everyVerdict is a run with an arm for each verdict, in an open loop.
func everyVerdict() *synth.Run {
	var arms []synth.Arm
	for i, name := range []string{"shared", "shard-arc", "thread-local", "multi-direct", "direct-shard", "redis"} {
		arms = append(arms, synth.Arm{Name: name, Rate: 90e3 + 3e3*float64(i), ServerCPU: 9000 - 500*float64(i), P50: 120e3 + 9e3*float64(i)})
	}
	r := synth.New(synth.Config{Seed: 9, Arms: arms, Points: synth.Open(20e3), Blocks: 6, Slices: 9, Noise: 0.01})
	r.Manifest.CPUs = results.CPUs{Server: "0", Client: "1", ClientThreads: 1}
	ofArm(r, "shard-arc", func(_ int, s *results.Slice) {
		s.Response.P50 = int64(float64(s.Response.P50) * (1 + 0.04*float64(s.Slice)))
	})
	for i := range r.Trials {
		if t := &r.Trials[i]; t.Arm == "thread-local" {
			t.Warmup = results.Warmup{Detected: true, Windows: 150, Metric: "median response time", Shift: 0.061}
		}
	}
	ofArm(r, "multi-direct", func(_ int, s *results.Slice) {
		s.ClientBusy, s.LatenessP, s.ClientWait, s.ClientRuns, s.ClientGC = 0.93, 410e3, s.Dur/9, 700, s.Dur/14
		s.ServerCPU = s.Dur * 97 / 100
	})
	ofArm(r, "direct-shard", func(i int, s *results.Slice) {
		s.Replies, s.ListenDrops = s.Replies*96/100, int64(i%2)
		s.Unsent, s.Ops["GET"] = 3, s.Ops["GET"]-3
	})
	ofArm(r, "redis", func(i int, s *results.Slice) {
		s.Misses, s.Throttled, s.ThrottledPeriods = uint64(i), s.Dur/8, 2
	})
	return r
}

// TestEveryVerdictReadsWell at two widths: what a verdict is and what to change stands once, whichever row and table has it.
func TestEveryVerdictReadsWell(t *testing.T) {
	rep := analyse(t, everyVerdict(), Options{})
	want := []Verdict{Valid, Unsteady, NoPlateau, ClientBound, Saturated, Invalid}
	for i, row := range rep.Points[0].Rows {
		if row.Verdict.Verdict != want[i] {
			t.Errorf("%s: %+v, want %s", row.Arm, row.Verdict, want[i])
		}
	}
	for _, width := range []int{80, 120} {
		var b strings.Builder
		if err := rep.Text(&b, Style{Width: width}); err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(b.String(), "\n") {
			if columnsOf(line) > width {
				t.Errorf("%d columns where there are %d: %s", columnsOf(line), width, line)
			}
		}
		golden(t, fmt.Sprintf("verdicts-%d.txt", width), b.String())
	}
}

// TestLoadVerdictsReadWell: the same of a load.
func TestLoadVerdictsReadWell(t *testing.T) {
	m := results.Manifest{
		Points: []results.Point{{Mode: "open", Connections: 50, Rate: 20e3, Arrival: "poisson", Keys: 1000}},
		Arms:   []results.Arm{{Name: "target", Version: "redis 7.0.15", Settings: map[string]string{"address": "127.0.0.1:6379"}}},
		CPUs:   results.CPUs{ClientThreads: 1},
	}
	l := Load{Manifest: m, Response: results.NewHistogram()}
	for i := range 10 {
		h := results.NewHistogram()
		for j := range 20_000 {
			h.RecordValue(int64(80e3 + 3*j + 2000*i))
		}
		l.Responses = append(l.Responses, h)
		l.Response.Merge(h)
		l.Pace = append(l.Pace, 80e3*(1+0.02*float64(i)))
	}
	l.Service, l.Services = l.Response, []*hdrhistogram.Histogram(nil)
	l.Slice = results.Slice{Arm: "target", Dur: 10e9, Valid: true, Replies: 200_000, Intended: 200_000, Ops: map[string]uint64{"GET": 200_000},
		ClientCPU: 3e9, ClientBusy: 0.3, LatenessP: 410e3, Late: 900, ClientWait: 2e9, ClientRuns: 90_000,
		Response: results.NewLatency(l.Response), Service: results.NewLatency(l.Service)}
	l.Trial = results.Trial{Arm: "target", Keys: 1000, Warmup: results.Warmup{Detected: true, Windows: 25, Dur: 1.25e9, Plateau: true}}
	r, err := NewLoadReport(l)
	if err != nil {
		t.Fatal(err)
	}
	for _, width := range []int{80, 120} {
		var b strings.Builder
		if err := r.Text(&b, Style{Width: width}); err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(b.String(), "\n") {
			if columnsOf(line) > width {
				t.Errorf("%d columns where there are %d: %s", columnsOf(line), width, line)
			}
		}
		golden(t, fmt.Sprintf("load-verdicts-%d.txt", width), b.String())
	}
}
