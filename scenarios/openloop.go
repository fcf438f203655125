package scenarios

import (
	"errors"
	"fmt"
	"strconv"
)

// defaultFirst is the first rate of a search whose scenario has none.
const defaultFirst = "5k"

// OpenLoop returns a copy of s, which must come from Load, Parse or Override, whose load is an open loop of one rate: that of
// --from where it is not "", else the first of the file's, else 5k. Its clients poll as --spin says, where that is not "".
func (s *Scenario) OpenLoop(from, spin string) (*Scenario, error) {
	if s.doc == nil {
		return nil, errors.New("bug: a scenario that was not read from a file")
	}
	if s.Run.Sampling == Adaptive {
		return nil, fmt.Errorf("%s: run.sampling: adaptive has no meaning for a search, which asks of each arm alone what it can do; use --set run.sampling=even", s.Name)
	}
	flag := "--from " + from
	switch {
	case from != "":
	case s.Points[0].Load.Rate > 0:
		from = strconv.FormatFloat(s.Points[0].Load.Rate, 'f', -1, 64)
	default:
		from = defaultFirst
	}
	e := editor{doc: s.doc.clone(), changed: map[string]bool{}}
	for _, x := range [][3]string{{flag, "mode", Open}, {flag, "rate", from}, {"--spin " + spin, "spin", spin}} {
		if x[2] == "" {
			continue
		}
		if err := e.set(place(x[0]), load, x[1], x[2]); err != nil {
			return nil, err
		}
	}
	e.dropMeaningless()
	open, err := resolve(e.doc, s.names)
	if err != nil {
		return nil, err
	}
	open.File, open.Source, open.Arms = s.File, s.Source, s.Arms
	return open, nil
}

// ParseRate reads operations per second as a flag gives them: "100k".
func ParseRate(text string) (float64, error) {
	v := value{at: text, name: "rate", kind: scalar, text: text}
	n, err := v.count()
	if _, err = v.inRange(n, err); err != nil {
		return 0, err
	}
	return float64(n), nil
}
