package topologies

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/server/command"
	"github.com/shardlab/shardlab/store"
)

// Boundaries.
const (
	boundaryShared   = "shared"
	boundaryPerShard = "per-shard"
	boundaryOwned    = "owned"
	boundaryNone     = "none"
)

// What Config.Pin can be.
const (
	PinAuto = "auto"
	PinOn   = "on"
	PinOff  = "off"
)

// What Config.CrossShard can be.
const (
	crossSplit  = "split"
	crossReject = "reject"
)

// The words of each factor, the default first.
var (
	transportNames = []string{server.Epoll, server.Netpoll, server.Redcon}
	boundaryNames  = []string{boundaryShared, boundaryPerShard, boundaryOwned}
	pinNames       = []string{PinAuto, PinOn, PinOff}
	lockNames      = []string{lockRW, lockMu, lockRB}
	lockScopeNames = []string{scopeNameBatch, scopeNameShard, scopeNameOp}
	routeNames     = []string{store.FullKey.String(), store.SessionPrefix.String()}
	txModeNames    = []string{command.TxCoordinated.String(), command.TxShardLocal.String(), command.TxDisabled.String()}
	crossNames     = []string{crossSplit, crossReject}
)

// choose is word, or def where there is none, if it is among have.
func choose(factor, word, def string, have []string) (string, error) {
	if word == "" {
		return def, nil
	}
	if !slices.Contains(have, word) {
		return "", fmt.Errorf("unknown %s %q; have %s", factor, word, strings.Join(have, ", "))
	}
	return word, nil
}

// resolver makes Settings of a Config, one factor after the other.
type resolver struct {
	t    *Topology
	c    Config
	cpus int // how many processors there are to use
	s    Settings
}

// resolve fills in the defaults of c and refuses what makes no sense.
func resolve(t *Topology, c Config, cpus int) (Settings, error) {
	r := &resolver{t: t, c: c, cpus: cpus, s: Settings{Topology: t.Name, Dispatch: t.Dispatch}}
	for _, factor := range []func() error{
		r.callersStore, r.transport, r.boundary, r.shards, r.workers, r.pin, r.locks, r.route, r.crossShard, r.transactions,
		r.memory, r.ports, r.responder,
	} {
		if err := factor(); err != nil {
			return r.s, err
		}
	}
	return r.s, nil
}

// callersStore makes what the caller's store is the asked for, and its boundary the preset.
func (r *resolver) callersStore() error {
	if l := r.c.local; l != nil {
		r.c.Shards, r.c.Route = l.config.Shards, l.config.Route
	}
	if r.c.Store == nil {
		return nil
	}
	if r.c.Boundary == "" {
		for _, b := range append([]string{r.t.Boundary}, r.t.boundaries...) {
			if b == boundaryShared || b == boundaryPerShard {
				r.c.Boundary = b
				break
			}
		}
	}
	if r.c.Boundary == "" || r.c.Boundary == boundaryOwned {
		return fmt.Errorf("topology %s with boundary %s cannot serve a store that others use too; use %s", r.t.Name,
			orDefault(r.c.Boundary, r.t.Boundary), strings.Join(sharing(), ", "))
	}
	own := &r.c.Store.settings
	r.c.Shards, r.c.Route, r.c.Lock = own.Shards, own.Route, own.Lock
	return nil
}

// sharing lists the topologies whose shards can be shared.
func sharing() (names []string) {
	for _, t := range All() {
		if t.Boundary == boundaryShared || t.Boundary == boundaryPerShard {
			names = append(names, t.Name)
		} else if slices.Contains(t.boundaries, boundaryShared) {
			names = append(names, t.Name+" with boundary shared")
		}
	}
	return names
}

func (r *resolver) transport() (err error) {
	if r.s.Transport, err = choose("transport", r.c.Transport, r.t.Transports[0], transportNames); err != nil {
		return err
	}
	if !slices.Contains(r.t.Transports, r.s.Transport) {
		return fmt.Errorf("topology %s cannot use transport %s: %s; use %s",
			r.t.Name, r.s.Transport, r.t.without, strings.Join(r.t.Transports, " or "))
	}
	return nil
}

func (r *resolver) boundary() (err error) {
	if r.s.Boundary, err = choose("boundary", r.c.Boundary, r.t.Boundary, boundaryNames); err != nil {
		return err
	}
	if have := append([]string{r.t.Boundary}, r.t.boundaries...); !slices.Contains(have, r.s.Boundary) {
		return fmt.Errorf("topology %s cannot have boundary %s; use %s", r.t.Name, r.s.Boundary, strings.Join(have, " or "))
	}
	return nil
}

func (r *resolver) shards() error {
	n := r.c.Shards
	if n == 0 {
		n = DefaultShards
		if r.t.shardPerWorker {
			n = min(1<<bits.Len(uint(max(orDefault(r.c.Workers, r.cpus)-1, 0))), MaxShards)
		}
	}
	if n < 1 || n > MaxShards || bits.OnesCount(uint(n)) != 1 {
		return fmt.Errorf("shards: %d is not a power of two from 1 to %d", n, MaxShards)
	}
	r.s.Shards = n
	return nil
}

func (r *resolver) workers() (err error) {
	if r.c.Workers < 0 || r.c.Workers > MaxWorkers {
		return fmt.Errorf("workers: %d is not a number from 1 to %d", r.c.Workers, MaxWorkers)
	}
	r.s.Workers, err = r.t.workers(r.c.Workers, r.s.Shards, r.cpus)
	return err
}

func (r *resolver) pin() error {
	pin, err := choose("pin", r.c.Pin, PinAuto, pinNames)
	if err != nil {
		return err
	}
	loops := r.s.Transport == server.Epoll
	if pin == PinOn && !loops && !r.t.goroutines {
		return fmt.Errorf("pin on: with transport %s connections are goroutines, which the runtime moves; use transport %s, or pin off",
			r.s.Transport, server.Epoll)
	}
	if pin == PinOn && r.c.local != nil {
		return fmt.Errorf("pin on: the thread of a local store is its program's to pin")
	}
	// One loop is left where an outer cpuset or taskset put the process; pinning it could only make that narrower.
	r.s.Pinned = pin == PinOn || pin == PinAuto && loops && r.s.Workers > 1 && len(r.c.CPUs) > 0
	return nil
}

// locks are the factors of boundaries that have locks.
func (r *resolver) locks() (err error) {
	if !r.s.locked() {
		for _, f := range [][2]string{{"lock", r.c.Lock}, {"lock scope", r.c.LockScope}} {
			if f[1] != "" {
				return fmt.Errorf("%s %s: boundary %s has no locks; use a topology whose shards are shared", f[0], f[1], r.s.Boundary)
			}
		}
		return nil
	}
	if r.s.Lock, err = choose("lock", r.c.Lock, lockRW, lockNames); err != nil {
		return err
	}
	r.s.LockScope, err = choose("lock scope", r.c.LockScope, lockScopeNames[0], lockScopeNames)
	return err
}

// locked reports whether the shards are shared under locks.
func (s *Settings) locked() bool {
	return s.Boundary == boundaryShared || s.Boundary == boundaryPerShard
}

func (r *resolver) route() (err error) {
	if r.t.Responder {
		if r.c.Route != "" {
			err = fmt.Errorf("route %s: topology %s has no shards to route to", r.c.Route, r.t.Name)
		}
		return err
	}
	r.s.Route, err = choose("route", r.c.Route, routeNames[0], routeNames)
	return err
}

func (r *resolver) crossShard() (err error) {
	if !r.t.routes {
		if r.c.CrossShard != "" {
			return fmt.Errorf("cross shard %s: topology %s has no owners to route to", r.c.CrossShard, r.t.Name)
		}
		return nil
	}
	r.s.CrossShard, err = choose("cross shard", r.c.CrossShard, crossSplit, crossNames)
	return err
}

func (r *resolver) transactions() (err error) {
	if r.t.Responder {
		if r.c.Transactions != "" {
			return fmt.Errorf("transactions %s: topology %s has no data to change", r.c.Transactions, r.t.Name)
		}
		return nil
	}
	r.s.Transactions, err = choose("transactions", r.c.Transactions, txModeNames[0], txModeNames)
	return err
}

// memory checks the limit; what it is may change while the server runs, so that it is no setting.
func (r *resolver) memory() error {
	if r.c.MaxMemory < 0 {
		return fmt.Errorf("max memory: %d bytes is less than nothing", r.c.MaxMemory)
	}
	if r.t.Responder && r.c.MaxMemory > 0 {
		return fmt.Errorf("max memory: topology %s has no data to limit", r.t.Name)
	}
	_, err := store.ParsePolicy(cmp.Or(r.c.MaxMemoryPolicy, store.NoEviction.String()))
	return err
}

func (r *resolver) ports() error {
	if r.c.DirectPort != 0 && !r.t.DirectPorts {
		return fmt.Errorf("direct port %d: topology %s has no direct shard ports", r.c.DirectPort, r.t.Name)
	}
	return nil
}

func (r *resolver) responder() error {
	n := r.c.NullValue
	if n != 0 && !r.t.Responder {
		return fmt.Errorf("null value of %d bytes: topology %s has a store and answers from it", n, r.t.Name)
	}
	if most := r.c.Limits.WithDefaults().MaxBulk; n < 0 || n > most {
		return fmt.Errorf("null value: %d is not a length from 1 to %d bytes", n, most)
	}
	return nil
}
