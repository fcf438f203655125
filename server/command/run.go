package command

import "github.com/shardlab/shardlab/store"

// RunOne runs a command of one key on its shard, which the caller holds: for writing if the command writes. When a command
// that does not write found its key expired, whether it can be deleted is the caller's to know: it looks at Exec.Stale.
func RunOne(x *Exec, cmd *Spec, sh *store.Shard, hash uint64, args [][]byte) {
	x.running = cmd.index
	if cmd.DenyOOM && !sh.MakeRoom(x.shardNow(sh)) {
		x.Error(errOOM)
		return
	}
	cmd.One(x, sh, hash, args)
	if x.Stale && cmd.Write {
		x.Reap(sh, hash, args[cmd.First])
	}
}

const errOOM = "OOM command not allowed when used memory > 'maxmemory'."

// RunPart is RunOne for one part of a command. A part that finds no memory is counted and left out; End says so, and the other
// parts stand.
func RunPart(x *Exec, cmd *Spec, sh *store.Shard, hash uint64, part [][]byte) {
	if cmd.DenyOOM && !sh.MakeRoom(x.shardNow(sh)) {
		x.Acc.Refused++
		return
	}
	cmd.Part(x, sh, hash, part)
	if x.Stale && cmd.Write {
		x.Reap(sh, hash, part[0])
	}
}

// Held is an exclusive hold on shards: all that a command touches.
type Held interface {
	// Shard returns the shard of a key, and the key's hash. The key must be one that the hold was taken for.
	Shard(key []byte) (sh *store.Shard, hash uint64)
	// Shards returns every shard in order, if the hold is on all of them.
	Shards() []*store.Shard
}

// RunMany runs a command that holds several shards, which are held for writing. There is room in all of them, or it does not run.
func RunMany(x *Exec, cmd *Spec, held Held, args [][]byte) {
	if cmd.DenyOOM {
		room := true
		cmd.EachKey(x, args, func(key []byte) {
			sh, _ := held.Shard(key)
			room = room && sh.MakeRoom(x.shardNow(sh))
		})
		if !room {
			x.Error(errOOM)
			return
		}
	}
	cmd.Many(x, held, args)
}

// RunHeld runs any command, and writes its whole reply, on shards that are held for writing.
func RunHeld(x *Exec, cmd *Spec, held Held, args [][]byte) {
	switch {
	case cmd.Local != nil:
		cmd.Local(x, args)
	case cmd.Many != nil:
		RunMany(x, cmd, held, args)
	case cmd.ByShard != nil:
		all := held.Shards()
		RunOne(x, cmd, all[cmd.ByShard(args, len(all))], 0, args)
	case cmd.One != nil:
		sh, hash := held.Shard(args[cmd.First])
		RunOne(x, cmd, sh, hash, args)
		x.reapHeld(sh, hash, args[cmd.First])
	default:
		RunParts(x, cmd, held, args)
	}
}

// RunParts is RunHeld for a command of parts.
func RunParts(x *Exec, cmd *Spec, held Held, args [][]byte) {
	x.Acc = Acc{}
	if cmd.AllShards {
		all := held.Shards()
		cmd.Start(x, len(all))
		for _, sh := range all {
			RunPart(x, cmd, sh, 0, args)
		}
	} else {
		n := cmd.Parts(args)
		cmd.Start(x, n)
		for i := range n {
			part := cmd.PartArgs(args, i)
			sh, hash := held.Shard(part[0])
			RunPart(x, cmd, sh, hash, part)
			x.reapHeld(sh, hash, part[0])
		}
	}
	if cmd.End != nil {
		cmd.End(x, args)
	}
}

// Start writes what comes before the replies of the parts.
func (s *Spec) Start(x *Exec, parts int) {
	if s.Begin != nil {
		s.Begin(x, parts)
	}
}

// reapHeld deletes a key that was found past its deadline.
func (x *Exec) reapHeld(sh *store.Shard, hash uint64, key []byte) {
	if x.Stale {
		x.Reap(sh, hash, key)
	}
}
