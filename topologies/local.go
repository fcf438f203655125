package topologies

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/store"
)

// What a LocalStore refuses.
var (
	ErrForeignThread = errors.New("local store: it belongs to the goroutine that made it, locked to another thread; " +
		"use Post to have something done there")
	ErrServed    = errors.New("local store: it is served already; shut that instance down first")
	ErrNotServed = errors.New("local store: nothing serves it; open an instance with LocalStore.Open")
)

// LocalStore is a store that belongs to one thread, without locks. The program works on it and serves it at once: the
// goroutine that made it is locked to its thread, and whenever it calls Turn or Serve, that thread is the event loop of
// topology thread-local. All methods are for this goroutine alone, except Post. Those that serve check it; the others do
// not, for a check costs as much as a Get.
type LocalStore struct {
	shards []*store.Shard
	route  routing
	config Config // what NewLocalStore was asked for, resolved
	budget *store.Budget
	upkeep upkeep

	thread int
	in     atomic.Pointer[Instance] // that serves it
}

// NewLocalStore makes an empty store and locks the calling goroutine to its thread until Close. StoreConfig.Lock must be
// empty.
func NewLocalStore(c StoreConfig) (*LocalStore, error) {
	cfg := c.with(threadLocal)
	set, err := cfg.Resolve()
	if err != nil {
		return nil, err
	}
	runtime.LockOSThread()
	l := &LocalStore{route: set.routing(), config: cfg, budget: cfg.budget(), thread: unix.Gettid()}
	l.config.Shards = set.Shards
	l.shards = newShards(set.Shards, l.budget)
	return l, nil
}

// Open begins to serve the store at the addresses that cfg names; nothing is answered before Turn or Serve. The
// topology is thread-local. The store's own shards, route and limit go before those that cfg asks for.
func (l *LocalStore) Open(cfg Config) (*Instance, error) {
	if !l.here() {
		return nil, ErrForeignThread
	}
	if l.in.Load() != nil {
		return nil, ErrServed
	}
	if cfg.Topology = orDefault(cfg.Topology, threadLocal.Name); cfg.Topology != threadLocal.Name || cfg.Store != nil {
		return nil, fmt.Errorf("topology %s: a local store is served by %s and no other", cfg.Topology, threadLocal.Name)
	}
	cfg.local = l
	in, err := Open(cfg)
	if err == nil {
		l.in.Store(in)
	}
	return in, err
}

// Turn serves what is ready, after waiting up to wait for something to be: 0 only looks, a negative time waits as
// long as it takes. It returns ErrNotServed once the instance is shut down.
func (l *LocalStore) Turn(wait time.Duration) error {
	if !l.here() {
		return ErrForeignThread
	}
	in := l.in.Load()
	if in == nil {
		return ErrNotServed
	}
	if !in.srv.Turn(wait) {
		l.in.Store(nil)
		return ErrNotServed
	}
	return nil
}

// Serve serves until ctx is done or the instance is shut down. It does not shut it down.
func (l *LocalStore) Serve(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { l.Post(func() {}) })() // wakes the last turn
	for ctx.Err() == nil {
		if err := l.Turn(-1); err != nil {
			return err
		}
	}
	return nil
}

// Post has f run on the store's thread, by the next Turn: f may use the store. It may be called from any goroutine, and
// returns ErrNotServed where there is no turn to come.
func (l *LocalStore) Post(f func()) error {
	in := l.in.Load()
	if in == nil {
		return ErrNotServed
	}
	in.srv.Loops()[0].Post(&server.Task{Run: f})
	return nil
}

// Close shuts down what serves the store, cutting its connections, and unlocks the goroutine from its thread. The
// entries stay.
func (l *LocalStore) Close() error {
	if !l.here() {
		return ErrForeignThread
	}
	if in := l.in.Load(); in != nil {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		if err := in.Shutdown(ended); err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	runtime.UnlockOSThread()
	l.thread = 0
	return nil
}

// here reports whether the caller is on the store's thread.
func (l *LocalStore) here() bool { return unix.Gettid() == l.thread }

// drive serves on the store's thread while another goroutine shuts the instance down.
func (l *LocalStore) drive(in *Instance, shutdown func() error) error {
	done := make(chan error, 1)
	go func() { done <- shutdown() }()
	for in.srv.Turn(-1) {
	}
	l.in.CompareAndSwap(in, nil)
	return <-done
}

// Maintain does a little of what the store needs now and then, such as removing expired keys. While the store is
// served its turns do so; a program that only works on it should call it some ten times a second.
func (l *LocalStore) Maintain() {
	l.upkeep.run(len(l.shards), func(i int, now int64, work int) bool { return l.shards[i].Maintain(now, work) })
}

// Get appends the value of a key to dst, which may be nil.
func (l *LocalStore) Get(dst, key []byte) (value []byte, ok bool) {
	hash, sh := l.find(key)
	value, ok = sh.Get(hash, key, nowOf(sh))
	return append(dst, value...), ok
}

// Set stores a value that does not expire. The error is ErrFull, or that key or value is too long.
func (l *LocalStore) Set(key, value []byte) error { return l.SetTTL(key, value, 0) }

// SetTTL is Set with the time that the entry has to live; 0 is for ever.
func (l *LocalStore) SetTTL(key, value []byte, ttl time.Duration) error {
	hash, sh := l.find(key)
	return set(sh, hash, key, value, ttl)
}

// Delete removes a key and reports whether it was there.
func (l *LocalStore) Delete(key []byte) bool {
	hash, sh := l.find(key)
	return sh.Delete(hash, key, nowOf(sh))
}

// TTL returns how long an entry still has to live, 0 if it does not expire. ok says whether there is such a key.
func (l *LocalStore) TTL(key []byte) (ttl time.Duration, ok bool) {
	hash, sh := l.find(key)
	return ttlOf(sh, hash, key)
}

// Expire gives a key another time to live, 0 for ever, and reports whether it was there.
func (l *LocalStore) Expire(key []byte, ttl time.Duration) bool {
	hash, sh := l.find(key)
	return sh.SetDeadline(hash, key, deadline(ttl), time.Now().UnixMilli())
}

// Len is the number of entries. Those that have expired count until they are removed.
func (l *LocalStore) Len() (n int) {
	for _, sh := range l.shards {
		n += sh.Len()
	}
	return n
}

// Clear removes all entries.
func (l *LocalStore) Clear() {
	for _, sh := range l.shards {
		sh.Clear()
	}
}

func (l *LocalStore) find(key []byte) (hash uint64, sh *store.Shard) {
	hash, shard := l.route.find(key)
	return hash, l.shards[shard]
}
