package gate

import (
	"fmt"
	"math"
	"slices"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/results"
)

// Verdict is verdict.json.
type Verdict struct {
	Schema       string   `json:"schema"`
	Run          string   `json:"run"` // id
	Outcome      Outcome  `json:"outcome"`
	Meaning      string   `json:"meaning"`
	Contaminated string   `json:"contaminated,omitempty"` // what the null control showed; "" if it showed nothing
	Rows         []Row    `json:"primaries"`              // in the order of the plan
	Controls     []Row    `json:"controls,omitempty"`     // base against base
	Notes        []string `json:"notes,omitempty"`
	Plan         Plan     `json:"plan"`
}

// Row is the verdict on one primary.
type Row struct {
	Point   string  `json:"point"`
	Metric  Metric  `json:"metric"`
	Delta   float64 `json:"delta"`
	Claim   float64 `json:"claim,omitempty"`
	Outcome Outcome `json:"outcome"`
	Meaning string  `json:"meaning"`

	Ratio    float64            `json:"ratio,omitempty"`    // head over base: exp of the mean log-ratio
	Interval *analysis.Interval `json:"interval,omitempty"` // 99 %, of Student's t
	Robust   float64            `json:"robust,omitempty"`   // the same ratio by Hodges and Lehmann
	N        int                `json:"n"`                  // usable blocks
	Void     int                `json:"void"`               // blocks that are not
	Look     int                `json:"look"`               // of the plan, from 1; 0 before the first
	SD       float64            `json:"sd,omitempty"`       // of the blocks' log-ratios
	// Detectable is the smallest change for the worse, as a share, that is found with a probability of 95 % at this n.
	Detectable float64 `json:"detectable,omitempty"`
	Needs      int     `json:"needs,omitempty"` // inconclusive: blocks that would do
	Drift      float64 `json:"drift,omitempty"` // mean change of the log-ratio from a block's first half to its second, where it is one

	BaseValue float64 `json:"base,omitempty"` // median over blocks, in ns or per second
	HeadValue float64 `json:"head,omitempty"`

	First *Earlier `json:"first,omitempty"` // the first measurement, where this is the second
	Notes []string `json:"notes,omitempty"`
}

// Earlier is a measurement that was made again.
type Earlier struct {
	Outcome  Outcome            `json:"outcome"`
	Ratio    float64            `json:"ratio"`
	Interval *analysis.Interval `json:"interval,omitempty"`
	N        int                `json:"n"`
	SD       float64            `json:"sd"`
}

// level99 is what each side of a 99 % interval leaves out.
const level99 = 0.005

// maxDrift is the change within blocks, as a log-ratio, that is not reported.
const maxDrift = 0.02

// row says what a track has come to.
func (p *Plan) row(t *track) Row {
	r := Row{Point: t.Point, Metric: t.Metric, Delta: t.Delta, Claim: t.Claim, Outcome: t.outcome, N: t.sample.n(), Look: t.look + 1}
	var base, head, drift []float64
	for i := range t.used {
		b := &t.used[i]
		if !b.usable() {
			r.Void++
		} else if _, ok := b.X[t.Metric]; ok {
			base, head, drift = append(base, b.Ref[t.Metric]), append(head, b.Arm[t.Metric]), append(drift, b.Drift[t.Metric])
		}
	}
	if t.outcome == "" {
		r.Outcome = Inconclusive
	}
	if r.N > 0 {
		r.BaseValue, r.HeadValue = analysis.NewSample(base).Median(), analysis.NewSample(head).Median()
		r.Ratio, r.Robust = t.ratio(t.sample.mean-t.shift()), t.ratio(hodgesLehmann(t.sample.x)-t.shift())
	}
	if r.N >= 2 {
		h := t.sample.half(level99)
		a, b := t.ratio(t.sample.mean-t.shift()-h), t.ratio(t.sample.mean-t.shift()+h)
		r.Interval = &analysis.Interval{Lo: min(a, b), Hi: max(a, b)}
		r.SD = t.sample.sd
		r.Detectable = math.Expm1(detectable(r.SD, r.N, p.testLevel(t), t.floor()))
		if d := newSample(drift); math.Abs(d.mean) > maxDrift && math.Abs(d.mean) > d.half(level99) {
			r.Drift = d.mean
			r.Notes = append(r.Notes, fmt.Sprintf("drifting: the log-ratio changes by %+.1f %% within a block; warm up for longer", 100*d.mean))
		}
	}
	switch {
	case r.Outcome == Inconclusive:
		r.explain(p.whyUndecided(t, &r))
	case t.failing.certain():
		r.Meaning = "it fails: " + t.failing.String()
	default:
		r.explain("")
	}
	return r
}

// testLevel is the level of the test that a row stands on, or that its first look would have.
func (p *Plan) testLevel(t *track) float64 {
	if t.level > 0 {
		return t.level
	}
	return p.level(p.Looks[0], len(p.Primaries), 0)
}

// ratio is a log-ratio, of which more is worse, as head over base.
func (t *track) ratio(x float64) float64 {
	if t.meter.higher {
		x = -x
	}
	return math.Exp(max(min(x, 700), -700))
}

// whyUndecided says why a track has no outcome, and what would do.
func (p *Plan) whyUndecided(t *track, r *Row) string {
	last := p.Looks[len(p.Looks)-1]
	switch {
	case t.noise != "" && !t.disturbed():
		return t.noise
	case t.noise != "":
		return "noisy host: " + t.noise + t.lopsided()
	case len(t.used) == 0:
		return "no block has come to its end"
	case r.N == 0:
		return t.unmeasured()
	case t.failing.suspect():
		return "it fails: " + t.failing.String()
	}
	r.Needs = needed(t.sample, p.level(last, len(p.Primaries), 0), t.floor(), t.delta())
	switch {
	case len(t.blocks) < p.Looks[0].Blocks || len(t.blocks) < p.Blocks() && r.Needs > 0 && r.Needs <= len(t.blocks):
		return fmt.Sprintf("the measurement ended after %d blocks, before it was decided", len(t.blocks))
	case r.Needs == 0:
		return fmt.Sprintf("more than %d blocks would be needed; find what disturbs the host (shardlab noise)", mostNeeded)
	case r.Needs <= r.N: // what the t test would call so: the sign-flip test does not
		return "the blocks are too unlike for the two tests to agree"
	}
	return fmt.Sprintf("about %d blocks would decide", r.Needs)
}

// lopsided says when void slices are the arm's own far more often than its reference's: a server that waits more than it should lets a
// virtual machine's processors go, and gets them back late.
func (t *track) lopsided() string {
	more, less := 0, 0
	for i := range t.used {
		switch b := &t.used[i]; {
		case b.voids > b.refVoids:
			more++
		case b.voids < b.refVoids:
			less++
		}
	}
	if chance(more, less) > level99 {
		return ""
	}
	return fmt.Sprintf("; this arm has more void slices than base in %d blocks, fewer in %d: the server may bring that about itself", more, less)
}

// unmeasured says why no block has the metric.
func (t *track) unmeasured() string {
	if n := MinSamples(t.Metric); n > 1 {
		return fmt.Sprintf("%s needs %d requests in every slice; raise the rate, or make slices longer", t.meter.title, n)
	}
	if t.Metric == CPU {
		return t.meter.title + " was not measured in both arms; is the server started by a script? it must exec the server, whose process is measured"
	}
	return t.meter.title + " was not measured in both arms"
}

// explain writes the one sentence on the outcome.
func (r *Row) explain(why string) {
	m, _ := find(r.Metric)
	d := percent(r.Delta)
	if r.Claim != 0 {
		r.explainClaim(m, d, why)
		return
	}
	switch r.Outcome {
	case Pass:
		r.Meaning = fmt.Sprintf("a %s that is %s worse is excluded", m.title, d)
	case Regressed:
		r.Meaning = fmt.Sprintf("%s is worse, for certain and by more than half of %s", m.title, d)
	case Improved:
		r.Meaning = fmt.Sprintf("%s is better, for certain and by more than half of %s", m.title, d)
	case Inconclusive:
		r.Meaning = fmt.Sprintf("neither that %s is worse nor that it is not was shown: %s", m.title, why)
	}
}

// explainClaim is the same of a claim.
func (r *Row) explainClaim(m meter, d, why string) {
	switch r.Outcome {
	case Pass:
		r.Meaning = fmt.Sprintf("that %s is not %g times as good, by %s, is excluded", m.title, r.Claim, d)
	case Regressed:
		r.Meaning = fmt.Sprintf("%s is not %g times as good, for certain and by more than half of %s", m.title, r.Claim, d)
	default:
		r.Meaning = fmt.Sprintf("neither that %s is %g times as good nor that it is not was shown: %s", m.title, r.Claim, why)
	}
}

// percent is a share as people write it: "5 %", "7.5 %".
func percent(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) }

// contaminate takes back what was said of differences: base differs from itself.
func (v *Verdict) contaminate(t *track) {
	v.Contaminated = t.contamination()
	for i := range v.Rows {
		if r := &v.Rows[i]; r.Outcome == Regressed || r.Outcome == Improved {
			r.Outcome = Inconclusive
			r.explain("the null control differs from base as well: something else than the code is at work")
		}
	}
}

// contamination says what a control that differs from itself has shown.
func (t *track) contamination() string {
	if t.failing.certain() {
		return fmt.Sprintf("%sbase fails a second time beside itself: %s", at(t.Point), t.failing.String())
	}
	return fmt.Sprintf("%s%s of base against itself is %.3f times what it is", at(t.Point), t.meter.title, t.ratio(t.sample.mean-t.shift()))
}

func at(point string) string {
	if point == "" {
		return ""
	}
	return point + ": "
}

// conclude says what all rows come to.
func (v *Verdict) conclude(lines []results.Slice) {
	count := map[Outcome]int{}
	for _, r := range v.Rows {
		count[r.Outcome]++
	}
	switch {
	case count[Regressed] > 0:
		v.Outcome = Regressed
		v.Meaning = fmt.Sprintf("%d of %d primaries are worse than base, shown twice with processes and layouts of their own", count[Regressed], len(v.Rows))
		if !v.Plan.Confirm {
			v.Meaning = fmt.Sprintf("%d of %d primaries are worse than base", count[Regressed], len(v.Rows))
		}
		switch n := count[Inconclusive]; {
		case n == 1:
			v.Meaning += "; 1 was not decided by then"
		case n > 1:
			v.Meaning += fmt.Sprintf("; %d were not decided by then", n)
		}
	case count[Inconclusive] > 0:
		v.Outcome = Inconclusive
		v.Meaning = fmt.Sprintf("%d of %d primaries could not be decided", count[Inconclusive], len(v.Rows))
	case count[Improved] > 0:
		v.Outcome = Improved
		v.Meaning = fmt.Sprintf("%d of %d primaries are better than base, and none is worse by its δ", count[Improved], len(v.Rows))
	default:
		v.Outcome = Pass
		v.Meaning = "no primary is worse than base by its δ"
	}
	for _, point := range v.Plan.Points() {
		v.waiting(point)
		v.clientBound(point, lines)
	}
}

// waiting says when a server has not more to compute and still does less.
func (v *Verdict) waiting(point string) {
	row := func(m Metric) *Row {
		i := slices.IndexFunc(v.Rows, func(r Row) bool { return r.Point == point && r.Metric == m })
		if i < 0 {
			return nil
		}
		return &v.Rows[i]
	}
	cpu, rate := row(CPU), row(Throughput)
	if cpu != nil && rate != nil && rate.Claim == 0 && cpu.Outcome == Pass && rate.Outcome == Regressed {
		v.Notes = append(v.Notes, fmt.Sprintf("%swaiting more, not computing more: CPU/op unchanged (%s), throughput %s",
			at(point), change(cpu.Ratio), change(rate.Ratio)))
	}
}

// change is a ratio as a difference: "-6.2 %".
func change(ratio float64) string { return fmt.Sprintf("%+.1f %%", 100*(ratio-1)) }

// maxClientBusy is the share of its time that a load thread may be busy before it may be what limits a closed loop.
const maxClientBusy = 0.85

// clientBound says when throughput may be the client's and not the server's: differences then come out too small.
func (v *Verdict) clientBound(point string, lines []results.Slice) {
	if !slices.ContainsFunc(v.Rows, func(r Row) bool { return r.Point == point && r.Metric == Throughput }) {
		return
	}
	var busy []float64
	for i := range lines {
		if s := &lines[i]; s.Point == point && s.Arm == Base && s.Valid {
			busy = append(busy, s.ClientBusy)
		}
	}
	if m := analysis.NewSample(busy).Median(); m > maxClientBusy {
		v.Notes = append(v.Notes, fmt.Sprintf("%sthe client is busy %.0f %% of its time: throughput's differences come out too small, CPU/op is as good",
			at(point), 100*m))
	}
}

// ExitCode is 0 for pass and improved, 1 for regressed and 3 for inconclusive.
func (o Outcome) ExitCode() int {
	switch o {
	case Regressed:
		return 1
	case Inconclusive:
		return 3
	}
	return 0
}
