package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/urfave/cli/v3"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/analysis/gate"
	"github.com/shardlab/shardlab/analysis/plots"
	"github.com/shardlab/shardlab/results"
)

// usualKinds are the figures of a run that nobody has chosen for.
var usualKinds = []string{"throughput", "latency", "load", "scaling", "matrix"}

func plotCommand() *cli.Command {
	var kinds strings.Builder
	for _, k := range plots.Kinds() {
		fmt.Fprintf(&kinds, "  %-11s %s\n", k.Name, k.About)
	}
	return &cli.Command{
		Name:      "plot",
		Usage:     "draw a run's figures as PNG and SVG",
		ArgsUsage: "RUN|FILE",
		Description: `RUN is a run directory, a run's id or the beginning of one, or "latest". FILE is the record of shardlab gate --trend: its ratios to the anchor
are drawn beside it, or in --out. Without --kind the figures are throughput and server
CPU per operation, latency by percentile, and for open-loop sweeps latency against rate. Kinds of figures:
` + kinds.String() + `
Examples:
  shardlab plot latest
  shardlab plot latest --kind forest,strip --reference multi-direct
  shardlab plot latest --kind scaling --out figures
  shardlab plot results/trend.jsonl --kind trend`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "kind", Usage: "kinds of figures, separated by commas, or all (default: " + strings.Join(usualKinds, ", ") + ")"},
			&cli.StringFlag{Name: "reference", Usage: "the arm that the others are compared with (default: the first)"},
			&cli.StringFlag{Name: "out", Usage: "folder for the figures (default: report/ in the run directory)"},
			resultsFlag(),
		},
		Action: plot,
	}
}

func plot(_ context.Context, c *cli.Command) error {
	if err := wantArgs(c, 1, 1); err != nil {
		return err
	}
	if file := c.Args().First(); isFile(file) {
		return plotTrend(c, file)
	}
	run, err := openRun(c, c.Args().First())
	if err != nil {
		return err
	}
	report, err := reportOf(run, c.String("reference"))
	if err != nil {
		return err
	}
	kinds := usualKinds
	asked := c.IsSet("kind") && c.String("kind") != "all"
	switch {
	case asked:
		kinds = strings.Split(c.String("kind"), ",")
	case c.IsSet("kind"):
		kinds = nil
		for _, k := range plots.Kinds() {
			kinds = append(kinds, k.Name)
		}
	}
	return drawFigures(c, run, report, kinds, asked, c.String("out"))
}

// drawFigures draws figures and prints the paths. Kinds that the run cannot carry are an error if they were asked for, and
// else left out.
func drawFigures(c *cli.Command, run *results.Run, report *analysis.Report, kinds []string, asked bool, dir string) error {
	figures, err := figuresOf(figureData(run, report), kinds, asked)
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
	return writeFigures(c, dir, figures)
}

func writeFigures(c *cli.Command, dir string, figures []plots.Figure) error {
	paths, err := plots.Render(dir, figures...)
	for _, p := range paths {
		fmt.Fprintln(c.Root().Writer, p)
	}
	return err
}

func figuresOf(d plots.Data, kinds []string, asked bool) (all []plots.Figure, err error) {
	for _, name := range kinds {
		k, err := plots.FindKind(strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		figures, err := k.Draw(d)
		if unfit := plots.Unfit(""); errors.As(err, &unfit) && !asked {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("figure of kind %s: %w", k.Name, err)
		}
		all = append(all, figures...)
	}
	if len(all) == 0 {
		return nil, plots.ErrNoData
	}
	return all, nil
}

// figureData is what figures may read of a run.
func figureData(run *results.Run, report *analysis.Report) plots.Data {
	d := plots.Data{Report: report, Run: samples(run), Environment: run.Manifest.Before.Describe()}
	d.Histograms = func() (map[analysis.PointArm]*hdrhistogram.Histogram, error) { return histogramsOf(run, report) }
	d.Intervals = func(point, arm string) ([]results.Interval, error) {
		return run.Intervals(point, arm, results.Response)
	}
	d.Seconds, _ = run.Seconds() // most runs have none
	d.Verdict = verdictOf(run)
	d.Trend = func() []analysis.TrendPoint { return trendOf(run, report) }
	return d
}

// verdictOf is a gate's verdict on the run; nil where there is none.
func verdictOf(run *results.Run) *gate.Verdict {
	data, err := os.ReadFile(filepath.Join(run.Dir, "verdict.json"))
	if err != nil {
		return nil
	}
	var v gate.Verdict
	if json.Unmarshal(data, &v) != nil || v.Schema != gate.Schema {
		return nil
	}
	return &v
}

// trendOf is the trend of a run's scenario: all runs of that name in the same folder, this one's report among them. Runs
// that cannot be read are no part of it, nor are those without the reference.
func trendOf(run *results.Run, report *analysis.Report) []analysis.TrendPoint {
	root := filepath.Dir(run.Dir)
	ids, _ := results.List(root)
	var all []analysis.TrendPoint
	for _, id := range ids {
		r := report
		if id != report.Run.ID {
			if !strings.Contains(id, report.Run.Scenario) {
				continue
			}
			other, err := results.OpenIn(root, id)
			if err != nil || other.Manifest.Scenario.Name != report.Run.Scenario {
				continue
			}
			if r, err = reportOf(other, report.Reference); err != nil {
				continue
			}
		}
		all = append(all, analysis.TrendOf(r)...)
	}
	return all
}

// reportOf analyses a run; "" is its first arm as the reference.
func reportOf(run *results.Run, reference string) (*analysis.Report, error) {
	infos, err := run.BlockInfos()
	if err != nil {
		return nil, err
	}
	pace, err := paceOf(run)
	if err != nil {
		return nil, err
	}
	var knees []results.Knee
	if run.Manifest.Knee != nil {
		if knees, err = run.Knees(); err != nil {
			return nil, err
		}
	}
	return analysis.New(run.Manifest, run.Slices, run.Trials, analysis.Options{Reference: reference, Infos: infos, Pace: pace, Knees: knees})
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
