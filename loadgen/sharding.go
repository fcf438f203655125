package loadgen

import (
	"fmt"
	"sync"
)

// MaxShards is the most shards that a Sharding tells apart.
const MaxShards = 1 << 16

// Sharding says which shard each key belongs to. It is part of the workload and not of the target: all arms of an
// experiment get the same operations, also those whose shards are others, or that have none. It may be shared by
// workloads and used from any goroutine.
type Sharding struct {
	n     int
	shard func(key []byte) int

	mu    sync.Mutex
	keys  int // of is theirs
	sizes Law
	of    []uint16 // by key number
}

// NewSharding returns a sharding into n, 2 to MaxShards. shard says where a key belongs, from 0; it must be a pure function.
func NewSharding(n int, shard func(key []byte) int) (*Sharding, error) {
	if n < 2 || n > MaxShards {
		return nil, fmt.Errorf("workload: %d shards; use 2 to %d", n, MaxShards)
	}
	return &Sharding{n: n, shard: shard}, nil
}

// table returns the shard of each of the workload's keys: two bytes a key, made once.
func (s *Sharding) table(w Workload) ([]uint16, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == w.Keys && s.sizes.equal(w.keyLaw()) {
		return s.of, nil
	}
	of := make([]uint16, w.Keys)
	all, key := newKeys(w), []byte(nil)
	for i := range of {
		key = all.append(key[:0], uint32(i))
		shard := s.shard(key)
		if uint(shard) >= uint(s.n) {
			return nil, fmt.Errorf("workload: key %s belongs to shard %d; have %d", key, shard, s.n)
		}
		of[i] = uint16(shard)
	}
	s.of, s.keys, s.sizes = of, w.Keys, w.keyLaw()
	return of, nil
}

// hotFirst lists the keys of one shard, and then all others. It returns how many the first are.
func (s *Sharding) hotFirst(w Workload, hot int) (order []uint32, count int, err error) {
	of, err := s.table(w)
	if err != nil {
		return nil, 0, err
	}
	order = make([]uint32, 0, len(of))
	for _, first := range []bool{true, false} {
		for key, shard := range of {
			if (int(shard) == hot) == first {
				order = append(order, uint32(key))
			}
		}
		if first {
			count = len(order)
		}
	}
	if count == 0 || count == len(order) {
		return nil, 0, fmt.Errorf("workload: shard %d has %d of %d keys; use more keys", hot, count, len(order))
	}
	return order, count, nil
}
