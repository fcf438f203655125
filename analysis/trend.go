package analysis

import (
	"cmp"
	"slices"
	"time"
)

const (
	trendWindow = 7    // runs that a creep is looked for in
	trendCount  = 5    // of them, beyond ...
	trendFloor  = 0.03 // ... this, all on one side
)

// TrendPoint is one run of a scenario: an arm's ratio to the anchor of the same run, which is the only figure of another time that
// may be compared, for both were measured side by side.
type TrendPoint struct {
	Run      string    `json:"run"`
	Started  time.Time `json:"started"`
	Revision string    `json:"revision"`
	EnvKey   string    `json:"env_key"`
	Point    string    `json:"point"`
	Arm      string    `json:"arm"`
	Metric   Metric    `json:"metric"`
	Ratio    Ratio     `json:"ratio"`
}

// TrendOf is what one run adds to the trend of its scenario: the report's ratios of throughput and of CPU per operation.
func TrendOf(r *Report) (out []TrendPoint) {
	for _, p := range r.Points {
		for _, row := range p.Rows {
			for _, m := range []Metric{Throughput, ServerCPU} {
				if ratio := row.Cells[m].Ratio; ratio != nil && ratio.Known() && row.Verdict.Verdict != Invalid {
					out = append(out, TrendPoint{r.Run.ID, r.Run.Started, r.Run.Revision, r.Run.EnvKey, p.Point.Label, row.Arm, m, *ratio})
				}
			}
		}
	}
	return out
}

// Creep is a slow change that no single gate has seen: of the last seven runs, five lie more than 3 % on one side of the median
// of those before them. It is advice.
type Creep struct {
	Point, Arm string
	Metric     Metric
	Before     float64 // median ratio of the runs before the window
	Now        float64 // median ratio in the window
}

// Creeps looks for slow changes in points of any order.
func Creeps(points []TrendPoint) (out []Creep) {
	type series struct {
		point, arm string
		metric     Metric
	}
	all := map[series][]TrendPoint{}
	var order []series
	for _, p := range points {
		k := series{p.Point, p.Arm, p.Metric}
		if all[k] == nil {
			order = append(order, k)
		}
		all[k] = append(all[k], p)
	}
	for _, k := range order {
		s := all[k]
		slices.SortStableFunc(s, func(a, b TrendPoint) int { return cmp.Compare(a.Started.UnixNano(), b.Started.UnixNano()) })
		if len(s) <= trendWindow {
			continue
		}
		var before, window []float64
		for i, p := range s {
			if i < len(s)-trendWindow {
				before = append(before, p.Ratio.Value)
			} else {
				window = append(window, p.Ratio.Value)
			}
		}
		base := NewSample(before).Median()
		up, down := 0, 0
		for _, v := range window {
			if v > base*(1+trendFloor) {
				up++
			} else if v < base/(1+trendFloor) {
				down++
			}
		}
		if up >= trendCount || down >= trendCount {
			out = append(out, Creep{k.point, k.arm, k.metric, base, NewSample(window).Median()})
		}
	}
	return out
}
