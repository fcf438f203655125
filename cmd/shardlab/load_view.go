package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios"
	"github.com/shardlab/shardlab/scenarios/runner"
)

// loadView shows how a load goes: on a terminal some lines that are redrawn, elsewhere a line a second, with --json an object
// a second on standard output.
type loadView struct {
	canvas
	json    io.Writer // nil: text
	head    string
	point   scenarios.Point
	total   time.Duration
	metrics *loadMetrics // nil: none
}

func newLoadView(c *cli.Command, o runner.LoadOptions) *loadView {
	p := o.Scenario.Points[0]
	v := &loadView{canvas: newCanvas(c.Root().ErrWriter), head: o.Addr, point: p, total: o.Scenario.Run.Slice}
	if c.Bool("json") {
		v.json, v.tty = c.Root().Writer, false
	}
	return v
}

// Phase implements runner.LoadObserver.
func (v *loadView) Phase(name string) {
	switch {
	case v.tty:
		v.draw([]string{v.head + ": " + name})
	case v.json == nil:
		fmt.Fprintf(v.w, "%s: %s\n", v.head, name)
	}
}

// Second implements runner.LoadObserver.
func (v *loadView) Second(p runner.LoadProgress) error {
	if v.metrics != nil {
		v.metrics.observe(p)
	}
	if v.json != nil {
		enc := json.NewEncoder(v.json)
		enc.SetEscapeHTML(false)
		return enc.Encode(p.Second)
	}
	if p.Second.Tail {
		return nil
	}
	if !v.tty {
		fmt.Fprintln(v.w, v.line(p))
		return nil
	}
	v.draw(v.panel(p))
	return nil
}

// line is one second.
func (v *loadView) line(p runner.LoadProgress) string {
	s := &p.Second
	parts := []string{fmt.Sprintf("%4.0fs", p.Elapsed.Seconds()), v.rates(s)}
	parts = append(parts, "response "+percentiles(s.Response))
	if v.open() {
		parts = append(parts, "service "+percentiles(s.Service), "sent p99 "+lateness(s)+" late")
	}
	return strings.Join(append(parts, fmt.Sprintf("client %.0f%% busy", 100*s.ClientBusy), "errors "+fmt.Sprint(s.Errors)), "  ")
}

// panel is the last second, and all so far.
func (v *loadView) panel(p runner.LoadProgress) []string {
	s, all := &p.Second, &p.SoFar
	lines := []string{
		fmt.Sprintf("%s: %.0f s of %v, %d connections", v.head, p.Elapsed.Seconds(), v.total, v.point.Load.Connections),
		"  rate      " + v.rates(s),
		"  response  " + percentiles(s.Response) + "   so far " + percentiles(all.Response),
	}
	if v.open() {
		lines = append(lines, "  service   "+percentiles(s.Service)+"   so far "+percentiles(all.Service))
	}
	lines = append(lines, fmt.Sprintf("  errors    %d   misses %d   late %d   unsent %d   timed out %d", all.Errors, all.Misses,
		all.Late, all.Unsent, all.TimedOut))
	client := fmt.Sprintf("  client    %.0f%% busy", 100*s.ClientBusy)
	if s.Replies > 0 {
		client += fmt.Sprintf(", %s an operation", nanoseconds(s.ClientCPU/int64(s.Replies)))
	}
	if s.ClientSpin > 0 && s.Dur > 0 {
		client += fmt.Sprintf(" beside spinning, %.0f%%", 100*float64(s.ClientSpin)/float64(s.Dur))
	}
	if v.open() {
		client += fmt.Sprintf("; sends p99 %s late", lateness(s))
	}
	return append(lines, client, "  verdict   "+v.verdict(p)+" so far")
}

// verdict is what would be said if the load ended here.
func (v *loadView) verdict(p runner.LoadProgress) string {
	trial := results.Trial{Arm: p.SoFar.Arm, Keys: p.Manifest.Points[0].Keys, Response: p.SoFar.Response, Service: p.SoFar.Service}
	j, err := analysis.JudgeLoad(*p.Manifest, p.SoFar, trial)
	if err != nil || j.Verdict == analysis.Valid {
		return string(j.Verdict)
	}
	return fmt.Sprintf("%s: %s (%s)", j.Verdict, j.Reason, j.Detail)
}

func (v *loadView) open() bool { return v.point.Load.Mode == scenarios.Open }

func (v *loadView) rates(s *results.Second) string {
	achieved := "achieved " + analysis.FormatRate(s.Achieved)
	if !v.open() {
		return achieved
	}
	return "offered " + analysis.FormatRate(s.Offered) + "  " + achieved
}

// lateness is its p99, or a dash where the sends are too few for one.
func lateness(s *results.Second) string {
	if s.Response.P99 == 0 {
		return nanoseconds(0)
	}
	return nanoseconds(int64(s.LatenessP))
}

func percentiles(l results.Latency) string {
	return fmt.Sprintf("p50 %s p99 %s p99.9 %s max %s", nanoseconds(l.P50), nanoseconds(l.P99), nanoseconds(l.P999), nanoseconds(l.Max))
}

// nanoseconds is a duration, or a dash where there is none.
func nanoseconds(n int64) string {
	if n == 0 {
		return "–"
	}
	return strings.ReplaceAll(analysis.FormatDuration(float64(n)), " ", "")
}
