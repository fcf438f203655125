package loadgen

import "fmt"

// Target is the server under load.
type Target struct {
	Addr string // host:port; control commands go here, and the load too unless there are ShardAddrs

	// ShardAddrs are host:ports that each serve a part of the keys. Every client has a socket to each of them, as the
	// clients of a cluster do, and its operation goes to the address of the key. Sockets shared by several clients
	// would be fewer, but requests of different clients would travel together: a batching that the other targets do
	// not get (with 50 clients of one request each it took 45 % off the server's CPU per operation).
	ShardAddrs []string
	// Route returns the index in ShardAddrs of a key's address. It is called for every operation, by all workers at
	// once; it must be a pure function, must not keep the key and should not allocate.
	Route func(key []byte) int

	// Responder says that no store is behind: values may be anything, nothing is a miss, and Preload counts no keys.
	Responder bool
}

func (t Target) check() error {
	if (len(t.ShardAddrs) > 0) != (t.Route != nil) {
		return fmt.Errorf("target %s: %d shard addresses and Route %s; give both or neither",
			t.Addr, len(t.ShardAddrs), map[bool]string{true: "set", false: "not set"}[t.Route != nil])
	}
	return nil
}

// shareOf returns how many of the clients w, w+workers, w+2·workers, … there are.
func shareOf(clients, workers, w int) int { return (clients - w + workers - 1) / workers }
