package command

import (
	"fmt"
	"math"
	"slices"

	"github.com/shardlab/shardlab/store"
)

// TxMode says which transactions a session may make.
type TxMode uint8

const (
	// TxCoordinated lets EXEC touch any number of shards.
	TxCoordinated TxMode = iota
	// TxShardLocal refuses an EXEC that touches more than one shard.
	TxShardLocal
	// TxDisabled refuses MULTI and WATCH.
	TxDisabled
	// TxDirectPort is TxDisabled for a session on a direct shard port.
	TxDirectPort
)

var txModes = [...]string{TxCoordinated: "coordinated_cross_shard", TxShardLocal: "shard_local", TxDisabled: "disabled"}

// ParseTxMode returns the mode of that name: one of those that a server can have.
func ParseTxMode(name string) (TxMode, error) {
	for m, have := range txModes {
		if name == have {
			return TxMode(m), nil
		}
	}
	return 0, fmt.Errorf("transactions: unknown mode %q; have coordinated_cross_shard, shard_local, disabled", name)
}

// String returns the name that ParseTxMode reads.
func (m TxMode) String() string { return txModes[min(m, TxDisabled)] }

// refusal is what a session of this mode answers instead of beginning a transaction, or "".
func (m TxMode) refusal() string {
	switch m {
	case TxDisabled:
		return "ERR transactions are disabled"
	case TxDirectPort:
		return "ERR transactions are not supported on direct shard RESP ports"
	}
	return ""
}

var transactionCommands = []*Spec{
	{Name: "multi", Immediate: true, Arity: 1, Fast: true, Local: multi,
		Group: "transactions", Summary: "Begins a transaction: what follows is queued."},
	{Name: "exec", Immediate: true, Arity: 1, Touches: execTouches, Many: exec,
		Group: "transactions", Summary: "Executes what is queued, all of it at once."},
	{Name: "discard", Immediate: true, Arity: 1, Fast: true, Local: discard,
		Group: "transactions", Summary: "Forgets what is queued."},
	{Name: "watch", Immediate: true, Arity: -2, Fast: true, First: 1, Last: -1, Step: 1, Touches: watchTouches, Many: watch,
		Group: "transactions", Summary: "Has EXEC do nothing if one of the keys changes before."},
	{Name: "unwatch", Arity: 1, Fast: true, Local: unwatch,
		Group: "transactions", Summary: "Forgets the keys that are watched."},
}

// maxQueued is how much a client may have queued, and watch, in bytes of arguments and what it takes to keep them.
const maxQueued = 64 << 20

// transaction is a session's, from its first WATCH or MULTI to EXEC, DISCARD or UNWATCH. Other sessions pay nothing for it: a
// watched key's shard knows of the watch, and what is queued is known here alone.
type transaction struct {
	queue []queued
	size  int  // of queue and keys, as maxQueued counts
	dirty bool // a request was refused: EXEC will be

	watch    *store.Watch // nil: no key is watched
	keys     map[string]struct{}
	earliest int64 // of the deadlines that watched keys had; MaxInt64 for none
}

type queued struct {
	cmd  *Spec
	args [][]byte
}

// queue takes a request into the transaction. The arguments are copied: they alias what was read.
func (x *Exec) queue(cmd *Spec, args [][]byte) {
	size := 64
	for _, a := range args {
		size += len(a) + 24
	}
	tx := x.tx
	if tx.size += size; tx.size > maxQueued {
		tx.dirty, tx.queue = true, nil
		x.Error(fmt.Sprintf("ERR transaction is larger than %d MiB", maxQueued>>20))
		return
	}
	total := 0
	for _, a := range args {
		total += len(a)
	}
	bytes, copies := make([]byte, 0, total), make([][]byte, len(args))
	for i, a := range args {
		bytes = append(bytes, a...)
		copies[i] = bytes[len(bytes)-len(a) : len(bytes) : len(bytes)]
	}
	tx.queue = append(tx.queue, queued{cmd, copies})
	x.W.Status("QUEUED")
}

// begin returns the session's transaction.
func (x *Exec) begin() *transaction {
	if x.tx == nil {
		x.tx = &transaction{earliest: math.MaxInt64}
	}
	return x.tx
}

// endTransaction forgets what is queued and watched.
func (x *Exec) endTransaction() {
	if x.gate&inMulti != 0 {
		x.gate &^= inMulti
		x.tellMulti()
	}
	if x.tx != nil {
		x.tx.release()
		x.tx = nil
	}
}

func (tx *transaction) release() {
	if tx.watch != nil {
		tx.watch.Release()
	}
}

// Release gives up what the session holds in shards. It is the last call.
func (x *Exec) Release() { x.endTransaction() }

func multi(x *Exec, _ [][]byte) {
	switch wrong := x.TxMode.refusal(); {
	case wrong != "":
		x.Error(wrong)
	case x.gate&inMulti != 0:
		x.Error("ERR MULTI calls can not be nested")
	default:
		x.begin()
		x.gate |= inMulti
		x.tellMulti()
		x.W.Status("OK")
	}
}

func discard(x *Exec, _ [][]byte) {
	if wrong := x.TxMode.refusal(); wrong != "" {
		x.Error(wrong)
		return
	}
	if x.gate&inMulti == 0 {
		x.Error("ERR DISCARD without MULTI")
		return
	}
	x.endTransaction()
	x.W.Status("OK")
}

func watchTouches(x *Exec, args [][]byte, visit func(key []byte)) (all bool) {
	if x.gate&inMulti == 0 && x.TxMode.refusal() == "" {
		for _, key := range args[1:] {
			visit(key)
		}
	}
	return false
}

func watch(x *Exec, held Held, args [][]byte) {
	if wrong := x.TxMode.refusal(); wrong != "" {
		x.Error(wrong)
		return
	}
	if x.gate&inMulti != 0 {
		x.Error("ERR WATCH inside MULTI is not allowed")
		return
	}
	tx := x.begin()
	if tx.watch == nil {
		tx.watch, tx.keys = new(store.Watch), map[string]struct{}{}
	}
	for _, key := range args[1:] {
		if _, already := tx.keys[string(key)]; already {
			continue
		}
		if tx.size += len(key) + 128; tx.size > maxQueued {
			x.Error(fmt.Sprintf("ERR the watched keys are larger than %d MiB", maxQueued>>20))
			return
		}
		sh, hash := held.Shard(key)
		// An entry that has expired is absent, and its removal no change: it goes first.
		sh.DeleteExpired(hash, key, x.Now())
		if at, there := sh.Deadline(hash, key, 0); there && at != 0 {
			tx.earliest = min(tx.earliest, at)
		}
		tx.keys[string(key)] = struct{}{}
		sh.Watch(hash, key, tx.watch)
	}
	x.W.Status("OK")
}

func unwatch(x *Exec, _ [][]byte) {
	if wrong := x.TxMode.refusal(); wrong != "" {
		x.Error(wrong)
		return
	}
	x.endTransaction() // in a transaction it is queued, and EXEC has ended that before it runs what was queued
	x.W.Status("OK")
}

// changed reports whether a watched key has changed, or expired, since it was watched.
func (tx *transaction) changed(x *Exec) bool {
	return tx.watch != nil && (tx.watch.Dirty() || tx.earliest != math.MaxInt64 && tx.earliest <= x.Now())
}

// keysOf calls visit with every key that EXEC touches, and reports whether it needs every shard.
func (tx *transaction) keysOf(x *Exec, visit func(key []byte)) (all bool) {
	for i := range tx.queue {
		all = tx.queue[i].cmd.EachKey(x, tx.queue[i].args, visit) || all
	}
	for key := range tx.keys {
		visit([]byte(key))
	}
	return all
}

// crosses reports whether the transaction touches several shards and may not.
func (tx *transaction) crosses(x *Exec) bool {
	if x.TxMode != TxShardLocal {
		return false
	}
	first, several := -1, false
	all := tx.keysOf(x, func(key []byte) {
		shard := x.Host.ShardOf(key)
		several = several || first >= 0 && shard != first
		first = shard
	})
	return several || all && x.Host.Shards() > 1
}

func (tx *transaction) needsMemory() bool {
	return slices.ContainsFunc(tx.queue, func(q queued) bool { return q.cmd.DenyOOM })
}

// execTouches visits nothing where EXEC will not execute anything: what decides that stays so until it runs.
func execTouches(x *Exec, _ [][]byte, visit func(key []byte)) (all bool) {
	if x.gate&inMulti == 0 || x.tx.dirty || x.tx.changed(x) || x.tx.crosses(x) {
		return false
	}
	return x.tx.keysOf(x, visit)
}

func exec(x *Exec, held Held, _ [][]byte) {
	if x.gate&inMulti == 0 {
		wrong := x.TxMode.refusal()
		if wrong == "" {
			wrong = "ERR EXEC without MULTI"
		}
		x.Error(wrong)
		return
	}
	tx := x.tx
	// Only now, with the shards held, can no watched key change any more.
	dirty, changed, crosses := tx.dirty, tx.changed(x), tx.crosses(x)
	x.endTransaction()
	switch {
	case dirty:
		x.Error("EXECABORT Transaction discarded because of previous errors.")
	case changed:
		x.W.NullArray()
	case x.outOfMemory() && tx.needsMemory():
		x.Error("EXECABORT Transaction discarded because of: " + errOOM)
	case crosses:
		x.Error("CROSSSLOT Keys in request don't hash to the same shard")
	default:
		x.W.Array(len(tx.queue))
		for _, q := range tx.queue {
			x.Counts.Commands++
			x.call(q.cmd)
			if wrong := q.cmd.Wrong(q.args); wrong != "" {
				x.Error(wrong)
			} else {
				RunHeld(x, q.cmd, held, q.args)
			}
		}
	}
}
