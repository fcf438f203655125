package store

import "sync/atomic"

// The access clock counts ticks modulo 256: the meta of a slot is the tick of its entry's last use. An LRU needs ticks
// that are short beside the time entries live in the cache, and long beside the time between two uses of a hot one,
// because the first use in each tick writes to the slot. So ticks follow the turnover: one ends when turn bytes of new
// entries have come, and turn is steered so that what is evicted is some ageAim ticks old. Without turnover a tick
// ends by time.
const (
	tickMask = 1<<metaBits - 1

	// The ageing hand brings entries older than ageMax back to ageMax before 256 ticks make them look new; it goes
	// round in sweepTicks (maintain.go). ageAim leaves ages on both sides of it to tell apart.
	ageMax     = 192
	ageAim     = 96
	sweepTicks = 40

	turnsInitial = 128  // ticks in which a limit is filled, to begin with
	tickTime     = 8000 // milliseconds: no tick by time is shorter
)

type clock struct {
	turn   atomic.Int64  // bytes of new entries in a tick
	wait   atomic.Int64  // milliseconds after which a tick ends by time
	turned atomic.Int64  // when the last tick by turnover ended
	turns  atomic.Uint32 // ticks that ended by turnover
	starts [1 << metaBits]atomic.Int64
}

// age returns how many ticks before now a tick was.
func age(tick, now uint8) uint8 { return now - tick }

// pass ends the tick if its time is over, by the clock on the wall or by turnover. now may be 0 for unknown.
func (b *Budget) pass(now int64) {
	mode := b.mode.Load()
	start := b.clock.starts[mode&tickMask].Load()
	if start == 0 { // the first time we hear of
		b.clock.starts[mode&tickMask].CompareAndSwap(0, now)
		return
	}
	evicting := b.Policy() != NoEviction && b.Limit() > 0
	turned := evicting && b.turnover.Load() >= b.clock.turn.Load()
	wait := max(b.clock.wait.Load(), tickTime)
	if !turned && now-start < wait {
		return
	}
	next := (mode + 1) & tickMask
	b.clock.starts[next].Store(max(now, start))
	if !b.mode.CompareAndSwap(mode, mode&^tickMask|next) {
		return // another shard did it, or SetPolicy came between: then the next call does it
	}
	b.turnover.Store(0)
	switch {
	case turned:
		b.clock.turns.Add(1)
		b.steer()
		if last := b.clock.turned.Swap(max(now, start)); last != 0 {
			b.clock.wait.Store(2 * (now - last)) // or time would outpace a slow turnover
		}
	case evicting:
		// A quiet night must not push all entries to ageMax: ticks grow longer by an eighth each.
		b.owed.Store(0)
		b.clock.wait.Store(wait + wait/8)
	default:
		b.clock.wait.Store(tickTime)
	}
}

// steer makes ticks longer or shorter.
func (b *Budget) steer() {
	cut := b.cut.Load() / cutUnit
	if b.Policy() != AllKeysLRU || cut == 0 {
		return
	}
	turn, limit := b.clock.turn.Load(), b.Limit()
	switch {
	case cut > ageAim*5/4:
		turn = min(turn+turn/16+1, limit/32+1)
	case cut < ageAim*4/5:
		turn = max(turn-turn/16-1, limit>>16+1)
	}
	b.clock.turn.Store(turn)
}

// idle returns for how many milliseconds at least an entry was not used, last used in that tick.
func (b *Budget) idle(tick uint8, now int64) int64 {
	if tick == uint8(b.mode.Load()) {
		return 0
	}
	return max(now-b.clock.starts[tick+1].Load(), 0)
}
