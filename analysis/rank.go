package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"
)

// Ranking is the order of a point's arms by one metric, as far as it can be told.
//
// Two arms are told apart by their difference, block by block: it must be significant by Student's t among all pairs of the ranking
// (Holm), and its interval, the one that tables show, must exclude a tie. So with probability Level no two arms of a ranking
// are told apart by chance. Overlap of the arms' own intervals says nothing: what blocks share is in both of them and in no difference.
type Ranking struct {
	Metric   Metric     `json:"metric"`
	Order    string     `json:"order"`            // "multi-direct < thread-local = shard-arc ≲ shared", the best first; "" where nothing is ranked
	Places   []Place    `json:"places,omitempty"` // the best first
	Unranked []Unranked `json:"unranked,omitempty"`
}

// Place is an arm in a ranking. With probability Level the true ranks of all arms lie between Best and Worst.
type Place struct {
	Arm    string   `json:"arm"`
	Group  int      `json:"group"`                         // from 1: arms that are not told apart from the first of their group
	Best   int      `json:"best_rank"`                     // 1 + arms that are told to be better
	Worst  int      `json:"worst_rank"`                    // arms less those that are told to be worse
	Untold []string `json:"not_told_apart_from,omitempty"` // whoever is neither better nor worse
}

// Unranked is an arm that cannot be ranked by the metric, mostly for its verdict.
type Unranked struct {
	Arm string `json:"arm"`
	Why string `json:"why"`
}

// OrderNote says how an order is to be read.
const OrderNote = "the best first: = not told apart from the first of its group; < or > told apart from all on the other side; ≲ or ≳ told " +
	"apart from the first of the group before it, not from all. Two arms are told apart where their difference, paired by block, is " +
	"significant at 5% among all pairs of the line (Student's t, Holm) and its 95% interval excludes 0"

// rankings orders the rows of a point by every metric that some have in blocks enough for an interval. Nothing could be told of a row of
// fewer, which is named as not ranked.
func rankings(p *PointReport) (out []Ranking) {
	for _, m := range []Metric{Throughput, ServerCPU, Memory, P50, P99, P999} {
		if m == Throughput && p.Point.Mode == "open" {
			continue // it is what was offered
		}
		r, figures := Ranking{Metric: m}, false
		var in []*Row
		for i := range p.Rows {
			row := &p.Rows[i]
			e := row.Cells[m].Estimate
			if row.Kind == "responder" {
				continue
			}
			figures = figures || e != nil && e.N >= MinBlocks
			why := string(row.unsound(m))
			switch {
			case e == nil:
				why = "no figure"
			case e.N < MinBlocks:
				why = "too few blocks"
			}
			if why != "" {
				r.Unranked = append(r.Unranked, Unranked{row.Arm, why})
			} else {
				in = append(in, row)
			}
		}
		switch {
		case !figures || len(in)+len(r.Unranked) < 2:
			continue
		case len(in) == 1:
			r.Unranked = append(r.Unranked, Unranked{in[0].Arm, "no rival"})
		case len(in) > 1:
			r.rank(in, p.looked)
		}
		out = append(out, r)
	}
	return out
}

// unsound is the verdict for which a row's figure of a metric is no property of the server; "" if there is none. A client at its limit
// bounds throughput and response time, not what an operation costs the server.
func (r *Row) unsound(m Metric) Verdict {
	for _, f := range r.Verdict.Findings() { // the worst first
		if f.Verdict != ClientBound || m != ServerCPU && m != Memory {
			return f.Verdict
		}
	}
	return ""
}

// rank sets Order and Places of at least two rows.
func (r *Ranking) rank(rows []*Row, looked bool) {
	better := tellApart(rows, r.Metric, looked)
	place := make([]Place, len(rows))
	for i, row := range rows {
		place[i] = Place{Arm: row.Arm, Best: 1, Worst: len(rows)}
		for j, other := range rows {
			switch {
			case better[j][i]:
				place[i].Best++
			case better[i][j]:
				place[i].Worst--
			case i != j:
				place[i].Untold = append(place[i].Untold, other.Arm)
			}
		}
	}
	order, score := make([]int, len(rows)), scores(rows, r.Metric)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(score[b], score[a]) })
	clear, blurred := " < ", " ≲ "
	if r.Metric.HigherIsBetter() {
		clear, blurred = " > ", " ≳ "
	}
	var text strings.Builder
	first := order[0] // of its group
	for k, i := range order {
		place[i].Group = 1
		if k > 0 {
			place[i].Group = place[order[k-1]].Group
			sign := " = "
			if better[first][i] || better[i][first] {
				first = i
				place[i].Group++
				if sign = blurred; allBetter(better, order[:k], order[k:]) {
					sign = clear
				}
			}
			text.WriteString(sign)
		}
		text.WriteString(place[i].Arm)
		r.Places = append(r.Places, place[i])
	}
	r.Order = text.String()
}

func allBetter(better [][]bool, left, right []int) bool {
	for _, i := range left {
		for _, j := range right {
			if !better[i][j] {
				return false
			}
		}
	}
	return true
}

// scores is by how much each row is better than the others, on the average of the logarithms of their ratios.
func scores(rows []*Row, m Metric) []float64 {
	out := make([]float64, len(rows))
	for i, a := range rows {
		for _, b := range rows {
			if logs := pairedLogs(a.Cells[m].Blocks, b.Cells[m].Blocks); len(logs) > 0 {
				mean, _ := meanError(logs)
				out[i] += mean
			}
		}
		if !m.HigherIsBetter() {
			out[i] = -out[i]
		}
	}
	return out
}

// tellApart says of every two rows whether the one is told to be better than the other; looked is as in pairedRatio.
func tellApart(rows []*Row, m Metric, looked bool) (better [][]bool) {
	level := Level
	if looked {
		level = lookedLevel
	}
	type pair struct {
		i, j    int
		mean, p float64
	}
	var pairs []pair
	better = make([][]bool, len(rows))
	for i, a := range rows {
		better[i] = make([]bool, len(rows))
		for j, b := range rows[:i] {
			if logs := pairedLogs(a.Cells[m].Blocks, b.Cells[m].Blocks); len(logs) >= MinBlocks {
				mean, se := meanError(logs)
				pairs = append(pairs, pair{i, j, mean, tailOf(mean, se, len(logs)-1)})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(a.p, b.p) })
	for k, x := range pairs {
		if x.p*float64(len(pairs)-k) > 1-level { // Holm: what follows is not significant either
			break
		}
		a, b := rows[x.i].Cells[m], rows[x.j].Cells[m]
		if ratio := pairedRatio(a.Blocks, b.Blocks, looked); ratio.Distinct() && !unresolved(columnOf(m), ratio, b.Estimate.Value) {
			if (x.mean > 0) == m.HigherIsBetter() {
				better[x.i][x.j] = true
			} else {
				better[x.j][x.i] = true
			}
		}
	}
	return better
}

// tailOf is the two-sided probability of so large a mean by chance, by Student's t.
func tailOf(mean, se float64, df int) float64 {
	switch {
	case mean == 0:
		return 1
	case se == 0:
		return 0
	}
	return 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(df)}.Survival(math.Abs(mean/se))
}

// Left says who is not ranked and why; "" where all are.
func (r *Ranking) Left() string {
	var parts []string
	for i, u := range r.Unranked {
		if slices.ContainsFunc(r.Unranked[:i], func(x Unranked) bool { return x.Why == u.Why }) {
			continue
		}
		var arms []string
		for _, x := range r.Unranked[i:] {
			if x.Why == u.Why {
				arms = append(arms, x.Arm)
			}
		}
		parts = append(parts, fmt.Sprintf("%s (%s)", strings.Join(arms, ", "), u.Why))
	}
	if len(parts) == 0 {
		return ""
	}
	return "not ranked: " + strings.Join(parts, "; ")
}

// RankingLine is what stands in a line: an order, or what keeps several metrics from having one.
type RankingLine struct{ Metrics, Text string }

// RankingLines are the rankings of a point as tables show them. Metrics in which nobody is ranked for the same reasons share a line, the last.
func (p *PointReport) RankingLines() (lines []RankingLine) {
	var none []RankingLine
	for _, r := range p.Rankings {
		text := r.Left()
		switch i := slices.IndexFunc(none, func(l RankingLine) bool { return l.Text == text }); {
		case r.Order != "" && text != "":
			lines = append(lines, RankingLine{r.Metric.Title(), r.Order + "; " + text})
		case r.Order != "":
			lines = append(lines, RankingLine{r.Metric.Title(), r.Order})
		case i >= 0:
			none[i].Metrics += ", " + r.Metric.Title()
		default:
			none = append(none, RankingLine{r.Metric.Title(), text})
		}
	}
	return append(lines, none...)
}

// ranking prints a line for each metric.
func (t *renderer) ranking(p *PointReport) {
	lines := p.RankingLines()
	if len(lines) == 0 {
		return
	}
	title := "ranking" + marks{t.notes.add(OrderNote, "")}.String()
	if p.Point.Label != "" {
		title = p.Point.Label + " · " + title
	}
	t.line("")
	t.line(paint(span{title, bold}, t.style.Color))
	wide := 0
	for _, l := range lines {
		if !strings.Contains(l.Metrics, ",") {
			wide = max(wide, columnsOf(l.Metrics))
		}
	}
	for _, l := range lines {
		lead, indent := l.Metrics+strings.Repeat(" ", max(0, wide-columnsOf(l.Metrics))+2), wide+2
		text := l.Text
		if strings.Contains(l.Metrics, ",") {
			lead, indent, text = "", 2, l.Metrics+": "+l.Text
		}
		for _, part := range wrap(text, t.style.width()-indent) {
			t.line(lead + part)
			lead = strings.Repeat(" ", indent)
		}
	}
}
