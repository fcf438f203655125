// Package command is the command table: for each command its name, arity, keys and flags, and what it does to one shard.
//
// It decides neither where a command runs nor what guards the shard: a topology looks the command up, finds the shards
// of its keys, makes sure that it may touch them, and calls the function that fits:
//
//   - Local: no shard. The connection's own affairs and the server's.
//   - One: one key, so one shard; writes the whole reply.
//   - Part: one call for each key (or, with AllShards, for each shard), in whatever order and place the topology likes,
//     between Begin and End, which write what surrounds the parts' replies. A part's numbers go to Exec.Acc, which
//     the topology adds up before End; a part's reply bytes must end up in the order of the keys.
//
// Replies and error texts are those of Redis 7.
package command
