// Command shardlab compares sharing topologies of in-memory key-value servers: it runs them, loads them, measures them
// and says which difference is one.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/urfave/cli/v3"
)

// Exit codes.
const (
	exitUsage        = 2   // usage, scenario or build error, or nothing to compare
	exitInconclusive = 3   // the measurement is inconclusive or invalid
	exitInterrupted  = 130 // Ctrl-C; what was measured is kept
)

// exitError ends the program with a code of its own.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func main() {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // else nohup says that the terminal may go
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	// The first signal asks; a second one meets the default handler and kills.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args, os.Stdout, os.Stderr))
}

// run is the whole program. It returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	app := &cli.Command{
		Name:  "shardlab",
		Usage: "find out which sharing topology fits your workload and machine",
		Description: "Start with:  shardlab run quickstart\n" +
			"Each verb explains itself:  shardlab run --help",
		Writer: stdout, ErrWriter: stderr,
		Commands: []*cli.Command{
			runCommand(), loadCommand(), kneeCommand(), serveCommand(), hostCommand(), listCommand(), plotCommand(), compareCommand(),
			reportCommand(), gateCommand(), trendCommand(), noiseCommand(), exportCommand(), schemaCommand(), versionCommand(),
		},
		Action: func(_ context.Context, c *cli.Command) error {
			if c.Args().Present() {
				return unknownVerb(c)
			}
			return cli.ShowRootCommandHelp(c)
		},
		ExitErrHandler: func(context.Context, *cli.Command, error) {}, // reported below, once
	}
	silenceUsage(app)
	err := app.Run(ctx, args)
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "shardlab:", err)
	var exit *exitError
	if errors.As(err, &exit) {
		return exit.code
	}
	return exitUsage
}

// silenceUsage makes usage errors one line each, without the help text in front.
func silenceUsage(c *cli.Command) {
	c.OnUsageError = func(_ context.Context, c *cli.Command, err error, _ bool) error {
		return fmt.Errorf("%w; see %s --help", err, c.FullName())
	}
	for _, sub := range c.Commands {
		silenceUsage(sub)
	}
}

func unknownVerb(c *cli.Command) error {
	var have string
	for _, sub := range c.Commands {
		if sub.Name != "help" && !sub.Hidden {
			have += ", " + sub.Name
		}
	}
	return fmt.Errorf("unknown verb %q; have %s", c.Args().First(), have[2:])
}

// wantArgs checks the number of positional arguments; most < 0 means any number.
func wantArgs(c *cli.Command, least, most int) error {
	n := c.Args().Len()
	switch {
	case n < least:
		return fmt.Errorf("missing argument; usage: shardlab %s", strings.TrimSpace(c.Name+" "+c.ArgsUsage))
	case most >= 0 && n > most:
		return fmt.Errorf("unexpected argument %q; usage: shardlab %s", c.Args().Get(most), strings.TrimSpace(c.Name+" "+c.ArgsUsage))
	}
	return nil
}
