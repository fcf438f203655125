package analysis

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/shardlab/shardlab/results"
)

// Options of a report. The zero value compares with the first arm.
type Options struct {
	Reference string // the arm that the others are compared with; "" is the manifest's first
	// Pace is of each second of a load, as results.Second has it: the order of one long slice's parts.
	Pace []float64

	// Infos are what the servers said of themselves, for the counters of a row's mechanism; they may be left out.
	Infos []results.BlockInfo

	Knees []results.Knee // of a search

	alone bool // arms are compared with those of another run, not with the reference
}

// Schema and RunsSchema are the versions of what Report and RunComparison write as JSON.
const (
	Schema     = "shardlab.comparison/1"
	RunsSchema = "shardlab.runs/1"
)

// Report is everything that a run's measurements say: points, and in each a row for every arm.
type Report struct {
	Schema    string        `json:"schema"`
	Run       RunInfo       `json:"run"`
	Level     float64       `json:"level"`     // of every interval
	Arms      []string      `json:"arms"`      // of the manifest, in its order, measured or not
	Reference string        `json:"reference"` // arm
	SharedCPU bool          `json:"shared_cpu,omitempty"`
	Points    []PointReport `json:"points"`
	Scaling   []Scaling     `json:"scaling,omitempty"` // of a closed-loop sweep over connections, workers, shards or processors
	Knee      *KneeReport   `json:"knee,omitempty"`    // of a search

	Sampling *results.Sampling `json:"sampling,omitempty"` // nil where the number of blocks was fixed beforehand
	Warnings []Warning         `json:"warnings,omitempty"`
}

// RunInfo identifies the run.
type RunInfo struct {
	ID       string    `json:"id"`
	Scenario string    `json:"scenario"`
	Status   string    `json:"status"`
	Started  time.Time `json:"started"`
	EnvKey   string    `json:"env_key"`
	Revision string    `json:"revision,omitempty"` // git commit, with "+dirty" where the source differed from it
}

// PointReport is one cell of the scenario's sweep.
type PointReport struct {
	Point  results.Point `json:"point"`
	Load   string        `json:"load"`   // "closed(50)", "open 20k/s poisson"
	Blocks int           `json:"blocks"` // usable ones of the arm that has most
	Slices int           `json:"slices"` // a block and arm, as planned
	Rows   []Row         `json:"rows"`   // in the order of the manifest's arms

	Rankings []Ranking `json:"rankings,omitempty"` // one a metric; none of a gate, whose arms are no rivals, and of a search

	looked  bool // as in pairedRatio
	ceiling results.Ceiling
	Tails   Warning `json:"tails,omitempty"` // what is to be said of p99 and beyond
}

// Row is one arm at one point.
type Row struct {
	Arm        string          `json:"arm"`
	Kind       string          `json:"kind"`
	Blocks     int             `json:"blocks"`                // usable
	Void       int             `json:"void_blocks,omitempty"` // finished, with too few valid slices
	Unfinished int             `json:"unfinished_blocks,omitempty"`
	Cells      map[Metric]Cell `json:"cells"`
	Mechanisms []Mechanism     `json:"mechanisms,omitempty"`
	Ceiling    *CeilingShare   `json:"ceiling,omitempty"` // nil in open loops and where it was not measured
	Drift      *Drift          `json:"drift,omitempty"`
	Order      *Order          `json:"order,omitempty"`
	ServerBusy float64         `json:"server_busy,omitempty"` // share of the server's processors that its process used, 0 to 1
	Verdict    Judgement       `json:"verdict"`
	Warnings   []Warning       `json:"warnings,omitempty"`
}

// Cell is one metric of one row. Exactly one of Estimate and Absent is set.
type Cell struct {
	Estimate *Estimate    `json:"estimate,omitempty"`
	Absent   Warning      `json:"absent,omitempty"` // why there is no figure
	Blocks   []BlockValue `json:"blocks,omitempty"` // what the estimate is of, in ascending order of blocks
	Ratio    *Ratio       `json:"ratio,omitempty"`  // to the reference arm; nil in its own row and without an estimate

	// Unresolved says that the difference to the reference is less than two steps of the histogram.
	Unresolved bool `json:"unresolved,omitempty"`
}

// New analyses a run. The lines are as results has read them, in any order; they are not kept. An unknown reference
// arm is an error. Whatever is doubtful about the data is a warning or a verdict.
func New(m results.Manifest, lines []results.Slice, trials []results.Trial, o Options) (*Report, error) {
	reference, err := referenceArm(m.Arms, o.Reference)
	if err != nil {
		return nil, err
	}
	r := &Report{
		Schema:    Schema,
		Run:       runInfo(m),
		Level:     Level,
		Reference: reference,
		SharedCPU: m.CPUs.Shared,
	}
	if m.Status != "" && m.Status != results.Complete {
		r.Warnings = append(r.Warnings, Warning("the run is "+m.Status+": only finished blocks are counted"))
	}
	if m.Gate != nil {
		r.Warnings = append(r.Warnings, "a gate ends when it has its verdict, so intervals over all of its blocks promise too much; its own are those of gate --from")
	}
	for _, a := range m.Arms {
		r.Arms = append(r.Arms, a.Name)
	}
	data := gather(lines, trials)
	means := mechanisms(data, o.Infos)
	for _, p := range m.Points {
		pr, missing := newPoint(m, p, data, reference, o)
		for i := range pr.Rows {
			pr.Rows[i].Mechanisms = means[PointArm{p.Label, pr.Rows[i].Arm}]
		}
		switch {
		case !pr.finished() && m.Status != "" && m.Status != results.Complete:
			r.Warnings = append(r.Warnings, Warning(strings.TrimSpace("no block was finished "+p.Label)))
			continue
		case len(pr.Rows) > 0:
			if m.Gate == nil && m.Knee == nil && !o.alone {
				pr.Rankings = rankings(&pr)
			}
			r.Points = append(r.Points, pr)
		}
		r.Warnings = append(r.Warnings, missing...)
	}
	if !o.alone {
		r.Warnings = append(r.Warnings, r.referenceDoubts()...)
	}
	if r.Sampling = m.Sampling; r.Sampling != nil {
		r.Warnings = append(r.Warnings, r.samplingNote())
	}
	r.Scaling = scalings(r)
	if m.Knee != nil {
		if r.Knee, err = NewKneeReport(m, o.Knees); err != nil {
			return nil, err
		}
		r.Knee.addMechanisms(m, lines, trials, o.Infos)
	}
	r.Warnings = append(r.Warnings, strangers(m, data)...)
	if slices.ContainsFunc(r.Points, func(p PointReport) bool { return p.Slices < minDriftRounds && !p.ordered() }) {
		r.Warnings = append(r.Warnings, Warning(fmt.Sprintf("steadiness within blocks of fewer than %d slices is not checked",
			minDriftRounds)))
	}
	if w := stolen(lines); w != "" {
		r.Warnings = append(r.Warnings, w)
	}
	return r, nil
}

func runInfo(m results.Manifest) RunInfo {
	revision := m.Code.Revision
	if m.Code.Dirty && revision != "" {
		revision += "+dirty"
	}
	return RunInfo{m.ID, m.Scenario.Name, m.Status, m.Started, m.EnvKey, revision}
}

func referenceArm(arms []results.Arm, want string) (string, error) {
	if len(arms) == 0 {
		return "", nil
	}
	if want == "" {
		return arms[0].Name, nil
	}
	names := make([]string, len(arms))
	for i, a := range arms {
		if a.Name == want {
			return want, nil
		}
		names[i] = a.Name
	}
	return "", fmt.Errorf("reference arm %q: not in the run; have %s", want, strings.Join(names, ", "))
}

// strangers warns of data that no point or arm of the manifest claims.
func strangers(m results.Manifest, data map[PointArm][]*block) (out []Warning) {
	known := map[PointArm]bool{}
	for _, p := range m.Points {
		for _, a := range m.Arms {
			known[PointArm{p.Label, a.Name}] = true
		}
	}
	for k := range data {
		if !known[k] {
			out = append(out, Warning(fmt.Sprintf("slices of arm %q at point %q are left out: the manifest does not "+
				"have them", k.Arm, k.Point)))
		}
	}
	slices.Sort(out)
	return out
}

// ordered reports whether the steadiness of a row is judged by other than its slices.
func (p *PointReport) ordered() bool {
	return slices.ContainsFunc(p.Rows, func(r Row) bool { return r.Order != nil })
}

// finished reports whether any arm's block came to its end, void or not.
func (p *PointReport) finished() bool {
	return slices.ContainsFunc(p.Rows, func(r Row) bool { return r.Blocks+r.Void > 0 })
}

// referenceDoubts are what a reader must know before the tables: where the reference itself is not sound, points of one verdict together.
func (r *Report) referenceDoubts() (out []Warning) {
	var verdicts []Verdict
	where := map[Verdict][]string{}
	for _, p := range r.Points {
		for _, row := range p.Rows {
			if v := row.Verdict.Verdict; row.Arm == r.Reference && v != Valid && len(p.Rows) > 1 {
				if where[v] == nil {
					verdicts = append(verdicts, v)
				}
				where[v] = append(where[v], p.Point.Label)
			}
		}
	}
	for _, v := range verdicts {
		text := fmt.Sprintf("the reference %s is %s, and so are the differences to it", r.Reference, v)
		if v == ClientBound {
			text = fmt.Sprintf("the reference %s is client-bound: differences of throughput and response time are of "+
				"what the client allowed; CPU per operation is the sounder comparison", r.Reference)
		}
		switch n := len(where[v]); {
		case n == len(r.Points) && n > 1:
			text = fmt.Sprintf("all %d points: %s", n, text)
		case where[v][0] != "":
			text = strings.Join(where[v], "; ") + ": " + text
		}
		out = append(out, Warning(text))
	}
	return out
}

// Differences is how many differences with an interval the tables show.
func (r *Report) Differences() (n int) {
	for _, p := range r.Points {
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

// tells says whether tables show a difference with an interval there. Service time is shown of open loops only.
func tells(m Metric, p results.Point, r *Ratio) bool {
	return (p.Mode == "open" || !columnOf(m).service) && r != nil && r.Interval != nil
}

// stolen warns of time that the hypervisor took within slices that count. It is little, or they would not, but a tail is
// made of little.
func stolen(lines []results.Slice) Warning {
	const tick = 10 * time.Millisecond // of /proc/stat, on every architecture that Go runs on
	var taken, slices int
	for i := range lines {
		if s := &lines[i]; s.Valid && s.Steal > 0 {
			taken += int(s.Steal)
			slices++
		}
	}
	if slices == 0 {
		return ""
	}
	return Warning(fmt.Sprintf("the hypervisor took %v from %d of the slices that count: p99.9 and beyond may be its doing",
		time.Duration(taken)*tick, slices))
}

func newPoint(m results.Manifest, p results.Point, data map[PointArm][]*block, reference string,
	o Options) (PointReport, []Warning) {
	pr := PointReport{Point: p, Load: loadLabel(p), Slices: p.Slices, Tails: fanIn(p, m.CPUs), looked: m.Sampling != nil}
	var warnings []Warning
	rows := map[string][]*block{}
	for _, a := range m.Arms {
		if blocks := data[PointArm{p.Label, a.Name}]; len(blocks) > 0 {
			rows[a.Name] = blocks
		} else if m.Status != results.Running && m.Knee == nil { // each search probes its own rates
			warnings = append(warnings, Warning(strings.TrimSpace(fmt.Sprintf("arm %s was not measured %s", a.Name,
				p.Label))))
		}
	}
	drift, order := drifts(p.Mode == "open", rows), orders(p.Mode == "open", rows)
	pr.ceiling = ceilingOf(p, m.Arms, rows)
	ceiling := clientCeiling(p, m.Arms, rows)
	ref := blockValues(rows[reference])
	for _, a := range m.Arms {
		blocks, ok := rows[a.Name]
		if !ok {
			continue
		}
		row := newRow(a, blocks, ref, a.Name == reference, pr.looked)
		row.Ceiling = shareOf(p, pr.ceiling, blocks)
		if d, ok := drift[a.Name]; ok {
			row.Drift = &d
		}
		e := evidence{point: p, arm: a, blocks: finished(blocks), drift: drift[a.Name],
			ceiling: ceiling, serverCPUs: results.CPUListLen(m.CPUs.Server)}
		inOrder, remembers := order[a.Name], memoryWarning
		if len(m.Points)*len(m.Arms) == 1 && inOrder.Blocks == 0 {
			inOrder, remembers = paceOrder(o.Pace), secondsWarning
		}
		if w := e.missDoubt(); w != "" {
			row.Warnings = append(row.Warnings, w)
		}
		if e.order = inOrder; inOrder.Blocks > 0 {
			row.Order = &inOrder
		}
		if inOrder.remembers() {
			row.Warnings = append(row.Warnings, remembers)
		}
		row.Verdict, row.ServerBusy = judge(e), e.serverBusy()
		pr.Blocks = max(pr.Blocks, row.Blocks)
		pr.Rows = append(pr.Rows, row)
	}
	return pr, warnings
}

func finished(blocks []*block) (out []*block) {
	for _, b := range blocks {
		if b.trial != nil {
			out = append(out, b)
		}
	}
	return out
}

// clientCeiling is the best median throughput of a responder whose client was at its limit; 0 if there is none. A
// responder that kept the client waiting measures itself and is no ceiling.
func clientCeiling(p results.Point, arms []results.Arm, rows map[string][]*block) (ceiling float64) {
	if p.Inside > 0 { // such clients do the server's work, and are always at their limit
		return 0
	}
	if c := p.Ceiling; c != nil && c.Null != nil && c.Null.ClientBusy > maxClientBusy {
		ceiling = c.Null.OpsPerSec
	}
	for _, a := range arms {
		e := evidence{blocks: finished(rows[a.Name])}
		if a.Responder && checkClientBusy(e) != nil {
			ceiling = max(ceiling, medianThroughput(rows[a.Name]))
		}
	}
	return ceiling
}

// JSON writes the report as one indented object.
func (r *Report) JSON(w io.Writer) error { return writeJSON(w, r) }

func writeLine(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
