package gate

import (
	"maps"
	"math"
	"slices"

	"github.com/shardlab/shardlab/results"
)

// Forecast is what a gate could find of a metric on a host whose noise is known.
type Forecast struct {
	Metric Metric `json:"metric"`
	// SD is the spread of blocks' log-ratios to be expected: that of the slices, averaged, and what blocks differ by
	// more than that.
	SD    float64      `json:"sd"`
	Looks []Detectable `json:"looks"`
}

// Detectable is the smallest change for the worse, as a share, that so many blocks find with a probability of 95 %.
type Detectable struct {
	Blocks int     `json:"blocks"`
	Change float64 `json:"change"`
}

// Forecasts says what a gate of the usual metrics would find, whose blocks have so many pairs of slices each, by a
// short run of the same server as two arms. The void share is that of the pairs.
func Forecasts(lines []results.Slice, trials []results.Trial, point, arm, ref string, perBlock int) (all []Forecast, void float64) {
	rounds := pairUp(lines, trials, point, arm, ref)
	total, dropped := 0, 0
	for _, b := range Blocks(lines, trials, point, arm, ref) {
		total, dropped = total+b.Pairs, dropped+b.Void
	}
	if total > 0 {
		void = float64(dropped) / float64(total)
	}
	usual := []Metric{CPU, Throughput, P50}
	for _, name := range usual {
		m, _ := find(name)
		if sd, ok := m.spread(rounds, perBlock); ok {
			f := Forecast{Metric: name, SD: sd}
			for i, l := range NewPlan(nil, DefaultBlocks).Looks {
				p := NewPlan(nil, DefaultBlocks)
				floor := math.Log1p(m.delta) / 2
				f.Looks = append(f.Looks, Detectable{l.Blocks, math.Expm1(detectable(sd, l.Blocks, p.level(p.Looks[i], len(usual), 0), floor))})
			}
			all = append(all, f)
		}
	}
	return all, void
}

// spread estimates the standard deviation of a block of so many pairs.
func (m meter) spread(rounds map[int]map[int]pair, perBlock int) (sd float64, ok bool) {
	within, df := 0.0, 0
	var means []float64
	least := math.MaxInt
	for _, number := range slices.Sorted(maps.Keys(rounds)) {
		var x []float64
		for _, round := range slices.Sorted(maps.Keys(rounds[number])) {
			p := rounds[number][round]
			if p.arm == nil || p.ref == nil || whyVoid(p.arm) != "" || whyVoid(p.ref) != "" {
				continue
			}
			if v, _, _, ok := m.compare([]pair{p}); ok {
				x = append(x, v)
			}
		}
		if len(x) < 2 {
			continue
		}
		s := newSample(x)
		within += s.sd * s.sd * float64(len(x)-1)
		df += len(x) - 1
		means = append(means, s.mean)
		least = min(least, len(x))
	}
	if df == 0 {
		return 0, false
	}
	within /= float64(df)
	between := 0.0
	if b := newSample(means); b.n() >= 2 {
		between = max(0, b.sd*b.sd-within/float64(least))
	}
	return math.Sqrt(within/float64(perBlock) + between), true
}
