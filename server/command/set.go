package command

import (
	"math"

	"github.com/shardlab/shardlab/store"
)

// setOptions are the words behind SET key value, or GETEX key.
type setOptions struct {
	nx, xx, keepTTL, get, persist bool

	unit   byte // 0: no deadline; 's', 'm' relative; 'S', 'M' absolute Unix time
	amount []byte
}

func checkSet(args [][]byte) string {
	if len(args) == 3 {
		return ""
	}
	o, wrong := parseSet(args)
	if wrong == "" && o.unit != 0 {
		// Only when all words are understood does Redis look at the amount.
		_, wrong = deadline(o.unit, o.amount, 0, "set")
	}
	return wrong
}

func parseSet(args [][]byte) (o setOptions, wrong string) {
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
		case !o.keepTTL && o.takesUnit(args[i:]):
			i++
		default:
			return o, errSyntax
		}
	}
	return o, ""
}

func checkGetex(args [][]byte) string {
	_, wrong := parseGetex(args)
	return wrong
}

func parseGetex(args [][]byte) (o setOptions, wrong string) {
	for i := 2; i < len(args); i++ {
		switch {
		case is(args[i], "persist") && o.unit == 0:
			o.persist = true
		case !o.persist && o.takesUnit(args[i:]):
			i++
		default:
			return o, errSyntax
		}
	}
	return o, ""
}

// takesUnit notes the deadline that words begin with, and reports whether they do. One unit may be said again; the last
// amount counts.
func (o *setOptions) takesUnit(words [][]byte) bool {
	u := setUnit(words[0])
	if u == 0 || (o.unit != 0 && o.unit != u) || len(words) < 2 {
		return false
	}
	o.unit, o.amount = u, words[1]
	return true
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

// deadline is when what is set at the time now expires, in Unix milliseconds. wrong is the error text that refuses an
// amount which is no integer, not positive or overflows. With now 0 it finds everything but the overflow of the sum.
func deadline(unit byte, amount []byte, now int64, name string) (at int64, wrong string) {
	at, ok := parseInt(amount)
	if !ok {
		return 0, errNotInteger
	}
	if at <= 0 || ((unit == 's' || unit == 'S') && at > math.MaxInt64/1000) {
		return 0, errExpireTime(name)
	}
	if unit == 's' || unit == 'S' {
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

func errExpireTime(name string) string { return "ERR invalid expire time in '" + name + "' command" }

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
		var wrong string
		if at, wrong = deadline(o.unit, o.amount, now, "set"); wrong != "" {
			x.Error(wrong)
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

// setexIn is SETEX and PSETEX: key amount value.
func setexIn(unit byte, name string) func(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
	return func(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
		at, wrong := deadline(unit, args[2], x.Now(), name)
		if wrong != "" {
			x.Error(wrong)
			return
		}
		sh.Set(hash, args[1], args[3], at)
		x.W.Status("OK")
	}
}

func checkSetex(name string, unit byte) func([][]byte) string {
	return func(args [][]byte) string {
		_, wrong := deadline(unit, args[2], 0, name)
		return wrong
	}
}

func getex(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
	o, _ := parseGetex(args) // checkGetex accepted it
	key := args[1]
	v, ok := x.find(sh, hash, key)
	if !ok {
		x.W.Null()
		return
	}
	var at int64
	if o.unit != 0 {
		var wrong string
		if at, wrong = deadline(o.unit, o.amount, x.Now(), "getex"); wrong != "" {
			x.Error(wrong)
			return
		}
	}
	x.W.Bulk(v)
	switch {
	case o.unit != 0 && at <= x.Now():
		sh.Delete(hash, key, x.Now())
	case o.unit != 0 || o.persist:
		sh.SetDeadline(hash, key, at, x.shardNow(sh))
	}
}
