package loadgen

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// ArrivalLaw says when the operations of an open loop fall due.
type ArrivalLaw uint8

// The laws of arrival.
const (
	Poisson ArrivalLaw = iota // independent gaps, exponentially distributed: many users who know nothing of each other
	Evenly                    // equal gaps, over all connections together
	Bursts                    // a Poisson process whose rate changes between two values: see Arrival
	Listed                    // Arrival.Times
)

func (l ArrivalLaw) String() string {
	if names := [...]string{"poisson", "uniform", "bursts", "file"}; int(l) < len(names) {
		return names[l]
	}
	return fmt.Sprintf("arrival law %d", uint8(l))
}

// Arrival is a law with its parameters. The zero value is a Poisson process.
type Arrival struct {
	Law ArrivalLaw

	// Bursts is a Markov-modulated Poisson process of two states. It stays in each for a time that is exponentially distributed,
	// On and Off on average; Share of the arrivals come while it is on, and Load.Rate is that of both together. A window may
	// begin in either state, as often as the process is in it.
	On, Off time.Duration
	Share   float64

	// Times, ascending, in ns, are what Listed is due at, counted from the first. After the last they begin anew, one mean
	// gap later. A window goes on where the one before it has ended, with the next gap. Load.Rate is not looked at, but for
	// the backlog's default; RateOf gives it. Speed divides all gaps; zero means 1.
	Times []int64
	Speed float64
}

func (a *Arrival) check(rate float64) error {
	switch a.Law {
	case Poisson, Evenly:
	case Bursts:
		inTime := float64(a.On) / (float64(a.On) + float64(a.Off))
		switch {
		case a.On < time.Microsecond || a.Off < time.Microsecond || a.On > 24*time.Hour || a.Off > 24*time.Hour:
			return fmt.Errorf("load: bursts of %v, %v apart; use 1µs to 24h", a.On, a.Off)
		case !(a.Share >= inTime && a.Share <= 1):
			return fmt.Errorf("load: %g of the arrivals in bursts that take %.3g of the time; use that to 1", a.Share, inTime)
		case rate*(a.On+a.Off).Seconds() < 1e-3:
			return fmt.Errorf("load: bursts of %v, %v apart, would be empty at %g/s; use longer ones", a.On, a.Off, rate)
		}
	case Listed:
		n := len(a.Times)
		if n < 2 || a.Times[n-1] == a.Times[0] || !slices.IsSorted(a.Times) || !(a.Speed >= 0) || math.IsInf(a.Speed, 0) {
			return fmt.Errorf("load: %d times at speed %g; use two at least, ascending, and a speed above 0", n, a.Speed)
		}
	default:
		return fmt.Errorf("load: unknown %v; have poisson, uniform, bursts, file", a.Law)
	}
	return nil
}

// RateOf returns the mean rate of a list of times, per second, for Load.Rate.
func RateOf(times []int64, speed float64) float64 {
	n := len(times)
	return float64(n-1) / float64(times[n-1]-times[0]) * 1e9 * speed
}

// rates returns the two rates of Bursts, per ns, off first.
func (a *Arrival) rates(rate float64) [2]float64 {
	on, off := float64(a.On), float64(a.Off)
	return [2]float64{rate / 1e9 * (1 - a.Share) * (on + off) / off, rate / 1e9 * a.Share * (on + off) / on}
}

// Dispersion returns the index of dispersion of the arrivals at a rate per second: the variance over the mean of how many
// fall due within d. It is 1 for a Poisson process and 0 where gaps are equal; of listed times nothing is known.
func (a *Arrival) Dispersion(rate float64, d time.Duration) float64 {
	switch a.Law {
	case Evenly:
		return 0
	case Bursts:
		// Fischer and Meier-Hellstern, The Markov-modulated Poisson process cookbook, Performance Evaluation 18 (1993).
		on, off, r := float64(a.On), float64(a.Off), a.rates(rate)
		inBurst := on / (on + off)
		variance := inBurst * (1 - inBurst) * (r[1] - r[0]) * (r[1] - r[0]) // of the rate
		x := float64(d) * (1/on + 1/off)
		return 1 + 2*variance/(rate/1e9*(1/on+1/off))*(1+math.Expm1(-x)/x)
	}
	return 1
}

// arrivals is the schedule of a whole session. What falls due is a pure function of the seed, the law, the rate and how many
// arrivals there have been: each worker walks through all of them and sends what falls to its own clients. So the schedule does
// not depend on the number of workers, and what reaches the server is exactly the law's. A Poisson gap costs a worker 17 ns.
type arrivals struct {
	Arrival
	random words
	mean   float64 // of the gaps, ns
	n      uint64  // arrivals so far
	from   uint64  // n at the start of the schedule
	at     float64 // the last arrival, ns after the start

	rate   [2]float64 // Bursts: off and on, per ns
	on     int        // 1 within a burst
	until  float64    // when that changes; negative before the first arrival
	states uint64     // words used for that

	ramp ramp
}

func newArrivals(seed uint64, l Load) arrivals {
	a := arrivals{Arrival: l.Arrival, random: newWords(seed), mean: 1e9 / l.Rate, until: -1}
	if a.Law == Bursts {
		a.rate = a.rates(l.Rate)
	}
	if a.Speed == 0 {
		a.Speed = 1
	}
	return a
}

// restart begins a new schedule, at zero. Gaps go on where the last schedule left off; that is a Poisson process again,
// because the gap cut short by the end of the last one is not used twice.
func (a *arrivals) restart() { a.at, a.from, a.until = 0, a.n, -1 }

// next returns the next arrival, in ns after the start of the schedule.
func (a *arrivals) next() int64 {
	n := a.n
	a.n++
	switch a.Law {
	case Evenly:
		// Half a gap before the first and after the last: any whole number of gaps has as many arrivals. Multiplied, not
		// added up, so that a day of them is still exact.
		a.at = (float64(n-a.from) + 0.5) * a.mean
	case Bursts:
		a.modulated(a.exponential(arrivalBlock, n))
	case Listed:
		a.at = (a.listed(n) - a.listed(max(a.from, 1)-1)) / a.Speed
	default:
		a.at += a.exponential(arrivalBlock, n) * a.mean
	}
	return int64(min(a.ramp.at(a.at), 1<<62)) // the start of a schedule can still be added
}

// exponential returns word n of a block as an exponentially distributed number of mean 1.
func (a *arrivals) exponential(block uint32, n uint64) float64 {
	// 1 - [0,1) is never 0: the most is 36.7.
	return -math.Log(1 - float64(a.random.at(block, n)>>11)/(1<<53))
}

// modulated moves a.at on by as much time as brings e arrivals on average, through the changes of state on the way.
func (a *arrivals) modulated(e float64) {
	if a.until < 0 { // the state that a schedule begins in; its end is as far as that of any other, which has no memory
		share := float64(a.On) / (float64(a.On) + float64(a.Off))
		a.on = 0
		if float64(a.random.at(burstBlock, a.states)>>11)/(1<<53) < share {
			a.on = 1
		}
		a.states++
		a.until = a.stay()
	}
	for a.at < 1<<62 {
		r := a.rate[a.on]
		if room := (a.until - a.at) * r; e <= room && r > 0 {
			a.at += e / r
			return
		} else {
			e -= room
		}
		a.at = a.until
		a.on ^= 1
		a.until += a.stay()
	}
}

// stay draws how long the state lasts.
func (a *arrivals) stay() float64 {
	x := a.exponential(burstBlock, a.states)
	a.states++
	return x * float64([2]time.Duration{a.Off, a.On}[a.on])
}

// listed returns when arrival n of the list is due, ns after the first of all.
func (a *arrivals) listed(n uint64) float64 {
	count := uint64(len(a.Times))
	span := float64(a.Times[count-1] - a.Times[0])
	round := span + span/float64(count-1)
	return float64(n/count)*round + float64(a.Times[n%count]-a.Times[0])
}
