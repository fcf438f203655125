package gate

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/shardlab/shardlab/analysis"
)

// JSON writes what the record comes to.
func (t *Trend) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(t)
}

var trendHeads = []string{"scenario", "metric", "last ratios to the anchor, %", "newest", "99 % interval", "n", "median of 7", "gates", "creep"}

// cells is a row as text.
func (r *TrendRow) cells() []string {
	newest := r.Last[len(r.Last)-1]
	var last []string
	for _, v := range r.Last {
		last = append(last, fmt.Sprintf("%+.1f", 100*(v.Ratio-1)))
	}
	creep := "no"
	if c := r.Creep; c != nil {
		creep = fmt.Sprintf("%d of %d, %s", c.Beyond, c.Of, map[bool]string{true: "worse", false: "better"}[c.Worse])
	}
	return []string{r.Scenario, r.Metric.Title(), strings.Join(last, " "), change(newest.Ratio),
		fmt.Sprintf("[%+.1f, %+.1f]", 100*(newest.Interval.Lo-1), 100*(newest.Interval.Hi-1)), fmt.Sprint(newest.N), change(r.Median), fmt.Sprint(r.Gates), creep}
}

// heading is a group's.
func (g *TrendGroup) heading() string {
	to := g.newest()
	s := fmt.Sprintf("against %s, env_key %s: %d gate%s, %s to %s, the newest of %s", analysis.ShortRevision(g.Anchor), shortKey(g.EnvKey), g.Gates,
		map[bool]string{true: "s"}[g.Gates != 1], g.From.UTC().Format(time.DateOnly), g.To.UTC().Format(time.DateOnly), analysis.ShortRevision(to.Revision))
	if g.Moved {
		s += "; the anchor has moved since"
	}
	return s
}

func (g *TrendGroup) newest() (v TrendValue) {
	for _, r := range g.Rows {
		if last := r.Last[len(r.Last)-1]; !last.Time.Before(v.Time) {
			v = last
		}
	}
	return v
}

// shortKey is an env_key for people.
func shortKey(key string) string { return cmp.Or(key[:min(8, len(key))], "unknown") }

// notes are the sentences below the tables.
func (t *Trend) notes() (out []string) {
	if len(t.Groups) > 1 {
		out = append(out, "only gates against one anchor on one kind of machine (env_key) are compared")
	}
	if t.LeftOut > 0 {
		out = append(out, fmt.Sprintf("%d line%s marked as not valid %s left out", t.LeftOut, map[bool]string{true: "s"}[t.LeftOut > 1], map[bool]string{true: "are", false: "is"}[t.LeftOut > 1]))
	}
	for _, a := range t.Advice {
		out = append(out, "advice: "+a)
	}
	if len(t.Advice) == 0 {
		out = append(out, fmt.Sprintf("no creep: nowhere do 5 of the last 7 gates lie more than %s on one side of the anchor", percent(analysis.TrendFloor)))
	}
	return out
}

// Text writes the trend for people.
func (t *Trend) Text(w io.Writer, _ analysis.Style) error {
	var b strings.Builder
	for i := range t.Groups {
		g := &t.Groups[i]
		fmt.Fprintln(&b, g.heading())
		tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(tw, strings.Join(trendHeads, "\t"))
		for k := range g.Rows {
			fmt.Fprintln(tw, strings.Join(g.Rows[k].cells(), "\t"))
		}
		tw.Flush()
		b.WriteString("\n")
	}
	for _, n := range t.notes() {
		b.WriteString(n + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Markdown writes the trend for a job's summary.
func (t *Trend) Markdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("### shardlab trend\n\n")
	for i := range t.Groups {
		g := &t.Groups[i]
		fmt.Fprintf(&b, "%s\n\n", g.heading())
		markdownLine(&b, slices.Clone(trendHeads))
		markdownRule(&b, len(trendHeads))
		for k := range g.Rows {
			markdownLine(&b, g.Rows[k].cells())
		}
		b.WriteString("\n")
	}
	for _, n := range t.notes() {
		fmt.Fprintf(&b, "- %s\n", n)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// CSV writes the gates that may be compared with the newest, a row each and a column for every primary, as programs for the detection
// of change points read it. A cell is empty where a gate has not measured a primary.
func (t *Trend) CSV(w io.Writer) error {
	points := slices.Clone(t.points)
	analysis.SortTrend(points)
	out := csv.NewWriter(w)
	if len(points) > 0 {
		newest := points[len(points)-1]
		points = slices.DeleteFunc(points, func(p analysis.TrendPoint) bool { return p.Anchor != newest.Anchor || p.EnvKey != newest.EnvKey })
	}
	head := []string{"time", "commit"}
	var rows [][]string
	last := ""
	for _, p := range points {
		column := p.Point + "." + string(p.Metric)
		at := slices.Index(head, column)
		if at < 0 {
			at = len(head)
			head = append(head, column)
		}
		if p.Run != last {
			rows, last = append(rows, []string{p.Started.UTC().Format(time.RFC3339), p.Revision}), p.Run
		}
		row := &rows[len(rows)-1]
		for len(*row) <= at {
			*row = append(*row, "")
		}
		(*row)[at] = strconv.FormatFloat(p.Ratio.Value, 'g', -1, 64)
	}
	out.Write(head)
	for _, row := range rows {
		for len(row) < len(head) {
			row = append(row, "")
		}
		out.Write(row)
	}
	out.Flush()
	return out.Error()
}
