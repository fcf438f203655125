package topologies

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/store"
)

// Options lists everything about a Config that can be set by name, in the order in which lists show it. A row here is all that it
// takes: flags, configuration files, the environment and what is printed of them follow.
func Options() []Option {
	return []Option{
		WordOption("topology", "which topology; shardlab list shows them", Names(),
			func(c *Config) *string { return &c.Topology }),
		textOption("bind", "public address, host:port or unix:PATH; port 0 lets the kernel choose",
			func(c *Config) *string { return &c.Bind }),
		unixSocketOption,
		countOption("shards", "number of shards, a power of two",
			func(c *Config) *int { return &c.Shards }).preset().
			shown(func(s *Settings) string { return strconv.Itoa(s.Shards) }),
		countOption("workers", "threads that execute requests, at most one for each processor by preset",
			func(c *Config) *int { return &c.Workers }).preset().
			shown(func(s *Settings) string { return strconv.Itoa(s.Workers) }),
		WordOption("transport", "how bytes are read and written", transportNames,
			func(c *Config) *string { return &c.Transport }).preset().
			shown(func(s *Settings) string { return s.Transport }),
		WordOption("pin", "event loops, and engine's owners, to processors; auto: several loops, when cpus are given", pinNames,
			func(c *Config) *string { return &c.Pin }).
			shown(func(s *Settings) string { return onOff(s.Pinned) }),
		WordOption("boundary", "what one lock, or one owner, guards", boundaryNames,
			func(c *Config) *string { return &c.Boundary }).preset().
			shown(func(s *Settings) string { return s.Boundary }),
		WordOption("lock", "of a shard under a lock", lockNames, func(c *Config) *string { return &c.Lock }).
			shown(func(s *Settings) string { return s.Lock }),
		WordOption("lock-scope", "how much of a batch is done under one hold of locks", lockScopeNames,
			func(c *Config) *string { return &c.LockScope }).
			shown(func(s *Settings) string { return s.LockScope }),
		WordOption("route", "which bytes of a key choose its shard", routeNames,
			func(c *Config) *string { return &c.Route }).
			shown(func(s *Settings) string { return s.Route }),
		WordOption("cross-shard", "what to do with commands whose keys have several owners", crossNames,
			func(c *Config) *string { return &c.CrossShard }).
			shown(func(s *Settings) string { return s.CrossShard }),
		WordOption("transactions", "which EXECs there are", txModeNames,
			func(c *Config) *string { return &c.Transactions }).
			shown(func(s *Settings) string { return s.Transactions }),
		sizeOption("max-memory", "how much all entries together may take; 0: as much as there is", math.MaxInt64,
			func(c *Config) *int64 { return &c.MaxMemory }),
		WordOption("max-memory-policy", "what gives way when max-memory is reached", store.PolicyNames(),
			func(c *Config) *string { return &c.MaxMemoryPolicy }),
		textOption("requirepass", "password that clients must log in with",
			func(c *Config) *string { return &c.Password }).secret(),
		DurationOption("idle-timeout", "close connections that are silent for so long; 0: never",
			func(c *Config) *time.Duration { return &c.IdleTimeout }),
		countOption("max-connections", "most connections at once", func(c *Config) *int { return &c.MaxConns }),
		DurationOption("write-timeout", "how long max-output may wait for a client that takes nothing",
			func(c *Config) *time.Duration { return &c.WriteTimeout }),
		sizeOption("max-output", "replies that may wait for a client for longer, the kernel's queue included", math.MaxInt,
			func(c *Config) *int { return &c.MaxOutput }),
		sizeOption("max-bulk", "longest argument of a request, up to 512MiB", store.MaxValueLen,
			func(c *Config) *int { return &c.Limits.MaxBulk }),
		textOption("http", "address that serves keys over HTTP, host:port (default: none)",
			func(c *Config) *string { return &c.HTTP }),
		textOption("admin", "address of the pages /metrics, /healthz, /readyz and /debug/pprof, host:port (default: none)",
			func(c *Config) *string { return &c.Admin }),
		switchOption("admin-public", "allow an admin address that other machines can reach",
			func(c *Config) *bool { return &c.AdminPublic }),
		countOption("direct-port", "direct-shard: port of shard 0 (default: the public port + 1)",
			func(c *Config) *int { return &c.DirectPort }),
		countOption("null-value", "null: length of the value answered, in bytes (default: 64)",
			func(c *Config) *int { return &c.NullValue }),
	}
}

func onOff(on bool) string {
	if on {
		return PinOn
	}
	return PinOff
}

var unixSocketOption = Option{Name: "unix-socket", Kind: kindText, About: "path of a unix socket to serve at, in place of bind",
	Set: func(c *Config, path string) error {
		if c.Bind != "" {
			return fmt.Errorf("%s: there is one public address, and bind is %s; leave one out", path, c.Bind)
		}
		c.Bind = unixPrefix + path
		return nil
	},
	Show: func(c *Config, _ *Settings) string {
		path, _ := strings.CutPrefix(c.Bind, unixPrefix)
		if path == c.Bind {
			return ""
		}
		return path
	},
}

// WithDefaults returns c with its zero fields replaced by their defaults, as far as those are the same for every topology.
func (c Config) WithDefaults() Config {
	c.Bind = orDefault(c.Bind, "127.0.0.1:6380")
	c.MaxMemoryPolicy = orDefault(c.MaxMemoryPolicy, store.NoEviction.String())
	c.MaxConns = orDefault(c.MaxConns, server.DefaultMaxConns)
	c.WriteTimeout = orDefault(c.WriteTimeout, server.DefaultWriteTimeout)
	c.MaxOutput = orDefault(c.MaxOutput, server.DefaultMaxOutput)
	c.Limits = c.Limits.WithDefaults()
	return c
}
