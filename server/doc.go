// Package server moves bytes: it listens, accepts, limits, reads, hands batches of requests to a [Backend], writes the
// replies, and shuts down in order. What a request means, and who may touch which data, it does not know.
//
// Three transports drive connections. Netpoll is Go's own: a goroutine a connection, blocking reads, the runtime decides
// which thread runs it. Redcon is the same with another's server between, as a baseline. Epoll is ours: a fixed number of event loops on locked, optionally pinned OS threads, each with its own
// epoll instance; a connection lives on one loop for all its life, so what its session touches can belong to that loop.
//
// All work in batches: all complete requests of one read are executed together and answered by one write. All bound
// what a connection can hold: while replies wait for a slow reader nothing more is read from it (redcon reads on only
// when they are written), and who takes nothing for Options.WriteTimeout is cut. A connection that finds no room, above the
// limit or for want of descriptors, is told so in its protocol. Idle and slow connections are found by ticks, without a timer or
// a clock for each; a silent one holds neither buffer nor batch.
//
// Linux only: the event loops are epoll.
package server
