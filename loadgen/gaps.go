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
	// it is the index of dispersion of counts over long times: 1 for a Poisson process, 0 where gaps are equal.
	Due, Sent float64
	// Distance is the largest difference between the two distribution functions of the gaps (Kolmogorov and Smirnov's), 0 to 1,
	// told apart to 3 %.
	Distance float64
}

// gaps is a record of times between events.
type gaps struct {
	n            uint64
	sum, squares float64 // ns, and their squares
	counts       [gapBins]uint32
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

func (g *gaps) add(v int64) {
	g.n++
	x := float64(v)
	g.sum += x
	g.squares += x * x
	g.counts[gapBin(v)]++
}

func (g *gaps) merge(o *gaps) {
	g.n += o.n
	g.sum += o.sum
	g.squares += o.squares
	for i := range o.counts {
		g.counts[i] += o.counts[i]
	}
}

func (g *gaps) reset() {
	g.n, g.sum, g.squares = 0, 0, 0
	clear(g.counts[:])
}

// variation returns the squared coefficient of variation; 0 where there are no gaps, or none above 0.
func (g *gaps) variation() float64 {
	if g.sum == 0 {
		return 0
	}
	return max(g.squares*float64(g.n)/(g.sum*g.sum)-1, 0)
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
