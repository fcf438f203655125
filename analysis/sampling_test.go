package analysis

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/shardlab/shardlab/analysis/internal/synth"
	"github.com/shardlab/shardlab/results"
)

// square is a sweep of two keys with n values each.
func square(n int) (points []results.Point) {
	for y := range n {
		for x := range n {
			points = append(points, results.Point{Label: fmt.Sprintf("x=%d,y=%d", x, y), Mode: "closed",
				Params: []results.Param{{Name: "x", Value: fmt.Sprint(x)}, {Name: "y", Value: fmt.Sprint(y)}}})
		}
	}
	return points
}

var threeArms = []results.Arm{{Name: "a"}, {Name: "b"}, {Name: "c"}, {Name: "null", Responder: true}}

// A country is the truth about a square: of every point the log of each arm's throughput, and what a block adds to it.
type country struct {
	side  int
	truth func(x, y int) [3]float64
	noise func(*rand.Rand) float64
}

// diagonal has a and b change places from side to side of a line on which they are the same; c is far behind. Neighbours of the line differ by step.
func diagonal(side int, step float64, noise func(*rand.Rand) float64) country {
	return country{side, func(x, y int) [3]float64 { return [3]float64{step * float64(x-y), 0, -0.4 - step*float64(side)} }, noise}
}

// explore samples a country, and returns the sampler when it has ended.
func (c country) explore(rng *rand.Rand, blocks int) *Sampler {
	s := NewSampler(NewSampling(blocks, c.side*c.side, Throughput), square(c.side), threeArms)
	s.draws = fewResamples
	for {
		round, labels := s.Next()
		if len(labels) == 0 {
			return s
		}
		for i, p := range s.points {
			if !slices.Contains(labels, p.point.Label) {
				continue
			}
			host := 0.1 * rng.NormFloat64() // what all arms of a block share
			for k, a := range p.arms {
				v := c.truth(i%c.side, i/c.side)[k] + host + c.noise(rng)
				a.values, a.blocks = append(a.values, BlockValue{round, 1e5 * math.Exp(v)}), a.blocks+1
			}
		}
	}
}

// told is who is told to be best at a point, by the intervals that Phases goes by: "" where some arm cannot be told from it.
func (p *sampledPoint) told() string {
	for _, a := range p.arms {
		best := p.arms[slices.IndexFunc(p.arms, func(x *sampledArm) bool { return x.Name == p.winner })]
		logs := pairedLogs(best.values, a.values)
		m, se := meanError(logs)
		// The interval holds Student's: a resampling is not needed where that has 0 in it.
		if a != best && (student(m, se, float64(len(logs)-1), lookedLevel).Contains(0) || lookedInterval(logs, fewResamples).Contains(0)) {
			return ""
		}
	}
	return p.winner
}

func normalNoise(sd float64) func(*rand.Rand) float64 {
	return func(rng *rand.Rand) float64 { return sd * rng.NormFloat64() }
}

// TestBlocksGoWhereTheWinnerChanges: a crossover costs more than clear cells, which get what an interval takes and no more.
func TestBlocksGoWhereTheWinnerChanges(t *testing.T) {
	const side, blocks = 5, 8
	rng := rand.New(rand.NewPCG(7, 1))
	line, beside, far := 0, 0, 0
	for range 20 {
		s := diagonal(side, 0.06, normalNoise(0.03)).explore(rng, blocks)
		if s.given > s.plan.Blocks {
			t.Fatalf("%d blocks of %d", s.given, s.plan.Blocks)
		}
		for i, p := range s.points {
			if !slices.Contains(s.plan.Looks, p.given) || len(p.arms[0].values) != p.given {
				t.Fatalf("%s has %d blocks, want one of %d", p.point.Label, p.given, s.plan.Looks)
			}
			switch d := i%side - i/side; max(d, -d) {
			case 0:
				line += p.given
			case 1:
				beside += p.given
			default:
				far += p.given
			}
		}
	}
	// There are 5 points on the line, 8 beside it and 12 far away.
	perLine, perBeside, perFar := float64(line)/100, float64(beside)/160, float64(far)/240
	t.Logf("blocks a point: %.1f on the line, %.1f beside it, %.1f elsewhere", perLine, perBeside, perFar)
	if perLine < 1.5*perFar || perFar > 6.5 || perBeside < perFar {
		t.Errorf("blocks a point: %.1f on the line, %.1f beside it, %.1f elsewhere", perLine, perBeside, perFar)
	}
}

// TestAMapThatIsSettledEndsEarly, whether by winners or by ties.
func TestAMapThatIsSettledEndsEarly(t *testing.T) {
	for name, step := range map[string]float64{"winners and a line of ties": 0.2, "ties": 0} {
		s := diagonal(3, step, normalNoise(0.004)).explore(rand.New(rand.NewPCG(8, 1)), 20)
		if want := 9 * s.plan.Looks[0]; s.given != want {
			t.Errorf("%s: %d blocks, want %d", name, s.given, want)
		}
		if want := "90 of 180 blocks: at every point it is settled who is best by throughput, or that nobody is by more than 3 %"; s.Outcome() != want {
			t.Errorf("%s: %q", name, s.Outcome())
		}
	}
	liars := diagonal(2, 0.2, normalNoise(0.004)).explore(rand.New(rand.NewPCG(8, 1)), 8)
	liars.points[3].arms[0].out, liars.points[3].arms[1].out = true, true
	liars.assess(liars.points[3])
	if want := "24 of 32 blocks: there are no two arms to compare at x=1,y=1; elsewhere at every point it is settled"; !strings.HasPrefix(liars.Outcome(), want) {
		t.Errorf("%q", liars.Outcome())
	}
	// A point has 8 to 9 or 15 on its way to its next look; the last 2 blocks lead to none.
	noisy := diagonal(2, 0, normalNoise(0.2)).explore(rand.New(rand.NewPCG(8, 1)), 8)
	if want := "30 of 32 blocks: who is best by throughput is not settled at x=0,y=0; x=1,y=0; x=0,y=1; x=1,y=1"; noisy.Outcome() != want {
		t.Errorf("%q", noisy.Outcome())
	}
}

// TestWhoComesFirst: what is likely to be settled before what is not, beside a change of winner before elsewhere, what takes the fewest blocks first;
// who is settled, or has had all looks, or whose next look is beyond the blocks that are left gets nothing.
func TestWhoComesFirst(t *testing.T) {
	plan := NewSampling(8, 9, Throughput)
	if want := []int{6, 9, 15, 24}; !slices.Equal(plan.Looks, want) {
		t.Fatalf("looks at %d, want %d", plan.Looks, want)
	}
	at := func(n int, values ...float64) (out []BlockValue) { // n blocks whose logarithms go through the values again and again
		for b := range n {
			out = append(out, BlockValue{b, math.Exp(values[b%len(values)])})
		}
		return out
	}
	const (
		settled = iota // b is 10 % better, give or take nothing
		soon           // 4 %, by so much that nine blocks are enough
		later          // and fifteen
		never
	)
	spread := map[int][]float64{settled: {0.1, 0.101}, soon: {0.04 - 0.026, 0.04 + 0.026}, later: {0.04 - 0.045, 0.04 + 0.045}, never: {-0.2, 0.21}}
	s := NewSampler(plan, square(3), threeArms[:2])
	// Row by row; a wins at the last point only, so 5 and 7 are beside a change.
	for i, how := range []int{soon, settled, later, never, soon, later, never, never, settled} {
		p := s.points[i]
		p.given, p.until, p.looks = 6, 6, 1
		p.arms[0].values, p.arms[1].values = at(6, 0), at(6, spread[how]...)
		if i == 8 {
			p.arms[0].values, p.arms[1].values = p.arms[1].values, p.arms[0].values
		}
		p.arms[0].blocks, p.arms[1].blocks = 6, 6
	}
	check := func(given int, want ...string) {
		t.Helper()
		s.given = given
		for _, p := range s.points {
			p.given, p.until, p.looks, p.seen = 6, 6, 1, 0
		}
		if _, got := s.Next(); !slices.Equal(got, want) {
			t.Errorf("with %d blocks spent: %v, want %v", given, got, want)
		}
	}
	label := func(i int) string { return s.points[i].point.Label }
	check(54, label(0), label(2), label(4), label(5)) // four of the seven that are open
	check(72-6, label(0), label(5))
	check(72-3, label(5))
	check(72 - 2)
	s.points[5].arms[1].values = at(6, 0.1, 0.101)
	check(72-3, label(0))
	// The whole way from one look to the next goes by without another decision.
	s.given = 54
	for _, p := range s.points {
		p.given, p.until, p.looks = 9, 9, 2
	}
	for range 6 {
		if _, got := s.Next(); len(got) != 3 {
			t.Errorf("%v on the way to 15 blocks", got)
		}
	}
	if _, got := s.Next(); len(got) != 0 || s.given != 72 {
		t.Errorf("%v after %d blocks", got, s.given)
	}
}

// TestSamplersReadWhatReportsRead: the same blocks give the winners of Phases; void blocks, wrong values and responders do not compete.
func TestSamplersReadWhatReportsRead(t *testing.T) {
	arms := []synth.Arm{{Name: "slow", Rate: 50e3, P50: 9e5}, {Name: "fast", Rate: 80e3, P50: 5e5}, {Name: "liar", Rate: 90e3, P50: 4e5},
		{Name: "null", Rate: 2e5, P50: 9e4, Responder: true}}
	run := synth.New(synth.Config{Seed: 3, Arms: arms, Points: synth.Closed(2), Blocks: 8, Slices: 6, Noise: 0.01})
	for i := range run.Slices {
		l := &run.Slices[i]
		if l.Arm == "liar" && l.Block == 7 {
			l.Corrupt, l.Checked = 1, 9
		}
		l.Valid = l.Block != 3
	}
	plan := NewSampling(8, 2, Throughput)
	run.Manifest.Sampling = &plan
	s := NewSampler(plan, run.Manifest.Points, run.Manifest.Arms)
	for b := range 8 {
		var lines []results.Slice
		var trials []results.Trial
		for _, l := range run.Slices {
			if l.Block == b {
				lines = append(lines, l)
			}
		}
		for _, x := range run.Trials {
			if x.Block == b {
				trials = append(trials, x)
			}
		}
		s.Add(lines, trials)
	}
	r, err := New(run.Manifest, run.Slices, run.Trials, Options{})
	if err != nil {
		t.Fatal(err)
	}
	phases := Phases(r, Throughput, []string{"null"})
	for i, p := range s.points {
		s.assess(p)
		if p.winner != "fast" || p.open || phases[i].Winner != "fast" || len(p.arms) != 3 || len(p.arms[1].values) != 7 || p.arms[1].bad != 1 {
			t.Errorf("%+v, in the report %+v", p, phases[i])
		}
	}
	// Four void blocks of ten are too many for a row of the report; of more blocks fewer may be void.
	p := s.points[0]
	if p.arms[0].blocks, p.arms[0].bad = 10, 4; p.arms[0].out {
		t.Fatal("void blocks are taken for other work")
	}
	if s.assess(p); !p.open || p.needs != plan.Looks[0] || p.winner != "fast" {
		t.Errorf("with four void blocks of ten: %+v", p)
	}
}

// TestLookedIntervalsAreWider, in every table, where the number of blocks was not fixed; and they say so.
func TestLookedIntervalsAreWider(t *testing.T) {
	arms := []synth.Arm{{Name: "slow", Rate: 50e3, ServerCPU: 9000, P50: 9e5}, {Name: "fast", Rate: 52e3, ServerCPU: 8000, P50: 8e5}}
	run := synth.New(synth.Config{Seed: 3, Arms: arms, Points: synth.Closed(1), Blocks: 8, Slices: 6, Noise: 0.01})
	interval := func() (*Report, Interval) {
		r, err := New(run.Manifest, run.Slices, run.Trials, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := Phases(r, Throughput, nil)[0].Margin; !got.Known() || got.Interval.Hi/got.Interval.Lo != r.Points[0].Rows[1].Cells[Throughput].Ratio.Interval.Hi/
			r.Points[0].Rows[1].Cells[Throughput].Ratio.Interval.Lo {
			t.Errorf("the phase has %v", got)
		}
		return r, *r.Points[0].Rows[1].Cells[Throughput].Ratio.Interval
	}
	even, fixed := interval()
	plan := NewSampling(8, 1, Throughput)
	run.Manifest.Sampling = &plan
	adaptive, looked := interval()
	if !(looked.Lo < fixed.Lo && looked.Hi > fixed.Hi) {
		t.Errorf("%v, where the number was fixed %v", looked, fixed)
	}
	note := "adaptive sampling: blocks were spent where it was least certain which arm is best, 8 to 8 a point; as their number came of looking at " +
		"differences, intervals of these are at 98.75% for any one number, and so hold at 95% whatever it came to"
	if slices.Contains(even.Warnings, Warning(note)) || !slices.Contains(adaptive.Warnings, Warning(note)) {
		t.Errorf("warnings %q", adaptive.Warnings)
	}
	x, y := even.Points[0].Rows[0].Cells[Throughput].Blocks, even.Points[0].Rows[1].Cells[Throughput].Blocks
	if a, b := unpairedRatio(y, x, false).Interval, unpairedRatio(y, x, true).Interval; !(b.Lo < a.Lo && b.Hi > a.Hi) {
		t.Errorf("two runs: %v, where the number was fixed %v", b, a)
	}
}

// TestLooksAreAllCovered: an interval at 95 % that is looked at again and again excludes the truth at some look far too often. The one that
// adaptive runs have does not, and that is what holds whatever a rule makes of the looks: stop, go on, or prefer another point.
func TestLooksAreAllCovered(t *testing.T) {
	if raceDetector {
		t.Skip("a simulation on one goroutine: nothing to see for the race detector")
	}
	shapes := []struct {
		name string
		draw func(*rand.Rand) float64
	}{
		{"normal", func(r *rand.Rand) float64 { return r.NormFloat64() }},
		{"t3", t3},
		{"bimodal", func(r *rand.Rand) float64 { // two arms whose processes are in one of two states, unlike often
			d := 0.1 * r.NormFloat64()
			for _, sign := range []float64{-1, 1} {
				if r.Float64() < 0.3 {
					d += sign
				}
			}
			return d
		}},
		{"lognormal 0.3", func(r *rand.Rand) float64 { return math.Exp(0.3*r.NormFloat64()) - math.Exp(0.045) }},
	}
	reps := 4000
	if testing.Short() {
		reps = 800
	}
	for _, c := range shapes {
		for _, blocks := range []int{8, 40} {
			looks := NewSampling(blocks, 1, Throughput).Looks
			rng := rand.New(rand.NewPCG(17, uint64(blocks)))
			plain, wrong := 0, 0
			x := make([]float64, looks[maxLooks-1])
			for range reps {
				for i := range x {
					x[i] = c.draw(rng)
				}
				isPlain, isWrong := false, false
				for _, n := range looks {
					m, se := meanError(x[:n])
					excludes := func(level float64) bool { return !student(m, se, float64(n-1), level).Contains(0) }
					isPlain = isPlain || excludes(Level)
					isWrong = isWrong || excludes(lookedLevel) && !lookedInterval(x[:n], fewResamples).Contains(0)
				}
				if isPlain {
					plain++
				}
				if isWrong {
					wrong++
				}
			}
			rate, at95 := float64(wrong)/float64(reps), float64(plain)/float64(reps)
			t.Logf("%-13s looks at %d: %.1f %% excluded at one of them, at 95 %% each %.1f %%", c.name, looks, 100*rate, 100*at95)
			if limit := 1 - Level + 3*math.Sqrt(Level*(1-Level)/float64(reps)); rate > limit {
				t.Errorf("%s, looks at %d: %.3f excluded at one of them, want at most %.2f", c.name, looks, rate, 1-Level)
			}
			if at95 < 0.07 {
				t.Errorf("%s, looks at %d: %.3f excluded at 95 %% each: looks cost nothing, and the level of adaptive runs may be lower", c.name, looks, at95)
			}
		}
	}
}

// TestAdaptiveMapsNameTheRightWinner simulates whole maps with the rule as it is: how often a wrong arm is told to be best, or one of two that are
// the same, and how often a difference beyond a tie's is settled as one.
func TestAdaptiveMapsNameTheRightWinner(t *testing.T) {
	if raceDetector {
		t.Skip("a simulation on one goroutine: nothing to see for the race detector")
	}
	maps := 2500
	if testing.Short() {
		maps = 120
	}
	noises := []struct {
		name string
		draw func(*rand.Rand) float64
	}{
		{"normal 2 %", normalNoise(0.02)}, {"normal 5 %", normalNoise(0.05)}, {"t3 2 %", func(r *rand.Rand) float64 { return 0.02 / math.Sqrt(3) * t3(r) }},
	}
	for k, c := range noises {
		rng := rand.New(rand.NewPCG(23, uint64(k)))
		const side = 3
		var same, told, clear, wrong, right, small, tied, spent int
		medians := 0 // of the intervals of an arm's own median on the line, those that hold it
		for range maps / len(noises) {
			// Beside the line arms differ by just more than a tie may.
			s := diagonal(side, math.Log1p(tieWithin)+1e-9, c.draw).explore(rng, 8)
			spent += s.given
			for i, p := range s.points {
				switch d, who := i%side-i/side, p.told(); {
				case d == 0:
					same++
					if who != "" {
						told++
					}
					if m, _, _ := sampleOf(p.arms[0].values).MedianInterval(); m.Contains(1e5) {
						medians++
					}
				default:
					if clear++; who == "c" || who == "a" && d < 0 || who == "b" && d > 0 {
						wrong++
					} else if who != "" {
						right++
					}
					if d == 1 || d == -1 {
						small++
						if !p.open && who == "" {
							tied++
						}
					}
				}
			}
		}
		rate := func(n, of int) float64 { return float64(n) / float64(of) }
		t.Logf("%-10s %d maps, %.1f blocks each: told of the same %.2f %%; wrong %.2f %%, right %.1f %%; called a tie %.2f %%; medians held %.1f %%", c.name,
			maps/len(noises), rate(spent, maps/len(noises)), 100*rate(told, same), 100*rate(wrong, clear), 100*rate(right, clear), 100*rate(tied, small),
			100*rate(medians, same))
		atMost := func(what string, n, of int) {
			if limit := 1 - Level + 3*math.Sqrt(Level*(1-Level)/float64(of)); rate(n, of) > limit {
				t.Errorf("%s: %s: %d of %d, want at most %.2f of all", c.name, what, n, of, 1-Level)
			}
		}
		atMost("one of two that are the same is told to be best", told, same)
		atMost("the wrong arm is told to be best", wrong, clear)
		atMost("a difference beyond a tie's is settled as one", tied, small)
		atMost("the interval of a median misses it", same-medians, same)
	}
}

// TestAdaptiveMapsTellMoreWithLess than even ones do, of the points beside a crossover.
func TestAdaptiveMapsTellMoreWithLess(t *testing.T) {
	const side, blocks, step, sd = 6, 12, 0.03, 0.02
	rng := rand.New(rand.NewPCG(5, 5))
	spent, beside, adaptive, even := 0, 0, 0, 0
	for range 10 {
		s := diagonal(side, step, normalNoise(sd)).explore(rng, blocks)
		spent += s.given
		for i, p := range s.points {
			if d := i%side - i/side; d != 1 && d != -1 {
				continue
			}
			if beside++; p.told() != "" {
				adaptive++
			}
			logs := make([]float64, blocks)
			for i := range logs {
				logs[i] = step + sd*math.Sqrt2*rng.NormFloat64()
			}
			if !meanInterval(logs, fewResamples).Contains(0) {
				even++
			}
		}
	}
	t.Logf("%d of %d points are told with %d blocks, %d with %d that are spread evenly", adaptive, beside, spent, even, 10*side*side*blocks)
	if adaptive <= even || spent > 9*side*side*blocks {
		t.Errorf("%d of %d points are told with %d blocks, %d with %d that are spread evenly", adaptive, beside, spent, even, 10*side*side*blocks)
	}
}
