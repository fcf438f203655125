package loadgen

import (
	"math"
	"slices"
)

// chiSquare returns how many standard deviations the chi-square statistic of counts lies above what the probabilities
// let expect (Wilson and Hilferty's normal approximation). Cells with few expected draws are put together.
func chiSquare(counts []int, probability func(i int) float64) float64 {
	n := 0
	for _, c := range counts {
		n += c
	}
	var sum, expected, seen float64
	cells := 0
	for i, c := range counts {
		expected += probability(i) * float64(n)
		seen += float64(c)
		if expected >= 10 {
			sum += (seen - expected) * (seen - expected) / expected
			expected, seen = 0, 0
			cells++
		}
	}
	k := float64(cells - 1)
	return (math.Cbrt(sum/k) - (1 - 2/(9*k))) / math.Sqrt(2/(9*k))
}

// kolmogorovSmirnov returns √n·D for samples against a distribution function: above 1.95 once in a thousand times
// (Stephens 1974, all parameters known).
func kolmogorovSmirnov(samples []float64, cdf func(x float64) float64) float64 {
	x := slices.Sorted(slices.Values(samples))
	n, d := float64(len(x)), 0.0
	for i, v := range x {
		f := cdf(v)
		d = max(d, f-float64(i)/n, float64(i+1)/n-f)
	}
	return d * math.Sqrt(n)
}

// andersonDarling returns A² for samples against a distribution function: above 3.857 once in a hundred times
// (Stephens 1974, all parameters known).
func andersonDarling(samples []float64, cdf func(x float64) float64) float64 {
	x := slices.Sorted(slices.Values(samples))
	n, sum := float64(len(x)), 0.0
	for i, v := range x {
		sum += float64(2*i+1) * (math.Log(cdf(v)) + math.Log1p(-cdf(x[len(x)-1-i])))
	}
	return -n - sum/n
}

// dispersion returns the variance of counts over their mean.
func dispersion(counts []float64) float64 {
	var mean, variance float64
	for _, c := range counts {
		mean += c / float64(len(counts))
	}
	for _, c := range counts {
		variance += (c - mean) * (c - mean) / float64(len(counts)-1)
	}
	return variance / mean
}
