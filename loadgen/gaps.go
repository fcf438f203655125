package loadgen

import (
	"math"
	"math/bits"
)

// Pacing says how the gaps between sends compare with those between the arrivals that they are of, as each worker saw them, all
// workers together. The law is only that of the arrivals; a client that sends in clumps puts another load on the server than the
// one asked for, even where each send is but a little late.
type Pacing struct {
	Gaps uint64 // of arrivals that were due, in the window
	// Due and Sent are the squared coefficients of variation of the gaps: of the arrivals, and of the sends. For independent gaps
	// it is the index of dispersion of counts over long times: 1 for a Poisson process, 0 where gaps are equal. The longest
	// thousandth is left out, which makes 0.97 of the 1: else one stall of 7 ms in 80,000 sends, which Late shows, would make it 2.
	Due, Sent float64
	// Distance is the largest difference between the two distribution functions of the gaps (Kolmogorov and Smirnov's), 0 to 1,
	// told apart to 3 %.
	Distance float64
}

// gaps is a record of times between events, told apart to 3 %.
type gaps struct {
	n      uint64
	counts [gapBins]uint32
}

// Bins of gaps: 32 for each power of two, and one for each of the first 64 ns.
const (
	gapBits = 5
	gapBins = (64 - gapBits) << gapBits
)

func gapBin(v int64) int {
	if v < 2<<gapBits {
		return int(max(v, 0))
	}
	shift := bits.Len64(uint64(v)) - gapBits - 1
	return shift<<gapBits + int(v>>shift)
}

// gapOf returns the middle of a bin.
func gapOf(bin int) float64 {
	if bin < 2<<gapBits {
		return float64(bin)
	}
	shift := bin>>gapBits - 1
	return math.Ldexp(float64(1<<gapBits+bin&(1<<gapBits-1))+0.5, shift)
}

func (g *gaps) add(v int64) {
	g.n++
	g.counts[gapBin(v)]++
}

func (g *gaps) merge(o *gaps) {
	g.n += o.n
	for i := range o.counts {
		g.counts[i] += o.counts[i]
	}
}

func (g *gaps) reset() {
	g.n = 0
	clear(g.counts[:])
}

// trimmed is the share of the gaps, the longest ones, that variation leaves out.
const trimmed = 0.001

// variation returns the squared coefficient of variation; 0 where there are no gaps, or none above 0.
func (g *gaps) variation() float64 {
	var n, sum, squares float64
	for i, left := 0, float64(g.n)*(1-trimmed); i < gapBins && left > 0; i++ {
		k, v := min(float64(g.counts[i]), left), gapOf(i)
		left -= k
		n += k
		sum += k * v
		squares += k * v * v
	}
	if sum == 0 {
		return 0
	}
	return max(squares*n/(sum*sum)-1, 0)
}

// distance returns the largest difference between the distribution functions of g and o.
func (g *gaps) distance(o *gaps) float64 {
	if g.n == 0 || o.n == 0 {
		return 0
	}
	var a, b, most float64
	for i := range g.counts {
		a += float64(g.counts[i]) / float64(g.n)
		b += float64(o.counts[i]) / float64(o.n)
		most = max(most, math.Abs(a-b))
	}
	return most
}

// pacer follows a worker's arrivals and sends. It records from the second of a window on.
type pacer struct{ due, sent int64 }

func (p *pacer) restart() { p.due, p.sent = -1, -1 }

func (p *pacer) fell(due int64, g *gaps) {
	if p.due >= 0 {
		g.add(due - p.due)
	}
	p.due = due
}

func (p *pacer) left(now int64, g *gaps) {
	if p.sent >= 0 {
		g.add(now - p.sent)
	}
	p.sent = now
}

// pacing puts the records of gaps together.
func (r *recorder) pacing() Pacing {
	if r.due == nil {
		return Pacing{}
	}
	return Pacing{Gaps: r.due.n, Due: r.due.variation(), Sent: r.left.variation(), Distance: r.due.distance(r.left)}
}
