package topologies

import (
	"fmt"
	"sync"
	"time"

	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/store"
)

// StoreConfig says how to make a Store. The zero value of a field means its default.
type StoreConfig struct {
	Shards    int    // a power of two; default DefaultShards
	Route     string // which bytes of a key choose its shard: full_key (the default) or session_prefix
	Lock      string // of a shard: rwmutex (the default), mutex or rbmutex
	MaxMemory int64  // bytes that entries may take with their index; 0: no limit
	// MaxMemoryPolicy says what is given up at the limit: noeviction (the default: writes are refused) or a policy's
	// name.
	MaxMemoryPolicy string
}

// Store is a store of the program's own. The program uses it directly, from any goroutine, and a server that gets it as
// Config.Store serves it meanwhile; a key that one sets the other finds. Each shard has a lock.
//
// What is said here of keys and values holds for all methods: they are copied in and out, never kept or handed out.
type Store struct {
	cells    []cell
	settings Settings // of which Shards, Route and Lock are the store's own
	route    routing
	budget   *store.Budget

	quit    chan struct{}
	upkeep  sync.WaitGroup
	closing sync.Once
}

// NewStore makes an empty store. Close ends the goroutine that expires its keys in the background.
func NewStore(c StoreConfig) (*Store, error) {
	cfg := c.with(shared)
	set, err := cfg.Resolve()
	if err != nil {
		return nil, err
	}
	return newStore(&set, cfg.budget()), nil
}

// with is a config of a topology with such a store: what they have in common is read and refused in one place.
func (c StoreConfig) with(t *Topology) Config {
	return Config{Topology: t.Name, Shards: c.Shards, Route: c.Route, Lock: c.Lock, MaxMemory: c.MaxMemory,
		MaxMemoryPolicy: c.MaxMemoryPolicy}
}

// newStore makes a store for resolved settings.
func newStore(set *Settings, b *store.Budget) *Store {
	s := &Store{cells: make([]cell, set.Shards), settings: *set, route: set.routing(), budget: b, quit: make(chan struct{})}
	for i := range s.cells {
		s.cells[i].init(lockKinds[set.Lock], b)
	}
	s.upkeep.Go(s.maintain)
	return s
}

// budget makes the budget of all shards.
func (c *Config) budget() *store.Budget {
	policy, err := store.ParsePolicy(orDefault(c.MaxMemoryPolicy, store.NoEviction.String()))
	if err != nil {
		panic("bug: " + err.Error()) // resolve has checked it
	}
	return store.NewBudget(c.MaxMemory, policy)
}

// Close ends the store's background work. What it holds stays and can be used; only what has expired is no longer
// removed before it is looked for. A server that serves the store must be shut down before.
func (s *Store) Close() error {
	s.closing.Do(func() { close(s.quit) })
	s.upkeep.Wait()
	return nil
}

// maintain holds each shard now and then for a slice of upkeep.
func (s *Store) maintain() {
	var u upkeep
	tick := time.NewTicker(server.DefaultTickEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			u.run(len(s.cells), func(i int, now int64, work int) bool {
				c := &s.cells[i]
				c.lock()
				defer c.unlock()
				return c.shard.Maintain(now, work)
			})
		case <-s.quit:
			return
		}
	}
}

// cell, len and handle make a Store the shared boundary: one object, one handle, a lock for each shard inside.
func (s *Store) cell(i int) *cell { return &s.cells[i] }
func (s *Store) len() int         { return len(s.cells) }
func (s *Store) handle() cells    { return s }

// handles is the per-shard boundary: whoever uses the shards holds a handle to each. It costs a pointer more on the
// way, and a single shard can be handed out.
type handles []*cell

func newHandles(s *Store) handles {
	h := make(handles, len(s.cells))
	for i := range h {
		h[i] = &s.cells[i]
	}
	return h
}

func (h handles) cell(i int) *cell { return h[i] }
func (h handles) len() int         { return len(h) }

// handle copies the handles, not the shards.
func (h handles) handle() cells { return append(handles(nil), h...) }

// Get appends the value of a key to dst, which may be nil.
func (s *Store) Get(dst, key []byte) (value []byte, ok bool) {
	hash, c := s.find(key)
	token := c.rlock()
	defer c.runlock(token)
	value, ok = c.shard.Get(hash, key, nowOf(&c.shard))
	return append(dst, value...), ok
}

// Set stores a value that does not expire. The error is ErrFull, or that key or value is too long.
func (s *Store) Set(key, value []byte) error { return s.SetTTL(key, value, 0) }

// SetTTL is Set with the time that the entry has to live; 0 is for ever.
func (s *Store) SetTTL(key, value []byte, ttl time.Duration) error {
	hash, c := s.find(key)
	c.lock()
	defer c.unlock()
	return set(&c.shard, hash, key, value, ttl)
}

// Delete removes a key and reports whether it was there.
func (s *Store) Delete(key []byte) bool {
	hash, c := s.find(key)
	c.lock()
	defer c.unlock()
	return c.shard.Delete(hash, key, nowOf(&c.shard))
}

// TTL returns how long an entry still has to live, 0 if it does not expire. ok says whether there is such a key.
func (s *Store) TTL(key []byte) (ttl time.Duration, ok bool) {
	hash, c := s.find(key)
	token := c.rlock()
	defer c.runlock(token)
	return ttlOf(&c.shard, hash, key)
}

// Expire gives a key another time to live, 0 for ever, and reports whether it was there.
func (s *Store) Expire(key []byte, ttl time.Duration) bool {
	hash, c := s.find(key)
	c.lock()
	defer c.unlock()
	return c.shard.SetDeadline(hash, key, deadline(ttl), time.Now().UnixMilli())
}

// Len is the number of entries. Those that have expired count until they are removed.
func (s *Store) Len() (n int) {
	for i := range s.cells {
		c := &s.cells[i]
		token := c.rlock()
		n += c.shard.Len()
		c.runlock(token)
	}
	return n
}

// Clear removes all entries, shard after shard.
func (s *Store) Clear() {
	for i := range s.cells {
		c := &s.cells[i]
		c.lock()
		c.shard.Clear()
		c.unlock()
	}
}

// SetMaxMemory changes the limit in bytes, 0 for none, while the store is in use.
func (s *Store) SetMaxMemory(limit int64) { s.budget.SetLimit(max(limit, 0)) }

// find returns the hash and the cell of a key.
func (s *Store) find(key []byte) (hash uint64, c *cell) {
	hash, shard := s.route.find(key)
	return hash, &s.cells[shard]
}

// ErrFull refuses a write: the store is at its limit of memory, and its policy gives nothing up.
var ErrFull = fmt.Errorf("store: at its limit of memory with nothing to give up; raise max_memory or choose a policy that evicts")

// set stores a value in a shard that the caller holds for writing.
func set(sh *store.Shard, hash uint64, key, value []byte, ttl time.Duration) error {
	if len(key) > store.MaxKeyLen || len(value) > store.MaxValueLen {
		return fmt.Errorf("store: a key of %d bytes with a value of %d: longer than %d", len(key), len(value), store.MaxValueLen)
	}
	if !sh.MakeRoom(time.Now().UnixMilli()) {
		return ErrFull
	}
	sh.Set(hash, key, value, deadline(ttl))
	return nil
}

// deadline is when what lives for ttl from now expires; 0 for ever.
func deadline(ttl time.Duration) int64 {
	if ttl == 0 {
		return 0
	}
	return time.Now().Add(ttl).UnixMilli()
}

func ttlOf(sh *store.Shard, hash uint64, key []byte) (ttl time.Duration, ok bool) {
	now := time.Now().UnixMilli()
	at, ok := sh.Deadline(hash, key, now)
	if at == 0 {
		return 0, ok
	}
	return time.Duration(at-now) * time.Millisecond, ok
}

// nowOf is the time as far as sh can care: 0 while nothing in it can expire, which spares the clock call.
func nowOf(sh *store.Shard) int64 {
	if sh.TTLs() == 0 {
		return 0
	}
	return time.Now().UnixMilli()
}
