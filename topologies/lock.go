package topologies

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/puzpuzpuz/xsync/v4"
	"golang.org/x/sys/cpu"

	"github.com/shardlab/shardlab/store"
)

// The kinds of locks that a shared shard can have.
const (
	lockRW = "rwmutex" // sync.RWMutex: readers share, and count themselves in one word
	lockMu = "mutex"   // sync.Mutex: readers exclude each other; the cheapest to take alone
	lockRB = "rbmutex" // reader-biased (BRAVO): readers of several threads share no word, a writer waits for all of them
)

type lockKind uint8

const (
	kindRW lockKind = iota
	kindMu
	kindRB
)

var lockKinds = map[string]lockKind{lockRW: kindRW, lockMu: kindMu, lockRB: kindRB}

// cell is a shard with its lock, on cache lines of its own: neighbours' locks would otherwise bounce together. The
// lock is chosen by a branch that always goes the same way; an interface in its place would cost two indirect calls
// an operation.
type cell struct {
	kind  lockKind
	mu    sync.Mutex
	rw    sync.RWMutex
	rb    *xsync.RBMutex
	shard store.Shard
	waits lockWaits
	_     cpu.CacheLinePad
}

// lockWaits counts how often a lock was not free, and for how long. Only those who waited write here.
type lockWaits struct {
	count atomic.Uint64
	nanos atomic.Uint64
}

func (w *lockWaits) since(began time.Time) {
	w.count.Add(1)
	w.nanos.Add(uint64(time.Since(began)))
}

// lockWaits is how often, and for how long, anybody waited for the lock of a shard.
func (s *Store) lockWaits() (count uint64, waited time.Duration) {
	for i := range s.cells {
		w := &s.cells[i].waits
		count += w.count.Load()
		waited += time.Duration(w.nanos.Load())
	}
	return count, waited
}

func (c *cell) init(kind lockKind, budget *store.Budget) {
	c.shard.Attach(budget)
	if c.kind = kind; kind == kindRB {
		c.rb = xsync.NewRBMutex()
	}
}

// lock takes the shard for writing.
func (c *cell) lock() {
	if !c.tryLock() {
		c.waitLock()
	}
}

func (c *cell) tryLock() bool {
	switch c.kind {
	case kindRW:
		return c.rw.TryLock()
	case kindMu:
		return c.mu.TryLock()
	default:
		return c.rb.TryLock()
	}
}

func (c *cell) waitLock() {
	began := time.Now()
	switch c.kind {
	case kindRW:
		c.rw.Lock()
	case kindMu:
		c.mu.Lock()
	default:
		c.rb.Lock()
	}
	c.waits.since(began)
}

func (c *cell) unlock() {
	switch c.kind {
	case kindRW:
		c.rw.Unlock()
	case kindMu:
		c.mu.Unlock()
	default:
		c.rb.Unlock()
	}
}

// readToken is what a reader gives back with the lock; only reader-biased locks use it.
type readToken = *xsync.RToken

// rlock takes the shard for reading.
func (c *cell) rlock() readToken {
	switch c.kind {
	case kindRW:
		if !c.rw.TryRLock() {
			c.waitRLock()
		}
		return nil
	case kindMu:
		c.lock()
		return nil
	default:
		ok, token := c.rb.TryRLock()
		if !ok {
			token = c.waitRLock()
		}
		return token
	}
}

func (c *cell) waitRLock() (token readToken) {
	began := time.Now()
	if c.kind == kindRW {
		c.rw.RLock()
	} else {
		token = c.rb.RLock()
	}
	c.waits.since(began)
	return token
}

func (c *cell) runlock(token readToken) {
	switch c.kind {
	case kindRW:
		c.rw.RUnlock()
	case kindMu:
		c.mu.Unlock()
	default:
		c.rb.RUnlock(token)
	}
}
