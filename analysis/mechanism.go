package analysis

import (
	"slices"
	"strconv"

	"github.com/shardlab/shardlab/results"
)

// Mechanism is what a server did for each operation beside the operation: the reasons that a difference may have.
type Mechanism struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"` // median over blocks
}

// counter is one mechanism and how it is read: of a block's slices, or of what the server said at the block's end.
type counter struct {
	name  string
	slice func(s *results.Slice) int64                      // summed, over the sum of replies
	whole bool                                              // it is of whole visits, replies are of windows
	ours  bool                                              // only servers in Go say it: 0 is not counted
	info  func(i map[string]string) (v float64, known bool) // as it is
}

const cpuPerOp = "CPU/op, ns"

var counters = []counter{
	{name: "voluntary switches/op", slice: func(s *results.Slice) int64 { return s.CtxVol }, whole: true},
	{name: "involuntary switches/op", slice: func(s *results.Slice) int64 { return s.CtxInvol }, whole: true},
	{name: "page faults/op", slice: func(s *results.Slice) int64 { return s.MinorFaults }, whole: true},
	{name: "GC CPU/op, ns", slice: func(s *results.Slice) int64 { return s.GCCPU }, whole: true, ours: true},
	{name: cpuPerOp, slice: func(s *results.Slice) int64 { return s.ServerCPU }},
	{name: "connections anew/op", slice: func(s *results.Slice) int64 { return int64(s.Reconnects) }},
	{name: "lock wait/op, ns", info: perCommand("mutex_wait_ns")},
	{name: "hops/op", info: perCommand("hops")},
	{name: "requests/hop", info: func(i map[string]string) (float64, bool) { return number(i, "hop_batch_avg") }},
	{name: "loans/op", info: perCommand("loans")},
}

func number(info map[string]string, key string) (float64, bool) {
	v, err := strconv.ParseFloat(info[key], 64)
	return v, err == nil
}

// perCommand divides a count over the server's life by its commands, the preload's among them.
func perCommand(key string) func(map[string]string) (float64, bool) {
	return func(i map[string]string) (float64, bool) {
		v, known := number(i, key)
		n, _ := number(i, "total_commands_processed")
		return v / n, known && n > 0
	}
}

// mechanisms reads every counter that is known in all usable blocks of a row, in the order of the table.
func mechanisms(data map[PointArm][]*block, infos []results.BlockInfo) map[PointArm][]Mechanism {
	type key struct {
		PointArm
		block int
	}
	said := map[key]map[string]string{}
	for _, i := range infos {
		said[key{PointArm{i.Point, i.Arm}, i.Block}] = i.Info
	}
	out := map[PointArm][]Mechanism{}
	for row, blocks := range data {
		usable := usableBlocks(blocks)
		for _, c := range counters {
			var values []float64
			some := false
			for _, b := range usable {
				if v, known := c.of(b, said[key{row, b.number}]); known {
					values = append(values, v)
					some = some || v > 0
				}
			}
			if (some || !c.ours) && len(values) == len(usable) && len(values) > 0 {
				out[row] = append(out[row], Mechanism{c.name, NewSample(values).Median()})
			}
		}
	}
	return out
}

func (c counter) of(b *block, info map[string]string) (v float64, known bool) {
	if c.info != nil {
		return c.info(info)
	}
	sum := 0.0
	for _, s := range b.valid {
		x := float64(c.slice(s))
		if c.whole { // as if it had been even over the visit
			x *= float64(s.Dur) / float64(visit(s))
		}
		sum += x
	}
	return sum / float64(b.ops), b.ops > 0
}

// mechanism is a row's value by name; ok is false where it has none.
func (r *Row) mechanism(name string) (v float64, ok bool) { return find(r.Mechanisms, name) }

func find(all []Mechanism, name string) (v float64, ok bool) {
	i := slices.IndexFunc(all, func(m Mechanism) bool { return m.Name == name })
	if i < 0 {
		return 0, false
	}
	return all[i].Value, true
}
