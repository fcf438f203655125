package loadgen

import (
	"math"
	"sync"
)

// maxZipfTable is for how many keys a Zipfian is drawn from a table: 32 MB, made in a quarter of a second. One of 100
// million keys would be 800 MB, and three times that while it is made.
const maxZipfTable = 4 << 20

// newZipfRanks returns ranks in which i, from 0, has a probability in proportion to 1/(i+1)^s, exactly.
func newZipfRanks(n int, s float64) ranks {
	if n > maxZipfTable {
		return newZipfRejection(n, s)
	}
	return zipfTableRanks{zipfTable(n, s), s, powerSum(n, s)}
}

// zipfTableRanks are a Zipfian's with few ranks.
type zipfTableRanks struct {
	aliasTable
	s, sum float64
}

func (r zipfTableRanks) below(n int) float64 { return powerSum(n, r.s) / r.sum }

// powerSum is the sum of 1/k^s over k = 1 to n. From 4,096 on Euler and Maclaurin's formula takes over, whose error there
// is below 1e-13 of the sum.
func powerSum(n int, s float64) float64 {
	const exact = 4096
	sum := 0.0
	for k := min(n, exact); k > 0; k-- {
		sum += math.Pow(float64(k), -s)
	}
	if n <= exact {
		return sum
	}
	a, b := float64(exact), float64(n)
	f := func(x float64) float64 { return math.Pow(x, -s) }
	return sum + integral(b, s) - integral(a, s) + (f(b)-f(a))/2 - s*(f(b)/b-f(a)/a)/12
}

// integral is that of x^-s from 1 to x, without a break where s is 1.
func integral(x, s float64) float64 {
	log := math.Log(x)
	if e := (1 - s) * log; math.Abs(e) > 1e-12 {
		return math.Expm1(e) / e * log
	}
	return log
}

// integralInverse is the x whose integral is y. Where there is none, s being above 1, it is +Inf.
func integralInverse(y, s float64) float64 {
	e := (1 - s) * y
	switch {
	case math.Abs(e) < 1e-12:
		return math.Exp(y)
	case e <= -1:
		return math.Inf(1)
	}
	return math.Exp(math.Log1p(e) / e * y)
}

// zipfRejection draws from any number of ranks without a table, by inversion of the area under x^-s and rejection of
// what lies between that and the bars (Hörmann and Derflinger: Rejection-inversion to generate variates from monotone
// discrete distributions, ACM TOMACS 6(3), 1996). More than nine draws in ten need no second look.
type zipfRejection struct {
	n      int
	s, sum float64
	low    float64 // where the area begins: that left of 1 1/2, less the first bar
	width  float64 // of the whole area
	accept float64 // a draw so little left of its bar's middle is under the bar
}

func newZipfRejection(n int, s float64) zipfRejection {
	r := zipfRejection{n: n, s: s, sum: powerSum(n, s), low: integral(1.5, s) - 1}
	r.width = integral(float64(n)+0.5, s) - r.low
	r.accept = 2 - integralInverse(integral(2.5, s)-math.Pow(2, -s), s)
	return r
}

func (r zipfRejection) draw(word uint64) uint32 {
	for ; ; word = mix64(word + gamma) {
		area := r.low + r.width*(float64(word>>11)+0.5)/(1<<53)
		x := integralInverse(area, r.s)
		k := math.Floor(min(max(x, 1), float64(r.n)) + 0.5)
		k = min(k, float64(r.n))
		if k-x <= r.accept || area >= integral(k+0.5, r.s)-math.Pow(k, -r.s) {
			return uint32(k) - 1
		}
	}
}

func (r zipfRejection) below(n int) float64 { return powerSum(n, r.s) / r.sum }

// newZipfTable returns the table in which i has a probability in proportion to 1/(i+1)^s.
func newZipfTable(n int, s float64) aliasTable {
	weights := make([]float64, n)
	for i := range weights {
		weights[i] = math.Pow(float64(i+1), -s)
	}
	return newAliasTable(weights)
}

// lastZipf keeps the table used last: the arms of an experiment open one session after the other with the same
// workload, and a million keys take 60 ms to build. Tables are read-only, so sharing them is safe.
var lastZipf struct {
	sync.Mutex
	n     int
	s     float64
	table aliasTable
}

func zipfTable(n int, s float64) aliasTable {
	lastZipf.Lock()
	defer lastZipf.Unlock()
	if lastZipf.n != n || lastZipf.s != s {
		lastZipf.table = newZipfTable(n, s)
		lastZipf.n, lastZipf.s = n, s
	}
	return lastZipf.table
}
