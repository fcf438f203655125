package loadgen

import (
	"bytes"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shardlab/shardlab/server/wire"
)

// mapExecutor executes on a mapServer's data without its sockets, and keeps what it was asked.
type mapExecutor struct {
	server *mapServer
	hook   func(b *wire.Batch) error // after a batch
	log    []byte
	closed bool
}

func (e *mapExecutor) Exec(b *wire.Batch) error {
	w := wire.Writer{Buf: b.Out}
	for ; b.Next < len(b.Reqs); b.Next++ {
		args := b.Reqs[b.Next].Args
		e.log = wire.AppendCommand(e.log, args...)
		e.server.answer(&w, args)
	}
	b.Out = w.Buf
	if e.hook != nil {
		return e.hook(b)
	}
	return nil
}

func (e *mapExecutor) Close() { e.closed = true }

// executors opens executors on a server of its own and remembers them.
type executors struct {
	server *mapServer
	hook   func(b *wire.Batch) error
	mu     sync.Mutex
	all    []*mapExecutor
}

func newExecutors(t testing.TB) *executors { return &executors{server: newMapServer(t, nil)} }

func (x *executors) open() Executor {
	x.mu.Lock()
	defer x.mu.Unlock()
	e := &mapExecutor{server: x.server, hook: x.hook}
	x.all = append(x.all, e)
	return e
}

// TestArgumentsAreWhatIsEncoded: a request for an executor is the one that is written to a socket.
func TestArgumentsAreWhatIsEncoded(t *testing.T) {
	p, err := newPlan(everyOp(t))
	if err != nil {
		t.Fatal(err)
	}
	p.clients = 3
	var b bundle
	for i := range uint64(5000) {
		client, turn := uint32(i%3), i/3
		o := p.at(client, turn)
		p.addRequest(&b, &o, client, turn)
		want := requestOf(t, p.appendRequest(nil, &o, client, turn))
		if got := b.Reqs[len(b.Reqs)-1].Args; !slices.EqualFunc(got, want, bytes.Equal) {
			t.Fatalf("%+v: %q, want %q", o, got, want)
		}
		if len(b.Reqs) == 100 {
			b.reset()
		}
	}
}

// TestInProcessSendsTheSameStreams: each client's operations are the plan's, however they are carried, and the books balance.
func TestInProcessSendsTheSameStreams(t *testing.T) {
	for _, load := range []Load{{Connections: 5, Pipeline: 7}, {Mode: Open, Connections: 5, Rate: 20_000}} {
		x := newExecutors(t)
		s := connect(t, newTestPool(t, 2), Target{InProcess: x.open}, testWorkload, load)
		if err := s.Preload(t.Context()); err != nil {
			t.Fatal(err)
		}
		control, clients := x.all[0], x.all[1:]
		if len(clients) != 5 || s.Sockets() != 5 || string(control.log) != string(wire.AppendCommand(nil, "DBSIZE")) {
			t.Fatalf("%d clients; control said %q", len(clients), control.log)
		}
		preloaded := make([]int, len(clients))
		for i, e := range clients {
			preloaded[i] = len(e.log)
		}
		r := run(t, s, Window{Lead: time.Millisecond, Measure: 20 * time.Millisecond})
		response, service := counts(r)
		if r.Total() == 0 || r.Errors+r.Misses+r.Corrupt+r.InFlight+r.Unsent != 0 || uint64(service[Get]+service[Set]) != r.Total() ||
			response != service || load.Mode == Open && r.Intended != r.Total() || load.Mode == Closed && r.Replies != r.Total() {
			t.Errorf("%v: %+v", load.Mode, r)
		}
		for i, e := range clients { // worker 0 has clients 0, 2 and 4
			client := uint32([]int{0, 2, 4, 1, 3}[i])
			var want []byte
			for turn := uint64(0); len(want) < len(e.log)-preloaded[i]; turn++ {
				want = s.plan.appendTurn(want, client, turn)
			}
			if got := e.log[preloaded[i]:]; !bytes.Equal(got, want) {
				t.Errorf("%v: client %d sent another stream: %.200q, want %.200q", load.Mode, client, got, want)
			}
		}
		s.Close()
		for _, e := range x.all {
			if !e.closed {
				t.Error("an executor is still open")
			}
		}
	}
}

// TestInProcessSeesWrongValues: replies are judged as those from a socket.
func TestInProcessSeesWrongValues(t *testing.T) {
	x := newExecutors(t)
	s := connect(t, newTestPool(t, 1), Target{InProcess: x.open}, testWorkload, Load{Connections: 2, Pipeline: 4})
	if err := s.Preload(t.Context()); err != nil {
		t.Fatal(err)
	}
	x.server.mu.Lock()
	for k := range x.server.data {
		x.server.data[k] = make([]byte, 3)
	}
	x.server.mu.Unlock()
	if r := run(t, s, Window{Measure: 5 * time.Millisecond}); r.Corrupt == 0 {
		t.Errorf("%+v: values of a wrong length went unnoticed", r)
	}
}

func TestInProcessFailures(t *testing.T) {
	for _, c := range []struct {
		want string
		hook func(b *wire.Batch) error
	}{
		{"load in-process: connection 0: gone after ", func(*wire.Batch) error { return errors.New("gone") }},
		{"0 replies and 0 bytes more to a batch of 4", func(b *wire.Batch) error { b.Out = nil; return nil }},
		{"that answers no request", func(b *wire.Batch) error { b.Out = append(b.Out, "+OK\r\n"...); return nil }},
	} {
		x := newExecutors(t)
		x.hook = c.hook
		s := connect(t, newTestPool(t, 1), Target{InProcess: x.open}, testWorkload, Load{Connections: 1, Pipeline: 4})
		if _, err := s.Run(t.Context(), Window{Measure: time.Second}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
	for _, load := range []Load{{Connections: 1, Pipeline: 1025}, {Mode: Open, Connections: 1, Rate: 1, InFlight: 2000}} {
		_, err := newTestPool(t, 1).Connect(t.Context(), Target{InProcess: newExecutors(t).open}, testWorkload, load)
		if err == nil || !strings.Contains(err.Error(), "in-process it is at most 1024") {
			t.Errorf("%+v: %v", load, err)
		}
	}
}

// TestNullAnswersEveryOp, and nothing is allocated for it.
func TestNullAnswersEveryOp(t *testing.T) {
	w := everyOp(t)
	for _, load := range []Load{{Connections: 4, Pipeline: 16}, {Mode: Open, Connections: 4, Rate: 100_000}} {
		s := connect(t, newTestPool(t, 1), Target{InProcess: Null(w), Responder: true}, w, load)
		if err := s.Preload(t.Context()); err != nil {
			t.Fatal(err)
		}
		window := Window{Measure: 10 * time.Millisecond}
		run(t, s, window)
		least := uint64(math.MaxUint64) // buffers have found their size by then
		for range 5 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r := run(t, s, window)
			runtime.ReadMemStats(&after)
			if r.Errors > 0 || r.Total() < 100 {
				t.Errorf("%+v", r)
			}
			least = min(least, after.Mallocs-before.Mallocs)
		}
		if least > 60+uint64(2*len(w.Mix)) { // histograms are handed out by operation
			t.Errorf("%v: %d objects a window; want a few, whatever the operations", load.Mode, least)
		}
	}
}

// TestPartsOfTheClients: two sessions, one with sockets and one without, that drive a part of the clients each do what one
// session does that drives all of them.
func TestPartsOfTheClients(t *testing.T) {
	x := newExecutors(t)
	whole := Load{Mode: Open, Connections: 5, Rate: 20_000}
	measure := Window{Lead: 2 * time.Millisecond, Measure: 30 * time.Millisecond}
	want := run(t, connect(t, newTestPool(t, 1), Target{InProcess: Null(testWorkload), Responder: true}, testWorkload, whole), measure)
	outside, inside := whole, whole
	outside.Clients, inside.First, inside.Clients = 2, 2, 3
	a := connect(t, newTestPool(t, 1), Target{Addr: x.server.addr}, testWorkload, outside)
	b := connect(t, newTestPool(t, 2), Target{InProcess: x.open}, testWorkload, inside)
	if err := a.Preload(t.Context()); err != nil {
		t.Fatal(err)
	}
	measure.At = Monotonic() + 2e6
	var both sync.WaitGroup
	var results [2]*Result
	for i, s := range []*Session{a, b} {
		both.Go(func() { results[i] = run(t, s, measure) })
	}
	both.Wait()
	ra, rb := results[0], results[1]
	if ra.Intended+rb.Intended != want.Intended || ra.Total()+rb.Total() != want.Total() || ra.Misses+rb.Misses+ra.Corrupt+rb.Corrupt > 0 {
		t.Errorf("%+v and %+v, want together %+v", ra, rb, want)
	}
	for op := range want.Ops {
		if ra.Ops[op]+rb.Ops[op] != want.Ops[op] {
			t.Errorf("%v: %d and %d, want together %d", Op(op), ra.Ops[op], rb.Ops[op], want.Ops[op])
		}
	}
	if _, err := newTestPool(t, 1).Connect(t.Context(), Target{InProcess: x.open}, testWorkload, Load{Connections: 1, Pipeline: 1, Churn: 5}); err == nil {
		t.Error("clients without connections open them anew")
	}
	for _, l := range []Load{{Connections: 2, Pipeline: 1, First: 1}, {Connections: 2, Pipeline: 1, First: 1, Clients: 2}} {
		if err := l.check(); err == nil {
			t.Errorf("%+v is good", l)
		}
	}
}

// A server that does not know DBSIZE is filled as any other: its keys are read back one by one.
func TestServerThatDoesNotCount(t *testing.T) {
	x := newExecutors(t)
	x.hook = func(b *wire.Batch) error {
		if string(b.Reqs[0].Args[0]) == "DBSIZE" {
			b.Out = append(b.Out[:0], "-ERR unknown command\r\n"...)
		}
		return nil
	}
	s := connect(t, newTestPool(t, 1), Target{InProcess: x.open}, testWorkload, Load{Mode: Closed, Connections: 2, Pipeline: 1})
	if err := s.Preload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, known, err := s.Count(t.Context()); known || err != nil || s.Preloaded() != testWorkload.Keys {
		t.Errorf("known %v, %v; %d keys", known, err, s.Preloaded())
	}
}
