package gate

import (
	"cmp"
	"math"
	"slices"
)

// Outcome is what a gate says.
type Outcome string

// The outcomes.
const (
	Pass         Outcome = "pass"
	Regressed    Outcome = "regressed"
	Improved     Outcome = "improved"
	Inconclusive Outcome = "inconclusive"
)

// track is one primary on its way through the looks of one pass.
type track struct {
	Primary
	meter  meter
	blocks []Block // of the pass

	outcome Outcome // "" while undecided
	look    int     // index of the look that decided, or of the last that was reached; -1: none was
	level   float64 // of the last test for being worse, one-sided
	sample  sample  // of the usable blocks until then
	used    []Block // all blocks until then
	noise   string  // why too many of those are void
	failing failure // of the arm alone, in those
}

// newTrack is a primary in the blocks of the first pass, or of the confirmation. Those of the confirmation have whatever numbers come
// after the first pass's: a point's may begin when another's have all been.
func (p *Plan) newTrack(x Primary, blocks []Block, again bool) *track {
	m, _ := find(x.Metric)
	t := &track{Primary: x, meter: m, look: -1}
	for _, b := range blocks {
		if (b.Number >= p.Blocks()) == again && len(t.blocks) < p.Blocks() {
			t.blocks = append(t.blocks, b)
		}
	}
	t.use(len(t.blocks))
	return t
}

// delta and floor are the log-ratios that must be found, and that is material.
func (t *track) delta() float64 { return math.Log1p(t.Delta) }
func (t *track) floor() float64 { return t.delta() / 2 }

// shift is what a claim adds to a log-ratio: as good as claimed is then 0.
func (t *track) shift() float64 {
	if t.Claim == 0 {
		return 0
	}
	return math.Log(t.Claim)
}

// use takes the first n blocks into the sample.
func (t *track) use(n int) {
	t.used = t.blocks[:n]
	t.noise, t.failing = noise(t.used), failing(t.used)
	var x []float64
	for i := range t.used {
		if v, ok := t.used[i].X[t.Metric]; ok && t.used[i].usable() {
			x = append(x, v+t.shift())
		}
	}
	t.sample = newSample(x)
}

// reach makes the track ready for a look; false where it is decided or has not come so far.
func (t *track) reach(k int, l Look) bool {
	if t.outcome != "" {
		return false
	}
	if len(t.blocks) < l.Blocks { // counted, not by their numbers: another point may have had a block that this one had not
		return false
	}
	t.use(l.Blocks)
	t.look = k
	switch {
	case t.failing.certain():
		t.outcome = Regressed // whatever the rest would say
	case t.sample.n() == 0 && !t.disturbed():
		t.outcome = Inconclusive // no slice has this metric: more of them would not help
	}
	return t.outcome == "" && t.noise == "" && t.sample.n() >= MinBlocks
}

// disturbed says whether too many blocks are void, and some of them for what the host did.
func (t *track) disturbed() bool {
	return t.noise != "" && slices.ContainsFunc(t.used, func(b Block) bool {
		return !b.usable() && float64(b.faults) <= MaxVoidPairs*float64(b.Pairs)
	})
}

// sequence takes tracks of one pass through all looks that their blocks have reached.
func (p *Plan) sequence(tracks []*track) {
	worse, better := 0, 0 // called so far
	for k, l := range p.Looks {
		var open []*track
		for _, t := range tracks {
			if t.reach(k, l) {
				t.level = p.level(l, len(tracks), worse)
				open = append(open, t)
			}
		}
		worse += p.holm(open, l, len(tracks), worse, Regressed, func(t *track) sample { return t.sample })
		better += p.holm(open, l, len(tracks), better, Improved, func(t *track) sample { return t.sample.negated() })
		for _, t := range open {
			if t.Claim == 0 && t.sample.mean <= -t.floor() && k < len(p.Looks)-1 {
				continue // it may be improved: a later look will tell, as it would of one that may be regressed
			}
			if t.failing.suspect() {
				continue
			}
			if s := t.sample; t.outcome == "" && s.mean < t.floor() && s.mean+s.half(p.Single*l.Share) < t.delta() {
				t.outcome = Pass
			}
		}
	}
}

// level is the one-sided level of a test at a look when so many of m primaries have been called.
func (p *Plan) level(l Look, m, called int) float64 {
	return min(p.Single, p.Family/float64(max(m-called, 1))) * l.Share
}

// holm calls those of the open tracks that are certainly and materially worse, by Holm's step-down rule over all m
// tracks (Holm, Scand. J. Statist. 6, 1979). Shares of looks add up to one, so a track's p at a look, divided by the
// look's share, is never too small a p for the sequence of looks; and what is called here Holm's rule would call with
// the smallest of those p. It returns how many were called.
func (p *Plan) holm(open []*track, l Look, m, before int, call Outcome, of func(*track) sample) int {
	type candidate struct {
		t *track
		s sample
		p float64
	}
	var all []candidate
	for _, t := range open {
		if call == Improved && (t.Claim != 0 || t.failing.suspect()) {
			continue // better than claimed is what was claimed; and what fails is no better
		}
		if s := of(t); t.outcome == "" && s.mean >= t.floor() {
			all = append(all, candidate{t, s, s.pAbove()})
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(a.p, b.p) })
	called := 0
	for _, c := range all {
		level := p.level(l, m, before+called)
		if call == Regressed {
			c.t.level = level
		}
		if c.p > level {
			break
		}
		if !signsAgree(c.s.x, level) {
			continue
		}
		c.t.outcome = call
		called++
	}
	return called
}

// signsAgree asks the sign-flip test, which assumes no shape, whether x is above zero at this level. Of n values it can
// say no less than 2^-n: where the level is smaller than that, the two smallest p that there are will do. Without that
// a gate with six blocks could never be red.
func signsAgree(x []float64, level float64) bool {
	return signFlip(x) <= max(level, math.Exp2(float64(1-len(x))))
}
