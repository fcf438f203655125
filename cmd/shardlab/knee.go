package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/analysis/plots"
	"github.com/shardlab/shardlab/scenarios"
	"github.com/shardlab/shardlab/scenarios/runner"
)

func kneeCommand() *cli.Command {
	return &cli.Command{
		Name:      "knee",
		Usage:     "find the highest rate at which each arm meets a bound on response time",
		ArgsUsage: "SCENARIO",
		Description: `The bound is the scenario's slo:, or --slo: "p99 < 1ms"; p50 to p99.99, max or mean; of one operation: "get p99 < 1ms".
Load is an open loop with the scenario's workload and connections. The rate is doubled until the bound is missed, then the gap is halved; both
ends are probed once more right after an overload. A probe meets or misses when the quantile's interval lies on one side of the bound; else it goes
on, up to eight times as long or --probe-max; what it has not shown by then stays in the interval. A rate that is not achieved misses. The knee
is an interval, over blocks of fresh processes. Where no arm meets the bound at any rate, the first block is the last and says why.

Ends with 3 where an end was not found: the load generator was the limit ("at least"), no rate met the bound, or time was up. Ctrl-C shows what
was found until then, and ends with 130.

Examples:
  shardlab knee knee
  shardlab knee quickstart --slo "get p99.9 < 2ms" --arms shared,redis --set load.pipeline=
  shardlab knee open-loop --slo "p99 < 1ms" --max 100k --json | jq '.knees[] | {arm, lo_per_s, hi_per_s}'`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "slo", Usage: `the bound, as in "p99 < 1ms" (default: the scenario's)`},
			&cli.StringFlag{Name: "arms", Aliases: []string{"arm"}, Usage: "only these arms, separated by commas"},
			&cli.StringFlag{Name: "from", Usage: "the first rate to be probed (default: the scenario's load.rate, or 5k)"},
			&cli.StringFlag{Name: "max", Usage: "the highest rate that may be (default: no limit)"},
			&cli.DurationFlag{Name: "probe", Value: 250 * time.Millisecond, Usage: "length of a probe, at least; one that shows nothing goes on"},
			&cli.DurationFlag{Name: "probe-max", Value: 4 * time.Second, Usage: "length of a probe, at most; rates too low for it are not probed"},
			&cli.DurationFlag{Name: "search-max", Value: 45 * time.Second, Usage: "time for the search of one arm in one block, at most"},
			&cli.StringFlag{Name: "spin", Usage: "poll instead of sleeping so long before each send, as in 1ms, on a host that wakes threads late (default: the scenario's)"},
			&cli.StringFlag{Name: "blocks", Usage: "fresh processes of every arm (default: the scenario's)"},
			&cli.StringFlag{Name: "seed", Usage: "seed of the operations and of every random order (default: the scenario's)"},
			&cli.StringSliceFlag{Name: "set", Usage: "override one key of the scenario, as in load.connections=10; may be repeated"},
			&cli.StringFlag{Name: "results", Value: defaultResults, Usage: "folder for the run directory"},
			&cli.BoolFlag{Name: "json", Usage: "print what was found as JSON"},
			&cli.BoolFlag{Name: "no-plots", Usage: "draw no plots"},
		},
		DisableSliceFlagSeparator: true,
		Action:                    searchKnee,
	}
}

func searchKnee(ctx context.Context, c *cli.Command) error {
	if err := wantArgs(c, 1, 1); err != nil {
		return err
	}
	opts, err := kneeOptions(c)
	if err != nil {
		return err
	}
	show := newKneeView(c.Root().ErrWriter, opts.Scenario.Name)
	opts.Observer = show
	dir, err := runner.Knee(ctx, opts)
	show.clear()
	if dir == "" {
		return err
	}
	return concludeKnee(c, dir, err)
}

func kneeOptions(c *cli.Command) (o runner.KneeOptions, err error) {
	o = runner.KneeOptions{
		Results: c.String("results"), Probe: c.Duration("probe"), Argv: append([]string{"shardlab"}, os.Args[1:]...),
		ProbeMax: c.Duration("probe-max"), SearchMax: c.Duration("search-max"),
	}
	if o.Probe < 20*time.Millisecond || o.Probe > time.Minute {
		return o, fmt.Errorf("--probe: %v is out of range: 20ms to 1m", o.Probe)
	}
	if o.ProbeMax < o.Probe || o.ProbeMax > 10*time.Minute {
		return o, fmt.Errorf("--probe-max: %v is out of range: %v, that of --probe, to 10m", o.ProbeMax, o.Probe)
	}
	if o.SearchMax < time.Second || o.SearchMax > 24*time.Hour {
		return o, fmt.Errorf("--search-max: %v is out of range: 1s to 24h", o.SearchMax)
	}
	if text := c.String("max"); text != "" {
		if o.Max, err = scenarios.ParseRate(text); err != nil {
			return o, fmt.Errorf("--max: %w", err)
		}
	}
	sc, err := scenarios.Load(c.Args().First(), scenarioNames())
	if err != nil {
		return o, err
	}
	over := overrides(c)
	over.SLO = c.String("slo")
	if sc, err = sc.Override(over); err != nil {
		return o, err
	}
	o.Scenario, err = sc.OpenLoop(c.String("from"), c.String("spin"))
	return o, err
}

// concludeKnee shows what a search has found, also one that was cut short, and says how it ended.
func concludeKnee(c *cli.Command, dir string, runErr error) error {
	inconclusive, err := showKnee(c, dir)
	switch {
	case errors.Is(runErr, context.Canceled):
		return &exitError{exitInterrupted, fmt.Errorf("interrupted; the servers are stopped and what was found is kept in %s", dir)}
	case runErr != nil:
		return &exitError{exitInconclusive, fmt.Errorf("%w; what was found is kept in %s", runErr, dir)}
	case err != nil:
		return err
	case inconclusive > 0:
		return &exitError{exitInconclusive, fmt.Errorf("%d knees lack an end, and not through their servers; the reasons are under the table",
			inconclusive)}
	}
	return nil
}

// showKnee prints what a run directory says of knees, and draws latency against rate.
func showKnee(c *cli.Command, dir string) (inconclusive int, err error) {
	run, err := openRun(c, dir)
	if err != nil {
		return 0, err
	}
	report, err := reportOf(run, "")
	if err != nil {
		return 0, err
	}
	found := report.Knee
	if err := show(c, found); err != nil || c.Bool("json") {
		return found.Inconclusive(), err
	}
	fmt.Fprintln(c.Root().Writer, "\n"+dir)
	if c.Bool("no-plots") || len(run.Trials) == 0 {
		return found.Inconclusive(), nil
	}
	figures, err := plots.LatencyByRate(report, run.Manifest.Before.Describe())
	if err == nil {
		err = renderFigures(c, run, "", figures)
	}
	if errors.Is(err, plots.ErrNoData) {
		err = nil
	}
	return found.Inconclusive(), err
}

// kneeView shows how searches go: on a terminal a line for each arm, redrawn in place; elsewhere a line for each search that has ended.
type kneeView struct {
	canvas
	name string // of the scenario
}

func newKneeView(w io.Writer, name string) *kneeView {
	return &kneeView{canvas: newCanvas(w), name: name}
}

// Note implements runner.KneeObserver.
func (v *kneeView) Note(text string) {
	v.clear()
	fmt.Fprintln(v.w, text)
}

// Knee implements runner.KneeObserver.
func (v *kneeView) Knee(p runner.KneeProgress) {
	head := fmt.Sprintf("%s: block %d of %d%s", v.name, p.Block, p.Blocks, comma(p.Point))
	if !v.tty {
		if p.BlockDone {
			var arms []string
			for _, a := range p.Arms {
				arms = append(arms, fmt.Sprintf("%s %s (%d probes)", a.Name, analysis.KneeText(a.Lo, a.Hi), a.Probes))
			}
			fmt.Fprintf(v.w, "%s: %s\n", head, strings.Join(arms, ", "))
		}
		return
	}
	lines := []string{head + ", " + p.Phase + ", " + timeLeft(p)}
	for _, a := range p.Arms {
		line := fmt.Sprintf("  %-16s", a.Name)
		if a.Probes > 0 {
			line += fmt.Sprintf(" %-18s probe %-3d %8s from %s: %s", analysis.KneeText(a.Lo, a.Hi), a.Probes,
				analysis.FormatSI(a.Last.Rate), a.Last.From, a.Last.Outcome)
		}
		lines = append(lines, line)
	}
	v.draw(lines)
}

func timeLeft(p runner.KneeProgress) string {
	return fmt.Sprintf("about %v left", max(p.Left.Round(time.Second), time.Second))
}
