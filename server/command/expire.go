package command

import (
	"math"
	"strings"

	"github.com/shardlab/shardlab/store"
)

var expireCommands = []*Spec{
	expireSpec("expire", 's', "Has a key expire in a number of seconds."),
	expireSpec("pexpire", 'm', "Has a key expire in a number of milliseconds."),
	expireSpec("expireat", 'S', "Has a key expire at a Unix time in seconds."),
	expireSpec("pexpireat", 'M', "Has a key expire at a Unix time in milliseconds."),
	ttlSpec("ttl", 's', "Returns in how many seconds a key expires."),
	ttlSpec("pttl", 'm', "Returns in how many milliseconds a key expires."),
	ttlSpec("expiretime", 'S', "Returns the Unix time in seconds at which a key expires."),
	ttlSpec("pexpiretime", 'M', "Returns the Unix time in milliseconds at which a key expires."),
	{Name: "persist", Arity: 2, Write: true, Fast: true, First: 1, Last: 1, Step: 1, One: persist,
		Group: "generic", Summary: "Takes the deadline off a key."},
}

func expireSpec(name string, unit byte, summary string) *Spec {
	return &Spec{Name: name, Arity: -3, Write: true, Fast: true, First: 1, Last: 1, Step: 1, Group: "generic", Summary: summary,
		Check: func(args [][]byte) string {
			if _, wrong := parseExpire(args); wrong != "" {
				return wrong
			}
			_, wrong := expireTime(unit, args[2], 0, name)
			return wrong
		},
		One: func(x *Exec, sh *store.Shard, hash uint64, args [][]byte) { expire(x, sh, hash, args, unit, name) },
	}
}

// expireOptions say what the deadline that a key has must be like for EXPIRE to change it.
type expireOptions struct{ nx, xx, gt, lt bool }

func parseExpire(args [][]byte) (o expireOptions, wrong string) {
	for _, w := range args[3:] {
		switch {
		case is(w, "nx"):
			o.nx = true
		case is(w, "xx"):
			o.xx = true
		case is(w, "gt"):
			o.gt = true
		case is(w, "lt"):
			o.lt = true
		default:
			return o, "ERR Unsupported option " + strings.TrimRight(string(clip(w, len(w))), "\r\n")
		}
	}
	switch {
	case o.nx && (o.xx || o.gt || o.lt):
		return o, "ERR NX and XX, GT or LT options at the same time are not compatible"
	case o.gt && o.lt:
		return o, "ERR GT and LT options at the same time are not compatible"
	}
	return o, ""
}

// expireTime is the Unix time in milliseconds that EXPIRE and its like mean at the time now. It may lie in the past.
func expireTime(unit byte, amount []byte, now int64, name string) (at int64, wrong string) {
	at, ok := parseInt(amount)
	if !ok {
		return 0, errNotInteger
	}
	if unit == 's' || unit == 'S' {
		if at > math.MaxInt64/1000 || at < math.MinInt64/1000 {
			return 0, errExpireTime(name)
		}
		at *= 1000
	}
	if unit == 's' || unit == 'm' {
		if at > math.MaxInt64-now {
			return 0, errExpireTime(name)
		}
		at += now
	}
	return at, ""
}

func expire(x *Exec, sh *store.Shard, hash uint64, args [][]byte, unit byte, name string) {
	key, now := args[1], x.Now()
	o, _ := parseExpire(args) // Check accepted it
	at, wrong := expireTime(unit, args[2], now, name)
	if wrong != "" {
		x.Error(wrong)
		return
	}
	old, there := sh.Deadline(hash, key, now)
	switch {
	case !there, o.nx && old != 0, o.xx && old == 0, o.gt && (old == 0 || at <= old), o.lt && old != 0 && at >= old:
		x.W.Int(0)
		return
	case at <= now:
		sh.Delete(hash, key, now)
	default:
		sh.SetDeadline(hash, key, at, now)
	}
	x.W.Int(1)
}

func ttlSpec(name string, unit byte, summary string) *Spec {
	return &Spec{Name: name, Arity: 2, Fast: true, First: 1, Last: 1, Step: 1, Group: "generic", Summary: summary,
		One: func(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
			if _, there := x.peek(sh, hash, args[1]); !there {
				x.W.Int(-2)
				return
			}
			at, _ := sh.Deadline(hash, args[1], x.shardNow(sh))
			x.W.Int(ttl(at, unit, x))
		}}
}

// ttl is a deadline as the TTL command of that unit says it.
func ttl(at int64, unit byte, x *Exec) int64 {
	if at == 0 {
		return -1
	}
	if unit == 's' || unit == 'm' {
		at = max(at-x.Now(), 0)
	}
	if unit == 's' || unit == 'S' {
		at = (at + 500) / 1000 // rounded, not cut
	}
	return at
}

func persist(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
	now := x.shardNow(sh)
	if at, there := sh.Deadline(hash, args[1], now); !there || at == 0 {
		x.W.Int(0)
		return
	}
	sh.SetDeadline(hash, args[1], 0, now)
	x.W.Int(1)
}
