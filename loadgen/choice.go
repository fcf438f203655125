package loadgen

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// The distributions of keys.
const (
	Uniform    = "uniform"
	Zipf       = "zipf"       // rank r, from 1, is chosen in proportion to 1/r^s, exactly
	Hotspot    = "hotspot"    // Hot.Ops of the operations go to Hot.Keys of the keys
	Latest     = "latest"     // writes go round the keys; reads ask for what was written lately, rank by Zipf
	Moving     = "moving"     // a hotspot whose hot keys are others as time goes by
	Sequential = "sequential" // one key after the other, all clients together
	HotShard   = "hot-shard"  // Hot.Ops of the operations go to the keys of one shard
	Popularity = "popularity" // rank r is chosen in proportion to Weights[r-1]
)

var distributions = []string{Uniform, Zipf, Hotspot, Latest, Moving, Sequential, HotShard, Popularity}

// Hot says what is hot, in the distributions that have something hot. Within what is hot, and within the rest, every key is
// as likely as any other.
type Hot struct {
	Ops  float64 // share of the operations that go there, 0 to 1
	Keys float64 // Hotspot, Moving: share of the keys that are hot, between 0 and 1

	// Period is, in Moving, after how many operations of all clients together the hot keys move on, and Drift by how much of
	// their number: at 1 the next ones are hot instead, at 0.01 one in a hundred is replaced. Positions in the streams are the
	// clock, because the time is not: a faster server would get another workload.
	Period uint64
	Drift  float64

	Shard int // HotShard: which, of Workload.Sharding
}

func (w Workload) checkKeyLaw() error {
	switch w.Distribution {
	case "", Uniform, Sequential:
	case Zipf, Latest:
		if !(w.Zipf > 0 && w.Zipf <= MaxZipf) {
			return fmt.Errorf("workload: zipf exponent %v; use one in (0, %v]", w.Zipf, MaxZipf)
		}
	case Hotspot, Moving:
		if !(w.Hot.Keys > 0 && w.Hot.Keys < 1) || w.hotKeys() >= w.Keys {
			return fmt.Errorf("workload: %v of %d keys are hot; use a share that leaves others", w.Hot.Keys, w.Keys)
		}
		if share := float64(w.hotKeys()) / float64(w.Keys); !(w.Hot.Ops >= share && w.Hot.Ops <= 1) {
			return fmt.Errorf("workload: %v of the operations go to the hot keys, which are %.3g of all; use %.3g to 1",
				w.Hot.Ops, share, share)
		}
		if w.Distribution == Moving && (w.Hot.Period < 1 || !(w.Hot.Drift > 0 && w.Hot.Drift <= MaxDrift)) {
			return fmt.Errorf("workload: hot keys move by %v after %d operations; use a drift in (0, %v] and a period from 1",
				w.Hot.Drift, w.Hot.Period, MaxDrift)
		}
	case HotShard:
		if w.Sharding == nil || uint(w.Hot.Shard) >= uint(w.Sharding.n) || !(w.Hot.Ops >= 0 && w.Hot.Ops <= 1) {
			return fmt.Errorf("workload: %v of the operations for shard %d; use 0 to 1, one of the shards, and a Sharding",
				w.Hot.Ops, w.Hot.Shard)
		}
	case Popularity:
		return checkWeights(w.Weights, w.Keys)
	default:
		return fmt.Errorf("workload: unknown distribution %q; have %s", w.Distribution, strings.Join(distributions, ", "))
	}
	return nil
}

func checkWeights(weights []float64, keys int) error {
	if len(weights) == 0 || len(weights) > keys || !(weights[0] > 0) {
		return fmt.Errorf("workload: %d weights of popularity for %d keys; use 1 to %d, the first above 0",
			len(weights), keys, keys)
	}
	for i, x := range weights {
		if !(x >= 0) || math.IsInf(x, 0) || i > 0 && x > weights[i-1] {
			return fmt.Errorf("workload: weight %v of rank %d; they go down, from the most popular key's", x, i+1)
		}
	}
	return nil
}

// hotKeys is how many keys are hot: one at least.
func (w Workload) hotKeys() int { return max(int(math.Round(w.Hot.Keys*float64(w.Keys))), 1) }

// choice chooses the key of each operation: a rank, and which key has it now. It is read-only.
type choice struct {
	ranks  ranks
	keys   uint64
	place  placing
	step   uint64 // scrambled, moving: see key
	period uint64
	writes float64 // latest: share of the operations that write
	order  []uint32
}

// placing is how a rank becomes a key.
type placing uint8

const (
	asRanked placing = iota
	scrambled
	moving
	latest
	sequential
	ordered
)

func newChoice(w Workload) (choice, error) {
	c := choice{keys: uint64(w.Keys), ranks: evenRanks(w.Keys)}
	if w.Scramble {
		c.place, c.step = scrambled, scrambleStep(c.keys)
	}
	switch w.Distribution {
	case Zipf:
		c.ranks = newZipfRanks(w.Keys, w.Zipf)
	case Latest:
		c.ranks, c.place, c.writes = newZipfRanks(w.Keys, w.Zipf), latest, w.share(Op.writes)
	case Hotspot:
		c.ranks = newHotRanks(w.hotKeys(), w.Keys, w.Hot.Ops)
	case Moving:
		c.ranks = newHotRanks(w.hotKeys(), w.Keys, w.Hot.Ops)
		c.place, c.period = moving, w.Hot.Period
		c.step = max(uint64(math.Round(w.Hot.Drift*float64(w.hotKeys()))), 1)
	case Sequential:
		c.place = sequential
	case Popularity:
		c.ranks = newWeightedRanks(w.Weights)
	case HotShard:
		order, hot, err := w.Sharding.hotFirst(w, w.Hot.Shard)
		if err != nil {
			return c, err
		}
		c.ranks, c.place, c.order = newHotRanks(hot, w.Keys, w.Hot.Ops), ordered, order
	}
	return c, nil
}

// scrambleStep is a number near the golden section of n that has no divisor in common with it: r·step mod n visits every
// key once, and keys of neighbouring ranks lie far apart.
func scrambleStep(n uint64) uint64 {
	step := uint64(float64(n) * 0.6180339887498949)
	for step > 1 && divisor(step, n) != 1 {
		step--
	}
	return max(step, 1)
}

// divisor is the greatest that a and b have in common.
func divisor(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// rank draws how popular a key operation word asks for. A write under latest asks for the newest.
func (c *choice) rank(word uint64, write bool) uint32 {
	if c.place == latest && write || c.place == sequential {
		return 0
	}
	return c.ranks.draw(word)
}

// key returns which key has a rank at the turn'th operation of the whole session.
func (c *choice) key(rank uint32, turn uint64) uint32 {
	r := uint64(rank)
	switch c.place {
	case scrambled:
		return uint32(r * c.step % c.keys)
	case moving:
		return uint32((r + turn/c.period%c.keys*c.step) % c.keys)
	case latest:
		newest := c.keys - 1 + uint64(float64(turn)*c.writes)
		return uint32((newest%c.keys + c.keys - r) % c.keys)
	case sequential:
		return uint32((r + turn) % c.keys)
	case ordered:
		return c.order[rank]
	}
	return rank
}

// below is the probability of the n most popular keys, at any one moment.
func (c *choice) below(n int) float64 {
	switch c.place {
	case latest:
		if n == 0 {
			return 0
		}
		return c.writes + (1-c.writes)*c.ranks.below(n)
	case sequential:
		return evenRanks(c.keys).below(n)
	}
	return c.ranks.below(n)
}

// Skew says how unequal the keys of a workload are: shares of the operations. Where the popular keys change (Latest,
// Moving) it is that of any one moment.
type Skew struct {
	TopKey, TopPercent     float64 // what the distribution promises the most popular key, and the first hundredth of all
	DrawnKey, DrawnPercent float64 // what they have of the first Draws operations
	Draws                  int
}

// skewDraws is enough to see a share of 1 % to a fiftieth of it.
const skewDraws = 1 << 18

// SkewOf returns how unequal the keys of a workload are, by its law and as drawn for so many clients.
func SkewOf(w Workload, clients int) (Skew, error) {
	p, err := newPlan(w)
	switch {
	case err != nil:
		return Skew{}, err
	case w.Trace != nil:
		return w.Trace.skew(), nil
	}
	p.clients = uint64(max(clients, 1))
	percent := max(w.Keys/100, 1)
	s := Skew{TopKey: p.choice.below(1), TopPercent: p.choice.below(percent), Draws: skewDraws}
	top, few := 0, 0
	for n := range uint64(skewDraws) {
		client, i := uint32(n%p.clients), n/p.clients
		rank := p.choice.rank(p.random.at(client, 2*i+1), p.op(p.random.at(client, 2*i)).writes())
		if p.choice.place == sequential {
			rank = p.choice.key(0, n)
		}
		if rank == 0 {
			top++
		}
		if int(rank) < percent {
			few++
		}
	}
	s.DrawnKey, s.DrawnPercent = float64(top)/skewDraws, float64(few)/skewDraws
	return s, nil
}

// share is which part of the operations are such.
func (w Workload) share(such func(Op) bool) float64 {
	part, all := 0.0, 0.0
	for _, m := range w.Mix {
		if all += m.Share; such(m.Op) {
			part += m.Share
		}
	}
	return part / all
}

// clone keeps a plan apart from what its caller may change.
func (w Workload) clone() Workload {
	w.Mix, w.Weights = slices.Clone(w.Mix), slices.Clone(w.Weights)
	return w
}
