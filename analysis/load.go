package analysis

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/shardlab/shardlab/results"
)

// LoadReport is what one load on one server has brought. As JSON it is the last line of `shardlab load --json`.
type LoadReport struct {
	Schema    string         `json:"schema"` // results.LoadSchema
	Kind      string         `json:"kind"`   // "summary"
	Status    string         `json:"status"` // as in a manifest
	Address   string         `json:"address"`
	Server    string         `json:"server,omitempty"` // what it says it is
	Point     results.Point  `json:"point"`
	Offered   float64        `json:"offered_per_s,omitempty"` // open loop: due within the window
	Achieved  float64        `json:"achieved_per_s"`          // replies within the window
	Response  []Quantile     `json:"response"`                // from when it was due to the whole reply
	Service   []Quantile     `json:"service"`                 // from when it was sent; closed loop: the same
	ClientPer float64        `json:"cli_cpu_ns_per_op,omitempty"`
	Total     results.Slice  `json:"total"`
	Judgement Judgement      `json:"verdict"`
	Warnings  []Warning      `json:"warnings,omitempty"`
	Tails     Warning        `json:"tails,omitempty"` // what is to be said of p99 and beyond
	Order     *Order         `json:"order,omitempty"` // of its seconds
	Warmup    results.Warmup `json:"warmup,omitzero"`
	Dir       string         `json:"dir,omitempty"` // the run directory
}

// loadQuantiles are those of a table.
var loadQuantiles = []float64{0.5, 0.9, 0.99, 0.999, 0.9999}

// Load is what a load has measured: a run of one point, one arm and one block of one slice.
type Load struct {
	Manifest          results.Manifest
	Slice             results.Slice
	Trial             results.Trial
	Response, Service *hdrhistogram.Histogram // of all operations

	// Responses and Services are the same in stretches of time, Pace is of each second; all three may be empty.
	Responses, Services []*hdrhistogram.Histogram
	Pace                []float64
}

// NewLoadReport judges a load.
func NewLoadReport(l Load) (*LoadReport, error) {
	row, err := judgeLoad(l)
	if err != nil {
		return nil, err
	}
	m, s := l.Manifest, l.Slice
	r := &LoadReport{
		Schema: results.LoadSchema, Kind: "summary", Status: m.Status, Address: m.Arms[0].Settings["address"],
		Server: m.Arms[0].Version, Point: m.Points[0], Total: s, Judgement: row.Verdict, Warnings: row.Warnings,
		Response: QuantilesOver(l.Response, l.Responses, loadQuantiles...), Service: QuantilesOver(l.Service, l.Services, loadQuantiles...),
		Tails: fanIn(m.Points[0], m.CPUs), Order: row.Order, Warmup: l.Trial.Warmup,
	}
	if m.Points[0].Mode != "open" {
		r.Service = r.Response
	}
	if s.TimedOut > 0 {
		markBounds(r.Response, m.Points[0].TimeoutNS)
		markBounds(r.Service, m.Points[0].TimeoutNS)
	}
	if s.Dur > 0 {
		r.Offered = float64(s.Intended) / float64(s.Dur) * 1e9
		r.Achieved = float64(s.Replies) / float64(s.Dur) * 1e9
	}
	if s.Replies > 0 {
		r.ClientPer = float64(s.ClientCPU) / float64(s.Replies)
	}
	return r, nil
}

// markBounds says which quantiles are lower bounds, where requests timed out. A histogram's value is within a thousandth.
func markBounds(quantiles []Quantile, timeout int64) {
	for i := range quantiles {
		quantiles[i].AtLeast = quantiles[i].Value >= timeout-timeout/1000
	}
}

// JudgeLoad says whether the figures of a load are the server's, by the checks that a run's rows are put to.
func JudgeLoad(m results.Manifest, s results.Slice, t results.Trial) (Judgement, error) {
	row, err := judgeLoad(Load{Manifest: m, Slice: s, Trial: t})
	return row.Verdict, err
}

func judgeLoad(l Load) (Row, error) {
	m := l.Manifest
	m.Status = results.Complete // it is judged by what was measured, however it ended
	r, err := New(m, []results.Slice{l.Slice}, []results.Trial{l.Trial}, Options{Pace: l.Pace})
	if err != nil || len(r.Points) == 0 || len(r.Points[0].Rows) == 0 {
		return Row{Verdict: Judgement{Finding: Finding{Verdict: Invalid, Reason: "nothing was measured", Detail: "no window",
			Fix: "let it run longer"}}}, err
	}
	return r.Points[0].Rows[0], nil
}

// ClientLimit says why the load generator may be to blame for response times above limit, in ns; nil where it is not. It is what
// judge checks, with the limit in place of the median: a lateness that matters to neither is no reason.
func ClientLimit(s *results.Slice, limit int64) *Finding {
	switch {
	case s.ClientBusy > maxClientBusy:
		return &Finding{Verdict: ClientBound, Detail: fmt.Sprintf("client %.0f%% busy", 100*s.ClientBusy),
			Fix: "give the client more CPUs, or the server fewer"}
	case s.LatenessP > max(pacingFloor, maxPacingShare*float64(limit)) && s.ClientSpin > 0:
		return &Finding{Verdict: ClientBound, Detail: "p99 of lateness " + FormatDuration(s.LatenessP) + " though the client polls",
			Fix: "something else runs on its processor: stop that, give the client more CPUs, or take a wider bound"}
	case s.LatenessP > max(pacingFloor, maxPacingShare*float64(limit)):
		return &Finding{Verdict: ClientBound, Detail: "p99 of lateness " + FormatDuration(s.LatenessP),
			Fix: "let the client poll in place of sleeping (--spin 1ms takes a processor), give it more CPUs, or take a wider bound"}
	}
	return nil
}

// LoadLabel names how a point's load is offered: "open 20k/s poisson", "closed(50×16)".
func LoadLabel(p results.Point) string { return loadLabel(p) }

// Text writes the table: one row for response time and one for service time, each with its intervals below.
func (r *LoadReport) Text(w io.Writer, s Style) error {
	title := fmt.Sprintf("%s%s: %s, %d connections, %s", r.Address, parenthesised(r.Server), loadLabel(r.Point),
		r.Point.Connections, FormatDuration(float64(r.Total.Dur)))
	if _, err := fmt.Fprintln(w, title); err != nil {
		return err
	}
	g := r.grid(s)
	if err := g.write(w); err != nil {
		return err
	}
	return r.remarks(w, s)
}

func parenthesised(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

func (r *LoadReport) grid(s Style) grid {
	g := grid{width: s.width(), color: s.Color, gap: 3, head: []string{""}}
	first, second := []gridCell{{top: span{text: "response"}}}, []gridCell{{top: span{text: "service"}}}
	add := func(head string, a, b gridCell) {
		g.head = append(g.head, head)
		first, second = append(first, a), append(second, b)
	}
	one := func(text string) gridCell { return gridCell{top: span{text: text}} }
	count := func(head string, n uint64) { add(head, one(strconv.FormatUint(n, 10)), gridCell{}) }
	open := r.Point.Mode == "open"
	// First, so that no width has figures without it.
	add("verdict", gridCell{top: span{text: string(r.Judgement.Verdict), style: verdictStyle(r.Judgement.Verdict)}}, gridCell{})
	if open {
		add("offered", one(FormatRate(r.Offered)), gridCell{})
	}
	add("achieved", one(FormatRate(r.Achieved)), gridCell{})
	if open {
		count("late", r.Total.Late)
		count("unsent", r.Total.Unsent)
	}
	if r.Point.TimeoutNS > 0 {
		count("timed out", r.Total.TimedOut)
	}
	count("errors", r.Total.Errors)
	count("misses", r.Total.Misses)
	for _, q := range loadQuantiles {
		add("p"+strconv.FormatFloat(100*q, 'f', -1, 64), quantileCell(r.Response, q), quantileCell(r.Service, q))
	}
	add("max", one(FormatDuration(float64(r.Total.Response.Max))), one(FormatDuration(float64(r.Total.Service.Max))))
	client := gridCell{top: span{text: FormatDuration(r.ClientPer) + "/op"},
		bottom: span{text: fmt.Sprintf("%.0f%% busy", 100*r.Total.ClientBusy), style: dim}}
	add("client CPU", client, gridCell{})
	g.rows = [][]gridCell{first}
	if open {
		g.rows = append(g.rows, second)
	}
	return g
}

func quantileCell(have []Quantile, q float64) gridCell {
	i := slices.IndexFunc(have, func(x Quantile) bool { return x.Q == q })
	if i < 0 {
		return gridCell{top: span{text: "–"}}
	}
	c := gridCell{top: span{text: FormatDuration(float64(have[i].Value))}}
	if have[i].AtLeast {
		c.top.text = "≥ " + c.top.text
	}
	if r := have[i].Range; r != nil {
		scale := Nanoseconds.ScaleFor(float64(have[i].Value))
		c.bottom = span{text: fmt.Sprintf("%s–%s", scale.Format(r.Lo), scale.Format(r.Hi)), style: dim}
	}
	return c
}

// remarks are the sentences below the table: what every finding means and what to do about it.
func (r *LoadReport) remarks(w io.Writer, s Style) error {
	var b strings.Builder
	remark := func(text string) {
		lead := ""
		for _, line := range wrap(text, s.width()-2) {
			b.WriteString(lead + line + "\n")
			lead = "  "
		}
	}
	for _, f := range r.Judgement.Findings() {
		remark(fmt.Sprintf("%s: %s (%s); %s", f.Verdict, f.Reason, f.Detail, f.Fix))
	}
	warnings := append(slices.Clone(r.Warnings), r.intervals()...)
	if r.Tails != "" {
		warnings = append(warnings, r.Tails)
	}
	for _, w := range warnings {
		remark(string(w))
	}
	if r.Warmup.Plateau {
		fmt.Fprintf(&b, "warm-up: a plateau after %s of load\n", FormatDuration(float64(r.Warmup.Dur)))
	}
	if r.Total.FirstError != "" {
		fmt.Fprintf(&b, "first error: %s\n", r.Total.FirstError)
	}
	if k := r.Point.Skew; k.Draws > 0 {
		fmt.Fprintf(&b, "keys: the most popular got %.3g %% of the operations, the top 1 %% got %.3g %%\n", 100*k.DrawnKey, 100*k.DrawnPercent)
	}
	if r.Point.Trace != "" {
		remark(r.Point.Trace)
	}
	if r.Point.Mode == "open" {
		late := "too few for a p99 of their lateness"
		if r.Total.Response.P99 > 0 {
			late = fmt.Sprintf("p99 %s late", FormatDuration(r.Total.LatenessP))
		}
		fmt.Fprintf(&b, "sends: %s\n", late)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// intervals says what those of the percentiles take for independent.
func (r *LoadReport) intervals() []Warning {
	widest := Quantile{}
	for _, q := range slices.Concat(r.Response, r.Service) {
		if q.Alike > widest.Alike {
			widest = q
		}
	}
	switch {
	case len(r.Response) == 0:
		return nil
	case widest.Alike == 0:
		return []Warning{"intervals of percentiles take requests for independent; from five seconds on they allow for those of one second being alike"}
	case widest.Alike < 2:
		return nil
	}
	return []Warning{Warning(fmt.Sprintf("intervals of percentiles allow for requests of one second being alike: that of p%g is %.1f times as wide "+
		"as for independent ones", 100*widest.Q, math.Sqrt(widest.Alike)))}
}

// JSON writes the report as one line.
func (r *LoadReport) JSON(w io.Writer) error { return writeLine(w, r) }
