package topologies

import (
	"math/bits"
	"strconv"
	"sync/atomic"

	"github.com/shardlab/shardlab/server/command"
)

// hopBuckets is enough for messages of up to 1,024 parts; larger ones count there too.
const hopBuckets = 11

// HopCounts says how requests travelled to the owners of their shards.
type HopCounts struct {
	Sizes [hopBuckets]uint64 // messages; Sizes[i] carried more than 2^(i-1) and up to 2^i parts of requests
	Parts uint64             // that travelled in messages
	Loans uint64             // commands that held several owners' shards, or all of another's
}

// Messages is how many there were.
func (c *HopCounts) Messages() (n uint64) {
	for _, size := range c.Sizes {
		n += size
	}
	return n
}

// tally is what one owner counts. Its thread alone writes, without a locked instruction; anybody reads.
type tally struct {
	sizes [hopBuckets]atomic.Uint64
	parts atomic.Uint64
	loans atomic.Uint64
}

// message counts a message of parts, at least one.
func (t *tally) message(parts int) {
	bump(&t.sizes[min(bits.Len(uint(parts-1)), hopBuckets-1)], 1)
	bump(&t.parts, uint64(parts))
}

func bump(n *atomic.Uint64, by uint64) { n.Store(n.Load() + by) }

// hops adds up what the owners have counted.
func (r *router) hops() (c HopCounts) {
	for _, o := range r.owners {
		for i := range c.Sizes {
			c.Sizes[i] += o.tally.sizes[i].Load()
		}
		c.Parts += o.tally.parts.Load()
		c.Loans += o.tally.loans.Load()
	}
	return c
}

// pairs are the counts as INFO shows them.
func (c *HopCounts) pairs() []command.Setting {
	messages, average := c.Messages(), 0.0
	if messages > 0 {
		average = float64(c.Parts) / float64(messages)
	}
	return []command.Setting{
		{Name: "hops", Value: strconv.FormatUint(messages, 10)},
		{Name: "hop_batch_avg", Value: strconv.FormatFloat(average, 'f', 2, 64)},
		{Name: "loans", Value: strconv.FormatUint(c.Loans, 10)},
	}
}
