package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/scenarios/runner"
)

// display shows how a run goes: on a terminal a bar with a line for each arm, redrawn in place at most ten times a second; elsewhere a line
// for each finished block.
type display struct {
	canvas
	name  string // of the scenario
	start time.Time

	bar  *progressbar.ProgressBar
	last time.Time
}

func newDisplay(w io.Writer, name string) *display {
	return &display{canvas: newCanvas(w), name: name, start: time.Now()}
}

// Note implements runner.Observer.
func (d *display) Note(text string) {
	d.clear()
	fmt.Fprintln(d.w, text)
}

// Progress implements runner.Observer.
func (d *display) Progress(p runner.Progress) {
	switch {
	case !d.tty:
		if p.BlockDone {
			d.plain(p)
		}
	case p.BlockDone || time.Since(d.last) >= 100*time.Millisecond:
		d.last = time.Now()
		d.redraw(p)
	}
}

func (d *display) plain(p runner.Progress) {
	var arms []string
	for _, a := range p.Arms {
		arms = append(arms, fmt.Sprintf("%s %s p99 %s", a.Name, analysis.FormatRate(a.OpsPerSec), p99(a)))
	}
	fmt.Fprintf(d.w, "%s: block %d/%d%s: %s; %s left\n",
		d.name, p.Block, p.Blocks, comma(p.Point), strings.Join(arms, ", "), d.left(p))
}

func (d *display) redraw(p runner.Progress) {
	if d.bar == nil {
		d.bar = progressbar.NewOptions(p.Slices, progressbar.OptionSetWriter(io.Discard), progressbar.OptionSetWidth(24),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false),
			progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: " ", BarEnd: " "}))
	}
	d.bar.Set(min(p.Done, p.Slices-1)) // at its end the bar would print a line of its own
	out := []string{fmt.Sprintf("%s  %s left", strings.TrimSpace(d.bar.String()), d.left(p)),
		fmt.Sprintf("%s: block %d of %d%s, %s", d.name, p.Block, p.Blocks, comma(p.Point), p.Phase)}
	for _, a := range p.Arms {
		line := fmt.Sprintf("  %-16s", a.Name)
		if a.Slices > 0 {
			line += fmt.Sprintf(" %9s   p99 %8s", analysis.FormatRate(a.OpsPerSec), p99(a))
		}
		out = append(out, line)
	}
	d.draw(out)
}

// left is the time to go at the pace so far.
func (d *display) left(p runner.Progress) string {
	if p.Done == 0 {
		return "–"
	}
	per := time.Since(d.start) / time.Duration(p.Done)
	return (per * time.Duration(p.Slices-p.Done)).Round(time.Second).String()
}

func p99(a runner.ArmProgress) string {
	if a.P99 == 0 {
		return "–"
	}
	return analysis.FormatDuration(float64(a.P99))
}

// comma puts a point's label behind something, if it has one.
func comma(label string) string {
	if label == "" {
		return ""
	}
	return ", " + label
}
