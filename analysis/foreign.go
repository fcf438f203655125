package analysis

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// Foreign formats are of a report's estimates, for dashboards that keep them. Their alarms compare times of different days, which
// this project holds to be worthless on shared machines: a gate is what decides.

// exported are the metrics that leave the house, with their names there. Those of service time are left out.
var exported = []struct {
	metric Metric
	name   string
	unit   string
}{
	{Throughput, "throughput", "ops/s"},
	{ServerCPU, "server-cpu", "ns/op"},
	{P50, "p50", "ns"},
	{P99, "p99", "ns"},
	{P999, "p99.9", "ns"},
	{Memory, "memory-per-key", "B"},
}

// each visits every estimate of every row that is not invalid.
func (r *Report) each(visit func(name string, row *Row, k int, e *Estimate)) {
	for i := range r.Points {
		p := &r.Points[i]
		for j := range p.Rows {
			row := &p.Rows[j]
			if row.Verdict.Verdict == Invalid {
				continue
			}
			for k, x := range exported {
				if e := row.Cells[x.metric].Estimate; e != nil {
					visit(r.caseName(p, row.Arm), row, k, e)
				}
			}
		}
	}
}

// caseName is "quickstart/pipeline=16/shared".
func (r *Report) caseName(p *PointReport, arm string) string {
	parts := []string{r.Run.Scenario, p.Point.Label, arm}
	if p.Point.Label == "" {
		parts = []string{r.Run.Scenario, arm}
	}
	return strings.Join(parts, "/")
}

type bmfMeasure struct {
	Value float64  `json:"value"`
	Lower *float64 `json:"lower_value,omitempty"`
	Upper *float64 `json:"upper_value,omitempty"`
}

// BMF writes the report in Bencher's metric format: a benchmark for each point and arm, a measure for each metric, with its
// interval as the bounds.
func (r *Report) BMF(w io.Writer) error {
	out := map[string]map[string]bmfMeasure{}
	r.each(func(name string, _ *Row, k int, e *Estimate) {
		if out[name] == nil {
			out[name] = map[string]bmfMeasure{}
		}
		m := bmfMeasure{Value: e.Value}
		if i := e.Interval; i != nil {
			m.Lower, m.Upper = &i.Lo, &i.Hi
		}
		out[name][exported[k].name] = m
	})
	return writeJSON(w, out)
}

type actionBenchmark struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit"`
	Value float64 `json:"value"`
	Range string  `json:"range,omitempty"`
	Extra string  `json:"extra,omitempty"`
}

// ActionBenchmark writes the report as github-action-benchmark reads it: with bigger, what is better when it is bigger
// (customBiggerIsBetter), else the rest (customSmallerIsBetter); that tool wants them in two files.
func (r *Report) ActionBenchmark(w io.Writer, bigger bool) error {
	out := []actionBenchmark{}
	r.each(func(name string, row *Row, k int, e *Estimate) {
		x := exported[k]
		if x.metric.HigherIsBetter() != bigger {
			return
		}
		a := actionBenchmark{Name: name + " " + x.name, Unit: x.unit, Value: e.Value}
		if i := e.Interval; i != nil {
			a.Range = fmt.Sprintf("%s–%s", Digits3(i.Lo), Digits3(i.Hi))
		}
		a.Extra = fmt.Sprintf("median of %d blocks, %s, run %s, revision %s, env_key %s", e.N, row.Verdict.Verdict, r.Run.ID,
			cmp.Or(r.Run.Revision, "unknown"), r.Run.EnvKey)
		out = append(out, a)
	})
	return writeJSON(w, out)
}

type junitSuite struct {
	XMLName   xml.Name    `xml:"testsuite"`
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Timestamp string      `xml:"timestamp,attr"`
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit writes the report's verdicts as a suite of JUnit: a case for each point and arm, failed where its measurements are
// invalid. A run judges no difference; a gate has a suite of its own.
func (r *Report) JUnit(w io.Writer) error {
	suite := junitSuite{Name: "shardlab " + r.Run.Scenario, Timestamp: r.Run.Started.UTC().Format("2006-01-02T15:04:05")}
	for i := range r.Points {
		p := &r.Points[i]
		for _, row := range p.Rows {
			c := junitCase{Class: r.Run.Scenario, Name: strings.TrimSpace(p.Point.Label + " " + row.Arm)}
			lines := []string{string(row.Verdict.Verdict)}
			for _, f := range row.Verdict.Findings() {
				lines = append(lines, detailed(findingText(f), f.Detail))
			}
			for _, x := range exported {
				if e := row.Cells[x.metric].Estimate; e != nil {
					lines = append(lines, fmt.Sprintf("%s %s %s%s", x.name, Digits3(e.Value), x.unit, interval(e.Interval)))
				}
			}
			c.Out = strings.Join(lines, "\n")
			if row.Verdict.Verdict == Invalid {
				suite.Failures++
				c.Failure = &junitFailure{Message: row.Verdict.Reason, Text: findingText(row.Verdict.Finding)}
			}
			suite.Cases = append(suite.Cases, c)
		}
	}
	suite.Tests = len(suite.Cases)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(suite); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
