package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v3"

	"github.com/shardlab/shardlab/analysis/gate"
	"github.com/shardlab/shardlab/analysis/plots"
	"github.com/shardlab/shardlab/scenarios/gating"
)

// trendFile is the record in the folder of results where no other is named.
const trendFile = "trend.jsonl"

func trendCommand() *cli.Command {
	return &cli.Command{
		Name:      "trend",
		Usage:     "has the main branch crept away from its anchor, by steps too small for a gate?",
		ArgsUsage: "[FILE]",
		Description: `FILE is a record that shardlab gate --trend appends to (default: trend.jsonl in --results). For every scenario and metric it shows the last
seven ratios to the anchor, the newest with its 99 % interval, and their median. A creep is said where 5 of the last 7 gates lie more than
3 % on one side of the anchor. It is advice: the exit code is 0 whatever it finds. Gates against another anchor, or on another kind of
machine (env_key), stand apart and are not compared.

Examples:
  shardlab trend
  shardlab trend perf/trend.jsonl --json
  shardlab trend --csv > ratios.csv               # a row a gate, a column a primary, of the newest anchor and machine: for Otava and the like
  shardlab plot results/trend.jsonl               # the figure`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
			&cli.BoolFlag{Name: "csv", Usage: "print the ratios as comma-separated values: time, commit, a column for each scenario and metric"},
			resultsFlag(),
		},
		Action: trend,
	}
}

func trend(_ context.Context, c *cli.Command) error {
	if err := wantArgs(c, 0, 1); err != nil {
		return err
	}
	if c.Bool("json") && c.Bool("csv") {
		return errors.New("--csv means nothing beside --json; leave one out")
	}
	file := c.Args().First()
	if file == "" {
		file = filepath.Join(c.String("results"), trendFile)
	}
	lines, err := readTrend(file)
	if err != nil {
		return err
	}
	t := gate.NewTrend(lines)
	if c.Bool("csv") {
		return t.CSV(c.Root().Writer)
	}
	return show(c, t)
}

// readTrend reads a record that must hold something.
func readTrend(file string) ([]gate.TrendLine, error) {
	lines, err := gating.ReadTrend(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: no such file; shardlab gate --trend makes it", file)
	case err != nil:
		return nil, err
	case len(gate.TrendPoints(lines)) == 0:
		return nil, fmt.Errorf("%s: holds no gate yet; shardlab gate --trend appends one", file)
	}
	return lines, nil
}

// gateTrend measures the working tree against the anchor and shows the record with the new lines.
func gateTrend(ctx context.Context, c *cli.Command, opts gating.Options) error {
	if opts.Gate.Anchor == "" {
		return fmt.Errorf("%s: anchor: is missing; write the commit or tag that every gate of the main branch is measured against, as in anchor: 632a930", opts.Gate.File)
	}
	record := c.String("record")
	if record == "" {
		record = filepath.Join(c.String("results"), trendFile)
	}
	trees, err := gating.CheckOutAnchor(ctx, filepath.Dir(c.String("config")), opts.Gate.Anchor, record, opts.Builder.Dir(), c.String("results"), c.String("summary"))
	if err != nil {
		return gateError(c, "", err)
	}
	defer closeTrees(c, trees)
	opts.Base, opts.Head = trees.Base, trees.Head
	opts.Log(fmt.Sprintf("anchor %s, head %s: %d blocks, about %v a block of each scenario", opts.Base.Revision, opts.Head.Revision,
		opts.Gate.Looks[len(opts.Gate.Looks)-1], opts.Gate.BlockTime()))
	dir, err := gating.Trend(ctx, opts, record)
	if errors.Is(err, gate.ErrUnsound) {
		return &exitError{exitInconclusive, fmt.Errorf("%w: nothing was appended to %s; the run is kept in %s", err, record, dir)}
	}
	if err != nil {
		return gateError(c, dir, err)
	}
	lines, err := readTrend(record)
	if err != nil {
		return err
	}
	t := gate.NewTrend(lines)
	if err := show(c, t); err != nil {
		return err
	}
	if file := c.String("summary"); file != "" {
		if err := writeTo(file, true, t.Markdown); err != nil {
			return err
		}
	}
	if !c.Bool("json") {
		fmt.Fprintln(c.Root().Writer, dir)
	}
	return nil
}

// plotTrend draws a record.
func plotTrend(c *cli.Command, file string) error {
	if kind := c.String("kind"); kind != "" && kind != "trend" {
		return fmt.Errorf("--kind %s: %s is no run; a record of gates has a figure of kind trend only", kind, file)
	}
	if c.IsSet("reference") {
		return errors.New("--reference means nothing for a record of gates: its ratios are to the anchor")
	}
	lines, err := readTrend(file)
	if err != nil {
		return err
	}
	figures, err := plots.AnchorTrend(gate.TrendPoints(lines))
	if err != nil {
		return fmt.Errorf("figure of kind trend: %w", err)
	}
	dir := c.String("out")
	if dir == "" {
		dir = filepath.Dir(file)
	}
	return writeFigures(c, dir, figures)
}

// isFile says whether path is a file, which a run never is.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
