package analysis

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// USL is the Universal Scalability Law with three parameters (Gunther, "A General Theory of Computational Scalability", 2008;
// the form with γ of 2018): X(N) = γN / (1 + α(N-1) + βN(N-1)).
type USL struct {
	Gamma float64 `json:"gamma"` // operations per second of one, alone
	Alpha float64 `json:"alpha"` // contention: the share that is serial; at least 0
	Beta  float64 `json:"beta"`  // coherency: what each pair costs; at least 0
}

// At is the throughput at n.
func (u USL) At(n float64) float64 { return u.Gamma * n / (1 + u.Alpha*(n-1) + u.Beta*n*(n-1)) }

// Peak is where throughput is greatest: infinity where it grows for ever, 1 where it only falls.
func (u USL) Peak() float64 {
	switch {
	case u.Alpha >= 1:
		return 1
	case u.Beta <= 0:
		return math.Inf(1)
	}
	return max(1, math.Sqrt((1-u.Alpha)/u.Beta))
}

var errNoLaw = errors.New("no law with a positive throughput of one fits")

// FitUSL fits the law to throughputs x at n, all above zero, by least squares of relative errors, with α and β at least 0.
//
// N/X is linear in 1/γ, α/γ and β/γ, and Σ(1 - X·(N/X̂)/N)² in them is a quadratic form: its least value under the bounds is that of
// one of four sets of free parameters, so there is no search that could end in the wrong place, and no X(1) to divide by.
func FitUSL(n, x []float64) (USL, error) {
	best, found := USL{}, false
	least := math.Inf(1)
	for _, free := range [][]int{{0}, {0, 1}, {0, 2}, {0, 1, 2}} {
		c, sse, ok := solveUSL(n, x, free)
		if ok && sse < least-1e-12*float64(len(n)) { // an equal fit with more parameters is no better one
			least, found = sse, true
			best = USL{Gamma: 1 / c[0], Alpha: c[1] / c[0], Beta: c[2] / c[0]}
		}
	}
	if !found {
		return USL{}, errNoLaw
	}
	return best, nil
}

// solveUSL is the unbounded least-squares solution in the free parameters, if it respects the bounds.
func solveUSL(n, x []float64, free []int) (c [3]float64, sse float64, ok bool) {
	if len(n) < len(free) {
		return c, 0, false
	}
	rows := make([][3]float64, len(n))
	var scale [3]float64
	for i := range n {
		w := x[i] / n[i]
		rows[i] = [3]float64{w, w * (n[i] - 1), w * n[i] * (n[i] - 1)}
		for k, v := range rows[i] {
			scale[k] = max(scale[k], math.Abs(v))
		}
	}
	m := len(free)
	var a [3][4]float64 // normal equations of scaled columns, the right side last
	for _, r := range rows {
		for i := range m {
			if scale[free[i]] == 0 {
				return c, 0, false
			}
			vi := r[free[i]] / scale[free[i]]
			for j := range m {
				a[i][j] += vi * r[free[j]] / scale[free[j]]
			}
			a[i][m] += vi
		}
	}
	y, ok := eliminate(a, m)
	if !ok {
		return c, 0, false
	}
	for i, k := range free {
		c[k] = y[i] / scale[k]
	}
	if !(c[0] > 0) || c[1] < 0 || c[2] < 0 {
		return c, 0, false
	}
	for _, r := range rows {
		d := 1 - r[0]*c[0] - r[1]*c[1] - r[2]*c[2]
		sse += d * d
	}
	return c, sse, true
}

// eliminate solves m equations by Gauss with pivoting.
func eliminate(a [3][4]float64, m int) (y [3]float64, ok bool) {
	for k := range m {
		pivot := k
		for i := k + 1; i < m; i++ {
			if math.Abs(a[i][k]) > math.Abs(a[pivot][k]) {
				pivot = i
			}
		}
		if math.Abs(a[pivot][k]) < 1e-14 {
			return y, false
		}
		a[k], a[pivot] = a[pivot], a[k]
		for i := k + 1; i < m; i++ {
			f := a[i][k] / a[k][k]
			for j := k; j <= m; j++ {
				a[i][j] -= f * a[k][j]
			}
		}
	}
	for k := m - 1; k >= 0; k-- {
		y[k] = a[k][m]
		for j := k + 1; j < m; j++ {
			y[k] -= a[k][j] * y[j]
		}
		y[k] /= a[k][k]
	}
	return y, true
}

// uslIntervals are of γ, α, β and the peak.
type uslIntervals struct{ gamma, alpha, beta, peak Interval }

// intervalsUSL are over blocks: logs[b][i] is the log throughput of block b at n[i], NaN where it is void there. All points of a block go
// together, for they share the block's time. Each is the widest of three: percentiles of a bootstrap, widened as for a mean of so few
// (Hesterberg, "What Teachers Should Know About the Bootstrap", 2015), Student's t with the jackknife's error over blocks, and with that over
// the values of N. Of six blocks the first alone covers 88 to 91 % of what it promises 95 of (TestScalingIntervalsCover). The third is for what
// blocks share: the law is only near the truth, and which values it is held against decides what it says of all. Of two sweeps of shared, one after
// the other, one had by blocks alone a β of 0 to 0.00081 and no peak, the other a β of 0.00048 to 0.00073 and a peak at 31 to 38 connections, where
// most was measured at 8.
// least is the fewest blocks that any n has.
func intervalsUSL(n []float64, logs [][]float64, least int) (uslIntervals, bool) {
	const draws = 1999
	blocks := len(logs)
	rng := rand.New(rand.NewPCG(seedHi, seedLo))
	var all [4][]float64
	pick := make([]int, blocks)
	for range draws {
		for i := range pick {
			pick[i] = rng.IntN(blocks)
		}
		if v, ok := uslOf(n, logs, pick); ok {
			for k := range v {
				all[k] = append(all[k], v[k])
			}
		}
	}
	if len(all[0]) < draws*9/10 {
		return uslIntervals{}, false
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(least - 1)}.Quantile(1 - (1-Level)/2)
	tail := distuv.UnitNormal.CDF(-t * math.Sqrt(float64(least)/float64(least-1)))
	byBlock := jackknifeBlocks(n, logs, t)
	byValue, ok := jackknifeValues(n, logs)
	if !ok {
		return uslIntervals{}, false
	}
	var i [4]Interval
	for k, v := range all {
		slices.Sort(v)
		lo := int(tail * float64(len(v)))
		i[k] = Interval{Lo: min(v[lo], byBlock[k].Lo, byValue[k].Lo), Hi: max(v[len(v)-1-lo], byBlock[k].Hi, byValue[k].Hi)}
	}
	for k := range i { // out of the logs of γ and of the peak; α and β are not negative
		if k == 0 || k == 3 {
			i[k] = Interval{Lo: math.Exp(i[k].Lo), Hi: math.Exp(i[k].Hi)}
		} else {
			i[k].Lo = max(0, i[k].Lo)
		}
	}
	i[3].Lo = max(1, i[3].Lo) // as no peak is
	return uslIntervals{i[0], i[1], i[2], i[3]}, true
}

// uslOf fits the geometric mean of the picked blocks: log γ, α, β and the log of the peak. It is not ok where an n is left without any.
func uslOf(n []float64, logs [][]float64, pick []int) (v [4]float64, ok bool) {
	x := make([]float64, len(n))
	for i := range n {
		sum, count := 0.0, 0
		for _, b := range pick {
			if l := logs[b][i]; !math.IsNaN(l) {
				sum += l
				count++
			}
		}
		if count == 0 {
			return v, false
		}
		x[i] = math.Exp(sum / float64(count))
	}
	u, err := FitUSL(n, x)
	return [4]float64{math.Log(u.Gamma), u.Alpha, u.Beta, math.Log(u.Peak())}, err == nil
}

// jackknifeBlocks leaves out a block at a time. What is infinite, or cannot be fitted, makes an interval without width, which takes
// nothing from the bootstrap's.
func jackknifeBlocks(n []float64, logs [][]float64, t float64) (i [4]Interval) {
	all := upTo(len(logs))
	whole, ok := uslOf(n, logs, all)
	parts := make([][4]float64, len(logs))
	for b := range logs {
		v, fits := uslOf(n, logs, slices.Delete(slices.Clone(all), b, b+1))
		ok = ok && fits
		parts[b] = v
	}
	for k := range i {
		half := t * jackknifeError(parts, k)
		if !ok || math.IsNaN(half) || math.IsInf(half, 0) || math.IsInf(whole[k], 0) {
			half = 0
		}
		i[k] = Interval{Lo: whole[k] - half, Hi: whole[k] + half}
	}
	return i
}

// jackknifeValues leaves out a value of N at a time, with Student's t for those beyond the three parameters. A peak that is there only with
// all of them may be anywhere. It is not ok where nothing fits without one of them.
func jackknifeValues(n []float64, logs [][]float64) (i [4]Interval, ok bool) {
	all := upTo(len(logs))
	whole, ok := uslOf(n, logs, all)
	parts := make([][4]float64, len(n))
	for j := range n {
		without := func(x []float64) []float64 { return slices.Delete(slices.Clone(x), j, j+1) }
		left := make([][]float64, len(logs))
		for b := range logs {
			left[b] = without(logs[b])
		}
		v, fits := uslOf(without(n), left, all)
		ok = ok && fits
		parts[j] = v
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(len(n) - 3)}.Quantile(1 - (1-Level)/2)
	for k := range i {
		half := t * jackknifeError(parts, k)
		if i[k] = (Interval{Lo: whole[k] - half, Hi: whole[k] + half}); math.IsNaN(half) || math.IsInf(whole[k], 0) {
			i[k] = Interval{Lo: math.Inf(-1), Hi: math.Inf(1)}
		}
	}
	return i, ok
}

// jackknifeError is the error of what is the k-th of all, from the parts that lack one each; not finite where one of them is not.
func jackknifeError(parts [][4]float64, k int) float64 {
	values := make([]float64, len(parts))
	for i, p := range parts {
		values[i] = p[k]
	}
	_, se := meanError(values) // of the mean of n; the jackknife's is (n-1) times that
	return se * float64(len(parts)-1)
}

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
