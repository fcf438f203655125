package server

import "github.com/shardlab/shardlab/server/wire"

// Backend is what a transport needs of a topology.
type Backend interface {
	// NewSession is called once for each connection, on the goroutine that will use the session.
	NewSession(at Place) Session
	// Close is called once, after every session is closed.
	Close() error
}

// Place is where a connection arrived and where it will live.
type Place struct {
	ID       int64 // unique in this server, from 1
	Listener int   // index in Options.Listen of the address it came in by
	Loop     int   // its event loop, -1 where there are none
	Conn     Conn  // nil for a session that no connection drives
}

// Conn is a connection as a backend sees it. Its methods may be called from any goroutine, also when it has ended.
type Conn interface {
	// Remote is the peer's address and Local ours, as host:port; for a unix socket both are its path and ":0", as Redis writes them.
	Remote() string
	Local() string
	// Kill closes the connection soon. What is being executed for it is not answered; a session that ends its own connection
	// sets Batch.Close instead, after which the replies are written.
	Kill()
}

// Session executes one connection's requests. One goroutine at a time uses it; with event loops always the loop's.
type Session interface {
	// Exec answers requests of b from b.Next on: it appends replies to b.Out and advances b.Next. True means that it
	// went as far as it should for now: to the end, to b.Close, or to where b.ShouldFlush; the transport then writes
	// b.Out and, when requests are left, calls Exec again. False means that it waits: b stays the backend's until it
	// calls b.OnDone, once and from any goroutine, after which the transport calls Exec again on the connection's own
	// goroutine.
	Exec(b *wire.Batch) (ready bool)
	// Close releases the session. It is not called while Exec waits.
	Close()
}

// Reworder is optional on a Session. Reword returns what the client is told of input that is not a request, for which its
// connection is closed; err is a *wire.ProtocolError.
type Reworder interface{ Reword(err error) error }

// Loop is an event loop as a backend sees it.
type Loop interface {
	// Post makes the loop call t.Run soon, on its own thread. It never blocks and may be called from any goroutine.
	// The task must not be posted again before it has begun to run.
	Post(t *Task)
	// PostFrom is Post for the thread of event loop from. What one loop sends another this way takes no lock, wakes the
	// receiver only when it sleeps, and runs in the order it was sent.
	PostFrom(from int, t *Task)
}

// Task is a piece of work for a loop. It is the poster's memory, so that posting allocates nothing.
type Task struct {
	Run func()

	next    *Task
	spilled *ring // that had no room for it
}

// LoopBackend is a backend whose data lives on the event loops.
type LoopBackend interface {
	Backend
	// Bind is called once, before any connection is accepted.
	Bind(loops []Loop)
}

// Ticker is a backend with work to do at times, such as expiring keys. Without event loops nobody calls it.
type Ticker interface {
	// Tick is called on the thread of every event loop each Options.TickEvery, less often when the loop is late. It must be
	// brief: the loop's connections wait.
	Tick(loop int)
}

// Foresight is a backend that gains from seeing what several connections ask before it answers the first of them.
type Foresight interface {
	Backend
	// Foresee is called on a loop's thread with batches that the loop is about to pass to Exec, whole and in turn. It may
	// only look.
	Foresee(loop int, batches []*wire.Batch)
}
