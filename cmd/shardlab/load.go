package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/scenarios"
	"github.com/shardlab/shardlab/scenarios/runner"
)

func loadCommand() *cli.Command {
	return &cli.Command{
		Name:  "load",
		Usage: "put load on a server that is already running",
		Description: `Sets every key and reads it back, then sends operations for --duration and shows each second what comes back. With --rate
they are due at random times that no late reply shifts, and response time runs from when each was due; with --closed a connection
sends when a reply has come. Percentiles have 95 % intervals of order statistics, which take requests for independent.

Ends with 3 where the verdict is invalid (the figures are not of the work that was asked for), client-bound (this program was
the limit) or saturated (the server did not do the rate), with what to change. Ctrl-C ends the window early, shows
what was measured until then, and ends with 130. On one machine with the server, keep the two apart: --cpus, and taskset for the server.

Examples:
  shardlab load --target 127.0.0.1:6379 --rate 50k --connections 100 --duration 30s
  shardlab load --target 127.0.0.1:6379 --closed --pipeline 16 --mix get=90,set=10 --keys 1M --zipf 0.99
  shardlab load --target unix:/run/shardlab.sock --rate 20k --protocol scnp --threads 2
  shardlab load --target 127.0.0.1:11211 --protocol memcached --rate 20k
  shardlab load --target 127.0.0.1:8080 --protocol http --path "/v1/keys/{key}" --rate 5k
  shardlab load --target 127.0.0.1:6379 --trace cluster.csv --set load.arrival_speed=2
  shardlab load --target 127.0.0.1:6379 --rate 10k --json | jq .achieved_per_s
  shardlab load --target 127.0.0.1:6379 --rate 10k --out results && shardlab export latest --csv`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "target", Usage: "the server: HOST:PORT or unix:PATH"},
			&cli.StringFlag{Name: "rate", Usage: "open loop: operations per second of all connections together, as in 50k"},
			&cli.StringFlag{Name: "arrival", Usage: "open loop: poisson, uniform or bursts (default: poisson; --set load.burst_on=50ms, burst_off, burst_share)"},
			&cli.StringFlag{Name: "arrival-file", Usage: "open loop: send at the times in this file, instead of --rate (--set load.arrival_speed=2, arrival_column, arrival_unit)"},
			&cli.StringFlag{Name: "spin", Usage: "open loop: poll instead of sleeping so long before each send, as in 100us; 1s: always. It takes a processor a thread"},
			&cli.BoolFlag{Name: "closed", Usage: "closed loop: each connection keeps --pipeline requests in flight"},
			&cli.StringFlag{Name: "pipeline", Usage: "closed loop: requests in flight on a connection (default: 1)"},
			&cli.StringFlag{Name: "connections", Usage: "of all threads together (default: 50)"},
			&cli.StringFlag{Name: "duration", Value: "10s", Usage: "of what is measured"},
			&cli.StringFlag{Name: "warmup", Value: "auto", Usage: "load before it: a time, or auto: until rate and median response time have come to a plateau, for at most 10s (--set run.warmup_max=…)"},
			&cli.StringFlag{Name: "preset", Usage: "a published workload, as in ycsb-f (shardlab list schema has them); what other flags say wins"},
			&cli.StringFlag{Name: "mix", Usage: "weights of operations (default: get=90,set=10)"},
			&cli.StringFlag{Name: "trace", Usage: "send the operations in this file (shardlab schema says which forms), at its own times unless --rate or --closed is given (--set load.arrival_speed=2)"},
			&cli.StringFlag{Name: "keys", Usage: "in the key space (default: 100k)"},
			&cli.StringFlag{Name: "zipf", Usage: "skew of keys, as in 0.99 (default: every key equally often)"},
			&cli.StringFlag{Name: "values", Usage: "bytes of a value, as in 64, 4KiB, 64..1024 or \"lognormal(200, 1)\" (default: 64)"},
			&cli.StringFlag{Name: "timeout", Usage: "count a request without a reply for so long as timed out, as in 100ms (default: none)"},
			&cli.StringFlag{Name: "protocol", Usage: "of the server: resp, scnp, memcached or http (default: resp)"},
			&cli.StringFlag{Name: "path", Usage: "with http: where a key is (default: /v1/keys/{key})"},
			&cli.StringSliceFlag{Name: "set", Usage: "any other key of a scenario's workload or load, as in workload.key_size=32; may be repeated"},
			&cli.StringFlag{Name: "seed", Usage: "of the operations and their times (default: 1)"},
			&cli.IntFlag{Name: "threads", Value: 1, Usage: "that the load comes from"},
			&cli.StringFlag{Name: "cpus", Usage: "processors to pin them to, one thread each, as in 2-3"},
			&cli.BoolFlag{Name: "no-preload", Usage: "do not set the keys first; misses are then to be expected"},
			&cli.StringFlag{Name: "out", Usage: "folder for a run directory, which compare, plot and export read"},
			&cli.StringFlag{Name: "name", Value: "target", Usage: "what the server is called in it; compare pairs equal names"},
			&cli.StringFlag{Name: "prometheus", Usage: "serve /metrics there while the load is on, as in 127.0.0.1:9100"},
			&cli.BoolFlag{Name: "json", Usage: "print an object a second and one at the end (shardlab schema load)"},
		},
		DisableSliceFlagSeparator: true,
		Action:                    loadServer,
	}
}

func loadServer(ctx context.Context, c *cli.Command) error {
	opts, err := loadOptions(c)
	if err != nil {
		return err
	}
	view := newLoadView(c, opts)
	opts.Observer = view
	if addr := c.String("prometheus"); addr != "" {
		if view.metrics, err = serveLoadMetrics(addr); err != nil {
			return err
		}
		defer view.metrics.close()
		fmt.Fprintf(c.Root().ErrWriter, "prometheus http://%s/metrics\n", view.metrics.addr)
	}
	res, err := runner.Load(ctx, opts)
	view.clear()
	switch {
	case res == nil && ctx.Err() != nil:
		return &exitError{exitInterrupted, errors.New("interrupted before anything was measured")}
	case res == nil:
		return err // nothing was asked of the server yet: its address or the options are wrong
	case err != nil:
		return &exitError{exitInconclusive, kept(err, res.Dir)}
	case res.Slice.Dur == 0:
		return &exitError{exitInterrupted, errors.New("interrupted before anything was measured")}
	}
	return concludeLoad(c, res)
}

// kept adds to an error where the seconds before it are.
func kept(err error, dir string) error {
	if dir == "" {
		return err
	}
	return fmt.Errorf("%w; what was measured is kept in %s", err, dir)
}

// concludeLoad prints the table and says how the load ended.
func concludeLoad(c *cli.Command, res *runner.LoadResult) error {
	report, err := analysis.NewLoadReport(analysis.Load{
		Manifest: res.Manifest, Slice: res.Slice, Trial: res.Trial, Response: res.Response, Service: res.Service,
		Responses: res.Responses.Whole(), Services: res.Services.Whole(), Pace: res.Pace,
	})
	if err != nil {
		return err
	}
	report.Dir = res.Dir
	out := c.Root().Writer
	if c.Bool("json") {
		err = report.JSON(out)
	} else {
		tty, width := terminal(out)
		err = report.Text(out, analysis.Style{Width: width, Color: tty && os.Getenv("NO_COLOR") == ""})
		if res.Dir != "" {
			fmt.Fprintln(out, res.Dir)
		}
	}
	if err != nil {
		return err
	}
	if res.Interrupted {
		return &exitError{exitInterrupted, kept(errors.New("interrupted; the figures are of what was measured until then"), res.Dir)}
	}
	switch v := report.Judgement; v.Verdict {
	case analysis.Invalid, analysis.ClientBound, analysis.Saturated:
		return &exitError{exitInconclusive, fmt.Errorf("%s: %s (%s)", v.Verdict, v.Reason, v.Detail)}
	}
	return nil
}

func loadOptions(c *cli.Command) (runner.LoadOptions, error) {
	o := runner.LoadOptions{
		Addr: c.String("target"), Threads: c.Int("threads"), NoPreload: c.Bool("no-preload"), Results: c.String("out"),
		Argv: append([]string{"shardlab"}, os.Args[1:]...),
	}
	if err := wantArgs(c, 0, 0); err != nil {
		return o, err
	}
	if err := checkAddr(o.Addr); err != nil {
		return o, err
	}
	rate, file, trace := c.IsSet("rate"), c.IsSet("arrival-file"), c.IsSet("trace")
	switch closed := c.Bool("closed"); {
	case (rate || file) && closed:
		return o, errors.New("--rate and --arrival-file are for an open loop and --closed is the other kind; give one of them")
	case rate && file:
		return o, errors.New("--arrival-file has the rate in it; leave --rate out")
	case !rate && !file && !trace && !closed:
		return o, errors.New("how is load offered? give --rate, as in --rate 50k, or --closed")
	}
	if o.Threads < 1 {
		return o, fmt.Errorf("--threads: %d is less than 1", o.Threads)
	}
	var err error
	if list := c.String("cpus"); list != "" {
		if o.CPUs, err = scenarios.ParseCPUs(list); err != nil {
			return o, fmt.Errorf("--cpus: %w", err)
		}
	}
	o.Scenario, err = scenarios.Adhoc(c.String("name"), loadSettings(c), c.StringSlice("set"))
	return o, err
}

func checkAddr(addr string) error {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok && path != "" {
		return nil
	}
	if addr == "" {
		return errors.New("no target; give --target HOST:PORT or --target unix:PATH")
	}
	if _, port, err := net.SplitHostPort(addr); err != nil || port == "" {
		return fmt.Errorf("--target %s: want HOST:PORT or unix:PATH", addr)
	}
	return nil
}

// loadSettings are the flags as keys of a scenario, which knows what they may be.
func loadSettings(c *cli.Command) []scenarios.Setting {
	mode := "closed"
	if !c.Bool("closed") {
		mode = "open"
	}
	set := []scenarios.Setting{{Flag: "--" + mode, Section: "load", Key: "mode", Text: mode}}
	add := func(flag, section, key, text string) {
		if text != "" {
			set = append(set, scenarios.Setting{Flag: "--" + flag, Section: section, Key: key, Text: text})
		}
	}
	for _, x := range [][3]string{
		{"rate", "load", "rate"}, {"arrival", "load", "arrival"}, {"arrival-file", "load", "arrival_file"}, {"spin", "load", "spin"}, {"timeout", "load", "timeout"}, {"pipeline", "load", "pipeline"}, {"connections", "load", "connections"},
		{"protocol", "load", "protocol"}, {"path", "load", "path"}, {"trace", "workload", "trace"}, {"preset", "workload", "preset"}, {"keys", "workload", "keys"}, {"values", "workload", "value_size"},
		{"seed", "", "seed"}, {"duration", "run", "long_slice"}, {"warmup", "run", "warmup"},
	} {
		add(x[0], x[1], x[2], c.String(x[0]))
	}
	if c.IsSet("arrival-file") && !c.IsSet("arrival") {
		add("arrival-file", "load", "arrival", scenarios.Timestamps)
	}
	if c.IsSet("trace") && mode == "open" && !c.IsSet("rate") && !c.IsSet("arrival-file") && !c.IsSet("arrival") {
		add("trace", "load", "arrival", scenarios.Traced)
	}
	if mix := c.String("mix"); mix != "" {
		add("mix", "workload", "mix", "{"+strings.ReplaceAll(mix, "=", ": ")+"}")
	}
	if zipf := c.String("zipf"); zipf != "" {
		add("zipf", "workload", "distribution", scenarios.Zipfian)
		add("zipf", "workload", "zipf", zipf)
	}
	return set
}
