package topologies

import (
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/server/command"
	"github.com/shardlab/shardlab/store"
)

// host is an instance as commands see it, and the home of its counters.
type host struct {
	in      *Instance
	started time.Time
	txMode  command.TxMode
	budget  *store.Budget
	srv     atomic.Pointer[server.Server] // nil until it serves
	plans   []*plan                       // one for each event loop; nil without
	router  *router                       // nil of a topology whose sessions execute where they are

	mu       sync.Mutex
	sessions map[*counters]struct{}
	gone     command.Counts // of sessions that have ended
}

func newHost(in *Instance) *host {
	h := &host{in: in, started: time.Now()}
	switch {
	case in.store != nil:
		h.budget = in.store.budget
	case in.cfg.local != nil:
		h.budget = in.cfg.local.budget
	default:
		h.budget = in.cfg.budget()
	}
	h.txMode, _ = command.ParseTxMode(in.Settings.Transactions) // resolved
	if in.Settings.Transport == server.Epoll {
		for range in.Settings.Workers {
			h.plans = append(h.plans, new(plan))
		}
	}
	return h
}

// counters are one session's counts. The session adds to them once a batch; INFO reads them at any time.
type counters struct{ commands, hits, misses, expired atomic.Uint64 }

// publish moves the counts of a batch to where others can see them.
func (c *counters) publish(n *command.Counts) {
	add := func(to *atomic.Uint64, n uint64) {
		if n != 0 {
			to.Add(n)
		}
	}
	add(&c.commands, n.Commands)
	add(&c.hits, n.Hits)
	add(&c.misses, n.Misses)
	add(&c.expired, n.Expired)
	*n = command.Counts{}
}

func (c *counters) addTo(n *command.Counts) {
	n.Commands += c.commands.Load()
	n.Hits += c.hits.Load()
	n.Misses += c.misses.Load()
	n.Expired += c.expired.Load()
}

// routing is how keys find their shards in this instance.
func (h *host) routing() routing { return h.in.Settings.routing() }

// plan is the plan of the sessions on a loop; a session without a loop gets one for itself.
func (h *host) plan(loop int) *plan {
	if loop >= 0 && loop < len(h.plans) {
		return h.plans[loop]
	}
	return new(plan)
}

// Shards implements command.Host.
func (h *host) Shards() int { return h.in.Settings.Shards }

// ShardOf implements command.Host.
func (h *host) ShardOf(key []byte) int {
	_, shard := h.routing().find(key)
	return shard
}

// Password implements command.Host.
func (h *host) Password() string { return h.in.cfg.Password }

// Budget implements command.Host.
func (h *host) Budget() *store.Budget { return h.budget }

// MaxValue implements command.Host.
func (h *host) MaxValue() int { return h.in.cfg.Limits.MaxBulk }

func (h *host) serving(srv *server.Server) { h.srv.Store(srv) }

// join makes the counters of a new session.
func (h *host) join() *counters {
	c := new(counters)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sessions == nil {
		h.sessions = map[*counters]struct{}{}
	}
	h.sessions[c] = struct{}{}
	return c
}

func (h *host) leave(c *counters) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sessions, c)
	c.addTo(&h.gone)
}

func (h *host) counts() command.Counts {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := h.gone
	for c := range h.sessions {
		c.addTo(&n)
	}
	return n
}

// ServerInfo implements command.Host.
func (h *host) ServerInfo() command.ServerInfo {
	info := command.ServerInfo{
		Version: h.in.cfg.Version, Started: h.started, MaxConns: h.in.cfg.MaxConns, Counts: h.counts(), Budget: h.budget,
	}
	for _, p := range h.in.Settings.Pairs() {
		info.Topology = append(info.Topology, command.Setting{Name: p[0], Value: p[1]})
	}
	if h.router != nil {
		hops := h.router.hops()
		info.Topology = append(info.Topology, hops.pairs()...)
	}
	if srv := h.srv.Load(); srv != nil {
		st := srv.Stats()
		info.Clients, info.Accepted, info.Rejected = st.Clients, st.Accepted, st.Rejected
		info.Port = port(srv.Addrs()[0])
		if direct := srv.Addrs()[1:]; len(direct) > 0 {
			ports := make([]string, len(direct))
			for i, a := range direct {
				ports[i] = strconv.Itoa(port(a))
			}
			info.Topology = append(info.Topology, command.Setting{Name: "direct_ports", Value: strings.Join(ports, ",")})
		}
	}
	return info
}

// port is the TCP port of an address, 0 for a unix socket.
func port(a net.Addr) int {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.Port
	}
	return 0
}

// Config implements command.Host.
func (h *host) Config() []command.Setting {
	bind, socket, portNumber := "", "", 0
	if srv := h.srv.Load(); srv != nil {
		addr := srv.Addrs()[0]
		if portNumber = port(addr); portNumber != 0 {
			bind, _, _ = net.SplitHostPort(addr.String())
		} else {
			socket = addr.String()
		}
	}
	return []command.Setting{
		{Name: "appendonly", Value: "no"},
		{Name: "bind", Value: bind},
		{Name: "databases", Value: "1"},
		{Name: "maxclients", Value: strconv.Itoa(h.in.cfg.MaxConns)},
		{Name: "maxmemory", Value: "0"},
		{Name: "maxmemory-policy", Value: "noeviction"},
		{Name: "port", Value: strconv.Itoa(portNumber)},
		{Name: "proto-max-bulk-len", Value: strconv.Itoa(h.in.cfg.Limits.MaxBulk)},
		{Name: "save", Value: ""},
		{Name: "timeout", Value: "0"},
		{Name: "unixsocket", Value: socket},
	}
}
