package scenarios

import (
	"cmp"
	"fmt"
	"slices"
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

// overlay is a part that a file says something of: keys of the sections workload and load that take the place of the point's.
type overlay struct {
	name string
	from value // to blame
	rows []overlayRow
	long time.Duration // of a phase
}

type overlayRow struct {
	section string
	entry
}

// partKeys document the lists of groups and phases. Their values are read by readGroups and readPhases.
var partKeys = func() []key {
	table := func(section, name, about string) key {
		return key{section: section, name: name, kind: "table", about: about}
	}
	all := []key{
		{section: groupList, name: "name", kind: "word", required: "a group needs one, as in name: probe",
			about: "of the group: results have a row for it, called " + GroupParam + "=NAME",
			set:   func(_ *draft, v value) (string, error) { return partName(v) }},
		table(groupList, "workload", "keys of workload for this group; the others are as they are there. keys are the first of "+
			"workload's; key_size and value_random are those of all groups"),
		table(groupList, "load", "keys of load for this group; the others are as they are there"),
		{section: phaseList, name: "name", kind: "word", required: "a phase needs one, as in name: ramp",
			about: "of the phase: results have a row for it, called " + PhaseParam + "=NAME",
			set:   func(_ *draft, v value) (string, error) { return partName(v) }},
		{section: phaseList, name: "for", kind: "duration", required: "a phase needs a length, as in for: 5s",
			about: "of an arm's one visit in a block", set: duration(func(d *draft) *time.Duration { return &d.long })},
	}
	for _, name := range phaseLoad {
		for _, k := range loadKeys {
			if k.name == name {
				about := "as in load"
				if name == "connections" {
					about = "that send; there are as many as in the phase that has most, and the others are idle"
				}
				all = append(all, key{section: phaseList, name: name, kind: k.kind, about: about, set: k.set})
			}
		}
	}
	return append(all,
		key{section: stepTable, name: "rate", kind: "list", about: "a phase for each, called rate-10000; or one of", set: noList},
		key{section: stepTable, name: "connections", kind: "list", about: "a phase for each, called connections-50; or", set: noList},
		key{section: stepTable, name: "churn", kind: "list", about: "a phase for each, called churn-100", set: noList},
		key{section: stepTable, name: "for", kind: "duration", required: "steps need a length, as in for: 5s",
			about: "of each step", set: duration(func(d *draft) *time.Duration { return &d.long })},
		key{section: stepTable, name: "shuffle", kind: "boolean", def: "true",
			about: "true: another order in every block, so that a step is not always after a lighter one",
			set:   boolean(func(d *draft) *bool { return &d.scenario.Shuffle })},
	)
}()

// phaseLoad are the keys of load that a phase may say.
var phaseLoad = []string{"connections", "arrival", "burst_on", "burst_off", "burst_share", "rate", "rate_to", "churn"}

func noList(*draft, value) (string, error) { return "", nil }

func partName(v value) (string, error) {
	text, err := v.word()
	if err != nil {
		return "", err
	}
	if f := goodWord("name", text); f != nil {
		return "", v.errorf("%s", f.text)
	}
	return text, nil
}

// parts are what a document says of groups and phases.
type parts struct {
	groups, phases []overlay
	shuffle        bool
}

func readParts(doc *document) (p parts, err error) {
	if p.groups, err = readList(doc.groups, groupList, MaxGroups, readGroup); err != nil {
		return p, err
	}
	if p.phases, err = readList(doc.phases, phaseList, MaxPhases, readPhase); err != nil || doc.steps == nil {
		return p, err
	}
	if doc.phases != nil {
		return p, doc.steps.errorf("are phases, and there are phases at %s; write one or the other", doc.phases.at)
	}
	p.phases, p.shuffle, err = readSteps(*doc.steps)
	return p, err
}

// readList reads a list of tables with names.
func readList(v *value, section string, most int, read func(x value, at map[string]*entry) (overlay, error)) ([]overlay, error) {
	if v == nil {
		return nil, nil
	}
	if v.kind != list || len(v.list) == 0 || len(v.list) > most {
		return nil, v.errorf("wants a list of 1 to %d tables, each with a name", most)
	}
	var all []overlay
	for _, x := range v.list {
		if x.kind != table {
			return nil, x.errorf("each is a table with a name, not %s", x.kind)
		}
		at := map[string]*entry{}
		for i := range x.rows {
			if err := wantKey(section, x.rows[i]); err != nil {
				return nil, err
			}
			at[x.rows[i].key] = &x.rows[i]
		}
		for _, k := range keysOf(section) {
			if k.required != "" && at[k.name] == nil {
				return nil, fmt.Errorf("%s: %s: is missing; %s", x.at, k.name, k.required)
			}
		}
		o, err := read(x, at)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(all, func(b overlay) bool { return b.name == o.name }) {
			return nil, x.errorf("two are named %s; give one another name", quote(o.name))
		}
		o.from = x
		all = append(all, o)
	}
	return all, nil
}

func readGroup(_ value, at map[string]*entry) (o overlay, err error) {
	if o.name, err = partName(at["name"].val); err != nil {
		return o, err
	}
	for _, section := range []string{workload, load} {
		e := at[section]
		if e == nil {
			continue
		}
		s, err := newSection(*e)
		if err != nil {
			return o, err
		}
		for _, row := range s.rows {
			o.rows = append(o.rows, overlayRow{section, row})
		}
	}
	return o, nil
}

func readPhase(x value, at map[string]*entry) (o overlay, err error) {
	if o.name, err = partName(at["name"].val); err != nil {
		return o, err
	}
	if o.long, err = readFor(at["for"].val); err != nil {
		return o, err
	}
	for _, row := range x.rows {
		if slices.Contains(phaseLoad, row.key) {
			o.rows = append(o.rows, overlayRow{load, row})
		}
	}
	return o, nil
}

func readFor(v value) (time.Duration, error) {
	d, err := v.duration()
	if l := limits["for"]; err == nil && !l.holds(int64(d)) {
		err = v.errorf("%v is out of range: %s", d, l)
	}
	return d, err
}

// readSteps writes the phases out that steps are short for.
func readSteps(v value) (all []overlay, shuffle bool, err error) {
	shuffle = true
	if v.kind != table {
		return nil, false, v.errorf("wants a table, as in steps: {rate: [10k, 50k], for: 5s}, not %s", v.kind)
	}
	var stepped *entry
	var long time.Duration
	for i, row := range v.rows {
		if err := wantKey(stepTable, row); err != nil {
			return nil, false, err
		}
		switch {
		case row.key == "shuffle":
			shuffle, err = row.val.yes()
		case row.key == "for":
			long, err = readFor(row.val)
		case stepped != nil:
			err = row.val.errorf("is stepped, and %s is; one key at a time, or write phases", stepped.key)
		default:
			stepped = &v.rows[i]
		}
		if err != nil {
			return nil, false, err
		}
	}
	switch {
	case stepped == nil || stepped.val.kind != list || len(stepped.val.list) == 0 || len(stepped.val.list) > MaxPhases:
		return nil, false, v.errorf("want one of rate, connections and churn with 1 to %d values, as in rate: [10k, 50k]", MaxPhases)
	case long == 0:
		return nil, false, fmt.Errorf("%s: for: is missing; %s", v.at, keyOf(stepTable, "for").required)
	}
	for _, x := range stepped.val.list {
		var scratch draft
		norm, err := keyOf(load, stepped.key).set(&scratch, x)
		if err != nil {
			return nil, false, err
		}
		o := overlay{name: stepped.key + "-" + norm, long: long, from: x,
			rows: []overlayRow{{load, entry{stepped.key, x.at, x}}}}
		if slices.ContainsFunc(all, func(b overlay) bool { return b.name == o.name }) {
			return nil, false, x.errorf("%s is there twice", quote(x.text))
		}
		all = append(all, o)
	}
	return all, shuffle, nil
}

// resolveParts fills in a point's groups and phases. The point's own load is that of its first phase.
func resolveParts(doc *document, names Names, axes []axis, index []int, ps parts) (Point, error) {
	first := []overlay{}
	for _, o := range ps.phases {
		for _, row := range o.rows {
			if slices.ContainsFunc(axes, func(a axis) bool { return a.key.name == row.key && a.key.section == row.section }) {
				return Point{}, row.val.errorf("is swept, and a phase says it, too; write it in one of the two places")
			}
		}
	}
	if len(ps.phases) > 0 {
		first = ps.phases[:1]
	}
	p, err := resolveCell(doc, names, axes, index, first...)
	if err != nil {
		return p, err
	}
	for _, g := range ps.groups {
		x, err := resolveCell(doc, names, axes, index, append(slices.Clone(first), g)...)
		if err != nil {
			return p, err
		}
		p.Groups = append(p.Groups, Group{g.name, x.Workload, x.Load})
	}
	for _, ph := range ps.phases {
		x, err := resolveCell(doc, names, axes, index, ph)
		if err != nil {
			return p, err
		}
		phase := Phase{Name: ph.name, For: ph.long, Load: x.Load}
		for _, g := range ps.groups {
			x, err := resolveCell(doc, names, axes, index, ph, g)
			if err != nil {
				return p, err
			}
			phase.Groups = append(phase.Groups, x.Load)
		}
		p.Phases = append(p.Phases, phase)
	}
	if f := p.checkParts(); f != nil {
		at := doc.at
		for _, v := range []*value{doc.groups, doc.phases, doc.steps} {
			if v != nil && (v.name == f.keys[0] || at == doc.at) {
				at = v.at
			}
		}
		return p, fmt.Errorf("%s: %w", at, f)
	}
	return p, nil
}

// with is the document with overlays in place. Keys that have no meaning any more are left out.
func (doc *document) with(over []overlay) (*document, map[string]bool) {
	e := editor{doc: doc.clone(), changed: map[string]bool{}}
	said := map[string]bool{}
	for _, o := range over {
		if slices.ContainsFunc(o.rows, func(r overlayRow) bool { return r.key == "rate" }) {
			e.doc.remove(load, "rate_to") // a ramp goes from the rate that it was written with
		}
		for _, row := range o.rows {
			e.doc.put(row.section, row.entry)
			e.changed[row.section+"."+row.key], said[row.key] = true, true
		}
	}
	e.dropMeaningless()
	return e.doc, said
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

// setChurn reads a rate of connections, with or without /s.
func setChurn(d *draft, v value) (string, error) {
	if text, err := v.word(); err == nil {
		v.text = strings.TrimSuffix(text, "/s")
	}
	n, err := v.count()
	d.point.Load.Churn = float64(n)
	return v.inRange(n, err)
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
