package command

import (
	"github.com/shardlab/shardlab/store"
)

var memory = &Spec{Name: "memory", Arity: -2, Group: "server", Summary: "Looks at memory.", Subs: []*Spec{
	{Name: "memory|usage", Usage: "<key> [SAMPLES <count>]", Arity: -3, First: 2, Last: 2, Step: 1, One: memoryUsage,
		Check: checkMemoryUsage, Group: "server", Summary: "How many bytes a key takes with its value."},
	{Name: "memory|stats", Arity: 2, AllShards: true, Part: infoPart, End: memoryStats,
		Group: "server", Summary: "What the memory is used for."},
	{Name: "memory|doctor", Arity: 2, AllShards: true, Part: infoPart, End: memoryDoctor,
		Group: "server", Summary: "Whether something is wrong with the use of memory."},
	{Name: "memory|purge", Arity: 2, Local: func(x *Exec, _ [][]byte) { x.W.Status("OK") },
		Group: "server", Summary: "Does nothing: shards give free memory back as they go."},
	helpSpec("memory"),
}}

func checkMemoryUsage(args [][]byte) string {
	for i := 3; i < len(args); i += 2 {
		if !is(args[i], "samples") || i+1 == len(args) {
			return errSyntax
		}
		switch n, ok := parseInt(args[i+1]); {
		case !ok:
			return errNotInteger
		case n < 0:
			return errSyntax
		}
	}
	return ""
}

func memoryUsage(x *Exec, sh *store.Shard, hash uint64, args [][]byte) {
	if n, ok := sh.SizeOf(hash, args[2], x.shardNow(sh)); ok {
		x.W.Int(int64(n))
	} else {
		x.W.Null()
	}
}

func memoryStats(x *Exec, _ [][]byte) {
	a := &x.Acc
	figures := []struct {
		name  string
		value int64
	}{
		{"total.allocated", a.Reserved},
		{"keys.count", a.Keys},
		{"keys.bytes-per-key", a.Reserved / max(a.Keys, 1)},
		{"dataset.bytes", a.Stored},
		{"overhead.total", a.Reserved - a.Stored},
	}
	x.W.Map(len(figures))
	for _, f := range figures {
		x.W.BulkString(f.name)
		x.W.Int(f.value)
	}
}

// memoryDoctor finds fault with more overhead than data, once there is enough data to judge by.
func memoryDoctor(x *Exec, _ [][]byte) {
	a := &x.Acc
	switch {
	case a.Stored < 5<<20:
		x.W.Text("There is too little data to say anything about its memory.")
	case a.Reserved > 2*a.Stored:
		x.W.Text("More than half of the memory is overhead: many entries are tiny, or many were deleted.")
	default:
		x.W.Text("Nothing is wrong with the use of memory.")
	}
}
