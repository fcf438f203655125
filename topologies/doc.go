// Package topologies holds the server variants that shardlab compares. They differ in one thing, the sharing boundary:
// who may touch which part of the data, and how a request gets there. Here, and nowhere else, the store meets the server.
//
// A topology is a preset of factors (boundary, dispatch, transport, shards, workers), found by its name in the
// registry; [Open] turns one into a running [Instance]. All of them give the same replies to the same requests on the same
// connection, which the conformance test holds them to; a direct shard port answers for its own shard only.
//
// The boundaries:
//
//   - shared: one store, reached through one handle; each shard in it has a reader-writer lock.
//   - per-shard: each shard is a thing of its own with its lock, and sessions hold a handle to each.
//   - owned: a shard belongs to one event loop and is touched by no other thread. There are no locks.
package topologies
