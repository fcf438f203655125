package topologies

import (
	"fmt"
	"log/slog"
	"math/bits"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/server/wire"
	"github.com/shardlab/shardlab/store"
)

// Defaults that every topology shares.
const (
	DefaultShards = 16
	MaxShards     = 1 << 14
	MaxWorkers    = 1 << 10
)

// Config says which topology to open and how. The zero value of a field means its default.
type Config struct {
	Topology string
	// Bind is the public address: host:port, where port 0 lets the kernel choose, or unix: and the path of a unix socket. Default
	// 127.0.0.1:6380.
	Bind   string
	Shards int // a power of two; default DefaultShards, for direct-shard one for each worker
	// Workers is the number of threads that execute requests: event loops, or with netpoll the threads that the Go
	// runtime may use. The default is one for each of CPUs, but never more than the topology can use.
	Workers   int
	Transport string // netpoll or epoll; default the topology's first
	CPUs      []int  // processors to use; empty: all that the process may use, without pinning
	MaxConns  int    // default server.DefaultMaxConns
	// DirectPort is the first direct shard port; shard n listens on DirectPort+n. By default it is the public port + 1, and when the
	// kernel chose the public port it chooses these too.
	DirectPort int
	NullValue  int // length of the value that the null responder answers; default 64
	Limits     wire.Limits
	Version    string       // shown by INFO
	Log        *slog.Logger // nil: nothing is said
}

// Settings are the factors of an open topology, none left at "default".
type Settings struct {
	Topology  string
	Boundary  string
	Dispatch  string
	Transport string
	Shards    int
	Workers   int
	Pinned    bool
}

// Pairs lists s by name, for INFO and for results.
func (s Settings) Pairs() [][2]string {
	return [][2]string{
		{"topology", s.Topology}, {"boundary", s.Boundary}, {"dispatch", s.Dispatch}, {"transport", s.Transport},
		{"shards", strconv.Itoa(s.Shards)}, {"workers", strconv.Itoa(s.Workers)}, {"pinned", strconv.FormatBool(s.Pinned)},
	}
}

// resolve fills in the defaults of c and refuses what makes no sense. cpus is how many processors there are to use.
func resolve(t *Topology, c Config, cpus int) (Settings, error) {
	s := Settings{
		Topology: t.Name, Boundary: t.Boundary, Dispatch: t.Dispatch,
		Transport: c.Transport, Shards: c.Shards,
	}
	if s.Shards == 0 {
		s.Shards = DefaultShards
		if t.shardPerWorker {
			s.Shards = min(1<<bits.Len(uint(max(orDefault(c.Workers, cpus)-1, 0))), MaxShards)
		}
	}
	if s.Transport == "" {
		s.Transport = t.Transports[0]
	}
	if s.Transport != server.Netpoll && s.Transport != server.Epoll {
		return s, fmt.Errorf("unknown transport %q; have %s, %s", s.Transport, server.Epoll, server.Netpoll)
	}
	if !slices.Contains(t.Transports, s.Transport) {
		return s, fmt.Errorf("topology %s cannot use transport %s: %s; use %s",
			t.Name, s.Transport, t.without, strings.Join(t.Transports, " or "))
	}
	if s.Shards < 1 || s.Shards > MaxShards || bits.OnesCount(uint(s.Shards)) != 1 {
		return s, fmt.Errorf("shards: %d is not a power of two from 1 to %d", s.Shards, MaxShards)
	}
	if c.DirectPort != 0 && !t.DirectPorts {
		return s, fmt.Errorf("direct port %d: topology %s has no direct shard ports", c.DirectPort, t.Name)
	}
	if c.NullValue != 0 && !t.Responder {
		return s, fmt.Errorf("null value of %d bytes: topology %s has a store and answers from it", c.NullValue, t.Name)
	}
	if most := c.Limits.WithDefaults().MaxBulk; c.NullValue < 0 || c.NullValue > most {
		return s, fmt.Errorf("null value: %d is not a length from 1 to %d bytes", c.NullValue, most)
	}
	if c.Workers < 0 || c.Workers > MaxWorkers {
		return s, fmt.Errorf("workers: %d is not a number from 1 to %d", c.Workers, MaxWorkers)
	}
	var err error
	if s.Workers, err = t.workers(c.Workers, s.Shards, cpus); err != nil {
		return s, err
	}
	// One loop is left where an outer cpuset or taskset put the process; pinning it could only make that narrower.
	s.Pinned = s.Transport == server.Epoll && s.Workers > 1 && len(c.CPUs) > 0
	return s, nil
}

// Resolve is what Open would make of c, without opening anything.
func (c Config) Resolve() (Settings, error) {
	t, err := Lookup(c.Topology)
	if err != nil {
		return Settings{}, err
	}
	return resolve(t, c, c.processors())
}

// processors is how many there are to use.
func (c Config) processors() int {
	if len(c.CPUs) > 0 {
		return len(c.CPUs)
	}
	return runtime.NumCPU()
}

// Route returns the function that says which shard a key belongs to: what a client of direct shard ports needs.
func Route(shards int) func(key []byte) int {
	return func(key []byte) int { return store.ShardOf(store.Hash(key), shards) }
}
