package topologies

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/server/wire"
)

// ErrClosed is what a Caller answers once it, or its instance, is closed.
var ErrClosed = errors.New("in-process session: the instance is shut down or the session closed; open another")

// Caller is a session without a connection: it executes commands on a running instance from any goroutine, in any
// topology, over the same path as a client's requests behind the transport. Where sessions belong to event loops it
// lives on one of them and its batches are posted there; elsewhere they run on the goroutine that calls.
//
// One goroutine at a time uses a Caller; to call from several, or to have several batches under way, make several.
// A batch of a Caller allocates nothing once its buffers have grown. It must not be called on an event loop's own thread,
// which would wait for itself.
type Caller struct {
	in    *Instance
	place server.Place
	loop  server.Loop // nil: batches run where they are called

	mu     sync.Mutex // held by a call in flight, so that closing waits for it
	closed bool
	sess   server.Session // made by the first call, where it will be used

	b      *wire.Batch // in execution
	large  []byte      // replies to b that had to make room for more
	task   server.Task // a turn on the loop
	onDone func(loop int)
	done   chan struct{} // a token when what the caller waits for is done

	own wire.Batch // Do's
}

// NewCaller opens an in-process session. Close ends it; Shutdown of the instance ends all that are left. After that it
// answers ErrClosed.
func (in *Instance) NewCaller() *Caller {
	c := &Caller{in: in, done: make(chan struct{}, 1)}
	c.place = server.Place{ID: in.srv.NewID(), Loop: -1}
	c.onDone = func(int) { c.done <- struct{}{} }
	turn, ok := in.callers.add(c)
	c.closed = !ok
	if loops := in.srv.Loops(); len(loops) > 0 && !in.topology.anywhere {
		c.live(turn%len(loops), loops)
	}
	return c
}

// live makes event loop i the session's home.
func (c *Caller) live(i int, loops []server.Loop) {
	c.place.Loop, c.loop = i, loops[i]
	c.task.Run = c.turn
	c.onDone = func(from int) {
		if from < 0 {
			c.loop.Post(&c.task)
		} else {
			c.loop.PostFrom(from, &c.task)
		}
	}
}

// Exec executes the requests of b that are not yet answered and leaves all their replies in b.Out, however long they are.
// It returns when the last is answered, or after a request that ends the session, such as QUIT. The error is ErrClosed;
// nothing was executed then.
func (c *Caller) Exec(b *wire.Batch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	if b.Executed() {
		return nil
	}
	c.b, b.OnDone = b, c.onDone
	if c.loop != nil {
		c.loop.Post(&c.task)
		<-c.done
	} else {
		c.inline()
	}
	if len(c.large) > 0 {
		b.Out, c.large = append(c.large, b.Out...), nil
	}
	c.b = nil
	if b.Close {
		c.closeLocked()
	}
	return nil
}

// Do executes one command, its name first. The reply aliases the Caller's memory and is good until its next use. An error
// reply is a reply; the error says that there is none.
func (c *Caller) Do(args ...[]byte) (wire.Reply, error) {
	c.own.Reset()
	c.own.Reqs = append(c.own.Reqs, wire.Request{Args: args})
	if err := c.Exec(&c.own); err != nil {
		return wire.Reply{}, err
	}
	replies := wire.NewReplyScanner(unbounded)
	r, n, err := replies.Next(c.own.Out)
	if err == nil && n == 0 {
		err = fmt.Errorf("in-process session: no reply to %.40q", args[0])
	}
	return r, err
}

// unbounded because a reply that is there already claims no memory.
var unbounded = wire.ReplyLimits{MaxBulk: math.MaxInt, MaxLine: 1 << 40, MaxElements: math.MaxInt, MaxReply: math.MaxInt}

func (c *Caller) inline() {
	if c.sess == nil {
		c.sess = c.in.backend.NewSession(c.place)
	}
	for {
		for !c.sess.Exec(c.b) {
			<-c.done
		}
		if c.gathered() {
			return
		}
	}
}

// turn executes on the loop as much as a connection may in one go; then others have their turn.
func (c *Caller) turn() {
	if c.sess == nil {
		c.sess = c.in.backend.NewSession(c.place)
	}
	if !c.sess.Exec(c.b) {
		return // onDone posts the next turn
	}
	if c.gathered() {
		c.done <- struct{}{}
	} else {
		c.loop.Post(&c.task)
	}
}

// gathered reports whether b is executed. If not, the session stopped because many replies have gathered, and they are put
// aside.
func (c *Caller) gathered() bool {
	if c.b.Executed() {
		return true
	}
	c.large = append(c.large, c.b.Out...)
	c.b.Out = c.b.Out[:0]
	return false
}

// Close ends the session once a call in flight is answered. It may be called more than once and from any goroutine.
func (c *Caller) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeLocked()
}

func (c *Caller) closeLocked() {
	if c.closed {
		return
	}
	c.closed = true
	c.in.callers.remove(c)
	switch {
	case c.sess == nil:
	case c.loop == nil:
		c.sess.Close()
	default:
		c.loop.Post(&server.Task{Run: func() { c.sess.Close(); c.done <- struct{}{} }})
		<-c.done
	}
}

// callers are the in-process sessions of an instance.
type callers struct {
	mu     sync.Mutex
	all    map[*Caller]struct{}
	opened int // in all, to deal them out to the loops
	closed bool
}

// add admits c and says which of n loops it gets. ok is false once the instance is shutting down.
func (cs *callers) add(c *Caller) (turn int, ok bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.closed {
		return 0, false
	}
	if cs.all == nil {
		cs.all = map[*Caller]struct{}{}
	}
	cs.all[c] = struct{}{}
	cs.opened++
	return cs.opened - 1, true
}

func (cs *callers) remove(c *Caller) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	delete(cs.all, c)
}

// close ends every session, each after the call that it has in flight, and admits no more. The loops must be running.
func (cs *callers) close() {
	cs.mu.Lock()
	cs.closed = true
	left := slices.Collect(maps.Keys(cs.all))
	cs.mu.Unlock()
	for _, c := range left {
		c.Close()
	}
}
