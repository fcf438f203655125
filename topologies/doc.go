// Package topologies holds the server variants that shardlab compares. They differ in one thing, the sharing boundary:
// who may touch which part of the data, and how a request gets there. Here, and nowhere else, the store meets the server.
//
// A topology is a preset of factors (boundary, dispatch, transport, shards, workers), found by its name in the
// registry; [Open] turns one into a running [Instance]. All of them give the same replies to the same requests on the same
// connection, which the conformance test holds them to; a direct shard port answers for its own shard only.
//
// The boundaries:
//
//   - shared: one store, reached through one handle; each shard in it has a lock.
//   - per-shard: the same, but sessions hold a handle to each shard.
//   - owned: a shard belongs to one thread, an event loop or a goroutine of its own, and is touched by no other. There are no
//     locks. Where several threads own shards, a router sends each the parts of requests that are its own, a batch at a time
//     (run, hop), and an owner lends its shards to a command that needs those of several (loan).
//
// What a topology leaves open is an [Option]: one table of them is behind flags, configuration files, the environment and
// what is shown of them. A Go program can serve a [Store] of its own and use it meanwhile, or a [LocalStore] that belongs to
// one thread.
package topologies
