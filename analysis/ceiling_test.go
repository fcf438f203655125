package analysis

import (
	"strings"
	"testing"

	"github.com/shardlab/shardlab/analysis/internal/synth"
	"github.com/shardlab/shardlab/results"
)

func TestLadder(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(m *results.Manifest)
		verdict Verdict
		share   *CeilingShare
		text    string
	}{
		{"none", func(*results.Manifest) {}, Valid, nil, ""},
		{"far below", func(m *results.Manifest) {
			m.Points[0].Ceiling = &results.Ceiling{
				Generator: &results.Rung{OpsPerSec: 1e6, Lowest: 0.98e6, Highest: 1.02e6, Slices: 6},
				Null:      &results.Rung{OpsPerSec: 200e3, Lowest: 190e3, Highest: 210e3, Slices: 6, ClientBusy: 0.97},
			}
		}, Valid, &CeilingShare{0.1, 0.5},
			"the clients alone 1.00 M/s ±2%, of which a 10%; the null responder 200 k/s ±5% (client 97% busy), of which a 50%"},
		{"close", func(m *results.Manifest) {
			m.Points[0].Ceiling = &results.Ceiling{Null: &results.Rung{OpsPerSec: 125e3, Lowest: 125e3, Highest: 125e3, Slices: 6, ClientBusy: 0.97}}
		}, ClientBound, &CeilingShare{0, 0.8}, "the null responder 125 k/s ±0% (client 97% busy), of which a 80%"},
		{"a host that became faster", func(m *results.Manifest) {
			m.Points[0].Ceiling = &results.Ceiling{Null: &results.Rung{OpsPerSec: 80e3, Lowest: 80e3, Highest: 80e3, Slices: 6, ClientBusy: 0.97}}
		}, ClientBound, &CeilingShare{0, 1.25}, "the null responder 80.0 k/s ±0% (client 97% busy), of which a 125%" +
			" (above 100%: it was measured beforehand, when the host was slower)"},
		{"a null responder that is slow itself", func(m *results.Manifest) {
			m.Points[0].Ceiling = &results.Ceiling{Null: &results.Rung{OpsPerSec: 125e3, ClientBusy: 0.5}}
		}, Valid, &CeilingShare{0, 0.8}, "the null responder 125 k/s (client 50% busy), of which a 80%"},
		{"clients inside", func(m *results.Manifest) {
			m.Points[0].Via, m.Points[0].Inside = "in-process", m.Points[0].Connections
			m.Points[0].Ceiling = &results.Ceiling{Generator: &results.Rung{OpsPerSec: 125e3}, Null: &results.Rung{OpsPerSec: 110e3, ClientBusy: 1}}
		}, ClientBound, &CeilingShare{0.8, 100e3 / 110e3},
			"the clients alone 125 k/s, of which a 80%; the null responder 110 k/s, of which a 91%"},
	} {
		made := synth.New(synth.Config{Seed: 5, Arms: []synth.Arm{{Name: "a", Rate: 100e3, ServerCPU: 5000, P50: 500e3}},
			Points: synth.Closed(1), Blocks: 6, Slices: 8, Noise: 1e-6})
		c.change(&made.Manifest)
		r := analyse(t, made, Options{})
		p := r.Points[0]
		row := p.Rows[0]
		if got := p.ladder(); got != c.text {
			t.Errorf("%s: %q, want %q", c.name, got, c.text)
		}
		if row.Verdict.Verdict != c.verdict {
			t.Errorf("%s: %s, want %s", c.name, row.Verdict.Verdict, c.verdict)
		}
		switch {
		case (row.Ceiling == nil) != (c.share == nil):
			t.Errorf("%s: share %v, want %v", c.name, row.Ceiling, c.share)
		case c.share != nil && (!alike(row.Ceiling.Generator, c.share.Generator) || !alike(row.Ceiling.Null, c.share.Null)):
			t.Errorf("%s: share %+v, want %+v", c.name, *row.Ceiling, *c.share)
		}
		var b strings.Builder
		if err := r.Text(&b, Style{}); err != nil || strings.Contains(b.String(), "ceiling: ") != (c.text != "") {
			t.Errorf("%s: %v\n%s", c.name, err, b.String())
		}
	}
}

func alike(a, b float64) bool { return a-b < 1e-3 && b-a < 1e-3 }
