package command

import "github.com/shardlab/shardlab/store"

const (
	errSyntax     = "ERR syntax error"
	errNotInteger = "ERR value is not an integer or out of range"
)

var stringCommands = []*Spec{
	{Name: "get", Arity: 2, Fast: true, First: 1, Last: 1, Step: 1, One: get,
		Group: "string", Summary: "Returns the value of a key."},
	{Name: "set", Arity: -3, Write: true, DenyOOM: true, First: 1, Last: 1, Step: 1, One: set, Check: checkSet,
		Group: "string", Summary: "Gives a key a value, on conditions and with a deadline if asked."},
	{Name: "setnx", Arity: 3, Write: true, DenyOOM: true, Fast: true, First: 1, Last: 1, Step: 1, One: setnx,
		Group: "string", Summary: "Gives a key a value unless it has one."},
	{Name: "setex", Arity: 4, Write: true, DenyOOM: true, First: 1, Last: 1, Step: 1, One: setexIn('s', "setex"),
		Check: checkSetex("setex", 's'), Group: "string", Summary: "Gives a key a value for a number of seconds."},
	{Name: "psetex", Arity: 4, Write: true, DenyOOM: true, First: 1, Last: 1, Step: 1, One: setexIn('m', "psetex"),
		Check: checkSetex("psetex", 'm'), Group: "string", Summary: "Gives a key a value for a number of milliseconds."},
	{Name: "getset", Arity: 3, Write: true, DenyOOM: true, Fast: true, First: 1, Last: 1, Step: 1, One: getset,
		Group: "string", Summary: "Gives a key a value and returns the one before."},
	{Name: "getdel", Arity: 2, Write: true, Fast: true, First: 1, Last: 1, Step: 1, One: getdel,
		Group: "string", Summary: "Returns the value of a key and deletes the key."},
	{Name: "getex", Arity: -2, Write: true, Fast: true, First: 1, Last: 1, Step: 1, One: getex, Check: checkGetex,
		Group: "string", Summary: "Returns the value of a key and changes its deadline."},
	{Name: "getrange", Arity: 4, First: 1, Last: 1, Step: 1, One: getrange, Check: integers(2, 3),
		Group: "string", Summary: "Returns a piece of a value."},
	{Name: "substr", Arity: 4, First: 1, Last: 1, Step: 1, One: getrange, Check: integers(2, 3),
		Group: "string", Summary: "Returns a piece of a value, as GETRANGE does."},
	{Name: "setrange", Arity: 4, Write: true, DenyOOM: true, First: 1, Last: 1, Step: 1, One: setrange, Check: checkSetrange,
		Group: "string", Summary: "Overwrites a piece of a value, padding it with zero bytes up to there."},
	{Name: "append", Arity: 3, Write: true, DenyOOM: true, Fast: true, First: 1, Last: 1, Step: 1, One: appendTo,
		Group: "string", Summary: "Appends to a value, or makes it."},
	{Name: "strlen", Arity: 2, Fast: true, First: 1, Last: 1, Step: 1, One: strlen,
		Group: "string", Summary: "Returns the length of a value."},
	{Name: "incr", Arity: 2, Write: true, DenyOOM: true, Fast: true, First: 1, Last: 1, Step: 1, One: incr,
		Group: "string", Summary: "Adds one to the integer that a value is."},
	{Name: "decr", Arity: 2, Write: true, DenyOOM: true, Fast: true, First: 1, Last: 1, Step: 1, One: decr,
		Group: "string", Summary: "Takes one from the integer that a value is."},
	{Name: "incrby", Arity: 3, Write: true, DenyOOM: true, Fast: true, First: 1, Last: 1, Step: 1, One: incrby, Check: integers(2),
		Group: "string", Summary: "Adds to the integer that a value is."},
	{Name: "decrby", Arity: 3, Write: true, DenyOOM: true, Fast: true, First: 1, Last: 1, Step: 1, One: decrby, Check: checkDecrby,
		Group: "string", Summary: "Takes from the integer that a value is."},
	{Name: "incrbyfloat", Arity: 3, Write: true, DenyOOM: true, Fast: true, First: 1, Last: 1, Step: 1, One: incrbyfloat,
		Group: "string", Summary: "Adds to the number that a value is."},
	{Name: "mget", Arity: -2, Fast: true, First: 1, Last: -1, Step: 1,
		Begin: func(x *Exec, parts int) { x.W.Array(parts) }, Part: mgetPart,
		Group: "string", Summary: "Returns the values of several keys."},
	{Name: "mset", Arity: -3, Write: true, DenyOOM: true, First: 1, Last: -1, Step: 2, Check: checkPairs("mset"),
		Part: msetPart, End: endOK, Group: "string", Summary: "Gives several keys their values."},
	{Name: "msetnx", Arity: -3, Write: true, DenyOOM: true, First: 1, Last: -1, Step: 2, Check: checkPairs("msetnx"), Many: msetnx,
		Group: "string", Summary: "Gives several keys their values unless one of them has one."},
}

func get(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
	if v, ok := x.find(sh, hash, args[1]); ok {
		x.W.Bulk(v)
	} else {
		x.W.Null()
	}
}

func strlen(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
	v, _ := x.find(sh, hash, args[1])
	x.W.Int(int64(len(v)))
}

func getdel(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
	v, ok := x.find(sh, hash, args[1])
	if !ok {
		x.W.Null()
		return
	}
	x.W.Bulk(v)
	sh.Delete(hash, args[1], x.shardNow(sh))
}

func getset(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
	get(x, sh, hash, args)
	sh.Set(hash, args[1], args[2], 0)
}

func setnx(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
	if _, there := sh.Get(hash, args[1], x.shardNow(sh)); there {
		x.W.Int(0)
		return
	}
	sh.Set(hash, args[1], args[2], 0)
	x.W.Int(1)
}

func mgetPart(x *Exec, sh *store.Shard, hash uint64, part [][]byte) {
	if v, ok := x.find(sh, hash, part[0]); ok {
		x.W.Bulk(v)
	} else {
		x.W.Null()
	}
}

func checkPairs(name string) func([][]byte) string {
	wrong := wrongArity(name)
	return func(args [][]byte) string {
		if len(args)%2 == 0 {
			return wrong
		}
		return ""
	}
}

func msetPart(_ *Exec, sh *store.Shard, hash uint64, part [][]byte) {
	sh.Set(hash, part[0], part[1], 0)
}

func msetnx(x *Exec, held Held, args [][]byte) {
	for i := 1; i < len(args); i += 2 {
		sh, hash := held.Shard(args[i])
		if _, there := sh.Get(hash, args[i], x.shardNow(sh)); there {
			x.W.Int(0)
			return
		}
	}
	for i := 1; i < len(args); i += 2 {
		sh, hash := held.Shard(args[i])
		sh.Set(hash, args[i], args[i+1], 0)
	}
	x.W.Int(1)
}

func endOK(x *Exec, _ [][]byte) {
	if x.Acc.Refused > 0 {
		x.Error(errOOM)
		return
	}
	x.W.Status("OK")
}
