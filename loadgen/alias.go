package loadgen

import "math/bits"

// aliasTable draws from any discrete distribution with one look at one cell (Walker's alias method, built by Vose: A
// linear algorithm for generating random numbers with a given distribution, IEEE TSE 17(9), 1991). Probabilities are
// exact to 2^-32 of a cell. It is read-only once built.
type aliasTable []aliasCell

// aliasCell is half of a cache line's eighth: ten million keys cost 80 MB, and a draw at most one miss.
type aliasCell struct {
	keep  uint32 // the draw is the cell itself when the fraction, in units of 2^-32, is below keep
	other uint32
}

// newAliasTable builds the table of the given weights, of which one at least is positive. It overwrites them.
func newAliasTable(weights []float64) aliasTable {
	n := len(weights)
	sum := 0.0
	for i := n - 1; i >= 0; i-- { // a Zipfian's smallest first, which loses least
		sum += weights[i]
	}
	scale := float64(n) / sum
	// One array serves as two stacks: cells with less than their share from the front, the others from the back.
	stacks := make([]uint32, n)
	small, large := 0, n
	for i := range weights {
		if weights[i] *= scale; weights[i] < 1 {
			stacks[small] = uint32(i)
			small++
		} else {
			large--
			stacks[large] = uint32(i)
		}
	}
	table := make(aliasTable, n)
	for i := range table {
		table[i].other = uint32(i) // whatever is left over by rounding is full
	}
	for small > 0 && large < n {
		s, l := stacks[small-1], stacks[large]
		small--
		table[s] = aliasCell{uint32(weights[s] * (1 << 32)), l}
		if weights[l] -= 1 - weights[s]; weights[l] < 1 {
			large++
			stacks[small] = l
			small++
		}
	}
	return table
}

// draw turns a uniform random word into an index.
func (t aliasTable) draw(word uint64) uint32 {
	i, fraction := bits.Mul64(word, uint64(len(t)))
	c := t[i]
	if uint32(fraction>>32) < c.keep {
		return uint32(i)
	}
	return c.other
}
