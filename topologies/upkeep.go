package topologies

import "time"

const (
	// upkeepTime bounds what an owner does for its shards between two requests: a hundredth of its time, at a tick each 100 ms.
	upkeepTime = time.Millisecond
	// upkeepWork is how many entries a shard looks at in one go, some 10 µs: what a clock call may round up to.
	upkeepWork = 64
)

// upkeep is what shards need besides their requests: expiring, ageing, evicting, compacting. It goes around, a slice of time at each tick.
type upkeep struct{ next int }

// run maintains shards, of which there are n, until there is no more to do or the time is over. maintain does a slice of
// one, whoever must hold it for that, and says whether there was more.
func (u *upkeep) run(n int, maintain func(shard int, now int64, work int) (more bool)) {
	began := time.Now()
	now, late := began.UnixMilli(), false
	for range n {
		shard := u.next % n
		u.next = shard + 1
		for more := true; more && !late; late = time.Since(began) >= upkeepTime {
			more = maintain(shard, now, upkeepWork)
		}
		if late {
			return
		}
	}
}
