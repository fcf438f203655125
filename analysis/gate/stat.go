package gate

import (
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// sample is n block log-ratios, summed up.
type sample struct {
	x    []float64
	mean float64
	sd   float64
}

func newSample(x []float64) sample {
	s := sample{x: x}
	if len(x) == 0 {
		return s
	}
	same := true
	for _, v := range x {
		s.mean += v
		same = same && v == x[0]
	}
	s.mean /= float64(len(x))
	if same { // which rounding in the sums would hide
		s.mean = x[0]
		return s
	}
	ss := 0.0
	for _, v := range x {
		ss += (v - s.mean) * (v - s.mean)
	}
	s.sd = math.Sqrt(ss / float64(len(x)-1))
	return s
}

func (s sample) n() int { return len(s.x) }

// se is the standard error of the mean; infinite below two values.
func (s sample) se() float64 {
	if s.n() < 2 {
		return math.Inf(1)
	}
	return s.sd / math.Sqrt(float64(s.n()))
}

// half is half of the width of the interval that leaves out alpha on each side.
func (s sample) half(alpha float64) float64 {
	if s.n() < 2 {
		return math.Inf(1)
	}
	return quantileT(1-alpha, s.n()-1) * s.se()
}

// pAbove is the one-sided p of the t test against a mean of at most 0.
func (s sample) pAbove() float64 {
	se := s.se()
	switch {
	case s.n() < 2:
		return 1
	case se == 0 && s.mean > 0:
		return 0
	case se == 0:
		return 1
	}
	return distuv.StudentsT{Sigma: 1, Nu: float64(s.n() - 1)}.Survival(s.mean / se)
}

// negated is the sample of the other direction.
func (s sample) negated() sample {
	x := make([]float64, len(s.x))
	for i, v := range s.x {
		x[i] = -v
	}
	return sample{x: x, mean: -s.mean, sd: s.sd}
}

func quantileT(p float64, df int) float64 {
	return distuv.StudentsT{Sigma: 1, Nu: float64(df)}.Quantile(p)
}

// signFlip is the exact one-sided p of the permutation test that flips signs: the share of the 2^n ways to sign |x|
// whose sum is at least that of x. It meets in the middle, so 24 values take 2·2^12 sums and not 2^24.
func signFlip(x []float64) float64 {
	n := len(x)
	if n == 0 {
		return 1
	}
	total, scale := 0.0, 0.0
	for _, v := range x {
		total += v
		scale += math.Abs(v)
	}
	a, b := signedSums(x[:n/2]), signedSums(x[n/2:])
	slices.Sort(a)
	slices.Sort(b)
	least := total - 1e-12*scale // the sum of x itself must be found again whatever the order of additions
	count, j := 0, len(b)
	for _, s := range a { // as s grows, more of b reach the least
		for j > 0 && s+b[j-1] >= least {
			j--
		}
		count += len(b) - j
	}
	return float64(count) / math.Exp2(float64(n))
}

// signedSums are the sums of x under all signs.
func signedSums(x []float64) []float64 {
	sums := []float64{0}
	for _, v := range x {
		next := make([]float64, 0, 2*len(sums))
		for _, s := range sums {
			next = append(next, s-v, s+v)
		}
		sums = next
	}
	return sums
}

// hodgesLehmann is the median of the means of all pairs, values with themselves included: a location that a few wild
// blocks do not move.
func hodgesLehmann(x []float64) float64 {
	var walsh []float64
	for i := range x {
		for j := i; j < len(x); j++ {
			walsh = append(walsh, (x[i]+x[j])/2)
		}
	}
	sort.Float64s(walsh)
	k := len(walsh)
	if k == 0 {
		return 0
	}
	return (walsh[(k-1)/2] + walsh[k/2]) / 2
}

// power is the probability with which the smallest effect is found that is called detectable.
const power = 0.95

// detectable is the smallest worsening, as a log-ratio, that n blocks of this spread call regressed with a probability
// of power: it must stand out from 0 at level alpha, and its mean must reach the floor.
func detectable(sd float64, n int, alpha, floor float64) float64 {
	if n < 2 {
		return math.Inf(1)
	}
	se := sd / math.Sqrt(float64(n))
	tail := quantileT(power, n-1) * se
	return max(quantileT(1-alpha, n-1)*se, floor) + tail
}

// mostNeeded bounds the search for a sufficient n.
const mostNeeded = 1000

// needed is the smallest n at which blocks with this mean and spread would be decided, at the last look's level; 0 if
// none up to mostNeeded would do, or nothing is known of the spread.
func needed(s sample, alpha, floor, delta float64) int {
	if s.n() < 2 {
		return 0
	}
	for n := MinBlocks; n <= mostNeeded; n++ {
		h := quantileT(1-alpha, n-1) * s.sd / math.Sqrt(float64(n))
		switch {
		case s.mean >= floor && s.mean-h > 0, s.mean <= -floor && s.mean+h < 0, s.mean < floor && s.mean+h < delta:
			return n
		}
	}
	return 0
}
