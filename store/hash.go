package store

import (
	"bytes"
	"fmt"
	"math/bits"

	"github.com/zeebo/xxh3"
)

// Hash returns the hash of a key: XXH3-64 with seed 0 over its raw bytes, as the wire protocol prescribes.
func Hash(key []byte) uint64 { return xxh3.Hash(key) }

// ShardOf returns which of shards shards a route hash belongs to, in [0, shards). It drops the top seven bits of the
// hash and takes the next log2(shards), as the source system does, so that a client and a server compute the same
// shard. shards must be a power of two; another number is taken for the power of two below it.
func ShardOf(hash uint64, shards int) int {
	return int(hash << 7 >> (65 - bits.Len(uint(shards))))
}

// RouteMode says which bytes of a key choose its shard.
type RouteMode uint8

const (
	// FullKey routes by the whole key.
	FullKey RouteMode = iota
	// SessionPrefix keeps the keys of a session in one shard: of a key that starts with "s:", only the bytes before
	// its last ":c:" count. Other keys, and keys without ":c:", count whole. The hash that the shard itself is asked
	// with stays that of the whole key.
	SessionPrefix
)

var routeModes = [...]string{FullKey: "full_key", SessionPrefix: "session_prefix"}

// ParseRouteMode returns the mode of that name.
func ParseRouteMode(name string) (RouteMode, error) {
	for m, have := range routeModes {
		if name == have {
			return RouteMode(m), nil
		}
	}
	return 0, fmt.Errorf("route mode: unknown %q; have full_key, session_prefix", name)
}

// String returns the name that ParseRouteMode reads.
func (m RouteMode) String() string {
	if int(m) < len(routeModes) {
		return routeModes[m]
	}
	return fmt.Sprintf("RouteMode(%d)", uint8(m))
}

// RouteHash returns the hash to pass to ShardOf for a key.
func (m RouteMode) RouteHash(key []byte) uint64 { return Hash(m.routed(key)) }

// Hashes returns the hash a shard is asked with and the hash that chooses the shard, hashing once where the two are
// the same.
func (m RouteMode) Hashes(key []byte) (hash, route uint64) {
	hash = Hash(key)
	if part := m.routed(key); len(part) != len(key) {
		return hash, Hash(part)
	}
	return hash, hash
}

// routed returns the leading bytes of key that choose its shard.
func (m RouteMode) routed(key []byte) []byte {
	if m != SessionPrefix || len(key) < 2 || key[0] != 's' || key[1] != ':' {
		return key
	}
	if i := bytes.LastIndex(key, []byte(":c:")); i >= 0 {
		return key[:i]
	}
	return key
}
