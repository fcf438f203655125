package topologies

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

func newTestLocal(t *testing.T, c StoreConfig) *LocalStore {
	t.Helper()
	l, err := NewLocalStore(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// What is done on the wrong thread, twice or too early is refused with the reason.
func TestLocalStoreRefusals(t *testing.T) {
	l := newTestLocal(t, StoreConfig{Shards: 4})
	check := func(what string, got, want error) {
		t.Helper()
		if !errors.Is(got, want) {
			t.Errorf("%s: got %v; want %v", what, got, want)
		}
	}
	check("Turn before Open", l.Turn(0), ErrNotServed)
	check("Post before Open", l.Post(func() {}), ErrNotServed)
	check("Serve before Open", l.Serve(t.Context()), ErrNotServed)
	if _, err := l.Open(Config{Topology: "shared"}); err == nil {
		t.Error("topology shared serves a local store")
	}
	if _, err := NewLocalStore(StoreConfig{Lock: "mutex"}); err == nil {
		t.Error("a local store has a lock")
	}
	in, err := l.Open(Config{Bind: "127.0.0.1:0", Shards: 64, Route: "session_prefix"})
	if err != nil {
		t.Fatal(err)
	}
	if in.Settings.Shards != 4 || in.Settings.Route != "full_key" {
		t.Errorf("the store's own settings do not go first: %+v", in.Settings)
	}
	_, err = l.Open(Config{Bind: "127.0.0.1:0"})
	check("Open twice", err, ErrServed)
	elsewhere := make(chan error)
	go func() { elsewhere <- l.Turn(0) }()
	check("Turn elsewhere", <-elsewhere, ErrForeignThread)
	go func() { elsewhere <- l.Close() }()
	check("Close elsewhere", <-elsewhere, ErrForeignThread)
}

// The owner serves a stream while other goroutines post, call in-process and finally shut down; afterwards the store can be
// served again.
func TestLocalStoreServes(t *testing.T) {
	l := newTestLocal(t, StoreConfig{Shards: 2})
	for round := range 2 {
		in, err := l.Open(Config{Bind: "127.0.0.1:0"})
		if err != nil {
			t.Fatal(err)
		}
		shut := make(chan error)
		go func() {
			var requests [][]string
			var want []string
			for i := range 2000 {
				k := fmt.Sprint("k", i)
				requests = append(requests, []string{"SET", k, k}, []string{"GET", k})
				want = append(want, "+OK\r\n", fmt.Sprintf("$%d\r\n%s\r\n", len(k), k))
			}
			mustEqual(t, conversation(t, in.Addr().String(), requests, 1), want)
			c := in.NewCaller()
			if r, err := c.Do([]byte("DBSIZE")); err != nil || r.Int != 2000 {
				t.Errorf("DBSIZE in-process: %v %v", r, err)
			}
			posted := make(chan int)
			if err := l.Post(func() { posted <- l.Len() }); err != nil || <-posted != 2000 {
				t.Errorf("Post: %v", err)
			}
			shut <- in.Shutdown(context.Background())
		}()
		if err := l.Serve(context.Background()); err != ErrNotServed {
			t.Fatalf("round %d: Serve: %v", round, err)
		}
		if err := <-shut; err != nil {
			t.Fatal(err)
		}
		if l.Len() != 2000 {
			t.Errorf("%d entries after the shutdown", l.Len())
		}
	}
}

// Expired keys go away by the turns of the loop, and without a server by Maintain.
func TestLocalStoreMaintains(t *testing.T) {
	l := newTestLocal(t, StoreConfig{})
	fill := func() {
		for i := range 1000 {
			l.SetTTL(fmt.Append(nil, i), nil, time.Millisecond)
		}
	}
	fill()
	waitFor(t, "Maintain", func() bool { l.Maintain(); return l.Len() == 0 })
	if _, err := l.Open(Config{Bind: "127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	fill()
	waitFor(t, "turns", func() bool { l.Turn(time.Second); return l.Len() == 0 })
	if err := l.Set([]byte("k"), nil); err != nil || !l.Expire([]byte("k"), time.Hour) {
		t.Fatal(err)
	}
	if ttl, ok := l.TTL([]byte("k")); !ok || ttl < time.Minute {
		t.Errorf("ttl %v %v", ttl, ok)
	}
	if !l.Delete([]byte("k")) || l.Delete([]byte("k")) {
		t.Error("Delete does not say what was there")
	}
	l.Set([]byte("k"), nil)
	if l.Clear(); l.Len() != 0 {
		t.Error("Clear leaves entries")
	}
}
