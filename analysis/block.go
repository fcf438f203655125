package analysis

import (
	"cmp"
	"slices"

	"github.com/shardlab/shardlab/results"
)

// PointArm names one row: an arm at a point, by the point's label and the arm's name.
type PointArm struct {
	Point string `json:"point"`
	Arm   string `json:"arm"`
}

// maxVoidSlices is the share of a block's slices that may be void before the block itself is.
const maxVoidSlices = 0.20

// block is one arm in one block: what its slices add up to, and the trial line that the process's end wrote.
type block struct {
	number int
	ops    uint64 // replies within the windows; this and the next three: over valid slices
	dur    int64
	srvCPU int64
	cliCPU int64

	slices int
	void   int
	valid  []*results.Slice // in the order of the rounds
	all    []*results.Slice
	trial  *results.Trial // nil until the block is finished
}

// usable says whether the block's values count: it has ended, and enough of its slices are valid.
func (b *block) usable() bool {
	return b.trial != nil && len(b.valid) > 0 && float64(b.void) <= maxVoidSlices*float64(b.slices)
}

// usableSlice says whether a slice's figures count. A line that claims to be valid but has no length is not.
func usableSlice(s *results.Slice) bool {
	return s.Valid && s.Dur > 0 && s.ServerCPU >= 0 && s.ClientCPU >= 0
}

// gather sorts slices and trials into blocks, in ascending order of their numbers. It keeps pointers into both.
func gather(lines []results.Slice, trials []results.Trial) map[PointArm][]*block {
	type key struct {
		PointArm
		block int
	}
	index := map[key]*block{}
	at := func(point, arm string, n int) *block {
		k := key{PointArm{point, arm}, n}
		if index[k] == nil {
			index[k] = &block{number: n}
		}
		return index[k]
	}
	for i := range lines {
		s := &lines[i]
		at(s.Point, s.Arm, s.Block).add(s)
	}
	for i := range trials {
		t := &trials[i]
		at(t.Point, t.Arm, t.Block).trial = t
	}
	rows := map[PointArm][]*block{}
	for k, b := range index {
		slices.SortFunc(b.valid, func(x, y *results.Slice) int { return cmp.Compare(x.Slice, y.Slice) })
		rows[k.PointArm] = append(rows[k.PointArm], b)
	}
	for _, blocks := range rows {
		slices.SortFunc(blocks, func(x, y *block) int { return cmp.Compare(x.number, y.number) })
	}
	return rows
}

func (b *block) add(s *results.Slice) {
	b.slices++
	b.all = append(b.all, s)
	if !usableSlice(s) {
		b.void++
		return
	}
	b.valid = append(b.valid, s)
	b.ops += s.Replies
	b.dur += s.Dur
	b.srvCPU += s.ServerCPU
	b.cliCPU += s.ClientCPU
}

// shared says that the block is one of several groups of clients, which used the server together.
func (b *block) shared() bool { return len(b.all) > 0 && b.all[0].Shared }

// throughput is operations per second over the block's valid slices; 0 without any.
func (b *block) throughput() float64 {
	if b.dur <= 0 {
		return 0
	}
	return float64(b.ops) / float64(b.dur) * 1e9
}

func usableBlocks(blocks []*block) []*block {
	var out []*block
	for _, b := range blocks {
		if b.usable() {
			out = append(out, b)
		}
	}
	return out
}
