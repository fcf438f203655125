package loadgen

import "math"

// arrivals is a Poisson process: independent gaps, exponentially distributed. Gap n is a pure function of the seed, the
// rate and n, and there is one process for a whole session: each worker walks through all of it and sends what falls to
// its own clients. So the schedule does not depend on the number of workers, and what reaches the server is exactly
// Poisson. A gap costs a worker 14 ns.
type arrivals struct {
	random words
	mean   float64 // of the gaps, ns
	n      uint64  // gaps drawn so far
	at     float64 // the last arrival, ns after the start
}

func newArrivals(seed uint64, rate float64) arrivals {
	return arrivals{random: newWords(seed), mean: 1e9 / rate}
}

// restart begins a new schedule, at zero. Gaps go on where the last schedule left off; that is a Poisson process again,
// because the gap cut short by the end of the last one is not used twice.
func (a *arrivals) restart() { a.at = 0 }

// next returns the next arrival, in ns after the start of the schedule.
func (a *arrivals) next() int64 {
	// 1 - [0,1) is never 0: the longest gap is 36.7 means.
	u := 1 - float64(a.random.at(arrivalBlock, a.n)>>11)/(1<<53)
	a.n++
	a.at -= math.Log(u) * a.mean
	return int64(min(a.at, 1<<62)) // the start of a schedule can still be added
}
