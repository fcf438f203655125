package store

import "sync/atomic"

// Budget is a limit on the memory of one store, and what its shards must agree on to keep it without touching each
// other: how much they use together, what time it is on the access clock, and how cold the entries are that are being
// given up. All shards of a store are attached to one Budget. Every method is safe from any goroutine.
type Budget struct {
	// Every write reads these; they change once a tick.
	mode  atomic.Uint32 // policy above the tick
	limit atomic.Int64
	slack atomic.Int64 // bytes that a shard may be off by before it publishes
	_     [40]byte

	// Shards write these every slack bytes.
	used     atomic.Int64
	turnover atomic.Int64 // bytes of new entries since the tick began
	cut      atomic.Int64 // coldness of what is evicted, a moving average in 1/cutUnit
	owed     atomic.Int64 // bytes that writers evicted from their own shards and that a colder shard may evict instead
	_        [32]byte

	shards atomic.Int64
	clock  clock
}

// kind is what the meta of a slot means.
type kind uint32

const (
	kindClock  kind = iota << metaBits // the tick of the last use
	kindCounts                         // a logarithmic count of uses
	kindQueues                         // which queue, and uses since it is there
)

func (p Policy) kind() kind {
	switch p {
	case AllKeysLFU:
		return kindCounts
	case AllKeysS3FIFO:
		return kindQueues
	}
	return kindClock
}

// What a shard may be off by in Used: 4 KiB are some forty small entries, so that the shared counter is written forty
// times less often than the shard, or, of small limits, what keeps all shards together within 1/256.
const (
	slackMax = 4 << 10
	slackMin = 64
)

// NewBudget returns a budget of limit bytes, 0 for no limit.
func NewBudget(limit int64, p Policy) *Budget {
	b := new(Budget)
	b.SetPolicy(p)
	b.SetLimit(limit)
	return b
}

// Limit returns the limit in bytes, 0 for none.
func (b *Budget) Limit() int64 { return b.limit.Load() }

// SetLimit sets the limit in bytes, 0 for none. Shards that are above it then shrink as they are written to and
// maintained.
func (b *Budget) SetLimit(limit int64) {
	b.limit.Store(max(limit, 0))
	b.clock.turn.Store(max(limit/turnsInitial, 1))
	b.setSlack()
}

func (b *Budget) setSlack() {
	slack := int64(slackMax)
	if limit := b.limit.Load(); limit > 0 {
		slack = min(slack, max(limit/(256*max(b.shards.Load(), 1)), slackMin))
	}
	b.slack.Store(slack)
}

// Policy returns the policy.
func (b *Budget) Policy() Policy { return Policy(b.mode.Load() >> metaBits) }

// SetPolicy sets the policy. Each shard follows at its next MakeRoom or Maintain; what it knew of its entries' use is
// lost where the policies note use differently.
func (b *Budget) SetPolicy(p Policy) {
	b.cut.Store(0)
	for {
		mode := b.mode.Load()
		if b.mode.CompareAndSwap(mode, uint32(p)<<metaBits|mode&tickMask) {
			return
		}
	}
}

// Used returns the bytes that the shards' entries take, which is what evicting all of them would win back: their cells,
// their slots and, if the policy has some, their queues. It is off by at most 4 KiB a shard; of a small limit by at most
// 1/256, or 64 bytes a shard.
func (b *Budget) Used() int64 { return b.used.Load() }

// borrowable returns how far above the limit a shard may go that has nothing to give up while others have.
func (b *Budget) borrowable() int64 { return b.limit.Load() / 64 }

// cutUnit is the fixed point of cut.
const cutUnit = 16

// evicted notes that a writer gave up n of its own shard's entries, of that coldness together.
func (b *Budget) evicted(n int, coldness, bytes int64) {
	if n == 0 {
		return
	}
	mean := coldness * cutUnit / int64(n)
	cut := b.cut.Load()
	if cut == 0 {
		cut = mean
	}
	// Two shards may do this at once; that one of them is lost makes no difference to an average.
	b.cut.Store(cut + (mean-cut)/8)
	if b.shards.Load() > 1 && b.owed.Load() < b.borrowable() {
		b.owed.Add(bytes)
	}
}
