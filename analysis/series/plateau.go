package series

import (
	"math"
	"math/rand/v2"
)

const (
	// MinWindows is the fewest windows that can be called a plateau. With twelve, nearly all climbs of a sixth of the noise's standard
	// deviation a window passed for one; with sixteen one in seven, with twenty one in thirty.
	MinWindows = 20

	// MinShift is the change, as a share, that a plateau may have: what the check of drift calls unsteady.
	MinShift = 0.02

	// changeLevel is how often a look takes the noise of one metric for a change. That costs the time to the next look, and buys
	// power: a change that is missed is in every figure. TestPlateauRates has what comes of it.
	changeLevel = 0.02

	// edge is how many values lie on either side of a change at least. One alone is an outlier.
	edge = 2

	shuffles = 499
)

// Change is the likeliest point at which a series changes its level.
type Change struct {
	At    int     // values before it, or batches of them
	Shift float64 // of the mean, from before to after
	P     float64 // how often an order at random has a change as clear
}

// ChangePoint finds the point whose sides differ most in their ranks: the largest of the standardised cumulative sums
// (Pettitt 1979, weighted so that changes near an end are found too). P is that of 499 shuffles, so that it holds for few
// values, for ties and whatever the distribution; it takes the values for exchangeable, and neighbours that resemble each other look like
// a change more often. The zero Change, with a P of 1, is that of too few values.
func ChangePoint(x []float64) Change {
	if len(x) < 2*edge+1 || !finite(x) {
		return Change{P: 1}
	}
	r := ranks(x)
	at, top := steepest(r)
	if top == 0 {
		return Change{P: 1}
	}
	c := Change{At: at, Shift: mean(x[at:]) - mean(x[:at])}
	rng := rand.New(rand.NewPCG(0x706c6174, uint64(len(x))))
	asClear := 1
	for range shuffles {
		rng.Shuffle(len(r), func(i, j int) { r[i], r[j] = r[j], r[i] })
		if _, t := steepest(r); t >= top*(1-1e-12) {
			asClear++
		}
	}
	c.P = float64(asClear) / (shuffles + 1)
	return c
}

// steepest returns where the standardised cumulative sum of centred ranks is farthest from zero, and how far that is.
func steepest(r []float64) (at int, top float64) {
	n := float64(len(r))
	centre, sum := mean(r), 0.0
	for i := range len(r) - edge {
		sum += r[i] - centre
		before := float64(i + 1)
		if i+1 < edge {
			continue
		}
		if t := math.Abs(sum) / math.Sqrt(before*(n-before)); t > top {
			at, top = i+1, t
		}
	}
	return at, top
}

// Look says whether a plateau is to be looked for after n windows: after the fewest, and then whenever a quarter has been added. Looks at
// every window would pass the noise of one of them for a plateau while the level still climbs.
func Look(n int) bool {
	look := MinWindows
	for look < n {
		look += look / 4
	}
	return look == n
}

// Plateau says whether the later half of the windows, or MinWindows, is one plateau in every metric: no change that is both clear
// and larger than MinShift. Each metric has a value for every window, in time. It returns the change that speaks against it, and in
// which metric, or else the least likely one. Noise is not refused for long, also where windows resemble their neighbours: the longer the
// load, the longer the stretches whose means are compared.
func Plateau(metrics ...[]float64) (ok bool, metric int, c Change) {
	least := Change{P: 1}
	for i, x := range metrics {
		if len(x) < MinWindows {
			return false, i, least
		}
		c := ChangePoint(batches(x[len(x)-max(MinWindows, (len(x)+1)/2):], MinWindows))
		if c.P <= changeLevel && math.Abs(c.Shift) > MinShift {
			return false, i, c
		}
		if c.P < least.P {
			least, metric = c, i
		}
	}
	return len(metrics) > 0, metric, least
}

// batches are the means of neighbours, as many of each as leave n values or some more. The oldest are left out where they do not
// fill one.
func batches(x []float64, n int) []float64 {
	size := max(len(x)/n, 1)
	out := make([]float64, 0, len(x)/size)
	for end := len(x) % size; end < len(x); end += size {
		out = append(out, mean(x[end:end+size]))
	}
	return out
}
