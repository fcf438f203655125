package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/shardlab/shardlab/scenarios"
	"github.com/shardlab/shardlab/scenarios/runner"
	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/topologies"
)

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "serve traffic in one topology",
		Description: `Serves until SIGINT, SIGTERM or SIGHUP, then answers what has arrived and exits 0. The first line on standard output is
the address served; a topology with direct shard ports prints their addresses on the second. With --http and --admin a line
each follows, "http ADDRESS" and "admin ADDRESS".

Every option can also be set in a configuration file (lock_scope: op) or in the environment (SHARDLAB_LOCK_SCOPE=op); SHARDLAB_CONFIG
names the file. A flag goes before the file, and the file before the environment.

Examples:
  shardlab serve --topology multi-direct
  shardlab serve --topology shared --bind 127.0.0.1:0 --shards 64
  shardlab serve --topology thread-local --bind unix:/run/shardlab.sock
  shardlab serve --topology direct-shard --workers 2 --cpus 0-1 --direct-port 7000
  shardlab serve --config cache.yaml --print-config
  redis-cli -p 6380 set greeting hello`,
		Flags: append(optionFlags(new(serveOptions).all()),
			&cli.StringFlag{Name: configOption, Usage: "YAML file of options, as in lock_scope: op"},
			&cli.BoolFlag{Name: "print-config", HideDefault: true,
				Usage: "show every option, its value and where it comes from, and end"},
			// For the gate's own test: not an option that anybody should find.
			&cli.StringFlag{Name: "inject", Hidden: true}),
		Action: serve,
	}
}

// hostCommand serves as serve does, and runs clients of its own as the run that has started it says.
func hostCommand() *cli.Command {
	c := serveCommand()
	c.Name, c.Usage, c.Description, c.Hidden = "host", "serve, with clients in this process; run starts it", "", true
	c.Action = func(ctx context.Context, c *cli.Command) error {
		conn, err := runner.HostConn()
		if err != nil {
			return err
		}
		defer conn.Close()
		return serveBeside(ctx, c, func(ctx context.Context, in *topologies.Instance) error { return runner.Host(ctx, in, conn) })
	}
	return c
}

// serveOptions are the options of the process, beside those of the topology.
type serveOptions struct {
	drain               time.Duration
	logLevel, logFormat string
}

func (v *serveOptions) all() []topologies.Option {
	v.drain, v.logLevel, v.logFormat = 5*time.Second, "info", "text"
	word := func(name, about string, to *string, words ...string) topologies.Option {
		return topologies.WordOption(name, about, words, func(*topologies.Config) *string { return to })
	}
	return append(topologies.Options(),
		topologies.Option{Name: "cpus", Kind: "list", About: "processors to use, as in 0-3,8 (default: all)",
			Set: func(c *topologies.Config, text string) (err error) {
				c.CPUs, err = scenarios.ParseCPUs(text)
				return err
			},
			Show: func(c *topologies.Config, _ *topologies.Settings) string {
				if len(c.CPUs) == 0 {
					return ""
				}
				return scenarios.FormatCPUs(c.CPUs)
			}},
		topologies.DurationOption("drain", "how long connections may take to finish at the end",
			func(*topologies.Config) *time.Duration { return &v.drain }),
		word("log-level", "what is logged", &v.logLevel, "debug", "info", "warn", "error"),
		word("log-format", "on standard error", &v.logFormat, "text", "json"))
}

func serve(ctx context.Context, c *cli.Command) error { return serveBeside(ctx, c, nil) }

// serveBeside serves while beside runs; where it ends, or the server is asked to, both end.
func serveBeside(ctx context.Context, c *cli.Command, beside func(context.Context, *topologies.Instance) error) error {
	if err := wantArgs(c, 0, 0); err != nil {
		return err
	}
	var own serveOptions
	options := own.all()
	set, err := gather(c, options, os.Environ())
	if err != nil {
		return err
	}
	cfg, err := apply(set, options)
	if err != nil {
		return err
	}
	if c.Bool("print-config") {
		return printConfig(c.Root().Writer, cfg, options, set)
	}
	cfg.Version, cfg.Dedicated = toolVersion, true
	errw := c.Root().ErrWriter
	cfg.Log = newLogger(errw, own.logFormat, own.logLevel)
	if text := c.String("inject"); text != "" {
		if cfg.Inject, err = topologies.ParseInjection(text); err != nil {
			return err
		}
		cfg.Log.Warn("this server is made worse on purpose", "inject", text)
	}
	if len(cfg.CPUs) > 0 {
		if err := server.Confine(cfg.CPUs); err != nil {
			return err
		}
	}
	in, err := topologies.Open(cfg)
	if err != nil {
		return err
	}
	tuneRuntime(in.Settings)
	out := c.Root().Writer
	fmt.Fprintln(out, in.Addr())
	if direct := in.DirectAddrs(); len(direct) > 0 {
		fmt.Fprint(out, "direct")
		for _, a := range direct {
			fmt.Fprint(out, " ", a)
		}
		fmt.Fprintln(out)
	}
	if addr := in.HTTPAddr(); addr != nil {
		fmt.Fprintln(out, "http", addr)
	}
	if addr := in.AdminAddr(); addr != nil {
		fmt.Fprintln(out, "admin", addr)
	}
	for _, p := range in.Settings.Pairs() {
		fmt.Fprintf(errw, "%s=%s ", p[0], p[1])
	}
	fmt.Fprintln(errw)
	var running sync.WaitGroup
	defer running.Wait()
	ctx, end := context.WithCancel(ctx)
	defer end()
	if beside != nil {
		running.Go(func() {
			defer end()
			if err := beside(ctx, in); err != nil {
				cfg.Log.Error("clients in this process", "error", err)
			}
		})
	}
	select {
	case <-ctx.Done(): // main lets a second signal kill
	case <-in.ShutdownAsked():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), own.drain)
	defer cancel()
	if err := in.Shutdown(drain); err != nil {
		cfg.Log.Warn("connections were cut", "after", own.drain, "error", err)
	}
	return nil
}

// newLogger makes the server's log. The words are known to be good.
func newLogger(w io.Writer, format, level string) *slog.Logger {
	var opts slog.HandlerOptions
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		panic("bug: " + err.Error())
	}
	opts.Level = l
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, &opts))
	}
	return slog.New(slog.NewTextHandler(w, &opts))
}

// tuneRuntime gives the Go runtime the threads that the topology needs, and lets the heap grow by a quarter, not by as
// much again, between two collections: with data that holds no pointers a collection costs a fraction of a millisecond,
// and what it finds counts as resident until then (1,000,000 entries of 16 + 64 bytes with a deadline: 99.4 bytes each
// resident, 100.9 at 100 %). GOGC in the environment wins.
func tuneRuntime(s topologies.Settings) {
	runtime.GOMAXPROCS(s.Threads())
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(25)
	}
}
