package runner

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/shardlab/shardlab/loadgen"
	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios"
)

// mixed are clients of both kinds, which share one load: the first of its connections are sockets of this process, the last are in
// the server's. Which client does what, and when, is what it would be with one kind alone.
type mixed struct {
	*loadgen.Session // with sockets, through which keys are preloaded and control commands go
	inside           *hosted
	point            *point
	last             [2]*loadgen.Result // of the sockets, and of those inside, in the last window
}

// The names of the two groups of clients, in the order of mixed.last.
var carriers = [2]string{"socket", "in-process"}

// together is how long before a window the host is told of it, so that both kinds have the same edges.
const together = 5 * time.Millisecond

// connectMixed opens both kinds of clients.
func (b *block) connectMixed(ctx context.Context, v *visitor) (*mixed, error) {
	load := b.point.load
	load.Clients = load.Connections - b.point.Load.InsideConnections()
	s, err := b.r.pool.Connect(ctx, v.arm.target(v.child, b.point.Point), b.workload(), load)
	if err != nil {
		return nil, err
	}
	h, err := openHosted(ctx, v.child, newHostLoad(b.workload().Seed, b.point.Point, b.r.cpus.server))
	if err != nil {
		return nil, errors.Join(err, s.Close(), h.Close())
	}
	return &mixed{Session: s, inside: h, point: b.point}, nil
}

// Run runs one window of both kinds, between the same edges. The server's CPU time is that of its process, with the clients in it.
func (m *mixed) Run(ctx context.Context, w loadgen.Window) (*loadgen.Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w.At, w.Every = loadgen.Monotonic()+together.Nanoseconds(), 0
	var inside sync.WaitGroup
	inside.Go(func() {
		var err error
		if m.last[1], err = m.inside.Run(ctx, w); err != nil {
			cancel(err)
		}
	})
	var err error
	if m.last[0], err = m.Session.Run(ctx, w); err != nil {
		cancel(err)
	}
	inside.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return m.sum(w.Measure), nil
}

// sum is the last window of both together, planned to be so long. Each kind counts over all of its own. Windows that have too little of
// their time in common are as long as that, and void.
func (m *mixed) sum(planned time.Duration) *loadgen.Result {
	a, b := m.last[0], m.last[1]
	all := *a
	all.Dur = (a.Dur + b.Dur) / 2
	common := min(a.Dur, b.Dur) - time.Duration(a.Began-b.Began).Abs()
	if float64(common) < (1-maxOff)*float64(planned) {
		all.Dur = max(common, 0)
	}
	all.Sockets += b.Sockets
	for op := range all.Ops {
		all.Ops[op] += b.Ops[op]
		all.Names[op] = cmp.Or(a.Names[op], b.Names[op])
		all.Service[op] = bothOf(a.Service[op], b.Service[op])
		all.Response[op] = bothOf(a.Response[op], b.Response[op])
	}
	all.Lateness = bothOf(a.Lateness, b.Lateness)
	all.Errors, all.Reads, all.Misses = a.Errors+b.Errors, a.Reads+b.Reads, a.Misses+b.Misses
	all.Checked, all.Corrupt, all.FirstError = a.Checked+b.Checked, a.Corrupt+b.Corrupt, cmp.Or(a.FirstError, b.FirstError)
	all.Intended, all.Late, all.Unsent, all.Sent = a.Intended+b.Intended, a.Late+b.Late, a.Unsent+b.Unsent, a.Sent+b.Sent
	all.TimedOut, all.InFlight, all.Owed = a.TimedOut+b.TimedOut, a.InFlight+b.InFlight, a.Owed+b.Owed
	all.Replies, all.Overflow, all.Spin = a.Replies+b.Replies, a.Overflow+b.Overflow, a.Spin+b.Spin
	all.ClientCPU = append(append([]time.Duration(nil), a.ClientCPU...), b.ClientCPU...)
	all.Spun = append(append([]time.Duration(nil), a.Spun...), b.Spun...)
	all.Pacing = loadgen.Pacing{} // of each kind for itself
	return &all
}

// rows are those of both kinds.
func (m *mixed) rows(_ int, all *results.Slice) (rows []results.Slice, of []*loadgen.Result) {
	for i, name := range carriers {
		rows = append(rows, partRow(m.point.part(0, name), all, m.last[i]))
	}
	return rows, m.last[:]
}

// describeMixed lists the points that results have of a mixed one: both kinds together, and each.
func (p *point) describeMixed(plan scenarios.RunPlan) []results.Point {
	d := p.describe(plan)
	d.Groups = carriers[:]
	all := []results.Point{d}
	for i, name := range carriers {
		x := d
		// Arrivals fall to clients by chance, so a part of them is at most as dispersed as all.
		x.Group, x.Groups, x.Label, x.Params = name, nil, p.part(0, name), paramsOf(p, 0, name)
		x.Via, x.Connections, x.Inside = "", d.Connections-d.Inside, 0
		if i == 1 {
			x.Via, x.Connections, x.Inside = scenarios.InProcess, d.Inside, d.Inside
		}
		x.Rate = d.Rate * float64(x.Connections) / float64(d.Connections)
		all = append(all, x)
	}
	return all
}

// bothOf adds two histograms up, either of which may be nil.
func bothOf(a, b *hdrhistogram.Histogram) *hdrhistogram.Histogram {
	if a == nil || b == nil {
		return cmp.Or(a, b)
	}
	all := results.NewHistogram()
	all.Merge(a)
	all.Merge(b)
	return all
}

func (m *mixed) Sockets() int { return m.Session.Sockets() + m.inside.Sockets() }

func (m *mixed) Close() error { return errors.Join(m.Session.Close(), m.inside.Close()) }
