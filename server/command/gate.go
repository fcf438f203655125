package command

import (
	"strings"

	"github.com/shardlab/shardlab/store"
)

// The gate is what must be known of a session before one of its requests may simply run. It is 0 nearly always, which the hot
// path asks with one comparison.
const (
	needsAuth = 1 << iota // the session has not logged in, and was to
	inMulti               // requests are queued
	replyOff              // CLIENT REPLY OFF: no reply is sent
	replySkip             // the reply in hand is not sent
	skipNext              // nor the next one
)

// Gated reports whether each request must be admitted before the next is looked at: it may be queued, refused or not answered.
func (x *Exec) Gated() bool { return x.gate != 0 }

// Settle ends a request of a gated session, or one that gated it: what it appended to W.Buf from start on is taken back if the
// client wants no reply.
func (x *Exec) Settle(start int) {
	if x.gate&(replyOff|replySkip) != 0 {
		x.W.Buf = x.W.Buf[:start]
	}
	x.gate &^= replySkip
	if x.gate&skipNext != 0 {
		x.gate ^= skipNext | replySkip
	}
}

// Admit counts a request and checks it. False means that it is answered: refused, or queued by a transaction. cmd is what Find
// found, or nil.
func (x *Exec) Admit(cmd *Spec, args [][]byte) bool {
	x.Counts.Commands++
	if x.gate != 0 || cmd == nil || cmd.special {
		return x.admitSlowly(cmd, args)
	}
	if n := len(args); n != cmd.Arity && (cmd.Arity > 0 || n < -cmd.Arity) {
		return x.admitSlowly(cmd, args)
	}
	if c := &x.calls.few[0]; c.index == cmd.index { // most batches have more of one command than of others
		c.n++
		x.running = cmd.index
	} else {
		x.call(cmd)
	}
	return cmd.Check == nil || x.check(cmd, args)
}

// check answers a request whose arguments are wrong.
func (x *Exec) check(cmd *Spec, args [][]byte) bool {
	if wrong := cmd.Check(args); wrong != "" {
		x.Error(wrong)
		return false
	}
	return true
}

// admitSlowly goes through everything that can keep a request from running, in the order in which Redis does.
func (x *Exec) admitSlowly(cmd *Spec, args [][]byte) bool {
	x.running = 0
	switch {
	case cmd == nil:
		x.spoil()
		x.unknown(args)
		return false
	case cmd.wrongCount(args):
		x.refuse(cmd, wrongArity(cmd.Name))
		return false
	case cmd.Subs != nil && (cmd.Local == nil || len(args) > 1):
		x.refuse(cmd, unknownSubcommand(cmd.Name, args[1]))
		return false
	case cmd.Refusal != "":
		x.refuse(cmd, cmd.Refusal)
		return false
	case x.gate&needsAuth != 0 && !cmd.NoAuth && x.Host.Password() != "":
		x.refuse(cmd, "NOAUTH Authentication required.")
		return false
	case x.gate&inMulti != 0 && cmd.NoMulti:
		x.refuse(cmd, "ERR Command not allowed inside a transaction")
		return false
	case x.gate&inMulti != 0 && !cmd.Immediate && x.outOfMemory():
		x.refuse(cmd, errOOM)
		return false
	case x.gate&inMulti != 0 && !cmd.Immediate:
		x.queue(cmd, args)
		x.tellMulti()
		return false
	}
	x.call(cmd)
	return cmd.Check == nil || x.check(cmd, args)
}

// Refuses reports whether Admit would answer the request itself, or might, instead of letting it through. It changes
// nothing, and so long as no command runs that changes the client's state, what it says stays true: a topology asks it before
// it sends pieces of requests to several threads.
func (x *Exec) Refuses(cmd *Spec, args [][]byte) bool {
	return x.gate != 0 || cmd == nil || cmd.special || cmd.Wrong(args) != ""
}

// Queues reports whether a transaction is open that would queue a request of cmd.
func (x *Exec) Queues(cmd *Spec) bool { return x.gate&inMulti != 0 && cmd != nil && !cmd.Immediate }

// Refuse answers a request with an error before it is admitted, for a reason that lies outside of the command. It ends a
// transaction's hope of being executed.
func (x *Exec) Refuse(text string) {
	x.spoil()
	x.running = 0
	x.Error(text)
}

// refuse answers with an error, which ends a transaction's hope of being executed. A refused EXEC ends the transaction.
func (x *Exec) refuse(cmd *Spec, text string) {
	if cmd.Name == "exec" {
		x.endTransaction()
		text = "EXECABORT Transaction discarded because of: " + strings.TrimPrefix(text, "ERR ")
	}
	x.spoil()
	x.Host.Stats().rejected[cmd.index].Add(1)
	x.Error(text)
}

// outOfMemory reports whether the store is at its limit and nothing gives way. What the shards have told the budget may be less
// than they hold by 1/256 of the limit.
func (x *Exec) outOfMemory() bool {
	b := x.Host.Budget()
	limit := b.Limit()
	return b.Policy() == store.NoEviction && limit > 0 && b.Used() > limit-limit/256
}

// spoil has EXEC refuse.
func (x *Exec) spoil() {
	if x.gate&inMulti != 0 {
		x.tx.dirty = true
	}
}
