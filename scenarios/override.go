package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Overrides are changes made on the command line. They are texts, checked like those of a file; "" and nil leave the
// scenario as it is.
type Overrides struct {
	Blocks string   // --blocks: run.blocks
	Slices string   // --slices: run.slices
	Seed   string   // --seed
	SLO    string   // --slo
	Arms   []string // --arms: names of arms of the scenario, to be measured in this order
	// Set has "section.key=value" (--set), the value being YAML: a list is a sweep here too. An empty value takes the
	// key out of the file, so that its default holds.
	Set []string
}

// Override returns a changed copy of s, which must come from Load, Parse or Override. Errors begin with the flag to
// blame ("--set load.connections=x: "), or with a line of the file that does not go with it.
//
// A key of the file that has no meaning any more with an override (pipeline, after --set load.mode=open) is dropped.
func (s *Scenario) Override(o Overrides) (*Scenario, error) {
	if s.doc == nil {
		return nil, fmt.Errorf("scenario %s was not read from a file: its arms and points can no longer be changed",
			s.Name)
	}
	e := editor{doc: s.doc.clone(), changed: map[string]bool{}}
	for _, x := range []struct{ flag, section, key, text string }{
		{"--blocks", runLength, "blocks", o.Blocks},
		{"--slices", runLength, "slices", o.Slices},
		{"--seed", top, "seed", o.Seed},
		{"--slo", top, "slo", o.SLO},
	} {
		if x.text == "" {
			continue
		}
		if err := e.set(place(x.flag+" "+x.text), x.section, x.key, x.text); err != nil {
			return nil, err
		}
	}
	for _, text := range o.Set {
		if err := e.setPath(text); err != nil {
			return nil, err
		}
	}
	e.dropMeaningless()
	changed, err := resolve(e.doc, s.names)
	if err != nil {
		return nil, err
	}
	changed.File, changed.Source = s.File, s.Source
	if changed.Arms, err = pick(s.Arms, o.Arms); err != nil {
		return nil, err
	}
	return changed, nil
}

// place makes a flag one line.
func place(flag string) string {
	if q := strconv.Quote(flag); len(q) != len(flag)+2 && strings.ContainsAny(flag, "\n\r\t\x00") {
		return q
	}
	return flag
}

// editor changes a document and remembers which keys it changed, as "section.key".
type editor struct {
	doc     *document
	changed map[string]bool
}

// setPath applies one --set.
func (e *editor) setPath(arg string) error {
	at := place("--set " + arg)
	path, text, ok := strings.Cut(arg, "=")
	if !ok {
		return fmt.Errorf("%s: write section.key=value, as in --set load.connections=10", at)
	}
	section, name, ok := strings.Cut(path, ".")
	if !ok {
		section, name = top, path
	}
	switch {
	case section != armList && slices.Contains(listNames, section) || section == top && name != armList && slices.Contains(listNames, name):
		return fmt.Errorf("%s: groups, phases and steps are said in the file", at)
	case section == armList || name == armList && section == top:
		return fmt.Errorf("%s: arms are chosen with --arms, as in --arms shared,redis", at)
	case section != top && !slices.Contains(sectionNames, section):
		return fmt.Errorf("%s: %s", at, unknown("section", section, sectionNames))
	case section == top && slices.Contains(sectionNames, name):
		return fmt.Errorf("%s: %s is a section; set one of its keys, as in %s.%s", at, name, name, keysOf(name)[0].name)
	}
	if home := homeOf(name, armList); section == top && home != "" && !slices.Contains(keyNames(keysOf(top)), name) {
		return fmt.Errorf("%s: write the section too: %s.%s", at, home, name)
	}
	if err := wantKey(section, entry{key: name, at: at}); err != nil {
		return err
	}
	return e.set(at, section, name, text)
}

func (e *editor) set(at, section, name, text string) error {
	e.changed[section+"."+name] = true
	if text == "" {
		e.doc.remove(section, name)
		return nil
	}
	v, err := parseTree([]byte(text), "scenario", name, func(int) string { return at })
	if err != nil {
		return err
	}
	if v == nil { // a comment and nothing else
		v = &value{at: at, name: name, kind: null}
	}
	e.doc.put(section, entry{name, at, *v})
	return nil
}

// dropMeaningless removes the keys of the file that need what an override has changed to something else.
func (e *editor) dropMeaningless() {
	for _, k := range schema {
		if k.needs.key == "" || e.changed[k.section+"."+k.name] || !e.changed[k.section+"."+k.needs.key] {
			continue
		}
		chosen := defaults[k.section+"."+k.needs.key]
		if row := e.doc.find(k.section, k.needs.key); row != nil {
			chosen = row.val
		}
		values := []value{chosen}
		if chosen.kind == list {
			values = chosen.list
		}
		if !slices.ContainsFunc(values, func(v value) bool { return k.needs.met(v.text) }) {
			e.doc.remove(k.section, k.name)
			e.changed[k.section+"."+k.name] = true // to its default: others may need what it was
		}
	}
}

// pick chooses arms by name; no names choose all.
func pick(arms []Arm, names []string) ([]Arm, error) {
	if len(names) == 0 {
		return arms, nil
	}
	at := place("--arms " + strings.Join(names, ","))
	have := make([]string, len(arms))
	for i, a := range arms {
		have[i] = a.Name
	}
	var chosen []Arm
	for i, name := range names {
		j := slices.Index(have, name)
		if j < 0 {
			return nil, fmt.Errorf("%s: %s", at, unknown("arm", name, have))
		}
		if slices.Contains(names[:i], name) {
			return nil, fmt.Errorf("%s: arm %s is there twice", at, name)
		}
		chosen = append(chosen, arms[j])
	}
	return chosen, nil
}
