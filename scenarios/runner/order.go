package runner

import "math/rand/v2"

// order draws in which order things are visited, so that place and time fall on all of them alike.
type order struct {
	rng  *rand.Rand
	last []int // the permutation whose mirror comes next
}

func newOrder(seed uint64) *order { return &order{rng: rand.New(rand.NewPCG(seed, 0x6f72646572))} }

// shuffle returns 0…n-1 in random order.
func (o *order) shuffle(n int) []int { return o.rng.Perm(n) }

// round returns the order of the next round over n arms. Rounds come in pairs: a random order and its mirror image, so
// that over a pair every arm has the same mean place (ABBA for two arms).
func (o *order) round(n int) []int {
	if len(o.last) == n && n > 0 {
		mirror := make([]int, n)
		for i, v := range o.last {
			mirror[n-1-i] = v
		}
		o.last = nil
		return mirror
	}
	o.last = o.rng.Perm(n)
	return o.last
}
