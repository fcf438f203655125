package analysis

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

const (
	// minScalingFit is the fewest values of N that leave a degree of freedom beside three parameters.
	minScalingFit = 4
	// minScalingPeak is the fewest from which a peak is read.
	minScalingPeak = 6
	// maxMisfit is the root of the mean squared relative error above which the law does not describe an arm.
	maxMisfit = 0.10
	// movedRank and movedFactor are how closely, by rank, and how far a counter must go with the efficiency to be named.
	movedRank, movedFactor = 0.9, 1.1
)

// ScalingLaw is the fit's name and formula.
const ScalingLaw = "Universal Scalability Law X(N) = γN / (1 + α(N-1) + βN(N-1))"

// scalable are the swept keys that the law is about, in the order in which they are looked for.
var scalable = []string{"workers", "cpus", "shards", "connections"}

// Scaling is how an arm's throughput grows with what is swept.
type Scaling struct {
	Arm    string         `json:"arm"`
	Key    string         `json:"key"`             // what N is: "connections"
	Where  string         `json:"where,omitempty"` // the other swept keys: "pipeline=16"
	Points []ScalingPoint `json:"points"`          // in the order of N

	Fit     *USL      `json:"fit,omitempty"` // nil where the data cannot carry one; Warnings say why
	Gamma   *Interval `json:"gamma_interval,omitempty"`
	Alpha   *Interval `json:"alpha_interval,omitempty"`
	Beta    *Interval `json:"beta_interval,omitempty"`
	Misfit  float64   `json:"misfit,omitempty"` // root of the mean squared relative error
	Peak    float64   `json:"peak,omitempty"`   // N of the greatest throughput, where it lies within what was measured
	PeakIn  *Interval `json:"peak_interval,omitempty"`
	Counter *Moved    `json:"counter,omitempty"` // that moved with the efficiency most
	Doubts  []Warning `json:"warnings,omitempty"`
}

// ScalingPoint is the throughput at one N.
type ScalingPoint struct {
	N          float64  `json:"n"`
	Throughput Estimate `json:"throughput"`
	Verdict    Verdict  `json:"verdict"`
	Label      string   `json:"point"`

	row *Row
}

// Moved is a counter that went with the efficiency X(N)/N.
type Moved struct {
	Name string  `json:"name"`
	From float64 `json:"from"` // at the least N
	To   float64 `json:"to"`   // at the greatest
	Rank float64 `json:"rank_correlation"`
}

// scalings fits every arm of every sweep over something that the law is about; nil where there is none.
func scalings(r *Report) (out []Scaling) {
	key := scalingKey(r)
	if key == "" {
		return nil
	}
	for i := range r.Points {
		p := &r.Points[i]
		if p.Point.Mode != "closed" { // an open loop achieves what it is offered
			continue
		}
		n, where, ok := scalingCell(p, key)
		if !ok {
			continue
		}
		for j := range p.Rows {
			row := &p.Rows[j]
			e := row.Cells[Throughput].Estimate
			if e == nil || e.Value <= 0 || row.Verdict.Verdict == Invalid {
				continue
			}
			k := slices.IndexFunc(out, func(s Scaling) bool { return s.Arm == row.Arm && s.Where == where })
			if k < 0 {
				k = len(out)
				out = append(out, Scaling{Arm: row.Arm, Key: key, Where: where})
			}
			out[k].Points = append(out[k].Points, ScalingPoint{n, *e, row.Verdict.Verdict, p.Point.Label, row})
		}
	}
	for i := range out {
		slices.SortStableFunc(out[i].Points, func(a, b ScalingPoint) int { return cmp.Compare(a.N, b.N) })
		out[i].fit()
		out[i].findMoved()
	}
	slices.SortStableFunc(out, func(a, b Scaling) int { return strings.Compare(a.Where, b.Where) })
	return out
}

// scalingKey is the first key of scalable that has at least three values.
func scalingKey(r *Report) string {
	for _, key := range scalable {
		var seen []float64
		for i := range r.Points {
			if n, _, ok := scalingCell(&r.Points[i], key); ok && !slices.Contains(seen, n) {
				seen = append(seen, n)
			}
		}
		if len(seen) >= 3 {
			return key
		}
	}
	return ""
}

func scalingCell(p *PointReport, key string) (n float64, where string, ok bool) {
	var others []string
	for _, param := range p.Point.Params {
		if param.Name == key {
			n, ok = ParseSI(param.Value)
			continue
		}
		others = append(others, param.Name+"="+param.Value)
	}
	return n, strings.Join(others, ","), ok && n >= 1
}

// ParseSI reads a count as scenarios write it: "50", "1.5k", "2M".
func ParseSI(s string) (float64, bool) {
	factor := 1.0
	for suffix, f := range map[string]float64{"k": 1e3, "M": 1e6, "G": 1e9} {
		if t, ok := strings.CutSuffix(s, suffix); ok {
			s, factor = t, f
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	return v * factor, err == nil
}

func (s *Scaling) doubt(format string, args ...any) {
	s.Doubts = append(s.Doubts, Warning(fmt.Sprintf(format, args...)))
}

// fit finds the law of the blocks' geometric means.
func (s *Scaling) fit() {
	if len(s.Points) < minScalingFit {
		s.doubt("no fit: three parameters need at least %d values of %s, have %d", minScalingFit, s.Key, len(s.Points))
		return
	}
	n, logs, least := s.blocks()
	x := make([]float64, len(n))
	for i := range n {
		sum, count := 0.0, 0.0
		for _, b := range logs {
			if !math.IsNaN(b[i]) {
				sum, count = sum+b[i], count+1
			}
		}
		x[i] = math.Exp(sum / count)
	}
	u, err := FitUSL(n, x)
	if err != nil {
		s.doubt("no fit: %v", err)
		return
	}
	for i := range n {
		d := u.At(n[i])/x[i] - 1
		s.Misfit += d * d / float64(len(n))
	}
	s.Misfit = math.Sqrt(s.Misfit)
	if s.Misfit > maxMisfit {
		s.doubt("no fit: the law misses throughput by %.0f %%; more than %.0f %% is another curve", 100*s.Misfit, 100*maxMisfit)
		return
	}
	s.Fit = &u
	s.qualify(n, logs, least)
}

// qualify adds intervals and the peak, as far as the data can carry them.
func (s *Scaling) qualify(n []float64, logs [][]float64, least int) {
	if s.Key == "connections" {
		s.doubt("N is connections: α and β are of their waiting for each other as well, not of the server's threads alone")
	}
	if slices.ContainsFunc(s.Points, func(p ScalingPoint) bool { return p.Verdict == ClientBound }) {
		s.doubt("the client limits some points: α and β are of the pair")
	}
	if least < MinBlocks {
		s.doubt("no intervals and no peak: need >= %d usable blocks at every value of %s, have %d", MinBlocks, s.Key, least)
		return
	}
	i, ok := intervalsUSL(n, logs, least)
	if !ok {
		s.doubt("no intervals and no peak: the law does not fit most resamples of the blocks")
		return
	}
	s.Gamma, s.Alpha, s.Beta = &i.gamma, &i.alpha, &i.beta
	last := n[len(n)-1]
	switch {
	case len(n) < minScalingPeak:
		s.doubt("no peak: it takes at least %d values of %s, have %d", minScalingPeak, s.Key, len(n))
	case i.peak.Hi > last:
		s.doubt("no peak up to %s = %g that the data are sure of, and none is extrapolated", s.Key, last)
	case i.peak.Lo < n[0]:
		s.doubt("no peak from %s = %g on that the data are sure of, and none is extrapolated", s.Key, n[0])
	default:
		s.Peak, s.PeakIn = s.Fit.Peak(), &i.peak
	}
}

// blocks is N and, for every block, the logs of throughput at each N, NaN where the block is not usable there; least is the fewest
// usable blocks that any N has, which is one at least.
func (s *Scaling) blocks() (n []float64, logs [][]float64, least int) {
	rows := map[int][]float64{}
	least = math.MaxInt
	for i, p := range s.Points {
		n = append(n, p.N)
		usable := 0
		for _, v := range p.row.Cells[Throughput].Blocks {
			if rows[v.Block] == nil {
				rows[v.Block] = slices.Repeat([]float64{math.NaN()}, len(s.Points))
			}
			if v.Value > 0 {
				rows[v.Block][i] = math.Log(v.Value)
				usable++
			}
		}
		least = min(least, usable)
	}
	for _, b := range slices.Sorted(maps.Keys(rows)) {
		logs = append(logs, rows[b])
	}
	return n, logs, least
}

// findMoved names the counter that went furthest among those that went with the efficiency, rank by rank.
func (s *Scaling) findMoved() {
	if len(s.Points) < minScalingFit {
		return
	}
	efficiency := make([]float64, len(s.Points))
	for i, p := range s.Points {
		efficiency[i] = p.Throughput.Value / p.N
	}
	furthest := math.Log(movedFactor)
	for _, c := range counters {
		values := make([]float64, 0, len(s.Points))
		for _, p := range s.Points {
			if v, ok := p.row.mechanism(c.name); ok && v > 0 {
				values = append(values, v)
			}
		}
		if len(values) < len(s.Points) {
			continue
		}
		from, to := values[0], values[len(values)-1]
		rank := rankCorrelation(efficiency, values)
		if moved := math.Abs(math.Log(to / from)); math.Abs(rank) >= movedRank && moved > furthest {
			furthest = moved
			s.Counter = &Moved{c.name, from, to, rank}
		}
	}
}

// rankCorrelation is Spearman's. Ties share their mean rank.
func rankCorrelation(x, y []float64) float64 {
	a, b := ranks(x), ranks(y)
	ma, _ := meanError(a)
	mb, _ := meanError(b)
	var ab, aa, bb float64
	for i := range a {
		ab += (a[i] - ma) * (b[i] - mb)
		aa += (a[i] - ma) * (a[i] - ma)
		bb += (b[i] - mb) * (b[i] - mb)
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

func ranks(x []float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		for _, w := range x {
			switch {
			case w < v:
				out[i]++
			case w == v:
				out[i] += 0.5
			}
		}
	}
	return out
}

// Text is the fit in one sentence.
func (s *Scaling) Text() string {
	var parts []string
	if u := s.Fit; u != nil {
		parts = append(parts, fmt.Sprintf("one does %s%s, α %s%s, β %s%s, misfit %.1f %%", FormatRate(u.Gamma), rateInterval(s.Gamma),
			Digits3(u.Alpha), interval(s.Alpha), Digits3(u.Beta), interval(s.Beta), 100*s.Misfit))
	}
	if s.Peak > 0 {
		parts = append(parts, fmt.Sprintf("most at %s = %s%s", s.Key, Digits3(s.Peak), interval(s.PeakIn)))
	}
	if c := s.Counter; c != nil {
		parts = append(parts, fmt.Sprintf("%s went from %s to %s with it", c.Name, Digits3(c.From), Digits3(c.To)))
	}
	for _, d := range s.Doubts {
		parts = append(parts, string(d))
	}
	return strings.Join(parts, "; ")
}

func interval(i *Interval) string {
	if i == nil {
		return ""
	}
	return fmt.Sprintf(" [%s–%s]", Digits3(i.Lo), Digits3(i.Hi))
}

func rateInterval(i *Interval) string {
	if i == nil {
		return ""
	}
	s := OpsPerSecond.ScaleFor(i.Lo)
	return fmt.Sprintf(" [%s–%s %s]", s.Format(i.Lo), s.Format(i.Hi), s.Name)
}
