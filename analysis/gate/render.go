package gate

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/shardlab/shardlab/analysis"
)

// JSON writes verdict.json.
func (v *Verdict) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// Text writes the verdict for people.
func (v *Verdict) Text(w io.Writer, _ analysis.Style) error {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, strings.Join(heads, "\t"))
	for i := range v.Rows {
		fmt.Fprintln(tw, strings.Join(v.Rows[i].cells(), "\t"))
	}
	for i := range v.Controls {
		c := v.Controls[i].cells()
		c[0] = strings.TrimSuffix("null control, "+c[0], ", ")
		fmt.Fprintln(tw, strings.Join(c, "\t"))
	}
	tw.Flush()
	b.WriteString("\n")
	for _, line := range v.remarks() {
		b.WriteString(line + "\n")
	}
	fmt.Fprintf(&b, "%s: %s\n", strings.ToUpper(string(v.Outcome)), v.Meaning)
	_, err := io.WriteString(w, b.String())
	return err
}

var heads = []string{"point", "metric", "base", "head", "head/base", "99 % interval", "δ", "n", "detects", "verdict"}

// cells is a row as text.
func (r *Row) cells() []string {
	m, _ := find(r.Metric)
	value := func(v float64) string {
		if r.N == 0 {
			return "–"
		}
		return m.format(v)
	}
	ratio, interval, detects := "–", "–", "–"
	if r.N > 0 {
		ratio = change(r.Ratio)
	}
	if r.Interval != nil {
		interval = fmt.Sprintf("[%+.1f, %+.1f]", 100*(r.Interval.Lo-1), 100*(r.Interval.Hi-1))
		detects = percent(r.Detectable)
	}
	n := fmt.Sprint(r.N)
	if r.Void > 0 {
		n += fmt.Sprintf(" (%d void)", r.Void)
	}
	title := m.title
	if r.Claim != 0 {
		title += fmt.Sprintf(" %g× as good", r.Claim)
	}
	return []string{r.Point, title, value(r.BaseValue), value(r.HeadValue), ratio, interval, percent(r.Delta), n, detects, string(r.Outcome)}
}

// remarks are the sentences below the table.
func (v *Verdict) remarks() []string {
	var out []string
	for _, r := range v.Rows {
		if r.Outcome != Pass {
			out = append(out, fmt.Sprintf("%s: %s%s", r.Outcome, at(r.Point), r.Meaning))
		}
		if r.First != nil && r.First.N > 0 {
			out = append(out, fmt.Sprintf("%s%s: measured again, the first measurement having said %s (%s, %d blocks)", at(r.Point), r.Metric,
				r.First.Outcome, change(r.First.Ratio), r.First.N))
		}
		for _, n := range r.Notes {
			out = append(out, fmt.Sprintf("%s%s: %s", at(r.Point), r.Metric, n))
		}
	}
	if v.Contaminated != "" {
		out = append(out, "contaminated: "+v.Contaminated)
	}
	return append(out, v.Notes...)
}

// Markdown writes the verdict for a pull request or a job's summary.
func (v *Verdict) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### shardlab gate: %s\n\n%s.\n\n", v.Outcome, v.Meaning)
	markdownLine(&b, slices.Clone(heads))
	markdownRule(&b, len(heads))
	for i := range v.Rows {
		c := v.Rows[i].cells()
		c[len(c)-1] = "**" + c[len(c)-1] + "**"
		markdownLine(&b, c)
	}
	for i := range v.Controls {
		c := v.Controls[i].cells()
		c[0] = strings.TrimSuffix("*null control* "+c[0], " ")
		markdownLine(&b, c)
	}
	b.WriteString("\n")
	for _, r := range v.remarks() {
		fmt.Fprintf(&b, "- %s\n", r)
	}
	fmt.Fprintf(&b, "\nRun `%s`; judge it again with `shardlab gate --from %s`.\n", v.Run, v.Run)
	_, err := io.WriteString(w, b.String())
	return err
}

// markdownLine writes a line of a table, whose cells it changes.
func markdownLine(b *strings.Builder, cells []string) {
	for i := range cells {
		cells[i] = strings.ReplaceAll(cells[i], "|", `\|`)
	}
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

// markdownRule writes what stands below the head of a table.
func markdownRule(b *strings.Builder, columns int) {
	fmt.Fprintf(b, "|%s\n", strings.Repeat(" --- |", columns))
}

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string     `xml:"classname,attr"`
	Name    string     `xml:"name,attr"`
	Failure *junitText `xml:"failure"`
	Skipped *junitText `xml:"skipped"`
	Output  string     `xml:"system-out"`
}

type junitText struct {
	Message string `xml:"message,attr"`
}

// JUnit writes the verdict as a test suite: a primary is a test, which is skipped where it is inconclusive.
func (v *Verdict) JUnit(w io.Writer) error {
	s := junitSuite{Name: "shardlab gate", Tests: len(v.Rows)}
	for i := range v.Rows {
		r := &v.Rows[i]
		c := junitCase{Class: "gate." + r.Point, Name: string(r.Metric), Output: strings.Join(r.cells(), " ")}
		switch r.Outcome {
		case Regressed:
			s.Failures++
			c.Failure = &junitText{r.Meaning}
		case Inconclusive:
			s.Skipped++
			c.Skipped = &junitText{r.Meaning}
		}
		s.Cases = append(s.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(s); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
