package server

import (
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/shardlab/shardlab/server/wire"
)

// A loop that keeps its thread while it waits must still let the collector stop the world, whenever that falls.
func TestHoldingLoopCanBeStopped(t *testing.T) {
	opts := Options{Transport: Epoll, Loops: 2, Dedicated: true, Listen: []Listen{{Addr: "127.0.0.1:0", Loop: AnyLoop}}}
	s := start(t, opts, &echo{})
	defer shutdown(t, s)
	a, b := dial(t, s), dial(t, s)
	for i := range 60 {
		for _, nc := range []net.Conn{a, b} {
			if _, err := nc.Write(request("echo", fmt.Sprintf("%03d", i))); err != nil {
				t.Fatal(err)
			}
			mustRead(t, nc, fmt.Sprintf("$3\r\n%03d\r\n", i))
		}
		runtime.GC() // both loops hold now, or are about to
	}
}

// seer is an echo that notes what it was shown before it was asked.
type seer struct {
	echo
	seen   atomic.Int64 // requests shown
	most   atomic.Int64 // batches at once
	unread atomic.Int64 // batches shown that had been answered already
}

func (e *seer) Foresee(_ int, batches []*wire.Batch) {
	e.most.Store(max(e.most.Load(), int64(len(batches))))
	for _, b := range batches {
		e.seen.Add(int64(len(b.Reqs)))
		if b.Next > 0 || len(b.Reqs) == 0 {
			e.unread.Add(1)
		}
	}
}

// What several connections ask in one turn is shown to a backend with foresight before any of it is answered, and every
// connection gets its own replies.
func TestForesight(t *testing.T) {
	e := new(seer)
	opts := Options{Transport: Epoll, Loops: 1, Listen: []Listen{{Addr: "127.0.0.1:0", Loop: AnyLoop}}}
	s, err := Start(opts, e)
	if err != nil {
		t.Fatal(err)
	}
	defer shutdown(t, s)
	conns := make([]net.Conn, 40)
	for i := range conns {
		conns[i] = dial(t, s)
	}
	for round := 0; e.most.Load() < foreseen && round < 500; round++ {
		hold := make(chan struct{})
		if round%2 == 0 { // the loop is kept from reading until everybody has written
			s.Loops()[0].Post(&Task{Run: func() { <-hold }})
		}
		for i, nc := range conns {
			if _, err := nc.Write(request("echo", fmt.Sprintf("%02d", i))); err != nil {
				t.Fatal(err)
			}
		}
		close(hold)
		var wg sync.WaitGroup
		for i, nc := range conns {
			wg.Go(func() { mustRead(t, nc, fmt.Sprintf("$2\r\n%02d\r\n", i)) })
		}
		wg.Wait()
	}
	if e.most.Load() != foreseen || e.seen.Load() == 0 || e.unread.Load() != 0 {
		t.Errorf("shown %d requests, at most %d batches at once (want %d), %d of them too late or empty",
			e.seen.Load(), e.most.Load(), foreseen, e.unread.Load())
	}
}
