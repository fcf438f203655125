package command

import (
	"math"
	"strconv"

	"github.com/shardlab/shardlab/store"
)

// integers checks that the arguments at these positions are integers.
func integers(at ...int) func([][]byte) string {
	return func(args [][]byte) string {
		for _, i := range at {
			if _, ok := parseInt(args[i]); !ok {
				return errNotInteger
			}
		}
		return ""
	}
}

func checkDecrby(args [][]byte) string {
	switch n, ok := parseInt(args[2]); {
	case !ok:
		return errNotInteger
	case n == math.MinInt64: // cannot be negated
		return "ERR decrement would overflow"
	}
	return ""
}

func incr(x *Exec, sh *store.Shard, hash uint64, args [][]byte) { addInt(x, sh, hash, args[1], 1) }
func decr(x *Exec, sh *store.Shard, hash uint64, args [][]byte) { addInt(x, sh, hash, args[1], -1) }

func incrby(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
	by, _ := parseInt(args[2]) // checked
	addInt(x, sh, hash, args[1], by)
}

func decrby(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
	by, _ := parseInt(args[2]) // checked
	addInt(x, sh, hash, args[1], -by)
}

func addInt(x *Exec, sh *store.Shard, hash uint64, key []byte, by int64) {
	now := x.shardNow(sh)
	var n int64
	if old, ok := sh.Get(hash, key, now); ok {
		if n, ok = parseInt(old); !ok {
			x.Error(errNotInteger)
			return
		}
	}
	if (by < 0 && n < math.MinInt64-by) || (by > 0 && n > math.MaxInt64-by) {
		x.Error("ERR increment or decrement would overflow")
		return
	}
	n += by
	var digits [20]byte
	sh.SetKeepTTL(hash, key, strconv.AppendInt(digits[:0], n, 10), now)
	x.W.Int(n)
}

func incrbyfloat(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
	key, now := args[1], x.shardNow(sh)
	sum := newExtended()
	if old, there := sh.Get(hash, key, now); there && !sum.parse(old) {
		x.Error(errNotFloat)
		return
	}
	by := newExtended()
	if !by.parse(args[2]) {
		x.Error(errNotFloat)
		return
	}
	if !sum.add(by) {
		x.Error("ERR increment would produce NaN or Infinity")
		return
	}
	text := sum.text()
	sh.SetKeepTTL(hash, key, text, now)
	x.W.Bulk(text)
}

const errNotFloat = "ERR value is not a valid float"
