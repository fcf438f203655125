package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/shardlab/shardlab/scenarios"
	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/topologies"
)

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "serve traffic in one topology",
		Description: `Serves until SIGINT or SIGTERM, then answers what has arrived and exits 0. The first line on standard output is
the address served; a topology with direct shard ports prints their addresses on the second.

Examples:
  shardlab serve --topology multi-direct
  shardlab serve --topology shared --bind 127.0.0.1:0 --shards 64
  shardlab serve --topology thread-local --bind unix:/run/shardlab.sock
  shardlab serve --topology direct-shard --workers 2 --cpus 0-1 --direct-port 7000
  redis-cli -p 6380 set greeting hello`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "topology", Aliases: []string{"t"}, Required: true,
				Usage: "which topology; shardlab list shows them"},
			&cli.StringFlag{Name: "bind", Value: "127.0.0.1:6380", Usage: "public address, host:port or unix:PATH; port 0 lets the kernel choose"},
			&cli.IntFlag{Name: "shards", Usage: "number of shards, a power of two (default: 16; direct-shard: one for each worker)"},
			&cli.IntFlag{Name: "workers", Usage: "threads that execute requests (default: one for each processor the topology can use)"},
			&cli.StringFlag{Name: "transport", Usage: "epoll or netpoll (default: the topology's own)"},
			&cli.StringFlag{Name: "cpus", Usage: "processors to use, as in 0-3,8; several workers are pinned to them (default: all)"},
			&cli.IntFlag{Name: "max-connections", Value: server.DefaultMaxConns, Usage: "most connections at once"},
			&cli.IntFlag{Name: "direct-port", Usage: "direct-shard: port of shard 0 (default: public port + 1)"},
			&cli.IntFlag{Name: "null-value", Usage: "null: length of the value answered, in bytes (default: 64)"},
			&cli.StringFlag{Name: "log-level", Value: "info", Usage: "debug, info, warn or error"},
			&cli.StringFlag{Name: "log-format", Value: "text", Usage: "text or json, on standard error"},
			&cli.DurationFlag{Name: "drain", Value: 5 * time.Second, Usage: "how long connections may take to finish at the end"},
		},
		Action: serve,
	}
}

func serve(ctx context.Context, c *cli.Command) error {
	if err := wantArgs(c, 0, 0); err != nil {
		return err
	}
	cfg := topologies.Config{
		Topology: c.String("topology"), Bind: c.String("bind"), Shards: c.Int("shards"), Workers: c.Int("workers"),
		Transport: c.String("transport"), MaxConns: c.Int("max-connections"), DirectPort: c.Int("direct-port"),
		NullValue: c.Int("null-value"), Version: toolVersion, Dedicated: true,
	}
	for _, flag := range []string{"shards", "workers", "max-connections", "direct-port", "null-value"} {
		if c.IsSet(flag) && c.Int(flag) < 1 {
			return fmt.Errorf("--%s %d: must be at least 1", flag, c.Int(flag))
		}
	}
	errw := c.Root().ErrWriter
	var err error
	if cfg.Log, err = newLogger(errw, c.String("log-format"), c.String("log-level")); err != nil {
		return err
	}
	if list := c.String("cpus"); list != "" {
		if cfg.CPUs, err = scenarios.ParseCPUs(list); err != nil {
			return fmt.Errorf("--cpus %s: %w", list, err)
		}
		if err := server.Confine(cfg.CPUs); err != nil {
			return err
		}
	}
	in, err := topologies.Open(cfg)
	if err != nil {
		return err
	}
	setProcs(in.Settings)
	out := c.Root().Writer
	fmt.Fprintln(out, in.Addr())
	if direct := in.DirectAddrs(); len(direct) > 0 {
		fmt.Fprint(out, "direct")
		for _, a := range direct {
			fmt.Fprint(out, " ", a)
		}
		fmt.Fprintln(out)
	}
	for _, p := range in.Settings.Pairs() {
		fmt.Fprintf(errw, "%s=%s ", p[0], p[1])
	}
	fmt.Fprintln(errw)
	<-ctx.Done()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Duration("drain"))
	defer cancel()
	if err := in.Shutdown(drain); err != nil {
		cfg.Log.Warn("connections were cut", "after", c.Duration("drain"), "error", err)
	}
	return nil
}

// newLogger makes the server's log.
func newLogger(w io.Writer, format, level string) (*slog.Logger, error) {
	var opts slog.HandlerOptions
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level %s: not a level; have debug, info, warn, error", level)
	}
	opts.Level = l
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, &opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, &opts)), nil
	}
	return nil, fmt.Errorf("--log-format %s: unknown format; have text, json", format)
}

// setProcs gives the Go runtime as many running threads as the topology has workers. Event loops get one more, for the
// garbage collector and the acceptor: a loop that owned the only one would lose it in every wait.
func setProcs(s topologies.Settings) {
	n := s.Workers
	if s.Transport == server.Epoll {
		n++
	}
	runtime.GOMAXPROCS(n)
}
