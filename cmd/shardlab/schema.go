package main

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/analysis/gate"
	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios/gating"
)

// formats are the JSON that this program writes for others to read.
var formats = []struct {
	name, id, title string
	of              reflect.Type
}{
	{"manifest", results.Schema, "manifest.json of a run directory", reflect.TypeFor[results.Manifest]()},
	{"trials", results.Schema + "/trials", "a line of trials.jsonl: one visit of one arm", reflect.TypeFor[results.Slice]()},
	{"blocks", results.Schema + "/blocks", "a line of blocks.jsonl: one arm in one block", reflect.TypeFor[results.Trial]()},
	{"second", results.LoadSchema + "/second", "a line of seconds.jsonl and of shardlab load --json", reflect.TypeFor[results.Second]()},
	{"knee", results.Schema + "/knees", "a line of knees.jsonl: the search of one arm in one block", reflect.TypeFor[results.Knee]()},
	{"load", results.LoadSchema + "/summary", "the last line of shardlab load --json", reflect.TypeFor[analysis.LoadReport]()},
	{"export", results.ExportSchema, "what shardlab export --json prints", reflect.TypeFor[results.Export]()},
	{"comparison", analysis.Schema, "what shardlab run --json and compare RUN --json print", reflect.TypeFor[analysis.Report]()},
	{"runs", analysis.RunsSchema, "what shardlab compare RUN RUN --json prints", reflect.TypeFor[analysis.RunComparison]()},
	{"verdict", gate.Schema, "verdict.json of a gate's run, which shardlab gate --json prints", reflect.TypeFor[gate.Verdict]()},
	{"trend", gate.TrendSchema, "a line of the record of shardlab gate --trend", reflect.TypeFor[gate.TrendLine]()},
	{"trend-summary", gate.TrendSummarySchema, "what shardlab trend --json prints", reflect.TypeFor[gate.Trend]()},
	{"noise", gating.NoiseSchema, "what shardlab noise --json prints", reflect.TypeFor[gating.Noise]()},
	{"selftest", gating.SelftestSchema, "a line of the record of shardlab gate --selftest", reflect.TypeFor[gating.Record]()},
}

func schemaCommand() *cli.Command {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return &cli.Command{
		Name:      "schema",
		Usage:     "print the JSON Schema of what run, load, compare, gate and trend write",
		ArgsUsage: strings.Join(names, "|"),
		Description: `Examples:
  shardlab schema manifest > manifest.schema.json
  shardlab schema second      # a line a second of shardlab load --json
  shardlab list schema        # the keys of a scenario file, which is something else`,
		Action: func(_ context.Context, c *cli.Command) error {
			if err := wantArgs(c, 1, 1); err != nil {
				return err
			}
			for _, f := range formats {
				if f.name == c.Args().First() {
					return results.WriteJSONSchema(c.Root().Writer, f.id, f.title, f.of)
				}
			}
			return fmt.Errorf("unknown format %q; have %s", c.Args().First(), strings.Join(names, ", "))
		},
	}
}
