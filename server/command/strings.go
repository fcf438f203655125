package command

import (
	"math"
	"strconv"

	"github.com/shardlab/shardlab/store"
)

const (
	errSyntax     = "ERR syntax error"
	errNotInteger = "ERR value is not an integer or out of range"
)

var stringCommands = []*Spec{
	{Name: "get", Arity: 2, Fast: true, First: 1, Last: 1, Step: 1, One: get,
		Group: "string", Summary: "Returns the string value of a key."},
	{Name: "set", Arity: -3, Write: true, First: 1, Last: 1, Step: 1, One: set, Check: checkSet,
		Group: "string", Summary: "Sets the string value of a key, ignoring its type."},
	{Name: "incr", Arity: 2, Write: true, Fast: true, First: 1, Last: 1, Step: 1, One: incr,
		Group: "string", Summary: "Increments the integer value of a key by one."},
	{Name: "mget", Arity: -2, Fast: true, First: 1, Last: -1, Step: 1,
		Begin: func(x *Exec, parts int) { x.W.Array(parts) }, Part: mgetPart,
		Group: "string", Summary: "Returns the string values of one or more keys."},
	{Name: "mset", Arity: -3, Write: true, First: 1, Last: -1, Step: 2, Check: checkPairs, Part: msetPart, End: endOK,
		Group: "string", Summary: "Sets the string values of one or more keys."},
}

func get(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
	if v, ok := x.find(sh, hash, args[1]); ok {
		x.W.Bulk(v)
	} else {
		x.W.Null()
	}
}

func mgetPart(x *Exec, sh *store.Shard, hash uint64, part [][]byte) {
	if v, ok := x.find(sh, hash, part[0]); ok {
		x.W.Bulk(v)
	} else {
		x.W.Null()
	}
}

func checkPairs(args [][]byte) string {
	if len(args)%2 == 0 {
		return wrongArity("mset")
	}
	return ""
}

func msetPart(x *Exec, sh *store.Shard, hash uint64, part [][]byte) {
	sh.Set(hash, part[0], part[1], 0)
}

func endOK(x *Exec, _ [][]byte) { x.W.Status("OK") }

// setOptions are the words behind SET key value.
type setOptions struct {
	nx, xx, keepTTL, get bool
	unit                 byte // 0: no deadline; 's', 'm' relative; 'S', 'M' absolute Unix time
	amount               int64
}

func checkSet(args [][]byte) string {
	if len(args) == 3 {
		return ""
	}
	_, wrong := parseSet(args)
	return wrong
}

func parseSet(args [][]byte) (o setOptions, wrong string) {
	var amount []byte
	for i := 3; i < len(args); i++ {
		w := args[i]
		switch {
		case is(w, "nx") && !o.xx:
			o.nx = true
		case is(w, "xx") && !o.nx:
			o.xx = true
		case is(w, "get"):
			o.get = true
		case is(w, "keepttl") && o.unit == 0:
			o.keepTTL = true
		case setUnit(w) != 0 && !o.keepTTL && (o.unit == 0 || o.unit == setUnit(w)) && i+1 < len(args):
			o.unit, amount = setUnit(w), args[i+1]
			i++
		default:
			return o, errSyntax
		}
	}
	if o.unit == 0 {
		return o, ""
	}
	// Only when all words are understood does Redis look at the amount.
	var ok bool
	if o.amount, ok = parseInt(amount); !ok {
		return o, errNotInteger
	}
	if _, ok := o.deadline(0); !ok {
		return o, "ERR invalid expire time in 'set' command"
	}
	return o, ""
}

func setUnit(w []byte) byte {
	switch {
	case is(w, "ex"):
		return 's'
	case is(w, "px"):
		return 'm'
	case is(w, "exat"):
		return 'S'
	case is(w, "pxat"):
		return 'M'
	}
	return 0
}

// deadline is when the value expires, in Unix milliseconds, for a SET at the time now. ok is false when the amount is
// not positive or overflows.
func (o *setOptions) deadline(now int64) (at int64, ok bool) {
	at = o.amount
	if at <= 0 {
		return 0, false
	}
	if o.unit == 's' || o.unit == 'S' {
		if at > math.MaxInt64/1000 {
			return 0, false
		}
		at *= 1000
	}
	if o.unit == 's' || o.unit == 'm' {
		if at > math.MaxInt64-now {
			return 0, false
		}
		at += now
	}
	return at, true
}

func set(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
	if len(args) == 3 {
		sh.Set(hash, args[1], args[2], 0)
		x.W.Status("OK")
		return
	}
	setWithOptions(x, sh, hash, args)
}

func setWithOptions(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
	o, _ := parseSet(args) // checkSet accepted it
	key, value := args[1], args[2]
	now := x.Now()
	var at int64
	if o.unit != 0 {
		var ok bool
		if at, ok = o.deadline(now); !ok {
			x.W.Error("ERR invalid expire time in 'set' command")
			return
		}
	}
	old, exists := sh.Get(hash, key, now)
	if o.get { // the old value is copied out before the new one may take its place
		if exists {
			x.W.Bulk(old)
		} else {
			x.W.Null()
		}
	}
	if (o.nx && exists) || (o.xx && !exists) {
		if !o.get {
			x.W.Null()
		}
		return
	}
	if o.keepTTL {
		sh.SetKeepTTL(hash, key, value, now)
	} else {
		sh.Set(hash, key, value, at)
	}
	if !o.get {
		x.W.Status("OK")
	}
}

func incr(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
	key, now := args[1], x.shardNow(sh)
	var n int64
	if old, ok := sh.Get(hash, key, now); ok {
		if n, ok = parseInt(old); !ok {
			x.W.Error(errNotInteger)
			return
		}
	}
	if n == math.MaxInt64 {
		x.W.Error("ERR increment or decrement would overflow")
		return
	}
	n++
	var digits [20]byte
	sh.SetKeepTTL(hash, key, strconv.AppendInt(digits[:0], n, 10), now)
	x.W.Int(n)
}
