package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/urfave/cli/v3"

	"github.com/shardlab/shardlab/scenarios"
	"github.com/shardlab/shardlab/topologies"
)

func listCommand() *cli.Command {
	return &cli.Command{
		Name:      "list",
		Usage:     "list topologies, scenarios, distributions, or the keys of a scenario file",
		ArgsUsage: "[topologies|scenarios|distributions|schema]",
		Description: `Examples:
  shardlab list
  shardlab list topologies
  shardlab list schema        # every key of a scenario file, with its default`,
		Action: list,
	}
}

func list(_ context.Context, c *cli.Command) error {
	if err := wantArgs(c, 0, 1); err != nil {
		return err
	}
	w := c.Root().Writer
	what := c.Args().First()
	switch what {
	case "", "topologies", "scenarios", "distributions":
	case "schema":
		fmt.Fprint(w, scenarios.Schema())
		return nil
	default:
		return fmt.Errorf("unknown list %q; have topologies, scenarios, distributions, schema", what)
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	section := func(name string, rows func()) {
		if what == "" || what == name {
			fmt.Fprintln(tw, name+":")
			rows()
		}
	}
	section("topologies", func() {
		for _, t := range topologies.All() {
			fmt.Fprintf(tw, "  %s\t%s\n", t.Name, t.About)
		}
	})
	section("scenarios", func() {
		for _, s := range scenarios.Builtin() {
			fmt.Fprintf(tw, "  %s\t%s\n", s.Name, s.About)
		}
	})
	section("distributions", func() {
		for _, d := range scenarios.Distributions() {
			fmt.Fprintf(tw, "  %s\t%s\n", d.Name, d.About)
		}
	})
	return tw.Flush()
}
