package knee

import "time"

// Batches is how many a probe's first look is cut into. Longer looks have as many more.
const Batches = 10

// needed is how many response times above a quantile there must be before anything is said of it.
const needed = 10

// Plan says how long the probes of a search may be.
type Plan struct {
	First time.Duration // of a probe's first look, at least: it is longer where the rate is too low for the quantile
	Most  time.Duration // of all looks of one probe together
	Share float64       // of the operations, those that the bound is on; 1 for all
}

// Lengths are those of the looks of a probe at a rate: the first, as long again, twice and four times that, as far as the time goes.
// They are whole batches.
func (b Bound) Lengths(p Plan, rate float64) (looks []time.Duration) {
	batch := min(max(p.First, b.enough(p.Share*rate)), p.Most) / Batches
	left := p.Most
	for look := range Looks {
		length := min(Batches*batch<<max(look-1, 0), left/batch*batch)
		if length < Batches/2*batch { // it would add too little for what a look costs
			break
		}
		looks, left = append(looks, length), left-length
	}
	return looks
}

// enough is how long the quantile's operations must come at a rate until there are twice as many above it as are needed.
func (b Bound) enough(rate float64) time.Duration {
	if b.Stat != "" {
		return 0
	}
	return time.Duration(2 * needed / (1 - b.Quantile) / rate * 1e9)
}

// Least is the lowest rate that a probe has the time for: for two such looks. With one, ten batches whose response times come in bunches
// show nothing even where none is above the limit.
func (b Bound) Least(p Plan) float64 {
	return 2 * float64(b.enough(p.Share)) / float64(p.Most)
}
