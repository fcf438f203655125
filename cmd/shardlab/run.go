package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/analysis/plots"
	"github.com/shardlab/shardlab/scenarios"
	"github.com/shardlab/shardlab/scenarios/runner"
	"github.com/shardlab/shardlab/topologies"
)

// defaultResults is the folder of run directories.
const defaultResults = "results"

func runCommand() *cli.Command {
	return &cli.Command{
		Name:      "run",
		Usage:     "run a scenario, compare its arms and plot the result",
		ArgsUsage: "SCENARIO",
		Description: `SCENARIO is a built-in name (shardlab list scenarios) or a YAML file (shardlab list schema).
Each arm runs in fresh processes, a block at a time; the arms of a block are visited in turn in short slices. Ctrl-C stops
the servers and keeps the finished blocks.

Examples:
  shardlab run quickstart
  shardlab run quickstart --arms shared,multi-direct --blocks 10
  shardlab run open-loop --set load.rate=[10k,20k]
  shardlab run scenarios/mine.yaml --seed 7 --results /tmp/results`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "blocks", Usage: "fresh processes of every arm (default: the scenario's)"},
			&cli.StringFlag{Name: "slices", Usage: "length of a measured slice, as in 50ms, or long (default: the scenario's)"},
			&cli.StringFlag{Name: "seed", Usage: "seed of the operations and of every random order (default: the scenario's)"},
			&cli.StringFlag{Name: "arms", Usage: "only these arms, separated by commas; the first is the reference"},
			&cli.StringSliceFlag{Name: "set", Usage: "override one key of the scenario, as in load.connections=10; may be repeated"},
			&cli.StringFlag{Name: "results", Value: defaultResults, Usage: "folder for the run directory"},
			&cli.BoolFlag{Name: "json", Usage: "print the comparison as JSON"},
			&cli.BoolFlag{Name: "no-plots", Usage: "draw no plots"},
		},
		// A list value holds commas; one --set is one override.
		DisableSliceFlagSeparator: true,
		Action:                    runScenario,
	}
}

// scenarioNames are the words that scenarios may use.
func scenarioNames() scenarios.Names {
	names := scenarios.Names{Topologies: topologies.Names(), Knobs: map[string][]string{}}
	for _, o := range topologies.Options() {
		names.Knobs[o.Key()] = o.Words
	}
	return names
}

func runScenario(ctx context.Context, c *cli.Command) error {
	if err := wantArgs(c, 1, 1); err != nil {
		return err
	}
	sc, err := scenarios.Load(c.Args().First(), scenarioNames())
	if err != nil {
		return err
	}
	if sc, err = sc.Override(overrides(c)); err != nil {
		return err
	}
	show := newDisplay(c.Root().ErrWriter, sc.Name)
	dir, err := runner.Run(ctx, runner.Options{
		Scenario: sc, Results: c.String("results"), Observer: show,
		// Without the folder that the program happens to be in: under go run it is another every time.
		Argv: append([]string{"shardlab"}, os.Args[1:]...),
	})
	show.clear()
	if dir == "" {
		return err
	}
	return conclude(c, dir, err)
}

func overrides(c *cli.Command) scenarios.Overrides {
	o := scenarios.Overrides{
		Blocks: c.String("blocks"), Slices: c.String("slices"), Seed: c.String("seed"), Set: c.StringSlice("set"),
	}
	if list := c.String("arms"); list != "" {
		o.Arms = strings.Split(list, ",")
	}
	return o
}

// conclude shows what a run has brought, also one that was cut short, and says how it ended.
func conclude(c *cli.Command, dir string, runErr error) error {
	interrupted := errors.Is(runErr, context.Canceled)
	invalid, err := showRun(c, dir)
	switch {
	case interrupted:
		return &exitError{exitInterrupted, fmt.Errorf("interrupted; the servers are stopped and what was finished is kept in %s", dir)}
	case runErr != nil:
		return &exitError{exitInconclusive, fmt.Errorf("%w; what was finished is kept in %s", runErr, dir)}
	case err != nil:
		return err
	case invalid > 0:
		return &exitError{exitInconclusive, fmt.Errorf("%d rows are invalid measurements; their reasons are under the tables", invalid)}
	}
	return nil
}

// showRun prints the comparison and draws the plots of a run directory. It returns how many rows are invalid.
func showRun(c *cli.Command, dir string) (invalid int, err error) {
	run, err := openRun(c, dir)
	if err != nil {
		return 0, err
	}
	if len(run.Trials) == 0 {
		fmt.Fprintln(c.Root().ErrWriter, "no block has come to its end: there is nothing to compare")
		return 0, nil
	}
	report, err := printReport(c, run, "")
	if err != nil {
		return 0, err
	}
	for _, p := range report.Points {
		for _, row := range p.Rows {
			if row.Verdict.Verdict == analysis.Invalid {
				invalid++
			}
		}
	}
	if c.Bool("json") {
		return invalid, nil
	}
	fmt.Fprintln(c.Root().Writer, "\n"+dir)
	if c.Bool("no-plots") {
		return invalid, nil
	}
	if err := drawFigures(c, run, report, usualKinds, false, ""); err != nil && !errors.Is(err, plots.ErrNoData) {
		return invalid, err
	}
	return invalid, nil
}
