package gate

import (
	"errors"
	"fmt"
	"slices"

	"github.com/shardlab/shardlab/results"
)

// ErrNothing is a gate that compared nothing. It must never pass.
var ErrNothing = errors.New("nothing was compared")

// pass is one measurement of primaries from zero: head against base, and the control against base.
type pass struct {
	primaries []*track
	controls  []*track
}

// newPass judges these primaries in the blocks of the first pass, or of the confirmation.
func (p *Plan) newPass(primaries []Primary, lines []results.Slice, trials []results.Trial, again bool) pass {
	var r pass
	head, control := map[string][]Block{}, map[string][]Block{}
	for _, x := range primaries {
		if _, ok := head[x.Point]; !ok {
			head[x.Point] = Blocks(lines, trials, x.Point, Head, Base)
			if p.Control {
				control[x.Point] = Blocks(lines, trials, x.Point, Control, Base)
			}
		}
		r.primaries = append(r.primaries, p.newTrack(x, head[x.Point], again))
		if p.Control {
			x.Claim = 0 // base is as good as base
			r.controls = append(r.controls, p.newTrack(x, control[x.Point], again))
		}
	}
	p.sequence(r.primaries)
	p.sequence(r.controls)
	return r
}

// contaminated finds a control that differs from what it is; nil if there is none.
func (r *pass) contaminated() *track {
	for _, t := range r.controls {
		if t.outcome == Regressed || t.outcome == Improved {
			return t
		}
	}
	return nil
}

// changed are the primaries that are called better or worse: what the confirmation measures again. A false improvement costs
// as much as a false alarm, since the next change is compared with it.
func (r *pass) changed() []Primary {
	var out []Primary
	for _, t := range r.primaries {
		if t.outcome == Regressed || t.outcome == Improved {
			out = append(out, t.Primary)
		}
	}
	return out
}

// has says whether a primary has this outcome.
func (r *pass) has(o Outcome) bool {
	return slices.ContainsFunc(r.primaries, func(t *track) bool { return t.outcome == o })
}

// nothing says why no primary was compared, through no fault of the host; "" if there is one that was, or might have been.
func (r *pass) nothing() string {
	why := "no block of any primary has come to its end"
	for _, t := range r.primaries {
		switch {
		case t.sample.n() > 0, t.outcome == Regressed, t.disturbed():
			return ""
		case t.noise != "":
			why = t.noise
		case len(t.used) > 0:
			why = t.unmeasured()
		}
	}
	return why
}

// undecided are the points at which a primary is and more blocks may change that: a point has at most so many.
func (r *pass) undecided(most int) []string {
	var points []string
	for _, t := range r.primaries {
		if t.outcome == "" && len(t.blocks) < most && !slices.Contains(points, t.Point) {
			points = append(points, t.Point)
		}
	}
	return points
}

// Next says which block comes next, and which points are to be visited in it, when so many blocks of the first pass and of the
// confirmation have run. No points: the gate has its verdict. Blocks from Plan.Blocks() on are those of the confirmation. It begins
// when all is decided, or as soon as something is regressed; and once that is confirmed the gate is red, whatever the rest would have been: with
// 5 % more CPU an operation that takes 80 s instead of 180, most of which went to a p50 between nothing and its δ.
func Next(p Plan, lines []results.Slice, trials []results.Trial, first, confirming int) (block int, points []string) {
	v := p.newPass(p.Primaries, lines, trials, false)
	open := v.undecided(p.Blocks())
	if first >= p.Blocks() {
		open = nil
	}
	if again := v.changed(); p.Confirm && len(again) > 0 && v.contaminated() == nil && (len(open) == 0 || v.has(Regressed)) {
		second := p.newPass(again, lines, trials, true)
		if second.contaminated() != nil || second.has(Regressed) {
			return 0, nil
		}
		if more := second.undecided(p.Blocks()); len(more) > 0 && confirming < p.Blocks()*len(p.Points()) {
			return p.Blocks() + confirming, more
		}
	}
	return first, open
}

// Judge says what the slices of a run mean by a plan. The same input gives the same verdict, to the byte.
func Judge(p Plan, run string, lines []results.Slice, trials []results.Trial) (*Verdict, error) {
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("gate: %w", err)
	}
	first, second, dirty := p.passes(lines, trials)
	if why := first.nothing(); why != "" {
		return nil, fmt.Errorf("%w: %s", ErrNothing, why)
	}
	v := &Verdict{Schema: Schema, Run: run, Plan: p}
	for _, t := range first.primaries {
		r := p.row(t)
		if again := second.of(t.Primary); again != nil {
			r = p.confirmed(r, again)
		}
		v.Rows = append(v.Rows, r)
	}
	for _, t := range slices.Concat(first.controls, second.controls) {
		v.Controls = append(v.Controls, p.row(t))
	}
	if dirty != nil {
		v.contaminate(dirty)
	}
	v.conclude(lines)
	return v, nil
}

// passes are the first measurement and, where something has changed in it, the second, with a control that differs from what it is.
func (p *Plan) passes(lines []results.Slice, trials []results.Trial) (first, second pass, dirty *track) {
	first = p.newPass(p.Primaries, lines, trials, false)
	dirty = first.contaminated()
	if again := first.changed(); p.Confirm && len(again) > 0 && dirty == nil {
		second = p.newPass(again, lines, trials, true)
		dirty = second.contaminated()
	}
	return first, second, dirty
}

// of is the track of a primary; nil where the pass has none.
func (r *pass) of(x Primary) *track {
	if i := slices.IndexFunc(r.primaries, func(t *track) bool { return t.Primary == x }); i >= 0 {
		return r.primaries[i]
	}
	return nil
}

// confirmed is a row that was called better or worse, after its second measurement: only what is
// said twice stands.
func (p *Plan) confirmed(first Row, again *track) Row {
	if len(again.blocks) == 0 {
		said := first.Outcome
		first.Outcome = Inconclusive
		first.explain(fmt.Sprintf("it was called %s once, and not measured again", said))
		return first
	}
	r := p.row(again)
	r.First = &Earlier{first.Outcome, first.Ratio, first.Interval, first.N, first.SD}
	// Regressed and then passed is no pass: a second chance to pass would double the chance of passing what is slower.
	if r.Outcome != first.Outcome && (r.Outcome != Pass || first.Outcome == Regressed) {
		said := r.Outcome
		r.Outcome = Inconclusive
		if said != Inconclusive {
			r.Needs = 0
			r.explain(fmt.Sprintf("one measurement said %s, the next %s", first.Outcome, said))
		}
	}
	return r
}
