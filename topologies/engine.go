package topologies

import (
	"sync"
	"sync/atomic"

	"github.com/shardlab/shardlab/server"
)

// engine: every shard belongs to a goroutine of its own that does nothing else. Connections are read wherever the transport
// has them; their requests go to the shards' goroutines by message, one for each shard that a batch touches. No locks, and
// the only topology whose owners wait for nothing but work.
var engineTopology = &Topology{
	Name:     "engine",
	About:    "a goroutine per shard executes; connections send it their requests by message, a batch at a time",
	Boundary: boundaryOwned, Dispatch: "message per batch",
	anywhere:       true,
	routes:         true,
	Transports:     []string{server.Netpoll, server.Epoll},
	shardPerWorker: true,
	workers:        runtimeWorkers,
	build: func(in *Instance) (server.Backend, []server.Listen, error) {
		return newEngine(in), in.publicOnly(), nil
	},
}

type engine struct {
	*router
	boxes []*mailbox
	wg    sync.WaitGroup
}

func newEngine(in *Instance) *engine {
	e := &engine{router: newRouter(in)}
	for range in.Settings.Shards {
		box := newMailbox()
		e.boxes = append(e.boxes, box)
		e.owners = append(e.owners, newOwner(-1, e.keys(), box))
		e.wg.Go(box.run)
	}
	return e
}

// NewSession implements server.Backend. No owner is at home where connections are.
func (e *engine) NewSession(at server.Place) server.Session { return e.newSession(at, -1) }

// Close implements server.Backend. It ends the owners once they have done what they were sent.
func (e *engine) Close() error {
	for _, box := range e.boxes {
		box.close()
	}
	e.wg.Wait()
	return nil
}

// mailbox is the inbox of an owner that is a goroutine: a stack of work linked through itself, pushed by compare-and-swap and
// taken whole. A sender wakes the goroutine only when it sleeps; so a busy owner costs its senders one atomic operation
// a batch, and no channel. It holds at most one piece of work of each session, and needs no other bound.
type mailbox struct {
	head     atomic.Pointer[work]
	sleeping atomic.Bool
	wake     chan struct{} // a token when sleeping was reset
	quit     work
	closing  bool // by quit
}

func newMailbox() *mailbox {
	m := &mailbox{wake: make(chan struct{}, 1)}
	m.quit.task.Run = func() { m.closing = true }
	return m
}

// send implements inbox.
func (m *mailbox) send(_ int, w *work) {
	for {
		w.next = m.head.Load()
		if m.head.CompareAndSwap(w.next, w) {
			break
		}
	}
	// The owner sets sleeping, then looks for work; we push, then look at sleeping: one of us sees the other.
	if m.sleeping.Load() && m.sleeping.CompareAndSwap(true, false) {
		m.wake <- struct{}{}
	}
}

func (m *mailbox) close() { m.send(-1, &m.quit) }

// run is the owner's goroutine.
func (m *mailbox) run() {
	for !m.closing {
		w := m.takeAll()
		for w != nil {
			next := w.next // w may be sent again as soon as it runs
			w.task.Run()
			w = next
		}
	}
}

// takeAll waits until there is work and returns it, the oldest first.
func (m *mailbox) takeAll() (oldest *work) {
	for m.head.Load() == nil {
		m.sleeping.Store(true)
		if m.head.Load() != nil && m.sleeping.CompareAndSwap(true, false) {
			break
		}
		<-m.wake // whoever reset sleeping sends, also if the work is already there
	}
	for w := m.head.Swap(nil); w != nil; {
		next := w.next
		w.next = oldest
		oldest, w = w, next
	}
	return oldest
}
