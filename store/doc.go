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
// sight: segments of up to 2,048 eight-byte slots (segment.go) lead to records (record.go) in pages of equal cells
// (arena.go), and neither slots nor pages hold pointers. The collector meets two to six objects a thousand keys.
//
// An entry of a 16-byte key and a 64-byte value with a deadline takes a cell of 87 bytes and 9.1 bytes of slots; with page
// ends and tables 96.3 bytes are reserved for each, at any number of entries from half a million on, and 97 at most in
// 16 shards (TestMemoryBudget). The index grows one segment at a time, by an eighth or so; no write waits for
// more. What segments leave is pooled for others, of any shard: that is the one thing that shards share.
//
// Freed cells are taken by entries of about that size. Maintain moves the records of sparse pages together (compact.go), so
// that a shard whose values changed their sizes ends within 1.3 of what its entries need (TestChurn).
//
// Slices returned by Get and passed by Range alias that memory. They are good until the next call that changes the
// shard, whichever key that call is about.
//
// # Deadlines
//
// Reads treat an expired entry as absent and leave it; writes of its key, DeleteExpired and Maintain remove it. Maintain
// goes round the index with a hand, a bounded slice a call, and goes on to more while more than a tenth of the
// deadlines it meets have passed, as Redis does. Without deadlines it looks at nothing.
//
// # Limit
//
// A Budget limits what the shards of one store use together: each may fill it alone. A shard evicts from itself, before
// a write that finds the store over its limit; and where its Maintain sees that others give up warmer entries than it
// holds, it gives up its own in their place, so cold entries make way for writes anywhere, and no shard touches another.
// After a write the store is over its limit by at most that write, what the shards have yet to publish (4 KiB each, or
// 1/256 of the limit), and, where writing shards had nothing to give up, one write for each that was empty or 1/64 of the
// limit for those that hold only what must stay. While a policy or a limit has just been changed it is over by what is
// yet to be evicted, a bounded number of entries a write.
//
// How entries were used is in eight bits of their slots: the tick of an access clock that follows the turnover
// (clock.go), a logarithmic count (use.go), or the state of S3-FIFO (s3fifo.go). Victims are sampled a cache line of slots
// at a time, and the best wait in a pool (sample.go); S3-FIFO has queues, 13 to 19 bytes an entry.
//
// Hit ratios beside redis-server 7.0.15, in percent: a read-through stream (a miss is followed by a set) over 1,000,000
// keys of 16 bytes with values of 64 to 256, zipfian with exponent 0.99; of 2,000,000 reads the second half is counted.
// With scans, a third of the reads are runs of 1,000 keys that never come again. The left columns are at as many entries
// as redis-server holds, the right ones at the same maxmemory, in which we hold more (SHARDLAB_HITRATIO=full go test
// -run HitRatio -v):
//
//	                      same entries                              same bytes
//	           entries    LRU exact    ours redis    LFU ours redis  S3-FIFO    entries   LRU   LFU  S3-FIFO
//	28 MiB     108,000        77.4     77.4  77.0        79.7  79.4     80.2    156,000  80.8  82.2     81.9
//	69 MiB     271,000        86.0     86.0  86.0        86.1  86.1     85.9    356,000* 87.1  87.1     87.1
//	28, scans  108,000        44.5     44.5  43.9        48.2  47.8     49.1    156,000  46.4  49.3     49.8
//	69, scans  271,000        49.2     49.2  49.1        50.9  50.4     51.2    382,000  51.0  51.9     51.8
//
// * is every key that came: nothing was evicted. S3-FIFO holds 7 % fewer entries in the same bytes, for its queues, and
// in the same-entries columns 1 to 4 % fewer than the others. Redis's LRU clock ticks once a second, which is coarse beside
// the few seconds that an entry lived here.
//
// # Hashes
//
// Every call takes the key's hash beside the key, because a server needs it earlier, to route. It must be Hash(key):
// compaction and eviction find entries by the stored key. The index uses the low 24 bits of the hash, ShardOf those below
// the top seven, so the keys of one shard still spread over its index.
//
// XXH3 without a seed is what the wire protocol prescribes, and colliding keys are easily made. They cost time, never
// memory or an endless loop: keys that no split can part go to a list that is searched from end to end (spill.go).
package store
