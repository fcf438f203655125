// Package command is the command table: for each command its name, arity, keys and flags, and what it does to shards.
//
// It decides neither where a command runs nor what guards the shards: a topology finds the command and the shards of its keys, makes
// sure that it may touch them, asks [Exec.Admit] whether the request is to run, and has it run:
//
//   - Local: no shard. The connection's own affairs and the server's.
//   - One: one key, so one shard; writes the whole reply. With ByShard something else than a key chooses the shard: SCAN's cursor.
//   - Part: one call for each key (or, with AllShards, for each shard), in whatever order and place the topology likes,
//     between Begin and End, which write what surrounds the parts' replies. A part's numbers go to Exec.Acc, which
//     the topology adds up before End; a part's reply bytes must end up in the order of the keys.
//   - Many: one call while all shards that it touches are held for it alone: RENAME, MSETNX, EXEC. RunHeld runs any command
//     under such a hold, which is how EXEC runs what was queued.
//
// A session whose requests are queued by MULTI, that has yet to log in, or that wants no replies is gated (gate.go): then each
// request is admitted before the next is looked at. All others pay one comparison for it.
//
// Replies and error texts are those of Redis 7, in the order in which it finds errors: first whether the command exists and the
// number of its arguments, then the login, then MULTI, then what the arguments say (Check), then the data. What differs:
//
//   - There is one database, and values are strings; nothing is ever of the wrong type.
//   - OBJECT ENCODING of an integer that INCRBYFLOAT made is int, and OBJECT REFCOUNT of a copied one that of a shared one.
//   - MSET at the memory limit may have set some of its keys when it is refused.
//   - Commands are not timed: INFO's commandstats count, SLOWLOG and LATENCY are empty.
//   - HELP texts and COMMAND DOCS are our own.
package command
