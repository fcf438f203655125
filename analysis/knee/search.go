package knee

import (
	"math"
	"slices"
)

// Approach says what a server went through before it was probed.
type Approach uint8

// The approaches.
const (
	Below Approach = iota // nothing, or load that it could bear
	Above                 // an overload, just now
)

func (a Approach) String() string { return [...]string{"below", "above"}[a] }

// Step is a rate to be probed.
type Step struct {
	Place    int // on the lattice of rates
	Approach Approach
}

// Search is a search in progress: what was asked and what it has shown. It is for one goroutine.
type Search struct {
	first, least, most int // places

	seen  []place // in the order of their number
	steps int
}

// place is what is known of one place of the lattice.
type place struct {
	at      int
	asked   [2]bool
	outcome [2]Outcome
}

// maxSteps ends a search that finds no end. A smooth server takes about 14.
const maxSteps = 32

// Floor is by how much less than the first rate the lowest is that a search tries: a bound that is missed even there is
// missed for another reason than load.
const Floor = 16

// fewestFruitless is how many rates must have shown nothing of the server before a search ends for that.
const fewestFruitless = 4

// NewSearch begins a search at rate first, that goes no lower than least and no higher than most; 0 for no limit.
func NewSearch(first, least, most float64) *Search {
	bottom := Place(max(least, MinRate))
	if Rate(bottom) < least {
		bottom++
	}
	s := &Search{first: max(Place(max(first, MinRate)), bottom), most: math.MaxInt}
	s.least = max(Place(max(Rate(s.first)/Floor, MinRate)), bottom)
	if most > 0 {
		s.most = Place(max(most, MinRate))
	}
	s.first, s.least = min(s.first, s.most), min(s.least, s.most)
	return s
}

// Report enters what a step has shown.
func (s *Search) Report(step Step, o Outcome) {
	i, known := slices.BinarySearchFunc(s.seen, step.Place, func(p place, at int) int { return p.at - at })
	if !known {
		s.seen = slices.Insert(s.seen, i, place{at: step.Place})
	}
	s.seen[i].asked[step.Approach], s.seen[i].outcome[step.Approach] = true, o
	s.steps++
}

// verdict is what both approaches say together: one that shows nothing, or the other's opposite, leaves the place undecided.
func (p *place) verdict() Outcome {
	a, b := p.outcome[Below], p.outcome[Above]
	switch {
	case !p.asked[Above]:
		return a
	case !p.asked[Below]:
		return b
	case a == b:
		return a
	case a == Limited && b == Misses || a == Misses && b == Limited:
		return Misses
	}
	return Undecided
}

// edges are the indexes in seen of the highest place that met the bound with none below it that did not, and of the lowest that did not with
// none above it that met it; -1 and len(seen) where there is none.
func (s *Search) edges() (lo, hi int) {
	lo, hi = -1, len(s.seen)
	bad := func(o Outcome) bool { return o == Misses || o == Limited }
	for i := range s.seen {
		if v := s.seen[i].verdict(); bad(v) {
			break
		} else if v == Meets {
			lo = i
		}
	}
	for i := len(s.seen) - 1; i >= 0; i-- {
		if v := s.seen[i].verdict(); v == Meets {
			break
		} else if bad(v) {
			hi = i
		}
	}
	return lo, hi
}

// Next is the next step; false when the search is over.
func (s *Search) Next() (Step, bool) {
	if s.steps >= maxSteps {
		return Step{}, false
	}
	if len(s.seen) == 0 {
		return Step{s.first, Below}, true
	}
	lo, hi := s.edges()
	if step, ok := s.contradiction(lo, hi); ok {
		return step, true
	}
	if s.fruitless() {
		return Step{}, false
	}
	switch lowest, highest := s.seen[0].at, s.seen[len(s.seen)-1].at; {
	case lo < 0 && lowest > s.least:
		return Step{max(lowest-doubling, s.least), s.approach(lowest)}, true
	case hi == len(s.seen) && highest < s.most:
		return Step{min(highest+doubling, s.most), Below}, true
	}
	if at := s.halve(lo, hi); at != 0 {
		return Step{at, s.approach(at)}, true
	}
	return s.confirm(lo, hi)
}

// fruitless says that no rate, down to the lowest, has shown anything of the server: those between will not either.
func (s *Search) fruitless() bool {
	return len(s.seen) >= fewestFruitless && s.seen[0].at <= s.least && !slices.ContainsFunc(s.seen, func(p place) bool {
		v := p.verdict()
		return v == Meets || v == Misses
	})
}

// contradiction asks again about a place that missed the bound below one that met it, and the reverse.
func (s *Search) contradiction(lo, hi int) (Step, bool) {
	for _, i := range []int{lo + 1, hi - 1} {
		if i < 0 || i >= len(s.seen) || i <= lo || i >= hi || s.seen[i].verdict() == Undecided {
			continue
		}
		for _, from := range []Approach{Above, Below} {
			if !s.seen[i].asked[from] {
				return Step{s.seen[i].at, from}, true
			}
		}
	}
	return Step{}, false
}

// halve is the middle of the larger of the two gaps between an edge and the place next to it within; 0 when both are closed.
func (s *Search) halve(lo, hi int) int {
	var below, above int
	if lo >= 0 && lo+1 < len(s.seen) {
		below = s.seen[lo+1].at - s.seen[lo].at
	}
	if hi < len(s.seen) && hi > 0 {
		above = s.seen[hi].at - s.seen[hi-1].at
	}
	switch {
	case max(below, above) <= 1:
		return 0
	case below >= above:
		return s.seen[lo].at + below/2
	}
	return s.seen[hi-1].at + above/2
}

// confirm asks for the approaches from which an edge was not probed yet. There is no above where nothing is too much.
func (s *Search) confirm(lo, hi int) (Step, bool) {
	if hi == len(s.seen) {
		return Step{}, false
	}
	for _, i := range []int{lo, hi} {
		if i < 0 {
			continue
		}
		for _, from := range []Approach{Above, Below} {
			if !s.seen[i].asked[from] {
				return Step{s.seen[i].at, from}, true
			}
		}
	}
	return Step{}, false
}

// approach is that from which a new place is probed: below, unless a place above it is known to be met from there only.
func (s *Search) approach(at int) Approach {
	for i := range s.seen {
		if p := &s.seen[i]; p.at > at && p.sticky() {
			return Above
		}
	}
	return Below
}

// sticky says that the bound was met from below and missed from above.
func (p *place) sticky() bool { return p.outcome[Below] == Meets && p.outcome[Above] == Misses }

// Result is what a search has found so far, in operations per second.
type Result struct {
	Lo float64 // 0: no rate met the bound
	Hi float64 // 0: no rate missed it, through the fault of the server
	// Limited says that the load generator was at its limit from the place above Lo on. Hi, if there is one, is of a higher rate.
	Limited bool
	// The highest rates at which the bound was met, where a server that comes from an overload bears less; else 0.
	FromBelow, FromAbove float64
	// Bottom is what the lowest rate that was probed has shown.
	Bottom Outcome
	Over   bool // the search came to its end
	GaveUp bool // it did not: too many probes showed nothing, or spoke against each other
	Steps  int
}

// Result returns what the search has found so far.
func (s *Search) Result() Result {
	r := Result{Steps: s.steps}
	_, more := s.Next()
	r.GaveUp = s.steps >= maxSteps
	r.Over = !more && !r.GaveUp
	lo, hi := s.edges()
	if len(s.seen) > 0 {
		r.Bottom = s.seen[0].verdict()
	}
	if lo >= 0 {
		r.Lo = Rate(s.seen[lo].at)
	}
	if hi < len(s.seen) {
		r.Limited = s.seen[hi].verdict() == Limited
		for ; hi < len(s.seen); hi++ {
			if s.seen[hi].verdict() == Misses {
				r.Hi = Rate(s.seen[hi].at)
				break
			}
		}
	}
	r.FromBelow, r.FromAbove = s.hysteresis()
	return r
}

// hysteresis is the highest rates that met the bound from below and from above, where they are further apart than two
// probes of one rate may be by chance; else 0.
func (s *Search) hysteresis() (below, above float64) {
	if !slices.ContainsFunc(s.seen, func(p place) bool { return p.sticky() }) {
		return 0, 0
	}
	places := [2]int{}
	for _, p := range s.seen {
		for from, o := range p.outcome {
			if o == Meets {
				places[from] = p.at
			}
		}
	}
	if places[Above] == 0 || places[Below]-places[Above] <= 1 {
		return 0, 0
	}
	return Rate(places[Below]), Rate(places[Above])
}

// Beyond is the rate of the overload that a step from above follows: well over the lowest that missed the bound.
func (s *Search) Beyond() float64 {
	_, hi := s.edges()
	at := s.seen[min(hi, len(s.seen)-1)].at
	return Rate(min(at+doubling/2, s.most))
}
