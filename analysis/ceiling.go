package analysis

import (
	"fmt"
	"strings"

	"github.com/shardlab/shardlab/results"
)

// CeilingShare is how far a row of a closed loop comes on the ladder of its load: what the clients do alone, and against a responder
// that has no store. Both are shares of 1. Each rung is of a few short slices, so they are good to some per cent.
type CeilingShare struct {
	Generator float64 `json:"of_generator,omitempty"`
	Null      float64 `json:"of_null,omitempty"`
}

// ceilingOf is the ladder of a point: as it was measured, with the median throughput of a responder among its arms for the null
// where it has none of its own.
func ceilingOf(p results.Point, arms []results.Arm, rows map[string][]*block) results.Ceiling {
	var c results.Ceiling
	if p.Ceiling != nil {
		c = *p.Ceiling
	}
	for _, a := range arms {
		if v := medianThroughput(rows[a.Name]); a.Responder && c.Null == nil && v > 0 {
			e := evidence{blocks: finished(rows[a.Name])}
			c.Null = &results.Rung{
				OpsPerSec: v, ClientBusy: e.median(func(s *results.Slice) float64 { return s.ClientBusy }),
				P50: int64(e.median(func(s *results.Slice) float64 { return float64(s.Response.P50) })),
			}
		}
	}
	return c
}

// shareOf returns nil for an open loop, whose throughput is what is offered.
func shareOf(p results.Point, c results.Ceiling, blocks []*block) *CeilingShare {
	v := medianThroughput(blocks)
	if p.Mode == "open" || v <= 0 || c.Generator == nil && c.Null == nil {
		return nil
	}
	var s CeilingShare
	if c.Generator != nil {
		s.Generator = v / c.Generator.OpsPerSec
	}
	if c.Null != nil {
		s.Null = v / c.Null.OpsPerSec
	}
	return &s
}

// checkGenerator is for clients in the server's process, whose own time is part of every operation's.
func checkGenerator(e evidence) *Finding {
	c := e.point.Ceiling
	if !e.inside() || e.open() || e.arm.Responder || c == nil || c.Generator == nil {
		return nil
	}
	share := medianThroughput(e.blocks) / c.Generator.OpsPerSec
	if share <= maxCeiling {
		return nil
	}
	return &Finding{ClientBound, fmt.Sprintf("more than %.0f%% of the time is the clients' own: arms differ by more than these figures "+
		"say", maxCeiling*100), fmt.Sprintf("%.0f%%", share*100), "subtract what the clients take alone, which stands under the table"}
}

// ladder says below a point's first table what its load comes to without a store, and how far each arm gets. of says of which run it is,
// where there are two.
func (t *renderer) ladder(p *PointReport, of string) {
	text := p.ladder()
	if text == "" {
		return
	}
	for i, l := range wrap("ceiling"+of+": "+text, t.style.width()-2) {
		if i > 0 {
			l = "  " + l
		}
		t.line(paint(span{l, dim}, t.style.Color))
	}
}

// ladder is one sentence for each rung.
func (p *PointReport) ladder() string {
	var parts []string
	add := func(name string, r *results.Rung, of func(CeilingShare) float64) {
		if r == nil {
			return
		}
		if p.Point.Mode == "open" {
			parts = append(parts, fmt.Sprintf("%s answers in p50 %s", name, FormatDuration(float64(r.P50))))
			return
		}
		text := fmt.Sprintf("%s %s", name, FormatRate(r.OpsPerSec))
		if r.Slices > 1 {
			text += fmt.Sprintf(" ±%.0f%%", 50*(r.Highest-r.Lowest)/r.OpsPerSec)
		}
		if name != generatorName && p.Point.Inside == 0 {
			text += fmt.Sprintf(" (client %.0f%% busy)", 100*r.ClientBusy)
		}
		var rows []string
		above := false
		for _, row := range p.Rows {
			if s := row.Ceiling; s != nil && of(*s) > 0 && row.Kind != "responder" {
				rows = append(rows, fmt.Sprintf("%s %.0f%%", row.Arm, 100*of(*s)))
				above = above || of(*s) > 1
			}
		}
		if len(rows) > 0 {
			text += ", of which " + strings.Join(rows, ", ")
		}
		if above && r.Slices > 0 {
			text += " (above 100%: it was measured beforehand, when the host was slower)"
		}
		parts = append(parts, text)
	}
	c := p.ceiling
	add(generatorName, c.Generator, func(s CeilingShare) float64 { return s.Generator })
	add("the null responder", c.Null, func(s CeilingShare) float64 { return s.Null })
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, "; ")
}

const generatorName = "the clients alone"
