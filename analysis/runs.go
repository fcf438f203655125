package analysis

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shardlab/shardlab/results"
)

// ErrNothingToCompare says that two runs have no arm at a point in common. An empty comparison that passed for an
// unchanged one has gone unnoticed for a year elsewhere (rjmurillo/moq.analyzers#1310).
var ErrNothingToCompare = errors.New("nothing to compare: no arm was measured at the same point in both runs")

// ErrEnvironment says that two runs were made on machines whose times are not comparable.
var ErrEnvironment = errors.New("environments differ")

// Run is a run's measurements, as results reads them.
type Run struct {
	Manifest results.Manifest
	Slices   []results.Slice
	Trials   []results.Trial
}

// RunOptions of a comparison of two runs.
type RunOptions struct {
	Force bool // compare although the environments differ; every table then says so
}

// RunComparison is run B against run A. They were made at different times, so that a drift of the machine between them
// is part of every ratio: intervals cover the noise within the runs only.
type RunComparison struct {
	Schema   string     `json:"schema"`
	A        RunInfo    `json:"a"`
	B        RunInfo    `json:"b"`
	Level    float64    `json:"level"`
	Forced   bool       `json:"environments_differ,omitempty"`
	Shared   bool       `json:"shared_cpu,omitempty"` // in either run
	Points   []RunPoint `json:"points"`
	Warnings []Warning  `json:"warnings,omitempty"`
}

// RunPoint is a point that both runs have.
type RunPoint struct {
	Point results.Point `json:"point"`
	Load  string        `json:"load"`
	Rows  []RunRow      `json:"rows"` // in the order of A's arms

	a, b PointReport // what each run says of it
}

// RunRow is an arm that both runs have at the point.
type RunRow struct {
	Arm      string             `json:"arm"`
	Cells    map[Metric]RunCell `json:"cells"`
	VerdictA Judgement          `json:"verdict_a"`
	VerdictB Judgement          `json:"verdict_b"`
	CeilingA *CeilingShare      `json:"ceiling_a,omitempty"` // as in Row
	CeilingB *CeilingShare      `json:"ceiling_b,omitempty"`
	Warnings []Warning          `json:"warnings,omitempty"` // of the comparison
	DoubtsA  []Warning          `json:"warnings_a,omitempty"`
	DoubtsB  []Warning          `json:"warnings_b,omitempty"`
}

// RunCell is one metric in both runs. Without a figure in one of them there is no ratio, and Absent says why.
type RunCell struct {
	A          *Estimate `json:"a,omitempty"`
	B          *Estimate `json:"b,omitempty"`
	Ratio      *Ratio    `json:"ratio,omitempty"` // B to A, unpaired
	Absent     Warning   `json:"absent,omitempty"`
	Unresolved bool      `json:"unresolved,omitempty"` // less than two steps of the histogram
}

// CompareRuns compares run b with run a, which is another one. Points are matched by label and arms by name. It refuses, with an error that
// names the difference, where a common point was loaded in another way; with ErrEnvironment where the environment keys
// differ, unless forced; with ErrNothingToCompare where nothing is common.
func CompareRuns(a, b Run, o RunOptions) (*RunComparison, error) {
	if a.Manifest.ID == b.Manifest.ID {
		return nil, fmt.Errorf("both runs are %s: there is nothing to compare; with one RUN its arms are compared with each other", a.Manifest.ID)
	}
	if err := sameWork(a.Manifest, b.Manifest); err != nil {
		return nil, err
	}
	envA, envB := environmentOf(a.Manifest), environmentOf(b.Manifest)
	differ := envA != envB
	if differ && !o.Force {
		return nil, fmt.Errorf("%w: %s has %s, %s has %s; measure both on one machine and on the same processors, or force "+
			"the comparison", ErrEnvironment, a.Manifest.ID, envA, b.Manifest.ID, envB)
	}
	ra, err := New(a.Manifest, a.Slices, a.Trials, Options{alone: true})
	if err != nil {
		return nil, err
	}
	rb, err := New(b.Manifest, b.Slices, b.Trials, Options{alone: true})
	if err != nil {
		return nil, err
	}
	c := &RunComparison{Schema: RunsSchema, A: ra.Run, B: rb.Run, Level: Level, Forced: differ, Shared: ra.SharedCPU || rb.SharedCPU}
	for _, pa := range ra.Points {
		i := slices.IndexFunc(rb.Points, func(p PointReport) bool { return p.Point.Label == pa.Point.Label })
		if i < 0 {
			continue
		}
		if p := comparePoint(pa, rb.Points[i], changedArms(a.Manifest, b.Manifest)); len(p.Rows) > 0 {
			c.Points = append(c.Points, p)
		}
	}
	if len(c.Points) == 0 {
		return nil, ErrNothingToCompare
	}
	c.Warnings = append(ofBoth(ra.Warnings, rb.Warnings), onlyIn(ra, rb)...)
	return c, nil
}

// ofBoth says of which run warnings are.
func ofBoth(a, b []Warning) (out []Warning) {
	for _, w := range a {
		of := Warning("A: ")
		if slices.Contains(b, w) {
			of = "A and B: "
		}
		out = append(out, of+w)
	}
	for _, w := range b {
		if !slices.Contains(a, w) {
			out = append(out, "B: "+w)
		}
	}
	return out
}

// Differences is how many differences with an interval the tables show.
func (c *RunComparison) Differences() (n int) {
	for _, p := range c.Points {
		for _, row := range p.Rows {
			for m, cell := range row.Cells {
				if tells(m, p.Point, cell.Ratio) {
					n++
				}
			}
		}
	}
	return n
}

// sameWork refuses points of one label that are not the same work.
func sameWork(a, b results.Manifest) error {
	for _, pa := range a.Points {
		for _, pb := range b.Points {
			if pa.Label != pb.Label {
				continue
			}
			if la, lb := exactLoad(pa), exactLoad(pb); la != lb {
				return fmt.Errorf("%s: load differs: %s in %s, %s in %s; compare runs of one scenario",
					pointName(pa), la, a.ID, lb, b.ID)
			}
			if pa.StreamHash != pb.StreamHash {
				return fmt.Errorf("%s: operation stream differs: %s in %s, %s in %s; use the same scenario and seed",
					pointName(pa), pa.StreamHash, a.ID, pb.StreamHash, b.ID)
			}
		}
	}
	return nil
}

func exactLoad(p results.Point) string {
	s := fmt.Sprintf("%s loop, %d connections, pipeline %d, rate %g, %s", p.Mode, p.Connections, p.Pipeline, p.Rate,
		cmp.Or(p.Protocol, "resp"))
	if law := cmp.Or(p.ArrivalLaw, p.Arrival); law != "" { // the second of runs that have no parameters of it
		s += ", arrivals " + law
	}
	if p.Churn > 0 {
		s += fmt.Sprintf(", %g connections/s anew", p.Churn)
	}
	if len(p.Groups) > 0 {
		s += ", groups " + strings.Join(p.Groups, ", ")
	}
	if p.TimeoutNS > 0 {
		s += fmt.Sprintf(", timeout %v", time.Duration(p.TimeoutNS))
	}
	return s + viaText(p)
}

// viaText says how many connections are in-process, behind a blank; "" where none is.
func viaText(p results.Point) string {
	switch {
	case p.Inside == 0:
		return ""
	case p.Inside == p.Connections:
		return " in-process"
	}
	return fmt.Sprintf(" %d of %d in-process", p.Inside, p.Connections)
}

func pointName(p results.Point) string {
	if p.Label == "" {
		return "the only point"
	}
	return "point " + p.Label
}

// changedArms says which arms of one name were not started in the same way.
func changedArms(a, b results.Manifest) map[string]Warning {
	out := map[string]Warning{}
	for _, x := range a.Arms {
		for _, y := range b.Arms {
			if x.Name != y.Name {
				continue
			}
			switch {
			case x.Kind != y.Kind || x.Topology != y.Topology:
				out[x.Name] = Warning(fmt.Sprintf("not the same server: %s in A, %s in B", strings.TrimSpace(x.Kind+" "+x.Topology),
					strings.TrimSpace(y.Kind+" "+y.Topology)))
			case changedSettings(x.Settings, y.Settings) != "":
				out[x.Name] = Warning("the two runs started this arm with different settings: " + changedSettings(x.Settings, y.Settings))
			case x.Kind == "reference" && !slices.Equal(x.Command, y.Command):
				out[x.Name] = "the two runs started this arm by different commands"
			case x.Version != y.Version:
				out[x.Name] = Warning(fmt.Sprintf("version %q in A, %q in B", x.Version, y.Version))
			}
		}
	}
	return out
}

// changedSettings lists what differs: "shards 16 in A, 4 in B".
func changedSettings(a, b map[string]string) string {
	var out []string
	told := func(v string) string {
		if len(v) > 16 { // a hash
			v = v[:12] + "…"
		}
		return cmp.Or(v, "not told")
	}
	keys := map[string]string{}
	maps.Copy(keys, a)
	maps.Copy(keys, b)
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if a[k] != b[k] {
			out = append(out, fmt.Sprintf("%s %s in A, %s in B", k, told(a[k]), told(b[k])))
		}
	}
	return strings.Join(out, "; ")
}

// environmentOf is what must be the same for times to be comparable.
func environmentOf(m results.Manifest) string {
	return fmt.Sprintf("%q with server cpus %q and client cpus %q", m.EnvKey, m.CPUs.Server, m.CPUs.Client)
}

func comparePoint(a, b PointReport, changed map[string]Warning) RunPoint {
	p := RunPoint{Point: a.Point, Load: a.Load, a: a, b: b}
	for _, x := range a.Rows {
		i := slices.IndexFunc(b.Rows, func(r Row) bool { return r.Arm == x.Arm })
		if i < 0 {
			continue
		}
		y := b.Rows[i]
		row := RunRow{Arm: x.Arm, Cells: map[Metric]RunCell{}, VerdictA: x.Verdict, VerdictB: y.Verdict, CeilingA: x.Ceiling,
			CeilingB: y.Ceiling, DoubtsA: x.Warnings, DoubtsB: y.Warnings}
		if w := changed[x.Arm]; w != "" {
			row.Warnings = append(row.Warnings, w)
		}
		if a.Point.SliceNS != b.Point.SliceNS || a.Point.LeadNS != b.Point.LeadNS || a.Point.WarmupNS != b.Point.WarmupNS ||
			a.Point.WarmupMaxNS != b.Point.WarmupMaxNS {
			row.Warnings = append(row.Warnings, "the two runs differ in slice length, lead-in or warm-up")
		}
		for _, m := range Metrics() {
			row.Cells[m] = compareCells(columnOf(m), x.Cells[m], y.Cells[m], a.looked || b.looked)
		}
		p.Rows = append(p.Rows, row)
	}
	return p
}

func compareCells(c column, a, b Cell, looked bool) RunCell {
	cell := RunCell{A: a.Estimate, B: b.Estimate}
	switch {
	case a.Estimate == nil:
		cell.Absent = a.Absent
	case b.Estimate == nil:
		cell.Absent = b.Absent
	default:
		r := unpairedRatio(b.Blocks, a.Blocks, looked)
		cell.Ratio = &r
		cell.Unresolved = unresolved(c, r, a.Estimate.Value)
	}
	return cell
}

// onlyIn lists what one of the runs has and the other lacks: a comparison of less than was measured says so.
func onlyIn(a, b *Report) (out []Warning) {
	list := func(x, y *Report, id string) {
		have := map[PointArm]bool{}
		for _, p := range y.Points {
			for _, r := range p.Rows {
				have[PointArm{p.Point.Label, r.Arm}] = true
			}
		}
		for _, p := range x.Points {
			var arms []string
			for _, r := range p.Rows {
				if !have[PointArm{p.Point.Label, r.Arm}] {
					arms = append(arms, r.Arm)
				}
			}
			if len(arms) > 0 {
				out = append(out, Warning(fmt.Sprintf("%s: measured in %s only: %s", pointName(p.Point), id,
					strings.Join(arms, ", "))))
			}
		}
	}
	list(a, b, a.Run.ID)
	list(b, a, b.Run.ID)
	return out
}

// JSON writes the comparison as one indented object.
func (c *RunComparison) JSON(w io.Writer) error { return writeJSON(w, c) }
