package store

import (
	"fmt"
	"strings"
)

// Policy says which entries a store gives up when it is at its limit.
type Policy uint8

const (
	// NoEviction gives up none: MakeRoom refuses.
	NoEviction Policy = iota
	// AllKeysLRU gives up those not used for longest.
	AllKeysLRU
	// AllKeysLFU gives up those used least often, by a count that fades.
	AllKeysLFU
	// AllKeysS3FIFO gives up those that were not used soon after they came, then the oldest not used since they were
	// looked at last: one scan through keys that nobody wants again does not push out those that are wanted.
	AllKeysS3FIFO
	// VolatileTTL gives up those with the nearest deadline, and none without one.
	VolatileTTL
)

var policies = [...]string{
	NoEviction:    "noeviction",
	AllKeysLRU:    "allkeys-lru",
	AllKeysLFU:    "allkeys-lfu",
	AllKeysS3FIFO: "allkeys-s3fifo",
	VolatileTTL:   "volatile-ttl",
}

// PolicyNames lists the names that ParsePolicy reads.
func PolicyNames() []string { return policies[:] }

// ParsePolicy returns the policy of that name, in any case of letters.
func ParsePolicy(name string) (Policy, error) {
	for p, have := range policies {
		if strings.EqualFold(name, have) {
			return Policy(p), nil
		}
	}
	return 0, fmt.Errorf("eviction policy: unknown %q; have %s", name, strings.Join(policies[:], ", "))
}

// String returns the name that ParsePolicy reads.
func (p Policy) String() string {
	if int(p) < len(policies) {
		return policies[p]
	}
	return fmt.Sprintf("Policy(%d)", uint8(p))
}
