package runner

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/shardlab/shardlab/analysis/series"
	"github.com/shardlab/shardlab/loadgen"
	"github.com/shardlab/shardlab/results"
)

const (
	// warmWindow is the length of a window of a run's warm-up: twenty, the fewest, take 400 ms.
	warmWindow = 20 * time.Millisecond
	// loadWarmWindow is that of a load, where a second more is nothing to one who waits for thirty.
	loadWarmWindow = 50 * time.Millisecond
	// fewestInWindow is how many operations a window should have: the median of fewer is too coarse to be compared.
	fewestInWindow = 50
)

// warming is the load on one arm until it shows a plateau: its windows so far, in logarithms.
type warming struct {
	window time.Duration
	most   int // windows
	open   bool
	series [3][]float64 // by warmMetrics
	out    results.Warmup
	over   bool // nothing more is to be learnt of a server that does not follow: a drain a window would be no bound on the time
}

var warmMetrics = [3]string{"throughput", "median response time", "server CPU per operation"}

// newWarming plans windows of about the given length. Where operations are rare they are longer; where the time is short, shorter.
func newWarming(window, longest time.Duration, l loadgen.Load) *warming {
	w := &warming{open: l.Mode == loadgen.Open}
	if w.open {
		window = max(window, time.Duration(fewestInWindow/l.Rate*float64(time.Second)))
	}
	w.window = max(min(window, longest/series.MinWindows), time.Millisecond)
	w.most = max(int(longest/w.window), series.MinWindows)
	w.out = results.Warmup{Detected: true, WindowNS: w.window.Nanoseconds()}
	return w
}

// run puts one more window of load on the session and looks whether there is a plateau. The session is of no more use where the
// result says that replies are still to come.
func (w *warming) run(ctx context.Context, s session, serverCPU func() int64) (*loadgen.Result, error) {
	res, err := s.Run(ctx, loadgen.Window{Measure: w.window, ServerCPU: serverCPU})
	if err != nil {
		return nil, err
	}
	w.add(res)
	return res, nil
}

func (w *warming) add(res *loadgen.Result) {
	w.out.Windows++
	w.out.Dur += res.Dur.Nanoseconds()
	w.over = res.Owed > 0
	p50 := 0.0
	if h := merged(&res.Names, &res.Response); h != nil && h.TotalCount() > 0 {
		p50 = float64(h.ValueAtQuantile(50))
	}
	replies := float64(res.Replies)
	for i, v := range [3]float64{replies / res.Dur.Seconds(), p50, float64(res.ServerCPU) / replies} {
		w.series[i] = append(w.series[i], math.Log(v))
	}
	if !w.out.Plateau && series.Look(w.out.Windows) {
		w.look()
	}
}

// look judges what was measured: a server whose CPU clock cannot be read has no CPU per operation, and the rate of an open loop is ours. A
// window in which nothing came back, of a machine that stood still, is left out.
func (w *warming) look() {
	var have [][]float64
	var names []string
	for i, x := range w.series {
		known := slices.DeleteFunc(slices.Clone(x), func(v float64) bool { return math.IsInf(v, 0) || math.IsNaN(v) })
		if len(known) < len(x)*3/4 || i == 0 && w.open {
			continue
		}
		have, names = append(have, known), append(names, warmMetrics[i])
	}
	plateau, at, change := series.Plateau(have...)
	if plateau {
		w.out.Plateau, w.out.Found = true, w.out.Windows
		w.out.Metric, w.out.Shift = "", 0
	} else if len(names) > 0 {
		w.out.Metric, w.out.Shift = names[at], change.Shift
	}
}

// done says whether this arm needs no more windows for its own sake.
func (w *warming) done() bool { return w.out.Plateau || w.over || w.out.Windows >= w.most }

// warm puts load on every arm before the first slice: for a fixed time, or in windows, each arm in turn, until all have shown a
// plateau. Arms that have go on as long as others have not: all are treated alike.
func (b *block) warm(ctx context.Context, starts []int) error {
	plan := b.r.opts.Scenario.Run
	if plan.WarmupMax == 0 {
		return b.each(ctx, Warming, starts, b.warmFor)
	}
	for _, v := range b.visitors {
		v.warming = newWarming(warmWindow, plan.WarmupMax, b.point.load)
	}
	waiting := func(v *visitor) bool { return !v.warming.done() }
	turns := slices.Clone(starts)
	for slices.ContainsFunc(b.visitors, waiting) {
		if err := b.each(ctx, Warming, turns, b.warmWindow); err != nil {
			return err
		}
		slices.Reverse(turns) // not drawn: how long this takes must not change the order of what is measured
	}
	for _, v := range b.visitors {
		v.trial.Warmup = v.warming.out
	}
	return nil
}

func (b *block) warmWindow(ctx context.Context, v *visitor) error {
	if v.warming.over {
		return nil
	}
	res, err := v.warming.run(ctx, v.session, v.cpu)
	if err == nil && res.Owed > 0 {
		return b.reconnect(ctx, v)
	}
	return b.explain(v, err)
}

func (b *block) warmFor(ctx context.Context, v *visitor) error {
	warmup := b.r.opts.Scenario.Run.Warmup
	if warmup == 0 {
		return nil
	}
	res, err := v.session.Run(ctx, loadgen.Window{Measure: warmup})
	if err != nil {
		return b.explain(v, err)
	}
	v.trial.Warmup = results.Warmup{Dur: res.Dur.Nanoseconds()}
	if res.Owed > 0 {
		return b.reconnect(ctx, v)
	}
	return nil
}
