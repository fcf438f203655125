package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/urfave/cli/v3"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/analysis/plots"
	"github.com/shardlab/shardlab/results"
)

func plotCommand() *cli.Command {
	return &cli.Command{
		Name:      "plot",
		Usage:     "draw a run's figures as PNG and SVG",
		ArgsUsage: "RUN",
		Description: `RUN is a run directory, a run's id or the beginning of one, or "latest". The figures are throughput and server CPU per
operation, latency by percentile, and for open-loop sweeps latency against rate.

Examples:
  shardlab plot latest
  shardlab plot results/20261123T201500Z-1a2b3c4-quickstart-0f1e2d --out figures`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "out", Usage: "folder for the figures (default: report/ in the run directory)"},
			resultsFlag(),
		},
		Action: func(_ context.Context, c *cli.Command) error {
			if err := wantArgs(c, 1, 1); err != nil {
				return err
			}
			run, err := openRun(c, c.Args().First())
			if err != nil {
				return err
			}
			report, err := analysis.New(run.Manifest, run.Slices, run.Trials, analysis.Options{})
			if err != nil {
				return err
			}
			return drawFigures(c, run, report, c.String("out"))
		},
	}
}

// drawFigures draws what the run has data for, and prints the paths.
func drawFigures(c *cli.Command, run *results.Run, report *analysis.Report, dir string) error {
	figures, err := figuresOf(run, report)
	if err != nil {
		return err
	}
	return renderFigures(c, run, dir, figures)
}

// renderFigures writes figures to dir, "" being the run's own folder for them, and prints the paths.
func renderFigures(c *cli.Command, run *results.Run, dir string, figures []plots.Figure) error {
	if dir == "" {
		dir = filepath.Join(run.Dir, "report")
	}
	paths, err := plots.Render(dir, figures...)
	for _, p := range paths {
		fmt.Fprintln(c.Root().Writer, p)
	}
	return err
}

func figuresOf(run *results.Run, report *analysis.Report) ([]plots.Figure, error) {
	environment := run.Manifest.Before.Describe()
	throughput, err := plots.Throughput(report, environment)
	if err != nil {
		return nil, err
	}
	figures := throughput
	hists, err := histogramsOf(run, report)
	if err != nil {
		return nil, err
	}
	percentiles, err := plots.Percentiles(report, hists, environment)
	if err != nil && !errors.Is(err, plots.ErrNoData) {
		return nil, err
	}
	figures = append(figures, percentiles...)
	byRate, err := plots.LatencyByRate(report, environment)
	if err == nil {
		figures = append(figures, byRate...)
	} else if !errors.Is(err, plots.ErrClosedLoop) && !errors.Is(err, plots.ErrNoData) {
		return nil, err
	}
	return figures, nil
}

// histogramsOf reads the response times of every row, all usable blocks together.
func histogramsOf(run *results.Run, report *analysis.Report) (map[analysis.PointArm]*hdrhistogram.Histogram, error) {
	hists := map[analysis.PointArm]*hdrhistogram.Histogram{}
	for _, p := range report.Points {
		for _, row := range p.Rows {
			var blocks []int // those that the tables use
			for _, v := range row.Cells[analysis.Throughput].Blocks {
				blocks = append(blocks, v.Block)
			}
			if len(blocks) == 0 {
				continue
			}
			h, err := run.Histogram(p.Point.Label, row.Arm, "", results.Response, blocks...)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			hists[analysis.PointArm{Point: p.Point.Label, Arm: row.Arm}] = h
		}
	}
	return hists, nil
}
