package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/shardlab/shardlab/results"
)

// maxLooks is how often it may be asked whether a point is settled. lookedLevel rests on it.
const maxLooks = 4

// lookAt are the numbers of blocks at the looks, of what every point gets.
var lookAt = [maxLooks]float64{1, 1.5, 2.5, 4}

// tieWithin is the difference within which two arms are as good: no more blocks are spent on which of them is better.
const tieWithin = 0.03

// NewSampling is the plan of an adaptive run over points, told by metric, which takes no more blocks than an even run of so many of each. Every
// point gets half of them, and as many as an interval takes; the rest is dealt out.
func NewSampling(blocks, points int, metric Metric) results.Sampling {
	s := results.Sampling{Blocks: blocks * points, Metric: string(metric)}
	for _, times := range lookAt {
		s.Looks = append(s.Looks, int(math.Ceil(times*float64(max(MinBlocks, (blocks+1)/2)))))
	}
	return s
}

// A Sampler decides which points of a sweep get the next blocks: those where more may still settle who is best. It does nothing by
// itself and looks at no clock; the same blocks give the same decisions. It is not safe for concurrent use.
//
// What it decides by are the intervals that tables and figures show afterwards, which allow for it: see lookedLevel.
type Sampler struct {
	plan   results.Sampling
	metric Metric
	points []*sampledPoint // in the order of the sweep
	round  int
	given  int // blocks of all points, promised ones included
	draws  int // resamples of an interval
}

// sampledPoint is what is known of a point.
type sampledPoint struct {
	point results.Point
	arms  []*sampledArm
	given int   // blocks
	until int   // the look that it is on its way to, in blocks
	looks int   // that it has had, the coming one included
	seen  int   // blocks when it was last looked at
	near  []int // points beside it in the sweep

	winner string // "" where nobody competes
	open   bool   // it is not settled who is best
	needs  int    // blocks that are likely to settle it; beyond all looks where none are
}

// sampledArm is one that competes at a point.
type sampledArm struct {
	results.Arm
	values      []BlockValue
	blocks, bad int
	out         bool // its figures are of other work, or it has none
}

// NewSampler begins an adaptive run over points by arms, of which responders do not compete.
func NewSampler(plan results.Sampling, points []results.Point, arms []results.Arm) *Sampler {
	s := &Sampler{plan: plan, metric: Metric(plan.Metric), draws: resamples}
	for _, p := range points {
		sp := &sampledPoint{point: p}
		for _, a := range arms {
			if !a.Responder {
				sp.arms = append(sp.arms, &sampledArm{Arm: a})
			}
		}
		s.points = append(s.points, sp)
	}
	s.findNeighbours()
	return s
}

// findNeighbours finds the points that differ in one key only, and there by one step of the sweep.
func (s *Sampler) findNeighbours() {
	steps := map[string][]string{}
	for _, p := range s.points {
		for _, x := range p.point.Params {
			if !slices.Contains(steps[x.Name], x.Value) {
				steps[x.Name] = append(steps[x.Name], x.Value)
			}
		}
	}
	apart := func(a, b []results.Param) (n int) {
		for i, x := range a {
			all := steps[x.Name]
			d := slices.Index(all, x.Value) - slices.Index(all, b[i].Value)
			n += max(d, -d)
		}
		return n
	}
	for i, p := range s.points {
		for j, q := range s.points {
			if i != j && len(p.point.Params) == len(q.point.Params) && apart(p.point.Params, q.point.Params) == 1 {
				p.near = append(p.near, j)
			}
		}
	}
}

// Add takes in what a block has measured: the slices of its arms, and what is known of each of them as a whole.
func (s *Sampler) Add(lines []results.Slice, trials []results.Trial) {
	for at, blocks := range gather(lines, trials) {
		i := slices.IndexFunc(s.points, func(p *sampledPoint) bool { return p.point.Label == at.Point })
		if i < 0 {
			continue
		}
		p := s.points[i]
		for _, a := range p.arms {
			if a.Name == at.Arm {
				a.add(p.point, finished(blocks), columnOf(s.metric))
			}
		}
	}
}

func (a *sampledArm) add(p results.Point, blocks []*block, c column) {
	e := evidence{point: p, arm: a.Arm, blocks: blocks}
	a.out = a.out || slices.ContainsFunc(otherWork, func(check func(evidence) *Finding) bool { return check(e) != nil })
	for _, b := range blocks {
		if a.blocks++; !b.usable() {
			a.bad++
			continue
		}
		v, absent := c.value(b)
		a.out = a.out || absent != "" // then the whole row has no figure
		a.values = append(a.values, BlockValue{b.number, v})
	}
}

// competes says whether the row may win when the run is over.
func (a *sampledArm) competes() bool { return !a.out && len(a.values) > 0 }

// void says whether the row would be invalid, were the run over now, for so many of its blocks that are; in more blocks they may be fewer.
func (a *sampledArm) void() bool { return float64(a.bad) > maxVoid*float64(a.blocks) }

// Next begins a round: it returns its number, from 0, and the labels of the points that get a block in it. No points end the run. All blocks of
// the round before must have been added.
func (s *Sampler) Next() (round int, points []string) {
	busy := func(p *sampledPoint) bool { return p.given < p.until }
	if !slices.ContainsFunc(s.points, busy) {
		s.deal()
	}
	for _, p := range s.points {
		if busy(p) {
			p.given++
			points = append(points, p.point.Label)
		}
	}
	s.round++
	return s.round - 1, points
}

// deal looks at the points and sends some on their way to the next look, as far as the blocks go. At first that is all of them; then half of
// those that are open, as the next looks may show that others need more. First come those that are likely to be settled; of them those
// beside a change of winner, and then those that take the fewest blocks.
func (s *Sampler) deal() {
	var next []*sampledPoint
	for _, p := range s.points {
		if p.given == 0 {
			p.open = true
		} else if p.seen < p.given { // else nothing is new, and resampling takes time
			s.assess(p)
		}
		if p.open && p.looks < len(s.plan.Looks) {
			next = append(next, p)
		}
	}
	last := func(yes bool) int {
		if yes {
			return 1
		}
		return 0
	}
	beyond := func(p *sampledPoint) int { return last(p.needs > s.plan.Looks[len(s.plan.Looks)-1]) }
	slices.SortStableFunc(next, func(a, b *sampledPoint) int {
		return cmp.Or(beyond(a)-beyond(b), last(!s.beside(a))-last(!s.beside(b)), a.needs-a.given-b.needs+b.given)
	})
	places := len(next)
	if s.given > 0 {
		places = (places + 1) / 2
	}
	for _, p := range next {
		// A point whose next look is too far off leaves its place to another.
		if more := s.plan.Looks[p.looks] - p.given; places > 0 && s.given+more <= s.plan.Blocks {
			places--
			p.looks++
			p.until += more
			s.given += more
		}
	}
}

// beside says whether somebody else wins at a neighbour of the point.
func (s *Sampler) beside(p *sampledPoint) bool {
	return slices.ContainsFunc(p.near, func(i int) bool {
		q := s.points[i]
		return p.winner != "" && q.winner != "" && q.winner != p.winner
	})
}

// assess finds out who is best, whether that is settled, and what it takes.
func (s *Sampler) assess(p *sampledPoint) {
	p.seen, p.open, p.needs, p.winner = p.given, false, 0, ""
	looks := s.plan.Looks[min(p.looks, len(s.plan.Looks)):]
	await := func(n int) { p.open, p.needs = true, max(p.needs, n) }
	var in []*sampledArm
	for _, a := range p.arms {
		if a.competes() {
			in = append(in, a)
		}
		if !a.out && a.void() {
			await(forecast(nil, looks))
		}
	}
	if len(in) < 2 {
		return // as Phases: there is nobody to be better than
	}
	best := in[0]
	for _, a := range in[1:] {
		if beats(a.values, best.values, s.metric) {
			best = a
		}
	}
	p.winner = best.Name
	for _, a := range in {
		if a == best {
			continue
		}
		if logs := pairedLogs(best.values, a.values); !s.settled(logs) {
			await(forecast(logs, looks))
		}
	}
}

// settled says whether one of two arms is told to be better, by the logarithms of their ratios, or neither by more than a tie may have.
func (s *Sampler) settled(logs []float64) bool {
	if len(logs) < MinBlocks {
		return false
	}
	decides := func(i Interval) bool { return !i.Contains(0) || within(i) }
	m, se := meanError(logs)
	// What is shown holds Student's interval, and is not needed where that decides nothing: a resampling takes a hundred times as long.
	return decides(student(m, se, float64(len(logs)-1), lookedLevel)) && decides(lookedInterval(logs, s.draws))
}

// within says whether an interval of a log-ratio has only differences that a tie may have.
func within(i Interval) bool {
	return i.Lo > -math.Log1p(tieWithin) && i.Hi < math.Log1p(tieWithin)
}

// forecast is after how many blocks two arms are likely to be settled whose logarithms of ratios go on as they are, of those at which there
// are looks to come; beyond all numbers where after none of them.
func forecast(logs []float64, looks []int) int {
	for _, n := range looks {
		if len(logs) < MinBlocks {
			return n // and then more is known
		}
		m, se := meanError(logs)
		se *= math.Sqrt(float64(len(logs)) / float64(n))
		if i := student(m, se, float64(n-1), lookedLevel); !i.Contains(0) || within(i) {
			return n
		}
	}
	return math.MaxInt32
}

// Outcome says, once Next has ended the run, what it came to.
func (s *Sampler) Outcome() string {
	var open, none []string
	for _, p := range s.points {
		switch {
		case p.open:
			open = append(open, p.point.Label)
		case p.winner == "":
			none = append(none, p.point.Label)
		}
	}
	text := fmt.Sprintf("%d of %d blocks: ", s.given, s.plan.Blocks)
	if len(none) > 0 {
		text += fmt.Sprintf("there are no two arms to compare at %s; elsewhere ", strings.Join(none, "; "))
	}
	if len(open) == 0 {
		return text + fmt.Sprintf("at every point it is settled who is best by %s, or that nobody is by more than %g %%", s.metric.Title(), 100*tieWithin)
	}
	return text + fmt.Sprintf("who is best by %s is not settled at %s", s.metric.Title(), strings.Join(open, "; "))
}

// samplingNote says what a reader must know of an adaptive run.
func (r *Report) samplingNote() Warning {
	lo, hi := math.MaxInt, 0
	for i := range r.Points {
		for _, row := range r.Points[i].Rows {
			lo, hi = min(lo, row.Blocks), max(hi, row.Blocks)
		}
	}
	return Warning(fmt.Sprintf("adaptive sampling: blocks were spent where it was least certain which arm is best, %d to %d a point; as their number came of "+
		"looking at differences, intervals of these are at %g%% for any one number, and so hold at %g%% whatever it came to",
		min(lo, hi), hi, 100*lookedLevel, 100*Level))
}
