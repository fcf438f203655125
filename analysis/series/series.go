// Package series judges values that follow each other in time: whether they are one plateau, whether they have a trend, and
// whether neighbours resemble each other. It is pure: the same values give the same answer, and it knows nothing of what they
// measure. Values are logarithms where a shift is to be a share: 0.02 is 2 %.
package series

import (
	"cmp"
	"math"
	"slices"
)

// ranks are the values' ranks from 1, those of equals being their mean.
func ranks(x []float64) []float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
	r := make([]float64, len(x))
	for i := 0; i < len(order); {
		j := i + 1
		for j < len(order) && x[order[j]] == x[order[i]] {
			j++
		}
		for _, k := range order[i:j] {
			r[k] = float64(i+j+1) / 2
		}
		i = j
	}
	return r
}

// finite says whether no value is missing.
func finite(x []float64) bool {
	for _, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}
