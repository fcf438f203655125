package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/results"
)

func compareCommand() *cli.Command {
	return &cli.Command{
		Name:      "compare",
		Usage:     "compare the arms of a run, or two runs",
		ArgsUsage: "RUN [RUN]",
		Description: `RUN is a run directory, a run's id or the beginning of one, or "latest".
With one run every arm is compared with a reference arm, paired by block. With two, each arm with itself in the other run:
that is unpaired and says so, and it is refused where the runs did not do the same work on the same kind of machine.

Examples:
  shardlab compare latest
  shardlab compare latest --reference multi-direct
  shardlab compare results/20261123T201500Z-1a2b3c4-quickstart-0f1e2d latest --json`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "reference", Usage: "the arm that the others are compared with (default: the first)"},
			&cli.BoolFlag{Name: "force", Usage: "two runs: compare although the machines differ; every table says so"},
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
			resultsFlag(),
		},
		Action: compare,
	}
}

func resultsFlag() cli.Flag {
	return &cli.StringFlag{Name: "results", Value: defaultResults, Usage: "folder in which runs are found by id"}
}

func compare(_ context.Context, c *cli.Command) error {
	if err := wantArgs(c, 1, 2); err != nil {
		return err
	}
	a, err := openRun(c, c.Args().First())
	if err != nil {
		return err
	}
	if c.Args().Len() == 1 {
		_, err := printReport(c, a, c.String("reference"))
		return err
	}
	if c.IsSet("reference") {
		return errors.New("--reference is for one run; with two, each arm is compared with itself")
	}
	b, err := openRun(c, c.Args().Get(1))
	if err != nil {
		return err
	}
	cmp, err := analysis.CompareRuns(samples(a), samples(b), analysis.RunOptions{Force: c.Bool("force")})
	if err != nil {
		return err
	}
	return show(c, cmp)
}

// openRun reads a run and says what is doubtful about its files.
func openRun(c *cli.Command, name string) (*results.Run, error) {
	run, err := results.OpenIn(c.String("results"), name)
	if err != nil {
		return nil, err
	}
	for _, w := range run.Warnings {
		fmt.Fprintln(c.Root().ErrWriter, "shardlab: warning:", w)
	}
	return run, nil
}

func samples(r *results.Run) analysis.Run {
	return analysis.Run{Manifest: r.Manifest, Slices: r.Slices, Trials: r.Trials}
}

// printReport prints the comparison of a run's arms and returns it.
func printReport(c *cli.Command, run *results.Run, reference string) (*analysis.Report, error) {
	report, err := reportOf(run, reference)
	if err != nil {
		return nil, err
	}
	return report, show(c, report)
}

// show prints a comparison, as text or as JSON.
func show(c *cli.Command, comparison interface {
	Text(w io.Writer, s analysis.Style) error
	JSON(w io.Writer) error
}) error {
	out := c.Root().Writer
	if c.Bool("json") {
		return comparison.JSON(out)
	}
	tty, width := terminal(out)
	return comparison.Text(out, analysis.Style{Width: width, Color: tty && os.Getenv("NO_COLOR") == ""})
}

// paceOf is the pace of each second of a load; none of another run.
func paceOf(run *results.Run) (pace []float64, err error) {
	if len(run.Manifest.Points) != 1 {
		return nil, nil
	}
	seconds, err := run.Seconds()
	for i := range seconds {
		if s := &seconds[i]; !s.Tail {
			pace = append(pace, s.Pace(run.Manifest.Points[0].Mode == "open"))
		}
	}
	return pace, err
}
