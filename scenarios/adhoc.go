package scenarios

import "fmt"

// Setting is one key of a scenario as a flag gives it: Text is YAML, and not empty.
type Setting struct{ Flag, Section, Key, Text string }

// Adhoc resolves a scenario of one point and one block for a server that runs already and is not the scenario's to start;
// server is what its only arm is called. set has "section.key=value", as in Overrides. Errors begin with the flag to blame.
func Adhoc(server string, settings []Setting, set []string) (*Scenario, error) {
	e := editor{doc: &document{at: "load", sections: []section{{name: top, at: "load"}}}, changed: map[string]bool{}}
	settings = append([]Setting{{Section: top, Key: "name", Text: "load"}, {Section: runLength, Key: "blocks", Text: "1"},
		{Section: runLength, Key: "slices", Text: longSlices}, {Section: runLength, Key: "lead_in", Text: "0s"}}, settings...)
	for _, x := range settings {
		if err := e.set(place(x.Flag+" "+x.Text), x.Section, x.Key, x.Text); err != nil {
			return nil, err
		}
	}
	for _, text := range set {
		if err := e.setPath(text); err != nil {
			return nil, err
		}
	}
	if row := e.doc.find(runLength, "warmup"); (row == nil || row.val.text == autoWarmup) && e.doc.find(runLength, "warmup_max") == nil {
		// Nobody waits for other arms here, and a server that has just been filled may take its time.
		if err := e.set("load", runLength, "warmup_max", "10s"); err != nil {
			return nil, err
		}
	}
	e.dropMeaningless()
	e.doc.arms = &value{at: "load", kind: list, list: []value{{at: "load", kind: scalar, text: server}}}
	s, err := resolve(e.doc, Names{})
	if err != nil {
		return nil, err
	}
	if len(s.Points) > 1 {
		return nil, fmt.Errorf("%d points: %s and others; one server is loaded at one point, give every key one value",
			len(s.Points), s.Points[0].Label)
	}
	s.Arms = []Arm{{Name: server}} // what it runs is not known
	s.File, s.doc = "load", nil
	return s, nil
}
