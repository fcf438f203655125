package topologies

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/shardlab/shardlab/server"
)

// Instance is a topology that serves.
type Instance struct {
	Settings Settings
	cfg      Config
	topology *Topology
	host     *host
	store    *Store // nil where shards are not shared
	backend  server.Backend
	srv      *server.Server
	callers  callers
	fronts   fronts
}

// Open starts the topology that cfg names. It serves when Open returns.
func Open(cfg Config) (*Instance, error) {
	t, err := Lookup(cfg.Topology)
	if err != nil {
		return nil, err
	}
	cfg = cfg.WithDefaults()
	in := &Instance{cfg: cfg, topology: t}
	if in.Settings, err = resolve(t, cfg, cfg.processors()); err != nil {
		return nil, err
	}
	in.openStore()
	in.host = newHost(in)
	if err := in.start(); err != nil {
		return nil, errors.Join(err, in.closeStore())
	}
	return in, nil
}

// openStore takes the caller's store or, where shards are shared, makes one.
func (in *Instance) openStore() {
	if in.store = in.cfg.Store; in.store == nil && in.Settings.locked() {
		in.store = newStore(&in.Settings, in.cfg.budget())
	}
}

// closeStore closes the store if it is not the caller's.
func (in *Instance) closeStore() error {
	if in.store == nil || in.cfg.Store != nil {
		return nil
	}
	return in.store.Close()
}

// start builds the topology's backend and serves it.
func (in *Instance) start() error {
	backend, listen, err := in.topology.build(in)
	if err != nil {
		return err
	}
	cfg := &in.cfg
	opts := server.Options{
		Transport: in.Settings.Transport, Listen: listen, Loops: in.Settings.Workers, Driven: cfg.local != nil,
		MaxConns: cfg.MaxConns, Limits: cfg.Limits, Log: cfg.Log, Dedicated: cfg.Dedicated && !in.topology.goroutines,
		IdleTimeout: cfg.IdleTimeout, WriteTimeout: cfg.WriteTimeout, MaxOutput: cfg.MaxOutput,
	}
	if opts.PinTo, err = in.pinTo(); err != nil {
		return errors.Join(err, backend.Close())
	}
	served := backend
	if cfg.Inject != nil {
		served = cfg.Inject.around(backend)
	}
	srv, err := server.Start(opts, served)
	if err != nil {
		return errors.Join(err, backend.Close())
	}
	in.backend, in.srv = backend, srv
	in.host.serving(srv)
	in.host.pulse.start()
	if err := in.openFronts(); err != nil {
		ended, cancel := context.WithCancel(context.Background())
		cancel() // nobody has been told the address yet
		in.Shutdown(ended)
		return err
	}
	return nil
}

// pinTo lists the processors that threads are pinned to in turn; none if they are not pinned.
func (in *Instance) pinTo() ([]int, error) {
	if !in.Settings.Pinned {
		return nil, nil
	}
	if cpus := in.cfg.CPUs; len(cpus) > 0 {
		return cpus, nil
	}
	return server.Allowed()
}

// Addr is the public address.
func (in *Instance) Addr() net.Addr { return in.srv.Addrs()[0] }

// DirectAddrs are the direct shard ports, by shard; nil for a topology without.
func (in *Instance) DirectAddrs() []net.Addr { return in.srv.Addrs()[1:] }

// Responder reports whether there is no store behind the topology.
func (in *Instance) Responder() bool { return in.topology.Responder }

// ShutdownAsked is closed when a client has asked for the end of the server.
func (in *Instance) ShutdownAsked() <-chan struct{} { return in.srv.ShutdownAsked() }

// publicOnly is the listening list of a topology with one address, whose connections any loop may have.
func (in *Instance) publicOnly() []server.Listen { return in.publicAt(server.AnyLoop) }

// publicAt is the listening list of a topology with one address, accepted by the given loop.
func (in *Instance) publicAt(loop int) []server.Listen {
	if path, ok := strings.CutPrefix(in.cfg.Bind, unixPrefix); ok {
		return []server.Listen{{Network: "unix", Addr: path, Loop: loop}}
	}
	return []server.Listen{{Addr: in.cfg.Bind, Loop: loop}}
}

// unixPrefix marks a Config.Bind that is the path of a unix socket.
const unixPrefix = "unix:"

// directListen lists the public address and a port for each shard, accepted by the loop that owns the shard.
func (in *Instance) directListen() ([]server.Listen, error) {
	if strings.HasPrefix(in.cfg.Bind, unixPrefix) {
		return nil, fmt.Errorf("bind address %s: topology %s has a port for each shard, which a unix socket has not; use host:port",
			in.cfg.Bind, in.Settings.Topology)
	}
	host, service, err := net.SplitHostPort(in.cfg.Bind)
	if err != nil {
		return nil, fmt.Errorf("invalid bind address %s: %w", in.cfg.Bind, err)
	}
	public, err := net.LookupPort("tcp", service)
	if err != nil {
		return nil, fmt.Errorf("invalid bind address %s: %w", in.cfg.Bind, err)
	}
	shards := in.Settings.Shards
	base := in.cfg.DirectPort
	if base == 0 && public != 0 {
		base = public + 1
	}
	if last := base + shards - 1; base != 0 {
		switch {
		case base < 0 || last > 65535:
			return nil, fmt.Errorf("direct shard port range overflows u16: %d shards from port %d; "+
				"choose a lower first port or fewer shards", shards, base)
		case public >= base && public <= last:
			return nil, fmt.Errorf("direct shard port range %d-%d overlaps public port %d", base, last, public)
		}
	}
	listen := in.publicOnly()
	for i := range shards {
		port := 0
		if base != 0 {
			port = base + i
		}
		addr := net.JoinHostPort(host, strconv.Itoa(port))
		listen = append(listen, server.Listen{Addr: addr, Loop: ownerOf(i, in.Settings.Workers)})
	}
	return listen, nil
}

// ownerOf is which of so many owners a shard belongs to.
func ownerOf(shard, owners int) int { return shard % owners }
