package server

import (
	"log/slog"
	"time"

	"github.com/shardlab/shardlab/server/wire"
)

// The transports.
const (
	Netpoll = "netpoll"
	Epoll   = "epoll"
	Redcon  = "redcon"
)

// Defaults of Options.
const (
	DefaultMaxConns  = 4096
	DefaultTickEvery = 100 * time.Millisecond
	// DefaultMaxOutput is low because nothing is read from a connection whose replies wait: what it holds is bounded
	// anyway, and what this decides is who may hold it for long.
	DefaultMaxOutput    = 64 << 10
	DefaultWriteTimeout = time.Minute
)

// readSize is one read; also what a connection with an unfinished request holds.
const readSize = 64 << 10

// Options say how to serve.
type Options struct {
	Transport string   // Netpoll, Epoll or Redcon
	Listen    []Listen // at least one
	Loops     int      // Epoll: number of event loops, at least 1
	PinTo     []int    // Epoll: loop i runs on CPU PinTo[i % len]; empty: not pinned
	// Dedicated says that GOMAXPROCS leaves at least one thread to the rest of the program besides one for each loop. A
	// loop that has just been busy may then keep its own while it waits.
	Dedicated bool
	// Driven, with one event loop, leaves it to the caller to run it: by Server.Turn, always on the same goroutine.
	Driven   bool
	MaxConns int // most connections at once; 0 means DefaultMaxConns
	Limits   wire.Limits
	// A connection is cut when more than MaxOutput bytes of replies wait for its client, the kernel's send queue
	// being full and counted in, and the client has taken none for WriteTimeout. 0 means DefaultMaxOutput and
	// DefaultWriteTimeout; a negative WriteTimeout, never.
	MaxOutput    int
	WriteTimeout time.Duration
	// IdleTimeout is how long a connection may be silent before it is closed; 0: for ever. Server.SetIdleTimeout
	// changes it.
	IdleTimeout time.Duration
	// TickEvery is the time between two ticks of an event loop; 0 means DefaultTickEvery. See Ticker.
	TickEvery time.Duration
	Log       *slog.Logger // nil: nothing is said
}

func (o Options) withDefaults() Options {
	if o.MaxConns == 0 {
		o.MaxConns = DefaultMaxConns
	}
	if o.TickEvery == 0 {
		o.TickEvery = DefaultTickEvery
	}
	if o.MaxOutput == 0 {
		o.MaxOutput = DefaultMaxOutput
	}
	if o.WriteTimeout == 0 {
		o.WriteTimeout = DefaultWriteTimeout
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Listen is one address to accept connections at.
type Listen struct {
	Network string // tcp or unix; empty means tcp
	// Addr is host:port, where port 0 lets the kernel choose, or the path of a unix socket. Its directory is made if
	// need be. A socket file that nobody serves any more is replaced, one that is served never.
	Addr string
	// Loop is the event loop that accepts at this address and keeps the connections. With AnyLoop an acceptor hands
	// them to the loops in turn.
	Loop int
	// ReusePort, of a TCP address with AnyLoop, makes each event loop accept at a socket of its own (SO_REUSEPORT):
	// the kernel spreads the connections. Without event loops it changes nothing.
	ReusePort bool
}

// AnyLoop is the Listen.Loop of an address whose connections go to all loops.
const AnyLoop = -1
