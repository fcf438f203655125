package runner

import (
	"fmt"
	"time"

	"github.com/shardlab/shardlab/analysis/knee"
	"github.com/shardlab/shardlab/scenarios"
)

const (
	// A search of a server on a quiet machine takes about so many probes, which decide at their second look.
	usualProbes = 15
	usualLooks  = 2
)

// plan is how long probes at a point may be.
func (k *kneeRun) plan(p *scenarios.Point) knee.Plan {
	plan := knee.Plan{First: k.opts.Probe, Most: k.opts.ProbeMax, Share: 1}
	for _, m := range p.Workload.Mix {
		if m.Op == k.opts.Scenario.SLO.Op {
			plan.Share = m.Share
		}
	}
	return plan
}

// howLong says what the searches take under load, before the first.
func (k *kneeRun) howLong(sc *scenarios.Scenario) string {
	usual, most := k.expected(sc)
	n := sc.Run.Blocks * len(sc.Points) * len(sc.Arms)
	return fmt.Sprintf("%d searches: about %v under load, at most %v (%v for each), and what it takes to start and fill the servers", n,
		usual.Round(time.Second), most.Round(time.Second), k.opts.SearchMax)
}

// expected is how long all searches take under load on a quiet machine, and at most.
func (k *kneeRun) expected(sc *scenarios.Scenario) (usual, most time.Duration) {
	for i := range sc.Points {
		p := &sc.Points[i]
		var probe time.Duration
		looks := k.bound.Lengths(k.plan(p), max(p.Load.Rate, knee.MinRate))
		for _, look := range looks[:min(usualLooks, len(looks))] {
			probe += look + max(sc.Run.LeadIn, kneeLead)
		}
		usual += sc.Run.Warmup + min(scenarios.TypicalWarmup, sc.Run.WarmupMax) + min(usualProbes*probe, k.opts.SearchMax)
		// The last probe may end that much later: what is disturbed is taken again, for as long at most.
		most += sc.Run.Warmup + sc.Run.WarmupMax + k.opts.SearchMax + 2*k.opts.ProbeMax + voidLooks*knee.Looks*max(sc.Run.LeadIn, kneeLead)
	}
	n := time.Duration(sc.Run.Blocks * len(sc.Arms))
	return n * usual, n * most
}

// kneeClock knows how long the blocks of a search take.
type kneeClock struct {
	guess time.Duration // what one takes, before the first has ended
	began time.Time     // the block in progress; zero between blocks
	spent time.Duration // on those that have ended
	ended int
	togo  int // with the one in progress
}

// end takes in that the block in progress has ended.
func (c *kneeClock) end() {
	c.spent += time.Since(c.began)
	c.ended++
	c.togo--
	c.began = time.Time{}
}

// left is how long the rest takes.
func (c *kneeClock) left() time.Duration {
	each := c.guess
	if c.ended > 0 {
		each = c.spent / time.Duration(c.ended)
	}
	left := each * time.Duration(c.togo)
	if !c.began.IsZero() {
		left -= min(each, time.Since(c.began))
	}
	return left
}
