package topologies

import (
	"log/slog"
	"runtime"
	"strconv"
	"time"

	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/server/wire"
	"github.com/shardlab/shardlab/store"
)

// Defaults that every topology shares.
const (
	DefaultShards = 16
	MaxShards     = 1 << 14
	MaxWorkers    = 1 << 10
)

// Config says which topology to open and how. The zero value of a field means its default.
type Config struct {
	Topology string
	// Bind is the public address: host:port, where port 0 lets the kernel choose, or unix: and the path of a unix
	// socket. Default 127.0.0.1:6380.
	Bind   string
	Shards int // a power of two; default DefaultShards, for direct-shard one for each worker
	// Workers is the number of threads that execute requests: event loops, or with netpoll the threads that the Go
	// runtime may use. The default is one for each of CPUs, but never more than the topology can use.
	Workers   int
	Transport string // netpoll or epoll; default the topology's first
	// Dedicated says that the process is the server's alone and has GOMAXPROCS set to one more than the workers; see
	// server.Options.
	Dedicated bool
	CPUs      []int // processors to use; empty: all that the process may use
	// Pin says whether event loop i, or engine's owner i, stays on the i-th of CPUs: PinOn, PinOff or PinAuto, which is the
	// default and pins several loops to CPUs that are given.
	Pin       string
	Boundary  string // shared, per-shard or owned; default the topology's own
	Lock      string // of a shard under a lock: rwmutex (the default), mutex or rbmutex
	LockScope string // what one hold of a lock is for: batch (the default), shard or op
	Route     string // which bytes of a key choose its shard: full_key (the default) or session_prefix
	// CrossShard says what becomes of a command whose keys have several owners: split (the default) or reject.
	CrossShard string
	// Transactions says which EXECs there are: coordinated_cross_shard (the default), shard_local, disabled.
	Transactions string
	// MaxMemory is how much the entries of all shards together may take, in bytes; 0: as much as there is.
	// MaxMemoryPolicy says what gives way: noeviction (the default: writes are refused) or another name that
	// store.ParsePolicy reads.
	MaxMemory       int64
	MaxMemoryPolicy string
	Password        string // what clients must log in with; "": nothing
	MaxConns        int    // default server.DefaultMaxConns
	// What a connection is closed for, as in server.Options: silence, and replies that nobody takes.
	IdleTimeout, WriteTimeout time.Duration
	MaxOutput                 int
	// Store is a store of the caller's to serve, which stays open when the instance is shut down. Its shards, route,
	// locks and limit go before those asked for here.
	Store *Store
	local *LocalStore // likewise, of the calling thread
	// DirectPort is the first direct shard port; shard n listens on DirectPort+n. By default it is the public port +
	// 1, and when the kernel chose the public port it chooses these too.
	DirectPort int
	HTTP       string // address of the key front, host:port; "" for none
	Admin      string // address of the admin pages, host:port of a loopback address; "" for none
	// AdminPublic allows an admin address that other machines can reach.
	AdminPublic bool
	NullValue   int        // length of the value that the null responder answers; default 64
	Inject      *Injection // nil: the server is as good as it can be
	Limits      wire.Limits
	Version     string       // shown by INFO
	Log         *slog.Logger // nil: nothing is said
}

// Settings are the factors of an open topology, none left at "default". A factor that the topology does not have is "".
type Settings struct {
	Topology   string
	Boundary   string
	Dispatch   string
	Transport  string
	Shards     int
	Workers    int
	Pinned     bool
	Lock       string // with a boundary of locks
	LockScope  string // likewise
	Route      string
	CrossShard string // where requests are routed to owners

	Transactions string
}

// Threads is how many threads the Go runtime should let run at once (GOMAXPROCS): one for each worker. Event loops get one
// more, for the garbage collector and the acceptor: a loop that had the only one would lose it in every wait. Owners that
// are goroutines must find threads beside the loops.
func (s Settings) Threads() int {
	n := s.Workers
	if s.Transport == server.Epoll {
		n++
		if t, err := Lookup(s.Topology); err == nil && t.goroutines {
			n += min(s.Shards, s.Workers)
		}
	}
	return n
}

// Pairs lists s by name, for INFO and for results.
func (s Settings) Pairs() (pairs [][2]string) {
	for _, p := range [...][2]string{
		{"topology", s.Topology}, {"boundary", s.Boundary}, {"dispatch", s.Dispatch}, {"transport", s.Transport},
		{"shards", strconv.Itoa(s.Shards)}, {"workers", strconv.Itoa(s.Workers)}, {"pinned", strconv.FormatBool(s.Pinned)},
		{"lock", s.Lock}, {"lock_scope", s.LockScope}, {"route", s.Route}, {"cross_shard", s.CrossShard},
		{"transactions", s.Transactions},
	} {
		if p[1] != "" {
			pairs = append(pairs, p)
		}
	}
	return pairs
}

// Resolve is what Open would make of c, without opening anything.
func (c Config) Resolve() (Settings, error) {
	t, err := Lookup(c.Topology)
	if err != nil {
		return Settings{}, err
	}
	return resolve(t, c, c.processors())
}

// processors is how many there are to use.
func (c Config) processors() int {
	if len(c.CPUs) > 0 {
		return len(c.CPUs)
	}
	return runtime.NumCPU()
}

// Route returns the function that says which shard a key belongs to: what a client of direct shard ports needs. mode
// is as in Settings.Route.
func Route(shards int, mode string) func(key []byte) int {
	r := Settings{Shards: shards, Route: mode}.routing()
	return func(key []byte) int {
		_, shard := r.find(key)
		return shard
	}
}

func (s Settings) routing() routing {
	mode, err := store.ParseRouteMode(orDefault(s.Route, routeNames[0]))
	if err != nil {
		panic("bug: " + err.Error()) // resolve has checked it
	}
	return routing{mode: mode, shards: s.Shards}
}
