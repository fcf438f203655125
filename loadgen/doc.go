// Package loadgen puts load on a server that speaks RESP, SCNP, memcached's text protocol or HTTP/1.1, and records what its
// clients saw.
//
// A [Pool] is a set of OS threads, pinned if so wished, each of which runs an event loop over its share of the
// connections of a [Session]. A Session is one server with one [Workload] and one [Load]; many can be open, and one at
// a time is driven: [Session.Preload] writes every key, [Session.Run] measures one [Window].
//
// What is sent is settled beforehand. Operation i of client c (its type, key and value) is a pure function of the
// workload's seed, c and i; arrival j of an open loop is one of the seed, the law and the schedule so far. Neither replies, nor timing,
// nor the number of threads, nor the server under test can change them, so that every arm of an experiment gets the
// same operations; [StreamHash] names them.
//
// A stall is not omitted. With a redis-server frozen by SIGSTOP for 1.00 s, 1,000 operations a second on ten connections of one
// request each yield 989 response times above 50 ms, 520 ms on average, where 950 and 525 are expected, and ten such service
// times (TestStopDrill). In the same drill redis-benchmark -c 10 -n 100000, which waits for its replies, reports p99 0.37 ms, and no
// more than 12 of 100,000 requests above 4.6 ms.
//
// A server need not be behind a socket: with [Target.InProcess] the same clients hand the same operations to a function.
//
// Or operations are those that somebody recorded: a [Trace] is sent again in its order, or at its times too.
//
// Arrivals are Poisson, evenly spaced, in bursts or listed ([Arrival]); a worker sleeps until the next is due, or polls ([Load.Spin]). How
// late sends are ([Result.Lateness]) and how they are spaced ([Result.Pacing]) is recorded beside the latencies. A request may time out
// ([Load.Timeout]); it stays in the percentiles. DEFECTS.md lists what is wrong with other generators and the tests that it is not
// with this one.
//
// A workload chooses keys by any of eight distributions, each of which is held against its law in the tests ([SkewOf] says what
// the most popular keys get), operations by a mix, the sizes of keys and values and times to live by a [Law]. A value's size and bytes
// follow from its key, its writer and its version, so that whatever is read back can be verified without a record of it.
//
// Nothing is shared while load is on. A worker owns its sockets, rings, buffers, counters and histograms; they are put
// together after the window. Nothing is allocated per operation, and a window costs a handful of small objects.
//
// The package knows no topology and starts no server. It reports what it counted and leaves every judgement (is the
// client the bottleneck, is the server saturated) to its caller. It runs on Linux only.
package loadgen
