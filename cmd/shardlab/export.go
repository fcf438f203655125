package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios/gating"
)

func exportCommand() *cli.Command {
	return &cli.Command{
		Name:      "export",
		Usage:     "write a run's measurements in another format to standard output",
		ArgsUsage: "RUN",
		Description: `--hgrm writes one arm's percentiles as HdrHistogram's plotters read them. Its interval logs need no export: they are the files
*.hlog in the run directory's folder latency, with one histogram a second where load has made them, one a block where run has.

Examples:
  shardlab export latest --csv > slices.csv
  shardlab export latest --csv --blocks > blocks.csv
  shardlab export latest --csv --estimates > estimates.csv   # what compare prints
  shardlab export latest --csv --seconds > seconds.csv       # of a load
  shardlab export latest --bench > new.txt && benchstat old.txt new.txt
  shardlab export latest --hgrm --arm shared > shared.hgrm
  shardlab export latest --json | jq '.slices[] | select(.valid | not) | .why'
  shardlab export latest --junit > junit.xml                 # verdicts: a gate's primaries, or a run's rows
  shardlab export latest --github-action-benchmark --bigger > bigger.json`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "csv", Usage: "comma-separated values: a row for each slice"},
			&cli.BoolFlag{Name: "blocks", Usage: "with --csv: a row for each block, point and arm instead"},
			&cli.BoolFlag{Name: "estimates", Usage: "with --csv: a row for each point, arm and metric instead: interval, ratio to the reference, rank"},
			&cli.BoolFlag{Name: "seconds", Usage: "with --csv: a row for each second of a load instead"},
			&cli.BoolFlag{Name: "bench", Usage: "Go benchmark format, for benchstat: a line for each block, point and arm; of a gate what its verdict stands on"},
			&cli.BoolFlag{Name: "hgrm", Usage: "percentiles of response time in µs, of all blocks together"},
			&cli.BoolFlag{Name: "json", Usage: "everything that was recorded, as one document (shardlab schema export)"},
			&cli.BoolFlag{Name: "junit", Usage: "verdicts as JUnit's XML: of a gate's primaries, else of each point and arm"},
			&cli.BoolFlag{Name: "github-action-benchmark", Usage: "medians of what is better when smaller, as that action reads them"},
			&cli.BoolFlag{Name: "bigger", Usage: "with --github-action-benchmark: of what is better when bigger instead"},
			&cli.BoolFlag{Name: "bmf", Usage: "medians with intervals in Bencher's metric format"},
			&cli.StringFlag{Name: "arm", Usage: "with --hgrm: of this arm (default: the only one)"},
			&cli.StringFlag{Name: "point", Usage: "with --hgrm: at this point, as in pipeline=16 (default: the only one)"},
			&cli.StringFlag{Name: "op", Usage: "with --hgrm: of this operation, as in GET (default: all)"},
			&cli.BoolFlag{Name: "service", Usage: "with --hgrm: of service time"},
			resultsFlag(),
		},
		Action: export,
	}
}

func export(_ context.Context, c *cli.Command) error {
	if err := wantArgs(c, 1, 1); err != nil {
		return err
	}
	var formats []string
	for _, name := range exportFormats {
		if c.Bool(name) {
			formats = append(formats, name)
		}
	}
	if len(formats) != 1 {
		return fmt.Errorf("which format? give one of --%s", strings.Join(exportFormats, ", --"))
	}
	run, err := openRun(c, c.Args().First())
	if err != nil {
		return err
	}
	out := c.Root().Writer
	switch formats[0] {
	case "bench":
		if len(run.Manifest.Gate) > 0 {
			return gating.Bench(out, run)
		}
		return results.WriteBench(out, run)
	case "hgrm":
		return exportHGRM(c, run)
	case "json":
		return results.ExportJSON(out, run)
	case "csv":
		return exportCSV(c, run)
	}
	return exportForeign(c, run, formats[0])
}

var exportFormats = []string{"csv", "json", "bench", "hgrm", "junit", "github-action-benchmark", "bmf"}

func exportCSV(c *cli.Command, run *results.Run) error {
	switch out := c.Root().Writer; {
	case c.Bool("estimates"):
		r, err := reportOf(run, "")
		if err != nil {
			return err
		}
		return r.CSV(out)
	case c.Bool("blocks"):
		return results.ExportTrialsCSV(out, run)
	case c.Bool("seconds"):
		return results.ExportSecondsCSV(out, run)
	default:
		return results.ExportCSV(out, run)
	}
}

// exportForeign writes what is of estimates and verdicts, not of records.
func exportForeign(c *cli.Command, run *results.Run, format string) error {
	out := c.Root().Writer
	if format == "junit" && len(run.Manifest.Gate) > 0 { // also one that was interrupted, whose rows alone would look sound
		v, err := gating.Judge(run)
		if err != nil {
			return err
		}
		return v.JUnit(out)
	}
	r, err := reportOf(run, "")
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(r.Points, func(p analysis.PointReport) bool { return len(p.Rows) > 0 }) {
		return fmt.Errorf("%s: no block has come to its end; there is nothing to export as %s", run.Manifest.ID, format)
	}
	switch format {
	case "junit":
		return r.JUnit(out)
	case "bmf":
		return r.BMF(out)
	default:
		return r.ActionBenchmark(out, c.Bool("bigger"))
	}
}

func exportHGRM(c *cli.Command, run *results.Run) error {
	arm, point := c.String("arm"), c.String("point")
	var arms, points []string
	for _, a := range run.Manifest.Arms {
		arms = append(arms, a.Name)
	}
	for _, p := range run.Manifest.Points {
		points = append(points, p.Label)
	}
	if arm == "" && len(arms) > 1 {
		return fmt.Errorf("--hgrm is of one arm; give --arm, one of %s", strings.Join(arms, ", "))
	}
	if point == "" && len(points) > 1 {
		return fmt.Errorf("--hgrm is of one point; give --point, one of %s", strings.Join(points, ", "))
	}
	if arm == "" && len(arms) == 1 {
		arm = arms[0]
	}
	if point == "" && len(points) == 1 {
		point = points[0]
	}
	kind := results.Response
	if c.Bool("service") {
		kind = results.Service
	}
	h, err := run.Histogram(point, arm, c.String("op"), kind)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; arms are %s", err, strings.Join(arms, ", "))
	}
	if err != nil {
		return err
	}
	return results.WriteHGRM(c.Root().Writer, h)
}
