package admin

import "time"

// Figures are what /metrics shows, besides the Go runtime's and the process's own. All counts are since the start.
type Figures struct {
	Settings [][2]string // of the topology, by name

	Commands     map[string]uint64 // executed, by name
	Hits, Misses uint64

	MemoryLimit, MemoryUsed int64 // bytes; a limit of 0 is none

	Fronts         []Front
	Received, Sent uint64 // bytes of the main port
	HTTPResponses  [6]uint64

	Hops       Sizes // messages to the owners of shards, by the number of parts of requests that each carried
	Loans      uint64
	LockWaits  uint64
	LockWaited time.Duration
	LoopCPU    []time.Duration // processor time of each event loop's thread

	Shards []Shard // nil when they could not be asked, as in a server that has drained
}

// Front is one way in.
type Front struct {
	Name               string
	Conns              int64
	Accepted, Rejected uint64
}

// Shard are the figures of one shard.
type Shard struct {
	Entries, TTLs, Stored, Reserved, Expired, Evicted int64
}

// Sizes counts things by size: Buckets[i] those of more than 2^(i-1) and up to 2^i, the last also all that are larger.
type Sizes struct {
	Buckets []uint64
	Sum     uint64 // of all sizes
}
