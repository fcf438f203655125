package loadgen

import (
	"fmt"
	"math/bits"
	"strings"
)

// Target is the server under load.
type Target struct {
	// Addr is host:port, or unix:PATH. The load goes here unless there are ShardAddrs, and control commands unless there is
	// ControlAddr, which is always RESP's.
	Addr        string
	ControlAddr string

	// ShardAddrs are addresses that each serve a part of the keys. Every client has a socket to each of them, as the
	// clients of a cluster do, and its operation goes to the address of the key. Sockets shared by several clients
	// would be fewer, but requests of different clients would travel together: a batching that the other targets do
	// not get (with 50 clients of one request each it took 45 % off the server's CPU per operation).
	ShardAddrs []string
	// Route returns the index in ShardAddrs of a key's address. It is called for every operation, by all workers at
	// once; it must be a pure function, must not keep the key and should not allocate.
	Route func(key []byte) int

	// InProcess, unless nil, is the server: every client, and control commands, call it for an [Executor] of their own, and there
	// are no sockets. A worker executes a batch of each of its clients in turn, of all that the client may send then, so
	// that in a closed loop Pipeline requests of one client are under way on each thread. Addresses have no meaning then,
	// and Protocol is RESP.
	InProcess func() Executor

	// Protocol is what the load is sent in. Control commands to Addr are RESP, but to memcached its own; HTTP has none. In SCNP an
	// operation carries its key's hash, and to a shard address the shard too, which is then wire.KeyShard's: Route must
	// agree with it.
	Protocol Protocol
	// Path is where HTTP finds a key, with {key} for it. Empty means DefaultPath.
	Path string

	// Responder says that no store is behind: values may be anything, nothing is a miss, and Preload counts no keys.
	Responder bool
	// Occupied says that the server may hold keys which are not the workload's, so that Preload counts none.
	Occupied bool
}

// Protocol is a way to write operations and replies.
type Protocol uint8

// The protocols.
const (
	RESP Protocol = iota
	SCNP
	Memcached // the text protocol
	HTTP      // HTTP/1.1 on connections that stay open, without pipelining: GET, PUT, DELETE, HEAD
)

// DefaultPath is where our servers have their keys.
const DefaultPath = "/v1/keys/{key}"

var protocolNames = [...]string{RESP: "resp", SCNP: "scnp", Memcached: "memcached", HTTP: "http"}

func (p Protocol) String() string {
	if int(p) < len(protocolNames) {
		return protocolNames[p]
	}
	return fmt.Sprintf("protocol %d", uint8(p))
}

func (t Target) check() error {
	if int(t.Protocol) >= len(protocolNames) {
		return fmt.Errorf("target %s: unknown %s; have %s", t.Addr, t.Protocol, strings.Join(protocolNames[:], ", "))
	}
	if t.Path != "" && (t.Protocol != HTTP || !strings.HasPrefix(t.Path, "/") || strings.Count(t.Path, keyMark) != 1 ||
		strings.ContainsFunc(t.Path, func(r rune) bool { return r <= ' ' || r > '~' })) {
		return fmt.Errorf("target %s: path %q; of HTTP, use one such as %s", t.Addr, t.Path, DefaultPath)
	}
	if t.InProcess != nil && (t.Protocol != RESP || len(t.ShardAddrs) > 0) {
		return fmt.Errorf("target %s: in %s, with %d shard addresses; a server in the same process has neither", t.Addr, t.Protocol,
			len(t.ShardAddrs))
	}
	if n := len(t.ShardAddrs); t.Protocol == SCNP && bits.OnesCount(uint(n)) > 1 {
		return fmt.Errorf("target %s: %d shard addresses; SCNP wants a power of two", t.Addr, n)
	}
	if (len(t.ShardAddrs) > 0) != (t.Route != nil) {
		return fmt.Errorf("target %s: %d shard addresses and Route %s; give both or neither",
			t.Addr, len(t.ShardAddrs), map[bool]string{true: "set", false: "not set"}[t.Route != nil])
	}
	return nil
}

// shareOf returns how many of the clients w, w+workers, w+2·workers, … there are.
func shareOf(clients, workers, w int) int { return (clients - w + workers - 1) / workers }
