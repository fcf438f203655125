package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/shardlab/shardlab/loadgen"
	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios"
)

// maxSteal is the share of a slice that the hypervisor may take from all processors together. One tick, 10 ms, voids a
// slice of 50 ms; one of two seconds must survive it, or none would on a shared host.
const maxSteal = 0.02

// maxOff is by how much of its length a window may differ from what was planned.
const maxOff = 0.10

// slice visits one arm once and records what it saw.
func (b *block) slice(ctx context.Context, v *visitor, stage scenarios.Visit, round, pos int) error {
	lead := b.r.opts.Scenario.Run.LeadIn
	groups, _ := v.session.(*grouped)
	if groups != nil {
		if err := groups.shape(stage.Phase); err != nil {
			return err
		}
	}
	row := results.Slice{Point: b.point.part(stage.Phase, ""), Slice: round, Pos: pos}
	row, res, err := b.visit(ctx, v, row, loadgen.Window{Lead: lead, Measure: stage.Length})
	if err != nil {
		return err
	}
	all := v.latencies(row.Point)
	if err := all.add(&row, res); err != nil {
		return err
	}
	v.progress.add(&row, all.response)
	if b.r.sampler != nil {
		b.slices = append(b.slices, row)
	}
	if s, ok := v.session.(apart); ok {
		rows, of := s.rows(stage.Phase, &row)
		for i := range rows {
			if err := errors.Join(b.r.out.Slice(rows[i]), v.latencies(rows[i].Point).add(&rows[i], of[i])); err != nil {
				return err
			}
		}
	}
	if res.Owed > 0 { // replies are still to come on these connections: nothing else can be measured on them
		return b.reconnect(ctx, v)
	}
	return nil
}

// visit puts one window of load on an arm and writes the row of it, which has its numbers already.
func (b *block) visit(ctx context.Context, v *visitor, row results.Slice, w loadgen.Window) (results.Slice, *loadgen.Result, error) {
	before, err := b.look(ctx, v)
	if err != nil {
		return row, nil, b.explain(v, err)
	}
	w.ServerCPU = v.cpu
	client := b.r.meter.read()
	res, err := v.session.Run(ctx, w)
	if err != nil {
		return row, nil, b.explain(v, err)
	}
	clientAfter := b.r.meter.read()
	after, err := b.look(ctx, v)
	if err != nil {
		return row, nil, b.explain(v, err)
	}
	row.Point, row.Arm, row.Block, row.T = cmp.Or(row.Point, b.point.Label), v.arm.Name, b.number, res.Start.Sub(b.r.start).Nanoseconds()
	measured(&row, res)
	used(&row, &before, &after)
	client.fill(&row, &clientAfter)
	row.Why = whyVoid(&row, w.Measure)
	row.Valid = row.Why == ""
	return row, res, b.r.out.Slice(row)
}

// whyVoid says why a slice is of no use to the statistics, or "". It looks at what happened, never at the result.
func whyVoid(row *results.Slice, planned time.Duration) string {
	if stolen := time.Duration(row.Steal) * clockTick; float64(stolen) > maxSteal*float64(max(time.Duration(row.Visit), planned)) {
		return fmt.Sprintf("steal: the hypervisor ran something else for %v", stolen)
	}
	// A load thread that did not get its processor reaches an edge late, and may see both at once.
	if off := float64(row.Dur)/float64(planned) - 1; math.Abs(off) > maxOff {
		return fmt.Sprintf("window: measured %v instead of %v", time.Duration(row.Dur), planned)
	}
	return ""
}

// reading is what is known of a server between slices.
type reading struct {
	usage
	steal    int64
	gcCycles int64
	gcCPU    int64
	heapLive int64
	allocs   int64
	bytes    int64
}

func (b *block) look(ctx context.Context, v *visitor) (reading, error) {
	var g reading
	if v.tells {
		info, err := serverInfo(ctx, v.session, "runtime")
		if err != nil {
			return g, err
		}
		number := func(name string) int64 {
			n, _ := strconv.ParseInt(info[name], 10, 64)
			return n
		}
		g.gcCycles, g.gcCPU, g.heapLive = number("gc_cycles"), number("gc_cpu_ns"), number("heap_live")
		g.allocs, g.bytes = number("alloc_objects"), number("alloc_bytes")
	}
	var err error
	g.usage, err = readUsage(v.child.pid())
	g.steal = stealTicks(b.r.cpus.all())
	return g, err
}

// measured fills in what the clients saw between the edges of the window.
func measured(row *results.Slice, res *loadgen.Result) {
	row.Dur = res.Dur.Nanoseconds()
	row.Ops = map[string]uint64{}
	for op, n := range res.Ops {
		if n > 0 {
			row.Ops[res.Names[op]] = n
		}
	}
	row.Replies, row.Errors, row.FirstError = res.Replies, res.Errors, res.FirstError
	row.Reads = res.Reads
	row.Misses, row.Checked, row.Corrupt = res.Misses, res.Checked, res.Corrupt
	row.Intended, row.Late, row.Unsent, row.InFlight = res.Intended, res.Late, res.Unsent, res.InFlight
	row.Sent, row.TimedOut = res.Sent, res.TimedOut
	row.Overflow, row.BytesIn, row.BytesOut = res.Overflow, res.BytesIn, res.BytesOut
	row.ServerCPU = res.ServerCPU.Nanoseconds()
	for _, cpu := range res.ClientCPU {
		row.ClientCPU += cpu.Nanoseconds()
	}
	row.ClientBusy, row.ClientSpin = res.Busiest, res.Spin.Nanoseconds()
	if res.Lateness != nil && res.Lateness.TotalCount() > 0 {
		row.LatenessP = float64(res.Lateness.ValueAtPercentile(99))
	}
	row.Pacing = results.Pacing(res.Pacing)
	row.Reconnects = res.Reconnects
	if res.Connect != nil {
		row.Connect = results.NewLatency(res.Connect)
	}
	row.Response = results.NewLatency(merged(&res.Names, &res.Response))
	row.Service = results.NewLatency(merged(&res.Names, &res.Service))
}

// used fills in what the server used over the whole visit, lead-in and drain included.
func used(row *results.Slice, before, after *reading) {
	row.ServerUser, row.ServerSys = after.user-before.user, after.sys-before.sys
	row.CtxVol, row.CtxInvol = after.voluntary-before.voluntary, after.involuntary-before.involuntary
	row.MinorFaults = after.minorPageFaults - before.minorPageFaults
	row.RSS, row.HeapLive = after.rss, after.heapLive
	row.AllocObjs, row.AllocBytes = after.allocs-before.allocs, after.bytes-before.bytes
	row.GCCycles, row.GCCPU = after.gcCycles-before.gcCycles, after.gcCPU-before.gcCPU
	row.Steal = after.steal - before.steal
}

// histograms are an arm's latencies in one block, by operation type.
type histograms map[string]*hdrhistogram.Histogram

// add merges a window's histograms, of operations so called.
func (h histograms) add(names *[loadgen.NumOps]string, window *[loadgen.NumOps]*hdrhistogram.Histogram) error {
	for op, w := range window {
		if w == nil || w.TotalCount() == 0 {
			continue
		}
		name := names[op]
		if h[name] == nil {
			h[name] = results.NewHistogram()
		}
		if dropped := h[name].Merge(w); dropped > 0 {
			return errors.New("bug: the load generator's histograms do not fit those of the results")
		}
	}
	return nil
}

// latencies are an arm's in one block, of what goes by one label.
type latencies struct{ response, service histograms }

func (v *visitor) latencies(label string) *latencies {
	l := v.parts[label]
	if l == nil {
		l = &latencies{histograms{}, histograms{}}
		v.parts[label] = l
	}
	return l
}

// add takes a slice in, if it is valid.
func (l *latencies) add(row *results.Slice, res *loadgen.Result) error {
	if !row.Valid {
		return nil
	}
	return errors.Join(l.response.add(&res.Names, &res.Response), l.service.add(&res.Names, &res.Service))
}

// total is all operations together.
func (h histograms) total() *hdrhistogram.Histogram {
	t := results.NewHistogram()
	for _, one := range h {
		t.Merge(one)
	}
	return t
}

func merged(names *[loadgen.NumOps]string, window *[loadgen.NumOps]*hdrhistogram.Histogram) *hdrhistogram.Histogram {
	h := histograms{}
	if h.add(names, window) != nil {
		return nil
	}
	return h.total()
}

// add takes a slice into what is shown of the arm.
func (p *ArmProgress) add(row *results.Slice, block histograms) {
	n := float64(p.Slices)
	p.Slices++
	if row.Dur > 0 {
		p.OpsPerSec = (p.OpsPerSec*n + float64(row.Replies)/(float64(row.Dur)/1e9)) / (n + 1)
	}
	p.P99 = time.Duration(results.NewLatency(block.total()).P99)
}
