package loadgen

import (
	"math"
	"math/bits"
)

// ranks draws how popular a key an operation asks for: rank 0 is the most popular. It is read-only once made.
type ranks interface {
	// draw turns a uniform random word into a rank.
	draw(word uint64) uint32
	// below returns the probability of the n most popular ranks together.
	below(n int) float64
}

// evenRanks are so many, each as likely as the others.
type evenRanks uint64

func (r evenRanks) draw(word uint64) uint32 {
	hi, _ := bits.Mul64(word, uint64(r))
	return uint32(hi)
}

func (r evenRanks) below(n int) float64 { return float64(n) / float64(r) }

// hotRanks are two sets, each of which is drawn evenly from.
type hotRanks struct {
	hot, all  uint64
	share     float64 // of the draws that go to the first hot ranks
	threshold uint64
}

func newHotRanks(hot, all int, share float64) hotRanks {
	r := hotRanks{hot: uint64(hot), all: uint64(all), share: share, threshold: math.MaxUint64}
	if share < 1 {
		r.threshold = uint64(share * (1 << 64))
	}
	return r
}

func (r hotRanks) draw(word uint64) uint32 {
	second := mix64(word + gamma)
	if word < r.threshold {
		return evenRanks(r.hot).draw(second)
	}
	return uint32(r.hot) + evenRanks(r.all-r.hot).draw(second)
}

func (r hotRanks) below(n int) float64 {
	if uint64(n) <= r.hot {
		return r.share * float64(n) / float64(r.hot)
	}
	return r.share + (1-r.share)*float64(uint64(n)-r.hot)/float64(r.all-r.hot)
}

// weightedRanks have a weight each, largest first. Ranks beyond the weights are never drawn.
type weightedRanks struct {
	aliasTable
	weights []float64
}

func newWeightedRanks(weights []float64) weightedRanks {
	return weightedRanks{newAliasTable(append([]float64(nil), weights...)), weights}
}

func (r weightedRanks) below(n int) float64 {
	part, all := 0.0, 0.0
	for i := len(r.weights) - 1; i >= 0; i-- {
		if all += r.weights[i]; i < n {
			part += r.weights[i]
		}
	}
	return part / all
}
