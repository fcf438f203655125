package scenarios

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// Group is one of several kinds of clients that put load on the same server at the same time, and are reported apart. Its
// workload and load are those of the point with what the group says otherwise.
type Group struct {
	Name     string   `json:"name"`
	Workload Workload `json:"workload"`
	Load     LoadPlan `json:"load"` // of the first phase, where there are phases
}

// Phase is a part of a block with a load of its own: every arm visits each phase in the same process.
type Phase struct {
	Name   string        `json:"name"`
	For    time.Duration `json:"for_ns"` // measured, of one arm's one visit in a block
	Load   LoadPlan      `json:"load"`
	Groups []LoadPlan    `json:"group_loads,omitempty"` // of each of the point's groups
}

// Limits of a point.
const (
	MaxGroups = 16
	MaxPhases = 64
)

// Names of the parameters that tell a point's parts apart in results.
const (
	GroupParam = "group"
	PhaseParam = "phase"
)

// Groupings returns the point once for each of its groups, with the group's workload and load, or as it is where it has none.
func (p Point) Groupings() []Point {
	if len(p.Groups) == 0 {
		return []Point{p}
	}
	all := make([]Point, len(p.Groups))
	for i, g := range p.Groups {
		all[i] = p
		all[i].Workload, all[i].Load = g.Workload, g.Load
	}
	return all
}

// loads lists what group i of Groupings does, phase after phase.
func (p Point) loads(i int) []LoadPlan {
	var all []LoadPlan
	for _, ph := range p.Phases {
		if len(p.Groups) > 0 {
			all = append(all, ph.Groups[i])
		} else {
			all = append(all, ph.Load)
		}
	}
	if all == nil {
		all = []LoadPlan{p.Groupings()[i].Load}
	}
	return all
}

// Visit is what is done with every arm, one after the other, in some rounds.
type Visit struct {
	Phase  int // of Phases; 0 where there are none
	Length time.Duration
	Rounds int
}

// Visits lists what a block is made of: its phases, or the slices that the run plan says.
func (p Point) Visits(run RunPlan) []Visit {
	if len(p.Phases) == 0 {
		return []Visit{{0, run.Slice, run.SlicesPerBlock}}
	}
	var all []Visit
	for i, ph := range p.Phases {
		all = append(all, Visit{i, ph.For, 1})
	}
	return all
}

// Connections is how many connections there are at once, of all groups, whether they are active in all phases or not.
func (p Point) Connections() (n int) {
	for i := range p.Groupings() {
		most := 0
		for _, l := range p.loads(i) {
			most = max(most, l.Connections)
		}
		n += most
	}
	return n
}

// checkParts checks what a point's parts must have in common.
func (p *Point) checkParts() *fault {
	if len(p.Groups) > MaxGroups || len(p.Phases) > MaxPhases {
		return faultf(groupList, "%d groups in %d phases are too many; use at most %d and %d", len(p.Groups), len(p.Phases),
			MaxGroups, MaxPhases)
	}
	seen := map[string]bool{}
	for i := range p.Groups {
		g := &p.Groups[i]
		if seen[g.Name] || goodWord("name", g.Name) != nil {
			return faultf(groupList, "%s is no name, or there twice", quote(g.Name))
		}
		seen[g.Name] = true
		if f := p.checkGroup(g); f != nil {
			return f
		}
	}
	if n := p.commands(); n > maxCommands {
		return faultf(groupList, "%d different commands in all mixes are too many; use at most %d", n, maxCommands)
	}
	clear(seen)
	for i := range p.Phases {
		ph := &p.Phases[i]
		if seen[ph.Name] || goodWord("name", ph.Name) != nil {
			return faultf(phaseList, "%s is no name, or there twice", quote(ph.Name))
		}
		seen[ph.Name] = true
		if len(ph.Groups) != len(p.Groups) {
			return faultf(phaseList, "%s has loads of %d groups; there are %d", ph.Name, len(ph.Groups), len(p.Groups))
		}
		if f := withinTime("for", ph.For); f != nil {
			return f
		}
		for _, l := range append([]LoadPlan{ph.Load}, ph.Groups...) {
			if f := l.check(); f != nil {
				return f
			}
		}
	}
	return p.checkConnections()
}

// commands counts those that are no operations.
func (p *Point) commands() int {
	all := map[string]bool{}
	for _, g := range p.Groups {
		for _, m := range g.Workload.Mix {
			if strings.ContainsAny(m.Op, " \t") {
				all[m.Op] = true
			}
		}
	}
	return len(all)
}

// checkGroup checks a group against what all of them share: one key space, preloaded once.
func (p *Point) checkGroup(g *Group) *fault {
	w, base := &g.Workload, &p.Workload
	sub := *p
	sub.Workload, sub.Load, sub.Groups, sub.Phases = *w, g.Load, nil, nil
	if cmp.Or(g.Load.Via, Socket) != Socket {
		return faultf(groupList, "%s is to be %s; groups are via: %s (via: mixed is a mix of its own)", g.Name, g.Load.Via, Socket)
	}
	if f := first(w.check(), g.Load.check(), sub.speakable(), sub.checkTrace()); f != nil {
		return f
	}
	switch {
	case w.Trace != "" || base.Trace != "":
		return faultf(groupList, "%s replays a trace; a trace is the load of one group, and of no other", g.Name)
	case w.Keys > base.Keys:
		return faultf(groupList, "%s has %d keys, and workload %d; a group's are the first of those", g.Name, w.Keys, base.Keys)
	case w.KeySize != base.KeySize || w.KeyLaw.String() != base.KeyLaw.String() || w.ValueRandom != base.ValueRandom:
		return faultf(groupList, "%s has key_size or value_random of its own; they are those of workload, which has the keys", g.Name)
	}
	return nil
}

// checkConnections checks that phases change nothing but what a session can change, and that all sockets can be had.
func (p *Point) checkConnections() *fault {
	for i := range p.Groupings() {
		all := p.loads(i)
		for _, l := range all[1:] {
			if l.Mode != all[0].Mode || l.Pipeline != all[0].Pipeline || l.Protocol != all[0].Protocol {
				return faultf(phaseList, "mode, pipeline and protocol are the same in all phases")
			}
		}
		if len(p.Phases) > 0 && cmp.Or(all[0].Via, Socket) != Socket {
			return faultf(phaseList, "have no meaning with via: %s; it needs via: %s", all[0].Via, Socket)
		}
		if len(p.Phases) > 0 && (all[0].Arrival == Traced || p.Workload.Trace != "") {
			return faultf(phaseList, "a trace says when its operations fall due; leave one of the two out")
		}
	}
	if n, l := p.Connections(), limits["connections"]; int64(n) > l.max {
		return faultf(groupList, "%d connections of all groups together are out of range: %s", n, l)
	}
	return nil
}

// checkShape checks how a load changes within a window.
func (l *LoadPlan) checkShape() *fault {
	if c := limits["churn"]; !(l.Churn >= float64(c.min) && l.Churn <= float64(c.max)) {
		return faultf("churn", "%g is out of range: %s", l.Churn, c)
	}
	r := limits["rate_to"]
	switch inside := cmp.Or(l.Via, Socket) != Socket; {
	case inside && l.Churn != 0:
		return faultf("churn", "has no meaning with via: %s; it needs via: %s", l.Via, Socket)
	case inside && l.RateTo != 0:
		return faultf("rate_to", "has no meaning with via: %s; it needs via: %s", l.Via, Socket)
	case l.RateTo == 0:
	case l.Mode != Open || l.Arrival != Poisson && l.Arrival != Evenly:
		return faultf("rate_to", "a ramp needs mode: open and arrival: %s or %s", Poisson, Evenly)
	case !(l.RateTo >= float64(r.min) && l.RateTo <= float64(r.max)):
		return faultf("rate_to", "%g is out of range: %s", l.RateTo, r)
	}
	return nil
}

// shapeText says how the rate changes, "" where it does not.
func (l *LoadPlan) shapeText() string {
	if l.RateTo == 0 {
		return ""
	}
	return ", to " + strconv.FormatFloat(l.RateTo, 'f', -1, 64) + "/s"
}
