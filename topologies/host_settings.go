package topologies

import (
	"crypto/rand"
	"encoding/hex"
	"math"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/server/command"
	"github.com/shardlab/shardlab/store"
)

// settings are what a client may change while the server runs, and whose home is nowhere else.
type settings struct {
	runID    string
	password atomic.Pointer[string]
	maxValue atomic.Int64
}

func (s *settings) init(cfg *Config) {
	var id [20]byte
	rand.Read(id[:])
	s.runID = hex.EncodeToString(id[:])
	s.password.Store(&cfg.Password)
	s.maxValue.Store(int64(cfg.Limits.MaxBulk))
}

// Password implements command.Host.
func (h *host) Password() string { return *h.settings.password.Load() }

// MaxValue implements command.Host.
func (h *host) MaxValue() int { return int(h.settings.maxValue.Load()) }

// Params implements command.Host.
func (h *host) Params() []command.Param {
	bind, socket, public := "", "", 0
	srv := h.srv.Load()
	if srv == nil {
		return nil
	}
	addr := srv.Addrs()[0]
	if public = port(addr); public != 0 {
		bind, _, _ = net.SplitHostPort(addr.String())
	} else {
		socket = addr.String()
	}
	return append(append(h.changeable(srv), h.options()...),
		command.LackingParam("appendonly", "no"),
		command.FixedParam("bind", bind),
		command.FixedParam("cluster-enabled", "no"),
		command.FixedParam("databases", "1"),
		command.LackingParam("latency-monitor-threshold", "0"),
		command.LackingParam("latency-tracking", "no"),
		command.FixedParam("port", strconv.Itoa(public)),
		command.LackingParam("save", ""),
		command.LackingParam("slowlog-log-slower-than", "-1"),
		command.LackingParam("slowlog-max-len", "0"),
		command.FixedParam("unixsocket", socket),
	)
}

// options are those that the server was started with, under names that Redis does not have.
func (h *host) options() (params []command.Param) {
	for _, o := range Options() {
		if !o.Secret {
			params = append(params, command.FixedParam("shardlab-"+o.Name, o.Show(&h.in.cfg, &h.in.Settings)))
		}
	}
	return params
}

func (h *host) changeable(srv *server.Server) []command.Param {
	return []command.Param{
		command.IntParam("maxclients", 1, math.MaxUint32,
			func() int64 { return int64(srv.MaxConns()) }, func(n int64) { srv.SetMaxConns(int(n)) }),
		command.MemoryParam("maxmemory", 0, math.MaxInt64, h.budget.Limit, h.budget.SetLimit),
		command.PolicyParam("maxmemory-policy", h.budget),
		command.MemoryParam("proto-max-bulk-len", 1<<20, store.MaxValueLen,
			h.settings.maxValue.Load, func(n int64) { h.settings.maxValue.Store(n); srv.SetMaxBulk(int(n)) }),
		command.TextParam("requirepass", h.Password, func(p string) { h.settings.password.Store(&p) }),
		command.IntParam("timeout", 0, math.MaxInt32, func() int64 { return int64(srv.IdleTimeout() / time.Second) },
			func(n int64) { srv.SetIdleTimeout(time.Duration(n) * time.Second) }),
	}
}
