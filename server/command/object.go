package command

import "github.com/shardlab/shardlab/store"

// rawMark is what the mark of an entry in a shard means: the value was put together by APPEND or SETRANGE, after which Redis
// keeps even a short one, or an integer, in its general form.
const rawMark = true

// embedded is the length up to which Redis keeps a value together with its header.
const embedded = 44

var object = &Spec{Name: "object", Arity: -2, Group: "generic", Summary: "Looks at how a value is kept.", Subs: []*Spec{
	objectSpec("encoding", "How the value of a key is encoded.",
		func(x *Exec, sh *store.Shard, hash uint64, key, value []byte) {
			x.W.BulkString(encoding(value, sh.Marked(hash, key, x.shardNow(sh))))
		}),
	objectSpec("refcount", "How many references the value of a key has.",
		func(x *Exec, sh *store.Shard, hash uint64, key, value []byte) {
			if n, ok := parseInt(value); ok && n >= 0 && n < 10000 && !sh.Marked(hash, key, x.shardNow(sh)) {
				x.W.Int(2147483647) // such integers are shared, and never die
			} else {
				x.W.Int(1)
			}
		}),
	objectSpec("idletime", "For how many seconds a key was not used.",
		func(x *Exec, sh *store.Shard, hash uint64, key, _ []byte) {
			if x.Host.Budget().Policy() == store.AllKeysLFU {
				x.Error("ERR An LFU maxmemory policy is selected, idle time not tracked." + policyNote)
				return
			}
			ms, _ := sh.IdleTime(hash, key, x.Now())
			x.W.Int(ms / 1000)
		}),
	objectSpec("freq", "How often a key was used, logarithmically.",
		func(x *Exec, sh *store.Shard, hash uint64, key, _ []byte) {
			if x.Host.Budget().Policy() != store.AllKeysLFU {
				x.Error("ERR An LFU maxmemory policy is not selected, access frequency not tracked." + policyNote)
				return
			}
			n, _ := sh.Freq(hash, key, x.Now())
			x.W.Int(int64(n))
		}),
	helpSpec("object"),
}}

const policyNote = " Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."

func objectSpec(sub, summary string, show func(x *Exec, sh *store.Shard, hash uint64, key, value []byte)) *Spec {
	return &Spec{Name: "object|" + sub, Usage: "<key>", Arity: 3, First: 2, Last: 2, Step: 1, Group: "generic", Summary: summary,
		One: func(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
			// A look that is no use: Get would say that the key was used just now.
			key, now := args[2], x.shardNow(sh)
			if v, there := sh.Peek(hash, key, now); there {
				show(x, sh, hash, key, v)
			} else {
				x.noteStale(sh, hash, key)
				x.W.Null()
			}
		}}
}

// encoding is Redis's name for how it would keep a value.
func encoding(value []byte, raw bool) string {
	if _, ok := parseInt(value); ok && !raw {
		return "int"
	}
	if len(value) <= embedded && !raw {
		return "embstr"
	}
	return "raw"
}
