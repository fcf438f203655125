package gate

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/results"
)

// made is a run with slices as a server would give them: a common drift of the machine, noise of slices and of processes, and
// head's and control's effects.
type made struct {
	seed           uint64
	blocks, from   int
	head, control  float64            // log-ratios of cost
	headRate       float64            // log-ratio of throughput besides: waiting
	process, slice float64            // standard deviations
	factor         float64            // of both arms
	allocs         map[string]float64 // per operation, by arm
	swap           bool               // head's slices are base's and the other way round
}

const madeSlices = 10

func (m made) run() (lines []results.Slice, trials []results.Trial) {
	rng := rand.New(rand.NewPCG(m.seed, 7))
	arms := []string{Base, Head, Control}
	effects := map[string]float64{Head: m.head, Control: m.control}
	for b := m.from; b < m.from+m.blocks; b++ {
		own := map[string]float64{}
		for _, a := range arms {
			own[a] = effects[a] + m.process*rng.NormFloat64()
		}
		machine := 0.2 * rng.NormFloat64()
		for s := range madeSlices {
			machine += 0.05 * rng.NormFloat64()
			for pos, a := range arms {
				noise := m.slice * rng.NormFloat64()
				cost := 8000 * m.factor * math.Exp(machine+own[a]+noise)
				rate := 1e9 / cost
				if a == Head {
					rate *= math.Exp(-m.headRate)
				}
				name := a
				if m.swap {
					name = map[string]string{Base: Head, Head: Base, Control: Control}[a]
				}
				const dur = 50_000_000
				replies := uint64(rate * dur / 1e9)
				lines = append(lines, results.Slice{Arm: name, Block: b, Slice: s, Pos: pos, Dur: dur, Replies: replies,
					ServerCPU: int64(cost * float64(replies)), Response: results.Latency{N: replies, P50: int64(10 * cost)},
					Valid: true, ClientBusy: 0.5, HeapLive: 1 << 20, AllocObjs: int64(m.allocs[a] * float64(replies))})
			}
		}
		for _, a := range arms {
			trials = append(trials, results.Trial{Arm: a, Block: b})
		}
	}
	return lines, trials
}

func usual() made {
	return made{seed: 1, blocks: 48, process: 0.004, slice: 0.015, factor: 1}
}

func judged(t *testing.T, m made, change func(*Plan)) *Verdict {
	t.Helper()
	plan := threePrimaries()
	if change != nil {
		change(&plan)
	}
	lines, trials := m.run()
	v, err := Judge(plan, "a run", lines, trials)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func outcomes(v *Verdict) string {
	var words []string
	for _, r := range v.Rows {
		words = append(words, string(r.Outcome))
	}
	return strings.Join(words, " ")
}

func TestFourOutcomes(t *testing.T) {
	check := func(name string, m made, want string, overall Outcome, exit int) {
		t.Helper()
		v := judged(t, m, nil)
		if got := outcomes(v); got != want || v.Outcome != overall || v.Outcome.ExitCode() != exit {
			var b bytes.Buffer
			v.Text(&b, analysis.Style{})
			t.Errorf("%s: %s, %s, exit %d; want %s, %s, %d\n%s", name, got, v.Outcome, v.Outcome.ExitCode(), want, overall, exit, &b)
		}
	}
	m := usual()
	check("the same", m, "pass pass pass", Pass, 0)
	m.head = 0.07
	check("slower", m, "regressed regressed regressed", Regressed, 1)
	m.head = -0.07
	check("faster", m, "improved improved improved", Improved, 0)
	m.head, m.process, m.slice = 0, 0.12, 0.2
	check("noisy", m, "inconclusive inconclusive inconclusive", Inconclusive, 3)
}

func TestRowSaysWhatItStandsOn(t *testing.T) {
	m := usual()
	m.head = 0.07
	r := judged(t, m, nil).Rows[0]
	if r.Interval == nil || !(r.Interval.Lo < r.Ratio && r.Ratio < r.Interval.Hi) || math.Abs(math.Log(r.Ratio)-0.07) > 0.02 ||
		math.Abs(r.Robust/r.Ratio-1) > 0.02 || r.N != 6 || r.Look != 1 || !(r.Detectable > 0.01 && r.Detectable < 0.1) ||
		math.Abs(math.Log(r.HeadValue/r.BaseValue)-0.07) > 0.03 || r.First == nil || r.First.Outcome != Regressed {
		t.Errorf("%+v, interval %v, first %+v", r, r.Interval, r.First)
	}
	// An undecided row says how many blocks would do, and with so many it is decided.
	m = usual()
	m.process, m.slice, m.blocks = 0.04, 0.05, 6
	r = judged(t, m, nil).Rows[0]
	if r.Outcome != Inconclusive || r.Needs <= 6 || r.Needs > 300 || !strings.Contains(r.Meaning, "blocks would decide") {
		t.Errorf("%+v", r)
	}
}

// Whatever was regressed is improved when the arms are swapped, and the ratios are each other's inverse.
func TestSwappingArmsFlipsTheVerdict(t *testing.T) {
	flip := map[Outcome]Outcome{Regressed: Improved, Improved: Regressed}
	decided := 0
	for seed := range uint64(50) {
		m := usual()
		m.seed, m.head = seed, []float64{0.07, -0.07, 0.04, -0.04, 0}[seed%5]
		m.process, m.slice = 0.01, 0.03
		alone := func(p *Plan) { p.Control = false } // it is base's twin, and no longer so when base is head
		a := judged(t, m, alone)
		m.swap = true
		b := judged(t, m, alone)
		for i, x := range a.Rows {
			y := b.Rows[i]
			if want, ok := flip[x.Outcome]; ok {
				decided++
				if y.Outcome != want {
					t.Errorf("seed %d, %s: %s, swapped %s", seed, x.Metric, x.Outcome, y.Outcome)
				}
			}
			if x.N == y.N && math.Abs(x.Ratio*y.Ratio-1) > 1e-9 {
				t.Errorf("seed %d, %s: ratios %g and %g", seed, x.Metric, x.Ratio, y.Ratio)
			}
		}
	}
	if decided < 50 {
		t.Errorf("only %d rows were decided", decided)
	}
}

// A machine twice as fast gives the same verdict.
func TestCommonFactorChangesNothing(t *testing.T) {
	m := usual()
	m.head = 0.05
	a := judged(t, m, nil)
	m.factor = 0.5
	b := judged(t, m, nil)
	for i, x := range a.Rows {
		y := b.Rows[i]
		if x.Outcome != y.Outcome || math.Abs(x.Ratio/y.Ratio-1) > 1e-3 || math.Abs(x.SD-y.SD) > 1e-3 {
			t.Errorf("%+v\n%+v", x, y)
		}
	}
}

func TestWaitingIsNotComputing(t *testing.T) {
	m := usual()
	m.headRate = 0.08
	v := judged(t, m, nil)
	if got := outcomes(v); got != "pass regressed pass" {
		t.Fatal(got)
	}
	if text := strings.Join(v.Notes, "\n"); !strings.Contains(text, "waiting more, not computing more: CPU/op unchanged (") {
		t.Error(text)
	}
}

// An allocation more is found where there were none, and where there were some.
func TestAllocations(t *testing.T) {
	check := func(base, head float64, want Outcome) {
		t.Helper()
		m := usual()
		m.allocs = map[string]float64{Base: base, Control: base, Head: head}
		v := judged(t, m, func(p *Plan) { p.Primaries = []Primary{{"", Allocs, 0.05, 0}} })
		if v.Rows[0].Outcome != want {
			t.Errorf("%g and %g allocations: %s, ratio %g", base, head, v.Rows[0].Outcome, v.Rows[0].Ratio)
		}
	}
	check(0, 0, Pass)
	check(0, 1, Regressed)
	check(10, 11, Regressed)
	check(1, 0, Improved)
	check(0.02, 0.03, Pass)
}

// Where base differs from itself no difference is believed; what passed stays.
func TestContaminatedControl(t *testing.T) {
	m := usual()
	m.head, m.control = 0.07, 0.06
	v := judged(t, m, nil)
	if outcomes(v) != "inconclusive inconclusive inconclusive" || v.Contaminated == "" || v.Outcome != Inconclusive {
		t.Errorf("%s, %q", outcomes(v), v.Contaminated)
	}
	m.head = 0
	if v = judged(t, m, nil); outcomes(v) != "pass pass pass" || v.Contaminated == "" {
		t.Errorf("%s, %q", outcomes(v), v.Contaminated)
	}
}

// Only what is shown twice is red.
func TestConfirmation(t *testing.T) {
	plan := threePrimaries()
	red := usual()
	red.head, red.blocks = 0.07, 6
	lines, trials := red.run()
	v, _ := Judge(plan, "", lines, trials)
	if outcomes(v) != "inconclusive inconclusive inconclusive" || !strings.Contains(v.Rows[0].Meaning, "not measured again") {
		t.Errorf("unconfirmed: %s", outcomes(v))
	}
	if block, points := Next(plan, lines, trials, 6, 0); block != plan.Blocks() || len(points) != 1 {
		t.Errorf("the confirmation begins with block %d at %q", block, points)
	}
	again := usual()
	again.from, again.blocks, again.seed = plan.Blocks(), 6, 2
	l2, t2 := again.run()
	v, _ = Judge(plan, "", append(lines[:len(lines):len(lines)], l2...), append(trials[:len(trials):len(trials)], t2...))
	if outcomes(v) != "inconclusive inconclusive inconclusive" || !strings.Contains(v.Rows[0].Meaning, "said regressed, the next pass") {
		t.Errorf("not confirmed: %s: %s", outcomes(v), v.Rows[0].Meaning)
	}
	again.head = 0.07
	l2, t2 = again.run()
	lines, trials = append(lines, l2...), append(trials, t2...)
	if v, _ = Judge(plan, "", lines, trials); outcomes(v) != "regressed regressed regressed" {
		t.Errorf("confirmed: %s", outcomes(v))
	}
	if _, points := Next(plan, lines, trials, 6, 6); len(points) != 0 {
		t.Errorf("after the confirmation there is more at %q", points)
	}
}

// Next asks for blocks until everything is decided or the last look is over.
func TestNext(t *testing.T) {
	plan := threePrimaries()
	m := usual()
	for blocks, want := range map[int]int{0: 1, 5: 1, 6: 0} {
		m.blocks = blocks
		lines, trials := m.run()
		if block, points := Next(plan, lines, trials, blocks, 0); len(points) != want || want > 0 && block != blocks {
			t.Errorf("after %d quiet blocks: block %d at %q", blocks, block, points)
		}
	}
	m.process, m.slice = 0.12, 0.2
	for blocks, want := range map[int]int{6: 1, 10: 1, 23: 1, 24: 0} {
		m.blocks = blocks
		lines, trials := m.run()
		if _, points := Next(plan, lines, trials, blocks, 0); len(points) != want {
			t.Errorf("after %d noisy blocks: %q", blocks, points)
		}
	}
}

// Once a regression has been seen twice the gate is red, and asks for nothing more; one that was seen once and not
// again leaves the rest to be decided.
func TestRedEndsTheGate(t *testing.T) {
	plan := threePrimaries()
	hard := func(m made) ([]results.Slice, []results.Trial) { // whose p50 is between nothing and its δ
		lines, trials := m.run()
		for i := range lines {
			if s := &lines[i]; s.Arm == Head {
				s.Response.P50 = int64(float64(s.Response.P50) * math.Exp(-0.045+0.06*float64(s.Block%2)))
			}
		}
		return lines, trials
	}
	red := usual()
	red.head, red.blocks = 0.05, 6
	lines, trials := hard(red)
	next := func(first, confirming, block, points int, what string) {
		t.Helper()
		if b, p := Next(plan, lines, trials, first, confirming); b != block || len(p) != points {
			t.Errorf("%s: block %d at %q, want block %d at %d points", what, b, p, block, points)
		}
	}
	next(6, 0, plan.Blocks(), 1, "seen once")
	again := red
	again.from, again.seed = plan.Blocks(), 2
	l2, t2 := hard(again)
	once, onceTrials := lines, trials
	lines, trials = slices.Concat(lines, l2), slices.Concat(trials, t2)
	next(6, 6, 0, 0, "seen twice")
	v, err := Judge(plan, "", lines, trials)
	if err != nil || outcomes(v) != "regressed regressed inconclusive" || !strings.Contains(v.Meaning, "; 1 was not decided by then") {
		t.Errorf("%v, %s: %s", err, outcomes(v), v.Meaning)
	}
	again.head = 0
	l2, t2 = hard(again)
	lines, trials = slices.Concat(once, l2), slices.Concat(onceTrials, t2)
	next(6, 6, 6, 1, "seen once and not again")
}

// A pair is dropped for what happened to it, a block for its pairs, and a point for its blocks: then it is not
// regressed but inconclusive.
func TestVoid(t *testing.T) {
	m := usual()
	m.head = 0.07
	lines, trials := m.run()
	plan := threePrimaries()
	steal := func(blocks, slices int) *Verdict {
		changed := append([]results.Slice(nil), lines...)
		for i := range changed {
			if s := &changed[i]; s.Block%plan.Blocks() < blocks && s.Slice < slices && s.Arm == Base {
				s.Valid, s.Why = false, "steal: the hypervisor ran something else for 10ms"
			}
		}
		v, err := Judge(plan, "", changed, trials)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := steal(24, 2); v.Outcome != Regressed || v.Rows[0].Void != 0 {
		t.Errorf("a fifth of the pairs: %s, %d void", v.Outcome, v.Rows[0].Void)
	}
	if v := steal(1, 3); v.Outcome != Regressed || v.Rows[0].Void != 1 || v.Rows[0].N != 5 {
		t.Errorf("one void block: %s, %d void of %d", v.Outcome, v.Rows[0].Void, v.Rows[0].N)
	}
	v := steal(24, 3)
	if v.Outcome != Inconclusive || !strings.HasSuffix(v.Rows[0].Meaning, "noisy host: 24 of 24 blocks are void (steal)") {
		t.Errorf("%s: %s", v.Outcome, v.Rows[0].Meaning)
	}
	// Where it is head's slices, and not base's, that is said.
	for i := range lines {
		if s := &lines[i]; s.Slice < 3 && s.Arm == Head {
			s.Valid, s.Why = false, "steal: x"
		}
	}
	v, err := Judge(plan, "", lines, trials)
	if err != nil || v.Outcome != Inconclusive || !strings.Contains(v.Rows[0].Meaning, "this arm has more void slices than base in 24 blocks, fewer in 0") {
		t.Errorf("%v: %s", err, v.Rows[0].Meaning)
	}
}

func TestNothingToCompareIsAnError(t *testing.T) {
	check := func(p Plan, lines []results.Slice, trials []results.Trial, want string) {
		t.Helper()
		if _, err := Judge(p, "", lines, trials); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	lines, trials := usual().run()
	check(threePrimaries(), nil, nil, "nothing was compared")
	check(threePrimaries(), lines, nil, "nothing was compared") // no block has ended
	other := threePrimaries()
	for i := range other.Primaries {
		other.Primaries[i].Point = "elsewhere"
	}
	check(other, lines, trials, "nothing was compared")
	if _, err := Judge(other, "", lines, trials); !errors.Is(err, ErrNothing) {
		t.Error(err)
	}
	check(NewPlan(nil, DefaultBlocks), lines, trials, "no primary metric")
	check(NewPlan(threePrimaries().Primaries, nil), lines, trials, "no looks")
	check(NewPlan(threePrimaries().Primaries, []int{3, 6}), lines, trials, "a look after 3 blocks")
	check(NewPlan(threePrimaries().Primaries, []int{6, 6}), lines, trials, "looks ascend")
	check(NewPlan([]Primary{{"", CPU, 0.05, -1}}, DefaultBlocks), lines, trials, "a claim of -1")
	check(NewPlan([]Primary{{"", "speed", 0.05, 0}}, DefaultBlocks), lines, trials, `unknown metric "speed"`)
	check(NewPlan([]Primary{{"", CPU, 0, 0}}, DefaultBlocks), lines, trials, "δ of 0")
	check(NewPlan([]Primary{{"", CPU, 0.05, 0}, {"", CPU, 0.05, 0}}, DefaultBlocks), lines, trials, "twice")
}

// A metric that slices lack is not compared over those that happen to have it.
func TestMissingQuantile(t *testing.T) {
	lines, trials := usual().run()
	plan := NewPlan([]Primary{{"", CPU, 0.05, 0}, {"", P99, 0.15, 0}}, DefaultBlocks)
	v, err := Judge(plan, "", lines, trials)
	if err != nil || outcomes(v) != "pass inconclusive" || !strings.Contains(v.Rows[1].Meaning, "p99 needs 1000 requests in every slice") {
		t.Errorf("%v %s %s", err, outcomes(v), v.Rows[1].Meaning)
	}
}

func TestFormats(t *testing.T) {
	m := usual()
	m.head = 0.07
	v := judged(t, m, nil)
	var text, again, junit, md bytes.Buffer
	v.JSON(&text)
	judged(t, m, nil).JSON(&again)
	if !bytes.Equal(text.Bytes(), again.Bytes()) {
		t.Error("the same slices give different bytes")
	}
	v.JUnit(&junit)
	v.Markdown(&md)
	for _, x := range []struct{ in, want string }{
		{text.String(), `"schema": "shardlab.gate/1"`}, {text.String(), `"outcome": "regressed"`},
		{junit.String(), `failures="3"`}, {junit.String(), `<failure message="server CPU/op is worse`},
		{md.String(), "### shardlab gate: regressed"}, {md.String(), "| **regressed** |"},
	} {
		if !strings.Contains(x.in, x.want) {
			t.Errorf("no %q in:\n%s", x.want, x.in)
		}
	}
}

// A claim of one build holds, or does not, or cannot be told; better than claimed is fine.
func TestClaims(t *testing.T) {
	check := func(head, claim float64, want Outcome) {
		t.Helper()
		m := usual()
		m.head = head
		v := judged(t, m, func(p *Plan) {
			for i := range p.Primaries {
				p.Primaries[i].Claim = claim
			}
		})
		for _, r := range v.Rows {
			if r.Outcome != want || want != Inconclusive && !strings.Contains(r.Meaning, "times as good") {
				t.Errorf("claim %g with a log-ratio of %g: %s %s: %s", claim, head, r.Metric, r.Outcome, r.Meaning)
			}
			if got := math.Abs(math.Log(r.Ratio)); math.Abs(got-math.Abs(head)) > 0.02 {
				t.Errorf("the ratio shown is %g", r.Ratio)
			}
		}
	}
	check(-math.Log(1.3), 1.3, Pass)
	check(-math.Log(1.6), 1.3, Pass)
	check(-math.Log(1.1), 1.3, Regressed)
	check(0, 1.3, Regressed)
	check(math.Log(1.2), 0.8, Pass)
}
