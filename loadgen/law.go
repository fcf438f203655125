package loadgen

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Law is a distribution of whole numbers above 0: bytes of a key or a value, or milliseconds to live. One of its forms is used.
type Law struct {
	Min, Max int // every number from Min to Max as often as any other; one number where they are equal

	// Median and Sigma, unless zero, make it lognormal, cut off at Min and Max: what lies outside becomes Min or Max.
	Median, Sigma float64

	// Values and Weights, unless empty, are the numbers there are and how often each is, relatively. Min and Max are the least
	// and the most of them.
	Values  []int
	Weights []float64
}

// Fixed is a law of one number.
func Fixed(n int) Law { return Law{Min: n, Max: n} }

// span is its least and its most.
func (l Law) span() string {
	if l.Min == l.Max {
		return strconv.Itoa(l.Min)
	}
	return fmt.Sprintf("%d to %d", l.Min, l.Max)
}

func (l Law) equal(m Law) bool {
	return l.Min == m.Min && l.Max == m.Max && l.Median == m.Median && l.Sigma == m.Sigma &&
		slices.Equal(l.Values, m.Values) && slices.Equal(l.Weights, m.Weights)
}

func (l Law) check(what string, most int) error {
	if l.Min < 1 || l.Max < l.Min || l.Max > most {
		return fmt.Errorf("workload: %s from %d to %d; use 1 to %d", what, l.Min, l.Max, most)
	}
	if l.Median != 0 || l.Sigma != 0 {
		if !(l.Median >= 1 && l.Median <= float64(most)) || !(l.Sigma > 0 && l.Sigma <= 10) {
			return fmt.Errorf("workload: lognormal %s with median %v, sigma %v; use a median from 1 to %d and a sigma in (0, 10]",
				what, l.Median, l.Sigma, most)
		}
	}
	if len(l.Values) != len(l.Weights) {
		return fmt.Errorf("workload: %d %s with %d weights; give each one", len(l.Values), what, len(l.Weights))
	}
	sum := 0.0
	for i, n := range l.Values {
		x := l.Weights[i]
		if n < l.Min || n > l.Max || !(x >= 0) || math.IsInf(x, 0) {
			return fmt.Errorf("workload: %s of %d with weight %v; use %d to %d, and weights from 0", what, n, x, l.Min, l.Max)
		}
		sum += x
	}
	if len(l.Values) > 0 && (!(sum > 0) || math.IsInf(sum, 0)) {
		return fmt.Errorf("workload: the weights of the %s add up to %v", what, sum)
	}
	return nil
}

// numbers draws from a law. It is read-only.
type numbers struct {
	Law
	table aliasTable // of Values
	mu    float64    // of a lognormal's logarithm
}

func newNumbers(l Law) numbers {
	n := numbers{Law: l}
	if l.Median > 0 {
		n.mu = math.Log(l.Median)
	}
	if len(l.Values) > 0 {
		n.table = newAliasTable(append([]float64(nil), l.Weights...))
	}
	return n
}

// Mean is about the mean of the law, to the nearest whole number: of many draws, the same each time.
func (l Law) Mean() int {
	n := newNumbers(l)
	if n.fixed() {
		return n.Min
	}
	const draws = 1 << 14
	sum := 0.0
	for i := range uint64(draws) {
		sum += float64(n.draw(mix64(i * gamma)))
	}
	return int(math.Round(sum / draws))
}

// fixed reports whether there is but one number.
func (n *numbers) fixed() bool { return n.Min == n.Max }

// draw turns a uniform random word into a number.
func (n *numbers) draw(word uint64) int {
	switch {
	case n.Min == n.Max:
		return n.Min
	case n.table != nil:
		return n.Values[n.table.draw(word)]
	case n.Sigma > 0:
		// Box and Muller, with half of the word each.
		u := (float64(word>>32) + 0.5) / (1 << 32)
		v := float64(uint32(word)) / (1 << 32)
		normal := math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*v)
		return int(math.Round(min(max(math.Exp(n.mu+n.Sigma*normal), float64(n.Min)), float64(n.Max))))
	}
	return n.Min + int(evenRanks(n.Max-n.Min+1).draw(word))
}
