package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

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

// setChurn reads a rate of connections, with or without /s.
func setChurn(d *draft, v value) (string, error) {
	if text, err := v.word(); err == nil {
		v.text = strings.TrimSuffix(text, "/s")
	}
	n, err := v.count()
	d.point.Load.Churn = float64(n)
	return v.inRange(n, err)
}
