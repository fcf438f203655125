package analysis

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

const (
	trendWindow = 7 // points that a creep is looked for in
	trendCount  = 5 // of them, beyond TrendFloor, all on one side
)

// TrendFloor is the share beyond which a point of a trend counts towards a creep.
const TrendFloor = 0.03

// TrendPoint is one run of a scenario, or one gate of the main branch: an arm's ratio to what was measured beside it, which is the
// only figure of another time that may be compared.
type TrendPoint struct {
	Run      string
	Started  time.Time
	Revision string
	Anchor   string // of gates: the revision that all of them are compared with. "" of runs, whose reference is another arm
	EnvKey   string
	Point    string
	Arm      string
	Metric   Metric // of a gate its own word for it
	Ratio    Ratio
}

// TrendOf is what one run adds to the trend of its scenario: the report's ratios of throughput and of CPU per operation.
func TrendOf(r *Report) (out []TrendPoint) {
	for _, p := range r.Points {
		for _, row := range p.Rows {
			for _, m := range []Metric{Throughput, ServerCPU} {
				if ratio := row.Cells[m].Ratio; ratio != nil && ratio.Known() && row.Verdict.Verdict != Invalid {
					out = append(out, TrendPoint{Run: r.Run.ID, Started: r.Run.Started, Revision: r.Run.Revision, EnvKey: r.Run.EnvKey,
						Point: p.Point.Label, Arm: row.Arm, Metric: m, Ratio: *ratio})
				}
			}
		}
	}
	return out
}

// SortTrend puts points in the order of time, those of one run together.
func SortTrend(points []TrendPoint) {
	slices.SortStableFunc(points, func(a, b TrendPoint) int {
		return cmp.Or(cmp.Compare(a.Started.UnixNano(), b.Started.UnixNano()), cmp.Compare(a.Run, b.Run))
	})
}

// TrendSeries is the points of a trend that may be compared with each other: of one figure, against one anchor, on one kind of machine.
type TrendSeries struct {
	Point, Arm string
	Metric     Metric
	Anchor     string
	EnvKey     string
	Points     []TrendPoint // by time, never empty
}

// TrendSeriesOf parts points, in any order, into series: in the order of their first points.
func TrendSeriesOf(points []TrendPoint) (out []TrendSeries) {
	points = slices.Clone(points)
	SortTrend(points)
	for _, p := range points {
		i := slices.IndexFunc(out, func(s TrendSeries) bool {
			return s.Point == p.Point && s.Arm == p.Arm && s.Metric == p.Metric && s.Anchor == p.Anchor && s.EnvKey == p.EnvKey
		})
		if i < 0 {
			i = len(out)
			out = append(out, TrendSeries{Point: p.Point, Arm: p.Arm, Metric: p.Metric, Anchor: p.Anchor, EnvKey: p.EnvKey})
		}
		out[i].Points = append(out[i].Points, p)
	}
	return out
}

// Last are the last points, seven or as many as there are.
func (s *TrendSeries) Last() []TrendPoint { return s.Points[max(0, len(s.Points)-trendWindow):] }

// Median is the median ratio of the last points.
func (s *TrendSeries) Median() float64 { return medianRatio(s.Last()) }

func medianRatio(points []TrendPoint) float64 {
	var values []float64
	for _, p := range points {
		values = append(values, p.Ratio.Value)
	}
	return NewSample(values).Median()
}

// Creep is a slow change that no single gate has seen: of a series' last seven points, five lie more than 3 % on one side of what they
// are compared with. It is advice.
//
// Gates are compared with their anchor, so with 1: an anchor stays where it is, and what has crept away from it remains said until
// somebody moves it. The median of earlier points would follow a creep that is slow enough, and fall silent about one that has come to
// its end. Runs have no anchor (their reference is another arm, and differs): they are compared with the median of those before.
type Creep struct {
	TrendSeries
	Before  float64 // what the last points are compared with
	Now     float64 // their median
	Beyond  int     // how many of them lie beyond
	Of      int     // how many there are
	Certain int     // how many of those beyond have Before outside of their whole interval
}

// Above says on which side of Before the creep is.
func (c *Creep) Above() bool { return c.Now > c.Before }

// Holds says whether a ratio is one of those beyond.
func (c *Creep) Holds(r Ratio) bool {
	b := beyond(r.Value, c.Before)
	return b != 0 && (b > 0) == c.Above()
}

// beyond is 1 or -1 where a ratio lies more than the floor above or below base, else 0.
func beyond(v, base float64) int {
	switch {
	case v > base*(1+TrendFloor):
		return 1
	case v < base/(1+TrendFloor):
		return -1
	}
	return 0
}

// Creep looks for a slow change in the series; nil where there is none.
func (s *TrendSeries) Creep() *Creep {
	last := s.Last()
	c := Creep{TrendSeries: *s, Before: 1, Now: medianRatio(last), Of: len(last)}
	if s.Anchor == "" {
		earlier := s.Points[:len(s.Points)-len(last)]
		if len(earlier) == 0 {
			return nil
		}
		c.Before = medianRatio(earlier)
	}
	for _, p := range last {
		if !c.Holds(p.Ratio) {
			continue
		}
		c.Beyond++
		if i := p.Ratio.Interval; i != nil && !i.Contains(c.Before) {
			c.Certain++
		}
	}
	if c.Beyond < trendCount {
		return nil
	}
	return &c
}

// Creeps looks for slow changes in points of any order. Where the anchor has been moved, what lies before that is of no use any more.
func Creeps(points []TrendPoint) (out []Creep) {
	all := TrendSeriesOf(points)
	anchor := NewestAnchor(points)
	for i := range all {
		if c := all[i].Creep(); c != nil && c.Anchor == anchor {
			out = append(out, *c)
		}
	}
	return out
}

// NewestAnchor is that of the newest point; "" where there is none.
func NewestAnchor(points []TrendPoint) (anchor string) {
	var at time.Time
	for _, p := range points {
		if !p.Started.Before(at) {
			anchor, at = p.Anchor, p.Started
		}
	}
	return anchor
}

// DirtyMark ends a revision whose tree had changes.
const DirtyMark = "+dirty"

// ShortRevision is a revision for people: its first seven digits, with a + where its tree had changes; "unknown" where there is none.
func ShortRevision(rev string) string {
	if rev == "" {
		return "unknown"
	}
	commit, dirty := strings.CutSuffix(rev, DirtyMark)
	if commit = commit[:min(7, len(commit))]; dirty {
		commit += "+"
	}
	return commit
}
