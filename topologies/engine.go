package topologies

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

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
	goroutines:     true,
	routes:         true,
	Transports:     []string{server.Netpoll, server.Epoll, server.Redcon},
	shardPerWorker: true,
	workers:        runtimeWorkers,
	build: func(in *Instance) (server.Backend, []server.Listen, error) {
		cpus, err := in.pinTo()
		if err != nil {
			return nil, nil, err
		}
		e, err := newEngine(in, cpus)
		return e, in.publicOnly(), err
	},
}

type engine struct {
	*router
	boxes []*mailbox
	quit  chan struct{}
	wg    sync.WaitGroup
}

// newEngine starts an owner for each shard, on threads of their own if there are processors to pin them to.
func newEngine(in *Instance, cpus []int) (*engine, error) {
	e := &engine{router: newRouter(in), quit: make(chan struct{})}
	pinned := make(chan error, in.Settings.Shards)
	for i := range in.Settings.Shards {
		box := newMailbox()
		box.owner = e.addOwner(in.Settings.Shards, -1, box)
		e.boxes = append(e.boxes, box)
		e.wg.Go(func() {
			if len(cpus) > 0 {
				runtime.LockOSThread() // never unlocked: the thread's affinity dies with the thread
				pinned <- server.PinThread(cpus[i%len(cpus)])
			}
			box.run()
		})
	}
	e.wg.Go(e.tick)
	if len(cpus) > 0 {
		for range e.boxes {
			if err := <-pinned; err != nil {
				return nil, errors.Join(fmt.Errorf("owner of a shard: %w", err), e.Close())
			}
		}
	}
	return e, nil
}

// NewSession implements server.Backend. No owner is at home where connections are.
func (e *engine) NewSession(at server.Place) server.Session { return e.newSession(at, -1) }

// tick asks each owner, busy or not, to maintain its shard now and then.
func (e *engine) tick() {
	t := time.NewTicker(server.DefaultTickEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			for _, box := range e.boxes {
				box.remind()
			}
		case <-e.quit:
			return
		}
	}
}

// Close implements server.Backend. It ends the owners once they have done what they were sent.
func (e *engine) Close() error {
	close(e.quit)
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
	owner    *owner
	ticks    work
	ticking  atomic.Bool // ticks is on its way
	quit     work
	closing  bool // by quit
}

func newMailbox() *mailbox {
	m := &mailbox{wake: make(chan struct{}, 1)}
	m.quit.task.Run = func() { m.closing = true }
	m.ticks.task.Run = func() {
		m.ticking.Store(false)
		m.owner.tick()
	}
	return m
}

// remind sends the owner a tick, unless there is one that it has not come to yet.
func (m *mailbox) remind() {
	if !m.ticking.Swap(true) {
		m.send(-1, &m.ticks)
	}
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
