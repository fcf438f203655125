package loadgen

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shardlab/shardlab/server/wire"
)

var testWorkload = Workload{
	Keys: 500, KeySize: 16, ValueSize: 64, Mix: []OpShare{{Get, 0.9}, {Set, 0.1}}, Seed: 7,
}

func newTestPool(t testing.TB, workers int) *Pool {
	t.Helper()
	p, err := NewPool(slices.Repeat([]int{-1}, workers))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func connect(t testing.TB, p *Pool, target Target, w Workload, l Load) *Session {
	t.Helper()
	s, err := p.Connect(t.Context(), target, w, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func run(t testing.TB, s *Session, w Window) *Result {
	t.Helper()
	r, err := s.Run(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// runFor runs windows, each twice as long as the one before, until one has so many replies: on a busy machine a short one may pass
// before the load has had its turn.
func runFor(t testing.TB, replies uint64, s *Session, w Window) *Result {
	t.Helper()
	for {
		r := run(t, s, w)
		if r.Replies >= replies || w.Measure > 10*time.Second {
			return r
		}
		w.Measure *= 2
	}
}

func counts(r *Result) (response, service [NumOps]int64) {
	for op := range NumOps {
		if r.Service[op] == nil {
			continue
		}
		response[op], service[op] = r.Response[op].TotalCount(), r.Service[op].TotalCount()
	}
	return response, service
}

func TestClosedLoopReconciles(t *testing.T) {
	server := newMapServer(t, nil)
	pool := newTestPool(t, 2)
	s := connect(t, pool, Target{Addr: server.addr}, testWorkload, Load{Connections: 5, Pipeline: 7})
	if err := s.Preload(t.Context()); err != nil {
		t.Fatal(err)
	}
	cpu := int64(0)
	for range 3 {
		serverCPU := func() int64 { cpu += 5; return cpu }
		r := run(t, s, Window{Lead: time.Millisecond, Measure: 20 * time.Millisecond, ServerCPU: serverCPU})
		if r.Total() == 0 || r.Replies != r.Total() || r.Errors+r.Misses+r.Corrupt+r.InFlight+r.Unsent != 0 {
			t.Errorf("%+v: every reply should be an operation that went well", r)
		}
		reconcile(t, r)
		response, service := counts(r)
		if response != service || uint64(service[Get]+service[Set]) != r.Total() || uint64(service[Get]) != r.Ops[Get] {
			t.Errorf("%d operations, %d and %d entries in the histograms", r.Ops, response, service)
		}
		if r.ServerCPU != 5 || len(r.ClientCPU) != 2 || !(r.Busiest > 0 && r.Busiest <= 1.01) {
			t.Errorf("server cpu %d, want 5; client cpu %v, busiest %v", r.ServerCPU, r.ClientCPU, r.Busiest)
		}
		if r.Sockets != 5 || s.Sockets() != 5 {
			t.Errorf("%d and %d sockets, want 5", r.Sockets, s.Sockets())
		}
		if r.Checked == 0 && r.Ops[Get] > 50*checkEvery {
			t.Errorf("no value of %d was checked", r.Ops[Get])
		}
		if least := r.Ops[Set] * uint64(s.plan.requestSize()) / 2; r.BytesOut < least || r.BytesIn == 0 {
			t.Errorf("%d bytes in, %d out; want more", r.BytesIn, r.BytesOut)
		}
	}
}

// TestServerSeesThePlan compares what arrives with the pure function, byte for byte and connection by connection.
func TestServerSeesThePlan(t *testing.T) {
	for _, load := range []Load{
		{Mode: Closed, Connections: 3, Pipeline: 4},
		{Mode: Open, Connections: 3, Rate: 20000},
	} {
		t.Run(load.Mode.String(), func(t *testing.T) {
			server := newMapServer(t, nil)
			s := connect(t, newTestPool(t, 2), Target{Addr: server.addr}, testWorkload, load)
			for range 2 {
				if r := run(t, s, Window{Measure: 10 * time.Millisecond}); r.InFlight+r.Unsent != 0 {
					t.Fatalf("%d in flight, %d unsent", r.InFlight, r.Unsent)
				}
			}
			s.Close()
			got := server.streams()
			if len(got) != load.Connections {
				t.Fatalf("%d connections sent something, want %d", len(got), load.Connections)
			}
			for c := range uint32(load.Connections) {
				var want []byte
				for i := uint64(0); len(want) < 4<<20; i++ {
					want = s.plan.appendTurn(want, c, i)
				}
				if !slices.ContainsFunc(got, func(stream []byte) bool { return bytes.HasPrefix(want, stream) }) {
					t.Errorf("no connection sent the stream of client %d", c)
				}
			}
		})
	}
}

func TestFaultsAreCounted(t *testing.T) {
	check := func(name string, reply string, want func(r *Result) bool, text string) {
		t.Helper()
		fault := func(n uint64, args [][]byte) ([]byte, bool) {
			preloaded := n >= 2*uint64(testWorkload.Keys) // which sets every key and reads it
			if preloaded && len(args) == 2 && n%3 == 0 {
				return []byte(reply), true
			}
			return nil, false
		}
		server := newMapServer(t, fault)
		s := connect(t, newTestPool(t, 1), Target{Addr: server.addr}, testWorkload, Load{Connections: 2, Pipeline: 3})
		if err := s.Preload(t.Context()); err != nil {
			t.Fatal(err)
		}
		r := runFor(t, 1000, s, Window{Measure: 20 * time.Millisecond}) // of which 1 in 64 is looked at
		if !want(r) || r.FirstError != text || r.Replies != r.Total()+r.Errors {
			t.Errorf("%s: %+v, first error %q, want %q", name, r, r.FirstError, text)
		}
		if _, service := counts(r); uint64(service[Get]+service[Set]) != r.Total() {
			t.Errorf("%s: errors are in a histogram", name)
		}
	}
	wrong := "$64\r\n" + strings.Repeat("x", 64) + "\r\n"
	check("error", "-LOADING wait\r\n", func(r *Result) bool { return r.Errors > 0 && r.Misses+r.Corrupt == 0 },
		"GET: LOADING wait")
	check("wrong type", ":5\r\n", func(r *Result) bool { return r.Errors > 0 }, `GET: answered with an integer "5"`)
	check("null", "$-1\r\n", func(r *Result) bool { return r.Misses > 0 && r.Errors+r.Corrupt == 0 }, "")
	check("null of RESP3", "_\r\n", func(r *Result) bool { return r.Misses > 0 && r.Errors == 0 }, "")
	check("short", "$1\r\nx\r\n", func(r *Result) bool { return r.Corrupt > r.Checked/4 && r.Errors == 0 }, "")
	check("content", wrong, func(r *Result) bool { return r.Corrupt > 0 && r.Corrupt < r.Checked && r.Errors == 0 }, "")
}

func TestResponderIsNotChecked(t *testing.T) {
	server := newMapServer(t, func(_ uint64, args [][]byte) ([]byte, bool) {
		if len(args) == 2 {
			return []byte("$1\r\nx\r\n"), true
		}
		return []byte("+OK\r\n"), true
	})
	target := Target{Addr: server.addr, Responder: true}
	s := connect(t, newTestPool(t, 1), target, testWorkload, Load{Connections: 2, Pipeline: 3})
	if err := s.Preload(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := runFor(t, 10, s, Window{Measure: 5 * time.Millisecond})
	if r.Total() == 0 || r.Corrupt+r.Misses+r.Errors+r.Checked != 0 {
		t.Errorf("%+v: want operations and no complaints", r)
	}
}

func TestPreloadWritesEveryKey(t *testing.T) {
	server := newMapServer(t, nil)
	for _, w := range []Workload{testWorkload, {Keys: 20, KeySize: 4, ValueSize: 300 << 10, Mix: []OpShare{{Get, 1}}}} {
		server.mu.Lock()
		clear(server.data)
		server.mu.Unlock()
		s := connect(t, newTestPool(t, 2), Target{Addr: server.addr}, w, Load{Connections: 3, Pipeline: 1})
		if err := s.Preload(t.Context()); err != nil {
			t.Fatal(err)
		}
		server.mu.Lock()
		for i := range uint32(w.Keys) {
			if v := server.data[string(testKey(i, w.KeySize))]; !s.plan.values.check(v, i) {
				t.Errorf("key %d holds a value of %d bytes that is not its own", i, len(v))
			}
		}
		server.mu.Unlock()
		if r := runFor(t, 10, s, Window{Measure: 10 * time.Millisecond}); r.Total() == 0 || r.Corrupt+r.Misses+r.Errors != 0 {
			t.Errorf("values of %d bytes: %+v", w.ValueSize, r)
		}
	}
}

// TestLargeValues goes through partial writes and replies that come in many pieces.
func TestLargeValues(t *testing.T) {
	w := Workload{Keys: 4, KeySize: 8, ValueSize: 1 << 20, Mix: []OpShare{{Get, 1}, {Set, 1}}, Seed: 1}
	for _, load := range []Load{
		{Mode: Closed, Connections: 2, Pipeline: 16},
		{Mode: Open, Connections: 2, Rate: 2000, InFlight: 16, Drain: 30 * time.Second},
	} {
		server := newMapServer(t, nil)
		s := connect(t, newTestPool(t, 1), Target{Addr: server.addr}, w, load)
		if err := s.Preload(t.Context()); err != nil {
			t.Fatal(err)
		}
		r := run(t, s, Window{Measure: 50 * time.Millisecond})
		if r.Corrupt+r.Misses+r.Errors+r.InFlight+r.Unsent != 0 || load.Mode == Open && r.Total() != r.Intended {
			t.Errorf("%v: %+v", load.Mode, r)
		}
		if load.Mode == Open && r.Total() < 50 {
			t.Errorf("%d operations, want some 100", r.Total())
		}
	}
}

func TestPreloadFindsWhatIsWrong(t *testing.T) {
	server := newMapServer(t, nil)
	server.mu.Lock()
	server.data["other"] = nil
	server.mu.Unlock()
	s := connect(t, newTestPool(t, 1), Target{Addr: server.addr}, testWorkload, Load{Connections: 1, Pipeline: 1})
	err := s.Preload(t.Context())
	if err == nil || !strings.Contains(err.Error(), "501 keys are there after 500 were set") {
		t.Errorf("error %v, want both numbers", err)
	}
	full := newMapServer(t, func(n uint64, _ [][]byte) ([]byte, bool) { return []byte("-OOM full\r\n"), n >= 100 })
	s = connect(t, newTestPool(t, 1), Target{Addr: full.addr}, testWorkload, Load{Connections: 1, Pipeline: 1})
	err = s.Preload(t.Context())
	if err == nil || err.Error() != "preload "+full.addr+": SET: OOM full" {
		t.Errorf("error %v, want the server's", err)
	}
}

func TestBrokenConnectionEndsTheRun(t *testing.T) {
	check := func(name string, load Load, hook func(s *mapServer) ([]byte, bool), want string) {
		t.Helper()
		var server *mapServer
		ready := make(chan struct{})
		server = newMapServer(t, func(n uint64, _ [][]byte) ([]byte, bool) {
			<-ready
			if n == 200 {
				return hook(server)
			}
			return nil, false
		})
		close(ready)
		s := connect(t, newTestPool(t, 2), Target{Addr: server.addr}, testWorkload, load)
		_, err := s.Run(t.Context(), Window{Measure: time.Hour})
		if err == nil || !strings.Contains(err.Error(), "load "+server.addr+": connection ") ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s, %v: error %v, want %q", name, load.Mode, err, want)
		}
		_, again := s.Run(t.Context(), Window{Measure: time.Millisecond})
		if again == nil || again.Error() != err.Error() {
			t.Errorf("%s: the next run says %v, want the same", name, again)
		}
	}
	hangUp := func(s *mapServer) ([]byte, bool) { s.hangUp(); return nil, true }
	garbage := func(*mapServer) ([]byte, bool) { return []byte("HTTP/1.1 400\r\n"), true }
	extra := func(*mapServer) ([]byte, bool) { return bytes.Repeat([]byte("+OK\r\n"), 4000), true }
	for _, load := range []Load{
		{Mode: Closed, Connections: 4, Pipeline: 3}, {Mode: Open, Connections: 4, Rate: 10000},
	} {
		check("hang up", load, hangUp, "by peer after ")
		check("garbage", load, garbage, "protocol error: unknown reply type 'H'")
		check("extra reply", load, extra, "answers no request")
	}
}

func TestCancelEndsTheRun(t *testing.T) {
	frozen := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	server := newMapServer(t, func(n uint64, _ [][]byte) ([]byte, bool) {
		if n == 10 {
			cancel()
		}
		if n >= 10 {
			<-frozen
		}
		return nil, false
	})
	defer close(frozen)
	s := connect(t, newTestPool(t, 2), Target{Addr: server.addr}, testWorkload, Load{Connections: 4, Pipeline: 3})
	_, err := s.Run(ctx, Window{Measure: time.Hour})
	if err == nil || err.Error() != "load "+server.addr+": context canceled" {
		t.Errorf("error %v, want that of the context", err)
	}
}

func TestFrozenServerIsReported(t *testing.T) {
	for _, mode := range []Mode{Closed, Open} {
		frozen := make(chan struct{})
		server := newMapServer(t, func(n uint64, _ [][]byte) ([]byte, bool) {
			if n >= 50 {
				<-frozen
			}
			return nil, false
		})
		load := Load{Mode: mode, Connections: 2, Pipeline: 4, Rate: 20000, InFlight: 16, Backlog: 100}
		load.Drain = 20 * time.Millisecond
		s := connect(t, newTestPool(t, 1), Target{Addr: server.addr}, testWorkload, load)
		r := run(t, s, Window{Measure: 30 * time.Millisecond})
		if r.InFlight == 0 {
			t.Errorf("%v: %+v: nothing in flight", mode, r)
		}
		if mode == Open && (r.Intended != r.Total()+r.Errors+r.InFlight+r.Unsent || r.Unsent == 0) {
			t.Errorf("intended %d ≠ %d ok + %d errors + %d in flight + %d unsent",
				r.Intended, r.Total(), r.Errors, r.InFlight, r.Unsent)
		}
		reconcile(t, r)
		_, err := s.Run(t.Context(), Window{Measure: time.Millisecond})
		if err == nil || !strings.Contains(err.Error(), "still to come") {
			t.Errorf("%v: the next run says %v", mode, err)
		}
		close(frozen)
	}
}

// TestOverloadReconciles asks for more than a worker can even count through in time, and gives it no time to drain.
func TestOverloadReconciles(t *testing.T) {
	server := newMapServer(t, nil)
	load := Load{Mode: Open, Connections: 3, Rate: 2e8, InFlight: 16, Backlog: 100, Drain: 1}
	s := connect(t, newTestPool(t, 2), Target{Addr: server.addr}, testWorkload, load)
	r := run(t, s, Window{Measure: 5 * time.Millisecond})
	if r.Intended != r.Total()+r.Errors+r.InFlight+r.Unsent {
		t.Errorf("intended %d ≠ %d ok + %d errors + %d in flight + %d unsent",
			r.Intended, r.Total(), r.Errors, r.InFlight, r.Unsent)
	}
	reconcile(t, r)
	if r.Intended < 990_000 || r.Intended > 1_010_000 || r.Unsent < r.Intended/2 {
		t.Errorf("intended %d, unsent %d; want a million, and most of them", r.Intended, r.Unsent)
	}
}

func TestRoutedLoadGoesToTheKeysAddress(t *testing.T) {
	const shards = 3
	route := func(key []byte) int { return int(key[len(key)-1]) % shards }
	check := func(name string, workers, connections, sockets int) {
		t.Helper()
		var (
			mu      sync.Mutex
			strays  []string
			servers []*mapServer
			target  = Target{Responder: true, Route: route}
		)
		for i := range shards {
			servers = append(servers, newMapServer(t, func(_ uint64, args [][]byte) ([]byte, bool) {
				if route(args[1]) != i {
					mu.Lock()
					strays = append(strays, string(args[1]))
					mu.Unlock()
				}
				return nil, false
			}))
			target.ShardAddrs = append(target.ShardAddrs, servers[i].addr)
		}
		target.Addr = servers[0].addr
		for _, load := range []Load{
			{Mode: Closed, Connections: connections, Pipeline: 9}, {Mode: Open, Connections: connections, Rate: 10000},
		} {
			s := connect(t, newTestPool(t, workers), target, testWorkload, load)
			if err := s.Preload(t.Context()); err != nil {
				t.Fatal(err)
			}
			r := run(t, s, Window{Measure: 20 * time.Millisecond})
			if r.Total() == 0 || r.Errors+r.Misses+r.InFlight+r.Unsent != 0 || r.Sockets != sockets {
				t.Errorf("%s %v: %+v; want %d sockets", name, load.Mode, r, sockets)
			}
		}
		if len(strays) > 0 {
			t.Errorf("%s: %d operations went to a foreign shard: %.3q", name, len(strays), strays)
		}
	}
	check("more clients than shards", 2, 10, 10*shards)
	check("fewer", 1, 2, 2*shards)
	check("fewer clients than workers", 3, 2, 2*shards)
}

// TestSCNPLoad: operations carry their key's hash, and to shard addresses the shard that is asked; values and misses are
// judged as in RESP.
func TestSCNPLoad(t *testing.T) {
	const shards = 4
	target := Target{Protocol: SCNP}
	server := newMapServer(t, nil)
	target.Addr = server.addr
	load := Load{Connections: 3, Pipeline: 5, Drain: time.Minute}
	s := connect(t, newTestPool(t, 2), target, testWorkload, load)
	if err := s.Preload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := runUntilChecked(t, s); n > 0 {
		t.Errorf("%d replies are wrong", n)
	}
	var servers []*mapServer
	for range shards {
		servers = append(servers, newMapServer(t, nil))
		target.ShardAddrs = append(target.ShardAddrs, servers[len(servers)-1].addr)
	}
	target.Route = func(key []byte) int { return wire.KeyShard(wire.KeyHash(key), shards) }
	s = connect(t, newTestPool(t, 2), target, testWorkload, load)
	if err := s.Preload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := runUntilChecked(t, s); n > 0 {
		t.Errorf("%d replies of shards are wrong", n)
	}
	for i, server := range servers {
		if server.mu.Lock(); len(server.shards) != 1 || server.shards[i] == 0 {
			t.Errorf("server %d was sent frames for shards %v", i, server.shards)
		}
		server.mu.Unlock()
	}
	target.ShardAddrs = target.ShardAddrs[:3]
	if _, err := newTestPool(t, 1).Connect(t.Context(), target, testWorkload, Load{Connections: 1, Pipeline: 1}); err == nil {
		t.Error("three shards are accepted")
	}
}

// runUntilChecked runs windows until some replies have been verified to the last byte, whatever else the machine does.
func runUntilChecked(t *testing.T, s *Session) (wrong uint64) {
	t.Helper()
	for checked := uint64(0); checked < 10; {
		r := run(t, s, Window{Measure: 20 * time.Millisecond})
		checked += r.Checked
		wrong += r.Errors + r.Misses + r.Corrupt
	}
	return wrong
}

func TestRouteOutOfRange(t *testing.T) {
	server := newMapServer(t, nil)
	target := Target{Addr: server.addr, ShardAddrs: []string{server.addr}, Route: func([]byte) int { return 4 }}
	s := connect(t, newTestPool(t, 1), target, testWorkload, Load{Connections: 1, Pipeline: 1})
	_, err := s.Run(t.Context(), Window{Measure: time.Second})
	if err == nil || !strings.Contains(err.Error(), "address 4; have 1") {
		t.Errorf("error %v, want both numbers", err)
	}
}

// TestArmsSeeTheSameOperations: with the same load, neither the number of workers nor the routing changes which
// operations there are.
func TestArmsSeeTheSameOperations(t *testing.T) {
	load := Load{Mode: Open, Connections: 6, Rate: 5000}
	seen := func(workers int, routed bool) []string {
		server := newMapServer(t, nil)
		target := Target{Addr: server.addr}
		if routed {
			target.ShardAddrs = []string{server.addr, server.addr}
			target.Route = func(key []byte) int { return int(key[len(key)-1]) % 2 }
		}
		s := connect(t, newTestPool(t, workers), target, testWorkload, load)
		if r := run(t, s, Window{Measure: 40 * time.Millisecond}); r.InFlight+r.Unsent > 0 {
			t.Fatalf("%+v", r)
		}
		s.Close()
		var all []string
		for _, stream := range server.streams() {
			parser, batch := wire.NewParser(wire.Limits{}), wire.Batch{}
			for {
				n, err := parser.Parse(&batch, stream)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range batch.Reqs {
					all = append(all, fmt.Sprintf("%q", r.Args))
				}
				batch.Reset()
				if stream = stream[n:]; n == 0 {
					break
				}
			}
		}
		slices.Sort(all)
		return all
	}
	want := seen(1, false)
	if len(want) < 100 {
		t.Fatalf("only %d operations", len(want))
	}
	if !slices.Equal(want, seen(3, false)) {
		t.Error("three workers send other operations than one")
	}
	if !slices.Equal(want, seen(2, true)) {
		t.Error("routed clients send other operations than those with a socket each")
	}
}

func TestConnectRefuses(t *testing.T) {
	p := newTestPool(t, 1)
	check := func(target Target, w Workload, l Load, want string) {
		t.Helper()
		if _, err := p.Connect(t.Context(), target, w, l); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	ok := Load{Connections: 1, Pipeline: 1}
	check(Target{Addr: "127.0.0.1:1"}, testWorkload, ok, "connection refused")
	check(Target{Addr: "x", ShardAddrs: []string{"y"}}, testWorkload, ok, "1 shard addresses and Route not set")
	check(Target{Addr: "x"}, Workload{}, ok, "workload: 0 keys")
	check(Target{Addr: "x"}, testWorkload, Load{}, "load: 0 connections")
	server := newMapServer(t, nil)
	s := connect(t, p, Target{Addr: server.addr}, testWorkload, ok)
	if _, err := s.Run(t.Context(), Window{}); err == nil || !strings.Contains(err.Error(), "measure 0s") {
		t.Errorf("a window of nothing: %v", err)
	}
	p.Close()
	if _, err := s.Run(t.Context(), Window{Measure: 1}); err == nil || err != errPoolClosed {
		t.Errorf("a closed pool: %v", err)
	}
	s.Close()
	_, err := s.Run(t.Context(), Window{Measure: 1})
	if err == nil || !strings.Contains(err.Error(), "session is closed") {
		t.Errorf("a closed session: %v", err)
	}
}
