package gate

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/shardlab/shardlab/results"
)

// What makes a block useless: more of its pairs dropped than this; and a point, more of its blocks void.
const (
	MaxVoidPairs  = 0.20
	maxVoidBlocks = 0.30
)

// maxSendLate is how late the 99th percentile of an open loop's sends may be in a slice.
const maxSendLate = 5e6 // ns

// Block is what one block says of one arm against another at a point.
type Block struct {
	Number int
	Pairs  int    // rounds in which both arms were visited
	Void   int    // of those, dropped
	Why    string // the commonest reason; "" where none was dropped
	// X is the log-ratio of each metric that can be had, signed so that more is worse, and Drift its second half minus its
	// first. Arm and Ref are the absolute values.
	X, Drift, Arm, Ref map[Metric]float64

	failed, refFailed failure // of one arm alone
	faults            int     // pairs dropped because a server failed, which is not the host's doing
	voids, refVoids   int     // slices that are void for another reason, of either arm
}

// usable says whether a block's values count.
func (b *Block) usable() bool {
	return b.Pairs > 0 && float64(b.Void) <= MaxVoidPairs*float64(b.Pairs)
}

// pair is the slices of two arms in one round.
type pair struct{ arm, ref *results.Slice }

// Blocks pairs two arms' slices at a point. Blocks that did not come to their end have no line among the trials and are
// left out. They come in ascending order.
func Blocks(lines []results.Slice, trials []results.Trial, point, arm, ref string) []Block {
	pairs := pairUp(lines, trials, point, arm, ref)
	var blocks []Block
	for _, number := range slices.Sorted(maps.Keys(pairs)) {
		blocks = append(blocks, newBlock(number, pairs[number]))
	}
	return blocks
}

// pairUp finds the pairs, by block and round.
func pairUp(lines []results.Slice, trials []results.Trial, point, arm, ref string) map[int]map[int]pair {
	ended := map[int]int{}
	for _, t := range trials {
		if t.Point == point && (t.Arm == arm || t.Arm == ref) {
			ended[t.Block]++
		}
	}
	pairs := map[int]map[int]pair{}
	for i := range lines {
		s := &lines[i]
		if s.Point != point || ended[s.Block] < 2 || s.Arm != arm && s.Arm != ref {
			continue
		}
		if pairs[s.Block] == nil {
			pairs[s.Block] = map[int]pair{}
		}
		p := pairs[s.Block][s.Slice]
		if s.Arm == arm {
			p.arm = s
		} else {
			p.ref = s
		}
		pairs[s.Block][s.Slice] = p
	}
	return pairs
}

// newBlock adds up a block's pairs.
func newBlock(number int, rounds map[int]pair) Block {
	b := Block{Number: number, X: map[Metric]float64{}, Drift: map[Metric]float64{}, Arm: map[Metric]float64{}, Ref: map[Metric]float64{}}
	reasons := map[string]int{}
	var good []pair
	for _, round := range slices.Sorted(maps.Keys(rounds)) {
		p := rounds[round]
		if p.arm == nil || p.ref == nil {
			continue
		}
		b.Pairs++
		b.compareFailures(p)
		b.voids, b.refVoids = b.voids+taken(p.arm), b.refVoids+taken(p.ref)
		if why := cmp.Or(whyVoid(p.arm), whyVoid(p.ref)); why != "" {
			b.Void++
			reasons[why]++
			if why == fails(p.arm) || why == fails(p.ref) {
				b.faults++
			}
			continue
		}
		good = append(good, p)
	}
	for _, why := range slices.Sorted(maps.Keys(reasons)) {
		if b.Why == "" || reasons[why] > reasons[b.Why] {
			b.Why = why
		}
	}
	for _, m := range meters {
		x, arm, ref, ok := m.compare(good)
		if !ok {
			continue
		}
		b.X[m.metric], b.Arm[m.metric], b.Ref[m.metric] = x, arm, ref
		first, _, _, ok1 := m.compare(good[:len(good)/2])
		second, _, _, ok2 := m.compare(good[len(good)/2:])
		if ok1 && ok2 {
			b.Drift[m.metric] = second - first
		}
	}
	return b
}

// whyVoid says why a slice does not count, without figures, so that equal reasons are equal texts.
func whyVoid(s *results.Slice) string {
	how := fails(s)
	switch {
	case !s.Valid:
		why, _, _ := cutAny(s.Why)
		return cmp.Or(why, "marked as void")
	case s.Errors > 0, s.Corrupt > 0:
		return how
	case s.ThrottledPeriods > 0:
		return "CPU quota used up"
	case s.LatenessP > maxSendLate:
		return "sends more than 5 ms late"
	case s.Dur <= 0 || s.Replies == 0:
		return cmp.Or(how, "no time")
	}
	return ""
}

// taken is 1 for a slice that does not count though its server has not failed.
func taken(s *results.Slice) int {
	if whyVoid(s) != "" && fails(s) == "" {
		return 1
	}
	return 0
}

// cutAny parts a reason's kind from its figures: "steal: …".
func cutAny(why string) (kind, rest string, found bool) {
	for i, c := range why {
		if c == ':' {
			return why[:i], why[i+1:], true
		}
	}
	return why, "", false
}

// compare is the metric's log-ratio over pairs, more being worse, with both arms' absolute values. It is not ok where
// any pair lacks the metric: a ratio over those that happen to have it would be biased.
func (m meter) compare(pairs []pair) (x, arm, ref float64, ok bool) {
	if len(pairs) == 0 {
		return 0, 0, 0, false
	}
	var a, b, logs [2]float64 // sums of what is above and below
	for _, p := range pairs {
		a0, a1 := m.value(p.arm)
		b0, b1 := m.value(p.ref)
		if !(a0 > 0 && a1 > 0 && b0 > 0 && b1 > 0) {
			return 0, 0, 0, false
		}
		a[0], a[1], b[0], b[1] = a[0]+a0, a[1]+a1, b[0]+b0, b[1]+b1
		logs[0] += math.Log(a0 / a1)
		logs[1] += math.Log(b0 / b1)
	}
	n := float64(len(pairs))
	if m.sums {
		arm, ref = a[0]/a[1], b[0]/b[1]
	} else {
		arm, ref = math.Exp(logs[0]/n), math.Exp(logs[1]/n)
	}
	x = math.Log(arm) - math.Log(ref)
	if m.higher {
		x = -x
	}
	return x, arm, ref, !math.IsNaN(x) && !math.IsInf(x, 0)
}

// noise says why too many of a point's blocks are void; "" where they are not.
func noise(blocks []Block) string {
	void := 0
	reasons := map[string]int{}
	for i := range blocks {
		if b := &blocks[i]; !b.usable() {
			void++
			reasons[cmp.Or(b.Why, "no pair of slices")]++
		}
	}
	if len(blocks) == 0 || float64(void) <= maxVoidBlocks*float64(len(blocks)) {
		return ""
	}
	common := ""
	for _, why := range slices.Sorted(maps.Keys(reasons)) {
		if common == "" || reasons[why] > reasons[common] {
			common = why
		}
	}
	return fmt.Sprintf("%d of %d blocks are void (%s)", void, len(blocks), common)
}
