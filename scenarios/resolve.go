package scenarios

import (
	"fmt"
	"slices"
)

// resolve turns a document into a scenario: defaults, sweeps, rules.
func resolve(doc *document, names Names) (*Scenario, error) {
	var d draft
	head := newFiller(doc, nil)
	for _, section := range []string{top, runLength} {
		if err := head.fill(&d, section); err != nil {
			return nil, err
		}
	}
	if d.scenario.Run.Long {
		d.scenario.Run.Slice = d.long
	}
	if f := first(d.scenario.checkHead(), d.scenario.Run.check()); f != nil {
		return nil, head.blame(f)
	}
	s := &d.scenario
	parts, err := readParts(doc)
	if err != nil {
		return nil, err
	}
	if len(parts.phases) > 0 {
		for _, k := range []string{"slices", "long_slice", "slices_per_block"} {
			if doc.find(runLength, k) != nil {
				return nil, head.blame(faultf(k, "has no meaning with phases, each of which is one visit in a block, as long as it says"))
			}
		}
	}
	s.Shuffle = parts.shuffle
	if s.Points, err = resolvePoints(doc, names, parts); err != nil {
		return nil, err
	}
	if f := s.checkSLO(); f != nil {
		return nil, head.blame(f)
	}
	if s.Arms, err = resolveArms(doc, names); err != nil {
		return nil, err
	}
	if f := s.checkSampling(); f != nil {
		return nil, head.blame(f)
	}
	s.doc, s.names = doc, names
	return s, nil
}

// defaults are the schema's, read once.
var defaults = func() map[string]value {
	m := map[string]value{}
	for _, k := range schema {
		if k.def == "" {
			continue
		}
		v, err := parseTree([]byte(k.def), "scenario", k.name, func(int) string { return "default" })
		if err != nil || v == nil {
			panic(fmt.Sprintf("bug: default of %s: %v", k.name, err))
		}
		m[k.section+"."+k.name] = *v
	}
	return m
}()

// filler writes the keys of a document to a draft, one cell of the sweep at a time.
type filler struct {
	doc    *document
	chosen map[string]value  // a swept key's value in this cell
	swept  []axis            // all of the sweep
	norm   map[string]string // what has been filled in, normalised
	places map[string]string // of the keys that are written
	homes  map[string]string // the place of a key's section
}

func newFiller(doc *document, swept []axis) *filler {
	none := func() map[string]string { return map[string]string{} }
	return &filler{doc: doc, swept: swept, norm: none(), places: none(), homes: none()}
}

// fill sets every key of a section, in the order of the schema.
func (f *filler) fill(d *draft, section string) error {
	for _, k := range keysOf(section) {
		if err := f.set(d, k, f.doc.find(section, k.name)); err != nil {
			return err
		}
	}
	return nil
}

// set sets one key to what row says, or to its default where row is nil.
func (f *filler) set(d *draft, k key, row *entry) error {
	f.homes[k.name] = f.doc.place(k.section)
	met := k.needs.met(f.norm[k.needs.key])
	if row == nil {
		if !met {
			return nil
		}
		if k.required != "" && (k.unless.key == "" || !k.unless.met(f.norm[k.unless.key])) {
			return f.blame(&fault{keys: []string{k.name}, near: k.needs.key, text: "is missing; " + k.required})
		}
		v, ok := presetValues[f.norm["preset"]+"."+k.name]
		if !ok || k.section != workload {
			v, ok = defaults[k.section+"."+k.name]
		}
		if !ok {
			return nil
		}
		var err error
		f.norm[k.name], err = k.set(d, v)
		return err
	}
	v, isSwept := f.chosen[k.name]
	if !isSwept {
		v = row.val
	}
	f.places[k.name] = v.at
	if !met {
		return f.unmet(k, v)
	}
	if v.kind == list && k.kind != "list" {
		return v.errorf("wants one value; a list is a sweep, and this key cannot be swept")
	}
	var err error
	f.norm[k.name], err = k.set(d, v)
	return err
}

// unmet is the error of a key that has no meaning in this cell; none if it has one in another, where what it needs is
// swept.
func (f *filler) unmet(k key, v value) error {
	if parent := keyOf(k.section, k.needs.key); !parent.needs.met(f.norm[parent.needs.key]) {
		return f.unmet(key{name: k.name, section: k.section, needs: parent.needs}, v)
	}
	for _, a := range f.swept {
		if a.key.name != k.needs.key || !slices.ContainsFunc(a.norms, k.needs.met) {
			continue
		}
		if _, both := f.chosen[k.name]; both {
			return v.errorf("cannot be swept while %s is: the points without it would be the same; make it one value",
				k.needs.key)
		}
		return nil
	}
	return v.errorf("has no meaning with %s: %s; it needs %s", k.needs.key, f.norm[k.needs.key], k.needs)
}

// blame gives a fault its place.
func (f *filler) blame(broken *fault) error {
	for _, k := range broken.keys {
		if at, ok := f.places[k]; ok {
			return fmt.Errorf("%s: %s: %s", at, k, broken.text)
		}
	}
	for _, at := range []string{f.places[broken.near], f.homes[broken.keys[0]], f.doc.at} {
		if at != "" {
			return fmt.Errorf("%s: %w", at, broken)
		}
	}
	panic("bug: a document without a place")
}
