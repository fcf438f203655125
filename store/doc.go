// Package store holds what a shard is: one hash table with the memory of its keys and values, its deadlines and its
// counters; and the rule that says which shard a key belongs to.
//
// It is not a server and not a topology. Nothing here locks, starts a goroutine, opens a socket or reads a clock: a
// Shard belongs to whoever holds it (a lock, an owner goroutine, an event loop), and deciding which is the business of
// package topologies. Times are Unix milliseconds, handed in.
//
// # Memory
//
// A Shard owns every byte it stores; keys and values are copied in. It keeps them out of the garbage collector's
// sight: segments of 1,023 eight-byte slots (segment.go) lead to records (record.go) in pages of equal cells
// (arena.go), and neither segments nor pages hold pointers. The collector meets about four objects a thousand keys.
//
// Slices returned by Get and passed by Range alias that memory. They are good until the next call that changes the
// shard, whichever key that call is about.
//
// # Hashes
//
// Every call takes the key's hash beside the key, because a server needs it earlier, to route. It must be Hash(key):
// a very large index re-reads hashes from the stored keys. The index uses the low bits of the hash, ShardOf those below
// the top seven, so the keys of one shard still spread over its index.
//
// XXH3 without a seed is what the wire protocol prescribes, and colliding keys are easily made. They cost time, never
// memory or an endless loop: keys that no split can part go to a list that is searched from end to end (spill.go).
package store
