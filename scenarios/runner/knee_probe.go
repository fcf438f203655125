package runner

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/analysis/knee"
	"github.com/shardlab/shardlab/loadgen"
	"github.com/shardlab/shardlab/results"
)

const (
	voidLooks     = 3                     // as often a look is tried before it is given up
	kneeLead      = 50 * time.Millisecond // of load before a look, at least
	overload      = 150 * time.Millisecond
	leastAchieved = 0.99 // of the rate; less is not what was asked for
	sampleErrors  = 5    // standard deviations of a Poisson count that chance is allowed
)

// probe is one probe of a search.
type probe struct {
	b       *kneeBlock
	s       *kneeSearch
	step    knee.Step
	rec     *rateRecord
	out     results.KneeProbe
	level   int64                   // the median of the first look
	seen    *hdrhistogram.Histogram // what the bound is on, of all looks
	limited *analysis.Finding       // why the load generator may be to blame
	lengths []time.Duration         // of the looks that it may take
	voided  time.Duration           // that looks took which were of no use
	void    string                  // why the last of them was
	replies uint64
	due     uint64
}

// errShort ends a probe that needs no more looks: the rate was not achieved.
var errShort = errors.New("the rate was not achieved")

// step probes one rate of one search, and enters the probe into its record.
func (b *kneeBlock) step(ctx context.Context, s *kneeSearch, step knee.Step) (knee.Outcome, error) {
	p := &probe{b: b, s: s, step: step, seen: results.NewHistogram()}
	p.out.Rate, p.out.From = knee.Rate(step.Place), step.Approach.String()
	p.lengths = b.k.bound.Lengths(b.k.plan(&b.point.Point), p.out.Rate)
	var err error
	if p.rec, err = s.at(b, p.out.Rate); err != nil {
		return 0, err
	}
	if step.Approach == knee.Above {
		if err := p.press(ctx); err != nil {
			return 0, err
		}
	}
	o, err := b.k.bound.Sequential(p.lengths, func(look int, length time.Duration) ([]knee.Batch, error) {
		return p.look(ctx, look, length)
	})
	p.out.Why = b.k.opts.Scenario.SLO.Stat
	if errors.Is(err, errShort) {
		o, err, p.out.Why = knee.Misses, nil, fmt.Sprintf("achieved %.1f %% of the rate", 100*p.out.Achieved)
	}
	if err != nil {
		return 0, err
	}
	if o == knee.Misses && p.limited != nil {
		o, p.out.Why = knee.Limited, p.limited.Detail
	}
	if p.limited != nil {
		p.out.Limit = p.limited.Detail + "; " + p.limited.Fix
	}
	if o == knee.Undecided {
		p.out.Why = p.undecided()
	}
	p.out.Outcome, p.out.Value, p.out.N = o.String(), b.k.bound.Value(p.seen), uint64(p.seen.TotalCount())
	s.record.Probes = append(s.record.Probes, p.out)
	return o, nil
}

// undecided says why the probe has shown nothing.
func (p *probe) undecided() string {
	length := time.Duration(p.out.Dur).Round(10 * time.Millisecond)
	switch n := p.seen.TotalCount(); {
	case n == 0 && p.void != "":
		return p.void
	case p.void != "":
		return fmt.Sprintf("could not be told from the bound in %v, apart from looks that were disturbed (%s)", length, p.void)
	}
	return fmt.Sprintf("could not be told from the bound in %v", length)
}

// at is the record of a rate, made when it is first asked for.
func (s *kneeSearch) at(b *kneeBlock, rate float64) (*rateRecord, error) {
	for _, r := range s.rates {
		if r.point.load.Rate == rate {
			return r, nil
		}
	}
	p, err := b.pointAt(rate)
	if err != nil {
		return nil, err
	}
	r := &rateRecord{point: p, trial: s.visitor.trial, response: histograms{}, service: histograms{}}
	r.trial.Point = p.Label
	s.rates = append(s.rates, r)
	return r, nil
}

// press overloads the server. What it leaves unanswered goes with the connections.
func (p *probe) press(ctx context.Context) error {
	b := p.at(p.s.search.Beyond(), 0)
	v := p.s.visitor
	if err := b.reconnect(ctx, v); err != nil {
		return err
	}
	_, err := v.session.Run(ctx, loadgen.Window{Measure: overload})
	return b.explain(v, err)
}

// at is the block at another rate, with arrivals and operations of the probe's own: all arms get the same at one rate, but a probe that
// goes on, or is made again from the other side, is another draw.
func (p *probe) at(rate float64, draw int) *block {
	b := p.b.block
	pt := p.rec.point
	pt.load.Rate, pt.Load.Rate = rate, rate
	pt.workload.Seed += uint64(p.step.Place)<<8 + uint64(p.step.Approach)<<7 + uint64(draw)
	b.point = &pt
	return &b
}

// look measures for a while, again if the hypervisor disturbed it. All that is measured again takes no longer than a probe may.
func (p *probe) look(ctx context.Context, look int, length time.Duration) ([]knee.Batch, error) {
	var batches []*hdrhistogram.Histogram
	every := p.lengths[0] / knee.Batches
	for try := range voidLooks {
		if try > 0 && p.voided+length > p.b.k.opts.ProbeMax {
			break
		}
		b := p.at(p.out.Rate, look*voidLooks+try)
		v := p.s.visitor
		if err := b.reconnect(ctx, v); err != nil {
			return nil, err
		}
		batches = batches[:0]
		row, res, err := b.visit(ctx, v, results.Slice{Slice: p.rec.slices}, loadgen.Window{
			Lead: max(b.r.opts.Scenario.Run.LeadIn, kneeLead), Measure: length, Every: every,
			Observe: func(x loadgen.Interval) { batches = p.collect(batches, x) },
		})
		p.rec.slices++
		if err != nil {
			return nil, err
		}
		if !row.Valid {
			p.out.Void++
			p.voided, p.void = p.voided+length, row.Why
			continue
		}
		if err := errors.Join(p.rec.response.add(&res.Names, &res.Response), p.rec.service.add(&res.Names, &res.Service)); err != nil {
			return nil, err
		}
		return p.judge(&row, batches)
	}
	return nil, nil
}

// collect takes an interval's response times of the operations that the bound is on. What comes in after the end is with the last.
func (p *probe) collect(batches []*hdrhistogram.Histogram, x loadgen.Interval) []*hdrhistogram.Histogram {
	h := results.NewHistogram()
	for op, of := range x.Response {
		if want := p.b.k.opts.Scenario.SLO.Op; of != nil && (want == "" || x.Names[op] == want) {
			h.Merge(of)
		}
	}
	if x.Tail && len(batches) > 0 {
		batches[len(batches)-1].Merge(h)
		return batches
	}
	return append(batches, h)
}

// judge takes a look's figures in, and says what they show.
func (p *probe) judge(row *results.Slice, batches []*hdrhistogram.Histogram) ([]knee.Batch, error) {
	if err := p.sound(row); err != nil {
		return nil, err
	}
	p.replies, p.due = p.replies+row.Replies, p.due+row.Intended
	p.out.Dur += row.Dur
	p.out.Achieved = float64(p.replies) / (p.out.Rate * float64(p.out.Dur) / 1e9)
	p.out.Client = max(p.out.Client, row.ClientBusy)
	if f := analysis.ClientLimit(row, p.b.k.bound.Limit); f != nil {
		p.limited = f
	}
	for _, h := range batches {
		p.seen.Merge(h)
	}
	// Of what was due, not of the rate: that differs from it by the chance of the arrivals.
	due := float64(p.due)
	if row.Unsent > 0 || row.InFlight > 0 || float64(p.replies) < leastAchieved*due-sampleErrors*math.Sqrt(due) {
		return nil, errShort
	}
	if p.level == 0 {
		p.level = p.seen.ValueAtQuantile(50)
	}
	out := make([]knee.Batch, len(batches))
	for i, h := range batches {
		out[i] = p.b.k.bound.Batch(h, p.level)
	}
	return out, nil
}

// sound makes sure that the figures are of the work that was asked for.
func (p *probe) sound(row *results.Slice) error {
	d := p.rec.point.describe(p.b.r.opts.Scenario.Run)
	arm := p.s.visitor.arm
	m := results.Manifest{
		Points: []results.Point{d}, Arms: []results.Arm{{Name: arm.Name, Kind: arm.kind, Responder: arm.kind == kindResponder}},
	}
	v, err := analysis.JudgeLoad(m, *row, p.rec.trial)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(v.Findings(), func(f analysis.Finding) bool { return f.Verdict == analysis.Invalid }); i >= 0 {
		f := v.Findings()[i]
		return fmt.Errorf("%s (%s); %s", f.Reason, f.Detail, f.Fix)
	}
	return nil
}
