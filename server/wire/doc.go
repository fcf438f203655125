// Package wire turns bytes into requests and replies into bytes, and the other way round for a client. It does no I/O,
// starts no goroutine and keeps no clock.
//
// Server side: a [Parser] holds one connection's place in its input and cuts complete requests out of whatever has
// arrived; the requests of one read are collected in a [Batch], the unit in which transports hand work to a topology.
// A [Writer] appends replies in RESP2, RESP3 or SCNP. Client side: AppendCommand, the Append…Frame functions and the
// [ReplyScanner], also for memcached's text protocol and HTTP/1.1, which load can be put on.
//
// RESP and SCNP version 2 may come mixed on one connection: the first byte of a request tells them apart, and its reply
// is in the same protocol. An SCNP request becomes the same [Request] as a RESP one, so that whoever executes it need
// not know; what its frame says besides (the key's hash, a shard) is in its [Frame], and is to be checked, not believed.
//
// Ownership: a request's arguments alias the buffer given to Parse and are good until that buffer is reused. Nothing
// here copies a key or a value. None of the types is safe for concurrent use.
//
// RESP is the Redis serialization protocol as redis.io/docs/reference/protocol-spec describes it; error texts are those of
// Redis.
package wire
