package analysis

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/shardlab/shardlab/results"
)

// LoadReport is what one load on one server has brought. As JSON it is the last line of `shardlab load --json`.
type LoadReport struct {
	Schema    string        `json:"schema"` // results.LoadSchema
	Kind      string        `json:"kind"`   // "summary"
	Status    string        `json:"status"` // as in a manifest
	Address   string        `json:"address"`
	Server    string        `json:"server,omitempty"` // what it says it is
	Point     results.Point `json:"point"`
	Offered   float64       `json:"offered_per_s,omitempty"` // open loop: due within the window
	Achieved  float64       `json:"achieved_per_s"`          // replies within the window
	Response  []Quantile    `json:"response"`                // from when it was due to the whole reply
	Service   []Quantile    `json:"service"`                 // from when it was sent; closed loop: the same
	ClientPer float64       `json:"cli_cpu_ns_per_op,omitempty"`
	Total     results.Slice `json:"total"`
	Judgement Judgement     `json:"verdict"`
	Dir       string        `json:"dir,omitempty"` // the run directory
}

// loadQuantiles are those of a table.
var loadQuantiles = []float64{0.5, 0.9, 0.99, 0.999, 0.9999}

// NewLoadReport judges a load: a run of one point, one arm and one block of one slice. The histograms are all operations'.
func NewLoadReport(m results.Manifest, s results.Slice, t results.Trial, response, service *hdrhistogram.Histogram) (*LoadReport, error) {
	v, err := JudgeLoad(m, s, t)
	if err != nil {
		return nil, err
	}
	r := &LoadReport{
		Schema: results.LoadSchema, Kind: "summary", Status: m.Status, Address: m.Arms[0].Settings["address"],
		Server: m.Arms[0].Version, Point: m.Points[0], Response: Quantiles(response, loadQuantiles...),
		Service: Quantiles(service, loadQuantiles...), Total: s, Judgement: v,
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

// JudgeLoad says whether the figures of a load are the server's, by the checks that a run's rows are put to.
func JudgeLoad(m results.Manifest, s results.Slice, t results.Trial) (Judgement, error) {
	m.Status = results.Complete // it is judged by what was measured, however it ended
	r, err := New(m, []results.Slice{s}, []results.Trial{t}, Options{})
	if err != nil || len(r.Points) == 0 || len(r.Points[0].Rows) == 0 {
		return Judgement{Finding: Finding{Verdict: Invalid, Reason: "nothing was measured", Detail: "no window",
			Fix: "let it run longer"}}, err
	}
	return r.Points[0].Rows[0].Verdict, nil
}

// ClientLimit says why the load generator may be to blame for response times above limit, in ns; nil where it is not. It is what
// judge checks, with the limit in place of the median: a lateness that matters to neither is no reason.
func ClientLimit(s *results.Slice, limit int64) *Finding {
	switch {
	case s.ClientBusy > maxClientBusy:
		return &Finding{Verdict: ClientBound, Detail: fmt.Sprintf("client %.0f%% busy", 100*s.ClientBusy)}
	case s.LatenessP > max(pacingFloor, maxPacingShare*float64(limit)):
		return &Finding{Verdict: ClientBound, Detail: "p99 of lateness " + FormatDuration(s.LatenessP)}
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
	add("verdict", gridCell{top: span{text: string(r.Judgement.Verdict), style: verdictStyle(r.Judgement.Verdict)}}, gridCell{})
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
	if r := have[i].Range; r != nil {
		scale := Nanoseconds.ScaleFor(float64(have[i].Value))
		c.bottom = span{text: fmt.Sprintf("%s–%s", scale.Format(r.Lo), scale.Format(r.Hi)), style: dim}
	}
	return c
}

// remarks are the sentences below the table: what every finding means and what to do about it.
func (r *LoadReport) remarks(w io.Writer, s Style) error {
	var b strings.Builder
	for _, f := range r.Judgement.Findings() {
		for _, line := range wrap(fmt.Sprintf("%s: %s (%s); %s", f.Verdict, f.Reason, f.Detail, f.Fix), s.width()) {
			b.WriteString(line + "\n")
		}
	}
	if r.Total.FirstError != "" {
		fmt.Fprintf(&b, "first error: %s\n", r.Total.FirstError)
	}
	if k := r.Point.Skew; k.Draws > 0 {
		fmt.Fprintf(&b, "keys: the most popular got %.3g %% of the operations, the top 1 %% got %.3g %%\n", 100*k.DrawnKey, 100*k.DrawnPercent)
	}
	if r.Point.Mode == "open" {
		fmt.Fprintf(&b, "sends: p99 %s late\n", FormatDuration(r.Total.LatenessP))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// JSON writes the report as one line.
func (r *LoadReport) JSON(w io.Writer) error { return writeLine(w, r) }
