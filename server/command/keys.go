package command

import "github.com/shardlab/shardlab/store"

var keyCommands = []*Spec{
	{Name: "del", Arity: -2, Write: true, First: 1, Last: -1, Step: 1, Part: delPart, End: endCount,
		Group: "generic", Summary: "Deletes keys."},
	{Name: "unlink", Arity: -2, Write: true, Fast: true, First: 1, Last: -1, Step: 1, Part: delPart, End: endCount,
		Group: "generic", Summary: "Deletes keys, as DEL does."},
	{Name: "exists", Arity: -2, Fast: true, First: 1, Last: -1, Step: 1, Part: existsPart, End: endCount,
		Group: "generic", Summary: "Counts how many of the keys there are."},
	{Name: "touch", Arity: -2, Fast: true, First: 1, Last: -1, Step: 1, Part: touchPart, End: endCount,
		Group: "generic", Summary: "Counts how many of the keys there are, and makes them recently used."},
	{Name: "type", Arity: 2, Fast: true, First: 1, Last: 1, Step: 1, One: typeOf,
		Group: "generic", Summary: "Returns what kind of value a key has: string or none."},
	{Name: "rename", Arity: 3, Write: true, First: 1, Last: 2, Step: 1, Many: rename,
		Group: "generic", Summary: "Gives the value of a key to another key."},
	{Name: "renamenx", Arity: 3, Write: true, Fast: true, First: 1, Last: 2, Step: 1, Many: renamenx,
		Group: "generic", Summary: "Gives the value of a key to another key that has none."},
	{Name: "copy", Arity: -3, Write: true, DenyOOM: true, First: 1, Last: 2, Step: 1, Many: copyKey, Check: checkCopy,
		Group: "generic", Summary: "Copies the value of a key to another key."},
}

func endCount(x *Exec, _ [][]byte) { x.W.Int(x.Acc.N) }

func delPart(x *Exec, sh *store.Shard, hash uint64, part [][]byte) {
	if sh.Delete(hash, part[0], x.shardNow(sh)) {
		x.Acc.N++
	}
}

func existsPart(x *Exec, sh *store.Shard, hash uint64, part [][]byte) {
	if _, ok := x.peek(sh, hash, part[0]); ok {
		x.Acc.N++
	}
}

func touchPart(x *Exec, sh *store.Shard, hash uint64, part [][]byte) {
	if _, ok := x.find(sh, hash, part[0]); ok {
		x.Acc.N++
	}
}

func typeOf(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
	if _, ok := x.peek(sh, hash, args[1]); ok {
		x.W.Status("string")
	} else {
		x.W.Status("none")
	}
}

func rename(x *Exec, held Held, args [][]byte) {
	if moved, there := x.move(held, args[1], args[2], false); !there {
		x.Error(errNoKey)
	} else if moved {
		x.W.Status("OK")
	}
}

func renamenx(x *Exec, held Held, args [][]byte) {
	switch moved, there := x.move(held, args[1], args[2], true); {
	case !there:
		x.Error(errNoKey)
	case moved:
		x.W.Int(1)
	default:
		x.W.Int(0)
	}
}

const errNoKey = "ERR no such key"

// move gives the entry of one key, deadline included, to another. With unless it does so only if the other has none. there:
// the first key exists. A key that moves to itself has moved, unless something had to be absent.
func (x *Exec) move(held Held, from, to []byte, unless bool) (moved, there bool) {
	src, srcHash := held.Shard(from)
	if _, there = src.Get(srcHash, from, x.shardNow(src)); !there {
		return false, false
	}
	if string(from) == string(to) {
		return !unless, true
	}
	if !x.duplicate(held, from, to, !unless) {
		return false, true
	}
	src.Delete(srcHash, from, x.shardNow(src))
	return true, true
}

// duplicate copies the entry of a key that exists to another key, deadline included. Without replace it does so only if that
// has none, and reports whether it did.
func (x *Exec) duplicate(held Held, from, to []byte, replace bool) bool {
	src, srcHash := held.Shard(from)
	dst, dstHash := held.Shard(to)
	if _, there := dst.Get(dstHash, to, x.shardNow(dst)); there && !replace {
		return false
	}
	now := x.shardNow(src)
	v, _ := src.Get(srcHash, from, now)
	at, _ := src.Deadline(srcHash, from, now)
	raw := src.Marked(srcHash, from, now)
	dst.Set(dstHash, to, v, at)
	if raw {
		dst.SetMark(dstHash, to, rawMark)
	}
	return true
}

func checkCopy(args [][]byte) string {
	_, wrong := parseCopy(args)
	return wrong
}

func parseCopy(args [][]byte) (replace bool, wrong string) {
	for i := 3; i < len(args); i++ {
		switch {
		case is(args[i], "replace"):
			replace = true
		case is(args[i], "db") && i+1 < len(args):
			if wrong := checkDB(args[i+1]); wrong != "" {
				return false, wrong
			}
			i++
		default:
			return false, errSyntax
		}
	}
	if string(args[1]) == string(args[2]) {
		return false, "ERR source and destination objects are the same"
	}
	return replace, ""
}

func copyKey(x *Exec, held Held, args [][]byte) {
	replace, _ := parseCopy(args) // checkCopy accepted it
	src, hash := held.Shard(args[1])
	if _, there := x.find(src, hash, args[1]); !there || !x.duplicate(held, args[1], args[2], replace) {
		x.W.Int(0)
		return
	}
	x.W.Int(1)
}
