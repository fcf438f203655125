package topologies

import (
	"github.com/shardlab/shardlab/server/wire"
	"github.com/shardlab/shardlab/store"
)

// foresighted is a backend that looks keys up for several connections at once, before the first is answered: at a
// pipeline of one that is the only way for their cache misses to overlap.
type foresighted struct {
	backend
	// look looks ahead at aims, which are keys in the shards named beside them, on one of the loops.
	look  func(loop int, aims []aim, shards []int)
	loops []foreseen
}

// foreseen is one loop's scratch room.
type foreseen struct {
	aims   []aim
	shards []int
	_      [16]byte // with the slices 64 bytes: neighbours are other threads
}

// Foresee implements server.Foresight. Batches that are long enough for their session to look ahead by itself are left to it.
func (b *foresighted) Foresee(loop int, batches []*wire.Batch) {
	f, route := &b.loops[loop], b.host.routing()
	f.aims, f.shards = f.aims[:0], f.shards[:0]
	for _, batch := range batches {
		if len(batch.Reqs) >= minRun {
			continue
		}
		for i := range batch.Reqs {
			if st := route.planStep(batch.Reqs[i].Args); st.hash != 0 {
				f.aims = append(f.aims, aim{hash: st.hash})
				f.shards = append(f.shards, st.shard)
			}
		}
	}
	if len(f.aims) > 1 {
		b.look(loop, f.aims, f.shards)
	}
}

// foreseeOwned gives a backend foresight over shards that belong to its only loop.
func foreseeOwned(b backend, all []*store.Shard) *foresighted {
	return &foresighted{b, func(_ int, aims []aim, shards []int) {
		for i, sh := range shards {
			aims[i].shard = all[sh]
		}
		fetch(aims)
	}, make([]foreseen, 1)}
}

// foreseeLocked gives a backend foresight over shards under locks, which it holds for reading meanwhile.
func foreseeLocked(b backend, all cells, loops int) *foresighted {
	holds := make([]*locked, loops)
	for i := range holds {
		holds[i] = newLocked(all.handle(), b.host.routing(), scopeBatch)
	}
	return &foresighted{b, func(loop int, aims []aim, shards []int) {
		k := holds[loop]
		k.set.clear()
		k.writes.clear()
		for i, sh := range shards {
			k.set.add(sh)
			aims[i].shard = &k.cell(sh).shard
		}
		k.lockMarked()
		fetch(aims)
		k.unlock()
	}, make([]foreseen, loops)}
}
