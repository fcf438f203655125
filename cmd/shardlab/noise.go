package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/shardlab/shardlab/scenarios/gating"
)

func noiseCommand() *cli.Command {
	return &cli.Command{
		Name:  "noise",
		Usage: "how well can this host measure? ten seconds: steal, jitter, what a gate could find, what to change",
		Description: `Watches the processors, then runs a server against itself in fresh processes and short slices, as a gate would. "A gate finds" is the
smallest change for the worse that a gate of three metrics finds with a probability of 95 %, and it is a rough figure: three blocks
say little of how blocks differ.

Examples:
  shardlab noise
  shardlab noise --json`,
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print JSON"}},
		Action: func(ctx context.Context, c *cli.Command) error {
			if err := wantArgs(c, 0, 0); err != nil {
				return err
			}
			n, err := gating.MeasureNoise(ctx, scenarioNames(), func(text string) { fmt.Fprintln(c.Root().ErrWriter, text) })
			switch {
			case errors.Is(err, context.Canceled):
				return &exitError{exitInterrupted, errors.New("interrupted")}
			case err != nil:
				return &exitError{exitInconclusive, err}
			case c.Bool("json"):
				enc := json.NewEncoder(c.Root().Writer)
				enc.SetIndent("", "  ")
				return enc.Encode(n)
			}
			return n.Text(c.Root().Writer)
		},
	}
}
