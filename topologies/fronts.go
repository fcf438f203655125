package topologies

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/shardlab/shardlab/server/admin"
	"github.com/shardlab/shardlab/server/web"
)

// fronts are the ways into an instance besides its own protocol's, each on a port of its own; nil where it is off.
type fronts struct {
	keys     *web.Server
	admin    *admin.Server
	figures  figures
	draining atomic.Bool
}

// openFronts starts what the configuration asks for. The instance serves already.
func (in *Instance) openFronts() (err error) {
	if in.cfg.HTTP != "" {
		in.fronts.keys, err = web.Start(web.Options{
			Addr: in.cfg.HTTP, NewCaller: func() web.Caller { return in.NewCaller() }, Password: in.host.Password,
			MaxValue: in.cfg.Limits.MaxBulk, MaxConns: in.cfg.MaxConns, Log: in.cfg.Log,
		})
		if err != nil {
			return err
		}
	}
	if in.cfg.Admin != "" {
		in.fronts.figures.in = in
		in.fronts.figures.shards = in.NewCaller()
		in.fronts.admin, err = admin.Start(admin.Options{
			Addr: in.cfg.Admin, Public: in.cfg.AdminPublic, Figures: in.fronts.figures.read, Password: in.host.Password,
			Ready: func() bool { return !in.fronts.draining.Load() }, Log: in.cfg.Log,
		})
	}
	return err
}

// HTTPAddr is the address where keys are served over HTTP, nil when they are not.
func (in *Instance) HTTPAddr() net.Addr {
	if in.fronts.keys == nil {
		return nil
	}
	return in.fronts.keys.Addr()
}

// AdminAddr is the address of the admin pages, nil when there are none.
func (in *Instance) AdminAddr() net.Addr {
	if in.fronts.admin == nil {
		return nil
	}
	return in.fronts.admin.Addr()
}

// Shutdown drains and closes the instance: readiness is taken back, HTTP requests and in-process calls that have begun are
// answered, then the connections drain as server.Server.Shutdown says; the admin pages go last, so that all of it can be watched. HTTP
// may take half of the time that ctx leaves. When the time is over, what is left is cut and the context's error returned. A
// store of the caller's stays open; one that is local to a thread must take its turns meanwhile, unless that thread is who calls.
func (in *Instance) Shutdown(ctx context.Context) error {
	if l := in.cfg.local; l != nil && l.here() {
		return l.drive(in, func() error { return in.shutdown(ctx) })
	}
	return in.shutdown(ctx)
}

func (in *Instance) shutdown(ctx context.Context) error {
	in.fronts.draining.Store(true)
	var errs []error
	if in.fronts.keys != nil {
		half, cancel := halfOf(ctx)
		errs = append(errs, in.fronts.keys.Shutdown(half))
		cancel()
	}
	in.callers.close()
	errs = append(errs, in.srv.Shutdown(ctx))
	in.host.pulse.stop()
	if in.fronts.admin != nil {
		errs = append(errs, in.fronts.admin.Shutdown(ctx))
	}
	errs = append(errs, in.closeStore())
	return errors.Join(errs...)
}

// halfOf is ctx for half of the time that it has left.
func halfOf(ctx context.Context) (context.Context, context.CancelFunc) {
	if end, ok := ctx.Deadline(); ok {
		return context.WithTimeout(ctx, time.Until(end)/2)
	}
	return context.WithCancel(ctx)
}
