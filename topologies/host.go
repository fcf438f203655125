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

	stats    command.Stats
	settings settings
	pulse    pulse

	mu       sync.Mutex
	sessions map[*counters]struct{}
	gone     command.Counts // of sessions that have ended
	zero     command.Counts // where the counters stood when they were last reset; of the shards' own:
	expired  int64
	evicted  int64
}

func newHost(in *Instance) *host {
	h := &host{in: in, started: time.Now(), sessions: map[*counters]struct{}{}}
	h.settings.init(&in.cfg)
	h.pulse.init(h)
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
type counters struct {
	client *command.Client

	commands, hits, misses atomic.Uint64
}

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
	*n = command.Counts{}
}

func (c *counters) addTo(n *command.Counts) {
	n.Commands += c.commands.Load()
	n.Hits += c.hits.Load()
	n.Misses += c.misses.Load()
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

// Budget implements command.Host.
func (h *host) Budget() *store.Budget { return h.budget }

func (h *host) serving(srv *server.Server) { h.srv.Store(srv) }

// join registers a new session.
func (h *host) join(at server.Place) *counters {
	var peer command.Peer
	if at.Conn != nil {
		peer = at.Conn
	}
	c := &counters{client: command.NewClient(at.ID, peer, time.Now())}
	h.mu.Lock()
	defer h.mu.Unlock()
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
	return h.countsLocked().Minus(&h.zero)
}

// countsLocked is what was counted since the start. The caller holds mu.
func (h *host) countsLocked() command.Counts {
	n := h.gone
	for c := range h.sessions {
		c.addTo(&n)
	}
	return n
}

// ServerInfo implements command.Host.
func (h *host) ServerInfo() command.ServerInfo {
	info := command.ServerInfo{
		Version: h.in.cfg.Version, RunID: h.settings.runID, Started: h.started, Counts: h.counts(), Stats: &h.stats,
		Rates: h.pulse.rates(), Budget: h.budget,
	}
	h.mu.Lock()
	info.Expired, info.Evicted = h.expired, h.evicted
	h.mu.Unlock()
	for _, p := range h.in.Settings.Pairs() {
		info.Topology = append(info.Topology, command.Setting{Name: p[0], Value: p[1]})
	}
	if h.router != nil {
		hops := h.router.hops()
		info.Topology = append(info.Topology, hops.pairs()...)
	}
	if h.in.store != nil {
		waits, waited := h.in.store.lockWaits()
		info.Topology = append(info.Topology,
			command.Setting{Name: "lock_waits", Value: strconv.FormatUint(waits, 10)},
			command.Setting{Name: "lock_wait_usec", Value: strconv.FormatInt(waited.Microseconds(), 10)})
	}
	if srv := h.srv.Load(); srv != nil {
		st := srv.Stats()
		info.Clients, info.Accepted, info.Rejected = st.Clients, st.Accepted, st.Rejected
		info.Port, info.MaxConns = port(srv.Addrs()[0]), srv.MaxConns()
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
