package results

// blockKey names one arm's block at one point.
type blockKey struct {
	point string
	arm   string
	block int
}

// blockSum is what a block's slices add up to. Counts and times are of the valid slices only, except for slices.
type blockSum struct {
	key       blockKey
	slices    int // all
	valid     int
	ops       uint64 // answered with the right type
	replies   uint64 // of any kind, within the windows: what every rate is of
	errors    uint64
	misses    uint64
	corrupt   uint64
	overflow  uint64
	dur       int64 // nanoseconds
	serverCPU int64
	clientCPU int64
}

func (b *blockSum) add(s *Slice) {
	b.slices++
	if !s.Valid {
		return
	}
	b.valid++
	b.ops += s.TotalOps()
	b.replies += s.Replies
	b.errors += s.Errors
	b.misses += s.Misses
	b.corrupt += s.Corrupt
	b.overflow += s.Overflow
	b.dur += s.Dur
	b.serverCPU += s.ServerCPU
	b.clientCPU += s.ClientCPU
}

// perOp divides nanoseconds by the replies; 0 where there is nothing to divide. An open loop's operations will not do:
// some of those due in a window are answered after it, while the times are the window's own.
func (b *blockSum) perOp(ns int64) float64 {
	if b.replies == 0 || ns <= 0 {
		return 0
	}
	return float64(ns) / float64(b.replies)
}

// opsPerSecond is replies over measured time; 0 where none was measured.
func (b *blockSum) opsPerSecond() float64 {
	if b.dur <= 0 {
		return 0
	}
	return float64(b.replies) / (float64(b.dur) / 1e9)
}

// blocks sums slices by block, and remembers the order in which the blocks began.
type blocks struct {
	sums  map[blockKey]*blockSum
	order []blockKey
}

func newBlocks() *blocks { return &blocks{sums: map[blockKey]*blockSum{}} }

// at returns the block's sum, a new one at the end of the order where it was not known.
func (b *blocks) at(k blockKey) *blockSum {
	sum, ok := b.sums[k]
	if !ok {
		sum = &blockSum{key: k}
		b.sums[k] = sum
		b.order = append(b.order, k)
	}
	return sum
}

func (b *blocks) slice(s *Slice) { b.at(blockKey{s.Point, s.Arm, s.Block}).add(s) }

// take returns a block's sum, the empty one where there were no slices.
func (b *blocks) take(k blockKey) blockSum {
	if sum, ok := b.sums[k]; ok {
		return *sum
	}
	return blockSum{key: k}
}
