package main

import (
	"context"
	"errors"

	"github.com/urfave/cli/v3"

	"github.com/shardlab/shardlab/results"
)

func exportCommand() *cli.Command {
	return &cli.Command{
		Name:      "export",
		Usage:     "write a run's measurements in another format to standard output",
		ArgsUsage: "RUN",
		Description: `Examples:
  shardlab export latest --csv > slices.csv
  shardlab export latest --csv --blocks > blocks.csv`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "csv", Usage: "comma-separated values: a row for each slice"},
			&cli.BoolFlag{Name: "blocks", Usage: "with --csv: a row for each block, point and arm instead"},
			resultsFlag(),
		},
		Action: export,
	}
}

func export(_ context.Context, c *cli.Command) error {
	if err := wantArgs(c, 1, 1); err != nil {
		return err
	}
	if !c.Bool("csv") {
		return errors.New("which format? give --csv")
	}
	run, err := openRun(c, c.Args().First())
	if err != nil {
		return err
	}
	if c.Bool("blocks") {
		return results.ExportTrialsCSV(c.Root().Writer, run)
	}
	return results.ExportCSV(c.Root().Writer, run)
}
