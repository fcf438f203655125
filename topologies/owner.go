package topologies

import (
	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/store"
)

// owner is a thread that owns shards and is the only one to touch them: an event loop, or a goroutine of its own. What others
// want done with the shards reaches it as work, a batch at a time, and runs one after another.
//
// An owner may lend its shards, all of them, to one command that needs the shards of several owners to itself (see loan).
// Until they are back it touches none of them, and its work waits in the order in which it came. The thread does
// not wait: a loop goes on serving its connections. Everything below inbox belongs to the owner's thread.
type owner struct {
	loop  int // its event loop, -1 of a goroutine
	keys  pieces
	inbox inbox

	shards      []*store.Shard // its own; none where they have locks
	upkeep      upkeep
	tally       tally
	lent        bool
	first, last *work // what waits; only while lent
	back        work  // gives the shards back; there is one borrower at a time
}

// inbox is how work reaches an owner's thread, which calls work.task.Run.
type inbox interface {
	// send never blocks and may be called from any goroutine; from is the event loop whose thread it is called on, or -1.
	send(from int, w *work)
}

// work is a piece of work for an owner. It is its sender's memory, so that sending allocates nothing, and must not be sent
// again before it has begun.
type work struct {
	task server.Task
	at   *owner
	do   func() // called on the thread of at, while its shards are there
	next *work  // behind it where it waits
}

func (w *work) init(do func()) { w.do, w.task.Run = do, w.arrive }

// arrive runs on the owner's thread.
func (w *work) arrive() {
	if w.at.lent {
		w.at.wait(w)
		return
	}
	w.do()
}

func newOwner(loop int, keys pieces, in inbox) *owner {
	o := &owner{loop: loop, keys: keys, inbox: in}
	o.back.at, o.back.task.Run = o, o.takeBack
	return o
}

// tick maintains the shards, if they are there.
func (o *owner) tick() {
	if !o.lent {
		o.upkeep.run(len(o.shards), o.maintain)
	}
}

func (o *owner) maintain(shard int, now int64, work int) bool {
	return o.shards[shard].Maintain(now, work)
}

// give sends w to o, or runs it at once when o's is the thread that calls.
func (o *owner) give(from int, w *work) {
	w.at = o
	if from >= 0 && from == o.loop {
		w.arrive()
		return
	}
	o.inbox.send(from, w)
}

// wait queues w until the shards are back.
func (o *owner) wait(w *work) {
	w.at, w.next = o, nil
	if o.first == nil {
		o.first = w
	} else {
		o.last.next = w
	}
	o.last = w
}

// takeBack has the shards again. What waited runs now, up to the next that borrows them: first come, first served.
func (o *owner) takeBack() {
	o.lent = false
	for o.first != nil && !o.lent {
		w := o.first
		o.first, w.next = w.next, nil
		w.do()
	}
}

// loopInbox is the inbox of an owner that is an event loop.
type loopInbox struct{ loop server.Loop }

func (in loopInbox) send(from int, w *work) {
	if from < 0 {
		in.loop.Post(&w.task)
	} else {
		in.loop.PostFrom(from, &w.task)
	}
}
