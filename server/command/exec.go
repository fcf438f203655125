package command

import (
	"strings"
	"time"

	"github.com/shardlab/shardlab/server/wire"
	"github.com/shardlab/shardlab/store"
)

// Acc gathers what the parts of one command counted.
type Acc struct {
	N        int64 // keys found, deleted, …
	Keys     int64
	TTLs     int64
	Stored   int64 // bytes of keys and values
	Reserved int64 // bytes held for them
	Expired  int64 // entries removed because of their deadline, since the start
	Evicted  int64 // entries given up for the limit, since the start
	TTLSum   int64 // milliseconds that entries have to live,
	TTLSeen  int64 // of so many that were looked at
	Refused  int64 // parts that did not run for want of memory
}

// Add adds o to a.
func (a *Acc) Add(o *Acc) {
	a.N += o.N
	a.Keys += o.Keys
	a.TTLs += o.TTLs
	a.Stored += o.Stored
	a.Reserved += o.Reserved
	a.Expired += o.Expired
	a.Evicted += o.Evicted
	a.TTLSum += o.TTLSum
	a.TTLSeen += o.TTLSeen
	a.Refused += o.Refused
}

// Counts are the server's counters that commands move. A session keeps its own and publishes them once a batch.
type Counts struct {
	Commands, Hits, Misses uint64
}

// Exec is the context in which one session executes commands: where the reply goes, what time it is, what was counted.
// It belongs to one goroutine at a time.
type Exec struct {
	W      wire.Writer
	Client *Client
	Host   Host
	Acc    Acc
	Counts Counts

	// Stale is set by a read that found its key past its deadline: a read may hold the shard for reading only, so
	// whoever holds it decides when to delete the entry.
	Stale bool
	// Close asks for the connection's end once the reply is written.
	Close bool

	// NoTouch makes reads count as no use of their keys.
	NoTouch bool
	// Stripe is a small number that differs between threads.
	Stripe int
	// TxMode says which transactions the session may make.
	TxMode TxMode

	gate    uint8
	running uint16 // index of the command in hand
	calls   calls
	tx      *transaction // nil outside of transactions
	now     int64
	scratch []byte // room for putting a value together
	keys    gather
}

// Error answers a request with an error, and counts it. Line ends in it become blanks, in every protocol.
func (x *Exec) Error(text string) {
	if strings.ContainsAny(text, "\r\n") {
		text = strings.NewReplacer("\r", " ", "\n", " ").Replace(text)
	}
	x.Host.Stats().error(text, x.running)
	x.W.Error(text)
}

// BeginBatch forgets the time, so that the clock is read at most once in each batch, and only by a batch that needs it.
func (x *Exec) BeginBatch() { x.now = 0 }

// Now is the batch's time in Unix milliseconds.
func (x *Exec) Now() int64 {
	if x.now == 0 {
		x.now = time.Now().UnixMilli()
	}
	return x.now
}

// shardNow is the time as far as sh can care: 0 while nothing in it can expire, which spares the clock call.
func (x *Exec) shardNow(sh *store.Shard) int64 {
	if sh.TTLs() == 0 {
		return 0
	}
	return x.Now()
}

// find is a counted read.
func (x *Exec) find(sh *store.Shard, hash uint64, key []byte) ([]byte, bool) {
	if x.NoTouch {
		return x.peek(sh, hash, key)
	}
	v, ok := sh.Get(hash, key, x.shardNow(sh))
	x.count(ok, sh, hash, key)
	return v, ok
}

// peek is find for a look that is no use of the key.
func (x *Exec) peek(sh *store.Shard, hash uint64, key []byte) ([]byte, bool) {
	v, ok := sh.Peek(hash, key, x.shardNow(sh))
	x.count(ok, sh, hash, key)
	return v, ok
}

// count counts a read. It is inlined.
func (x *Exec) count(found bool, sh *store.Shard, hash uint64, key []byte) {
	if found {
		x.Counts.Hits++
	} else {
		x.missed(sh, hash, key)
	}
}

func (x *Exec) missed(sh *store.Shard, hash uint64, key []byte) {
	x.Counts.Misses++
	x.noteStale(sh, hash, key)
}

// noteStale sets Stale when the key that was just missed is still in memory: with time 0 nothing is expired.
func (x *Exec) noteStale(sh *store.Shard, hash uint64, key []byte) {
	if sh.TTLs() > 0 {
		if _, there := sh.Peek(hash, key, 0); there {
			x.Stale = true
		}
	}
}

// Host is the server as commands see it. Its methods may be called from any goroutine.
type Host interface {
	// ServerInfo is what INFO says besides the keyspace.
	ServerInfo() ServerInfo
	// Stats are the counts by command.
	Stats() *Stats
	// ResetStats starts INFO's counters at 0. The shards' own, which go on, stand at expired and evicted.
	ResetStats(expired, evicted int64)
	// Params are the settings that CONFIG shows and changes.
	Params() []Param
	// Clients are the sessions there are, by number. The caller may change the list.
	Clients() []*Client
	// Shutdown asks for the end of the server, and reports whether it is to come.
	Shutdown() bool
	// Shards is the number of shards.
	Shards() int
	// ShardOf is the number of a key's shard.
	ShardOf(key []byte) int
	// Password is what a client must log in with; empty: nothing.
	Password() string
	// Budget is what limits the shards' memory.
	Budget() *store.Budget
	// MaxValue is how long a value may be, in bytes.
	MaxValue() int
}

// Setting is a name and its value.
type Setting struct{ Name, Value string }

// Reap deletes a key that a read found past its deadline, and clears Stale. The shard must be held for writing.
func (x *Exec) Reap(sh *store.Shard, hash uint64, key []byte) {
	x.Stale = false
	sh.DeleteExpired(hash, key, x.Now())
}

// Minus returns n without o.
func (n Counts) Minus(o *Counts) Counts {
	return Counts{n.Commands - o.Commands, n.Hits - o.Hits, n.Misses - o.Misses}
}

// Add moves the counts of o to n.
func (n *Counts) Add(o *Counts) {
	n.Commands += o.Commands
	n.Hits += o.Hits
	n.Misses += o.Misses
	*o = Counts{}
}
