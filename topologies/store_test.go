package topologies

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"
)

func newTestStore(t *testing.T, c StoreConfig) *Store {
	t.Helper()
	s, err := NewStore(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// A store serves in every topology that can share it, with its own shards and routes whatever the config asks for, while
// the program uses it; and it outlives the server.
func TestStoreIsServed(t *testing.T) {
	for _, topo := range All() {
		s := newTestStore(t, StoreConfig{Shards: 4, Route: "session_prefix", Lock: "mutex"})
		cfg := Config{Topology: topo.Name, Store: s, Shards: 64, Route: "full_key", Bind: "127.0.0.1:0"}
		if topo.Responder || topo.Boundary == boundaryOwned && len(topo.boundaries) == 0 {
			if _, err := Open(cfg); err == nil {
				t.Errorf("%s serves a store that it cannot share", topo.Name)
			}
			continue
		}
		t.Run(topo.Name, func(t *testing.T) {
			in, err := Open(cfg)
			if err != nil {
				t.Fatal(err)
			}
			if got := in.Settings; got.Shards != 4 || got.Route != "session_prefix" || got.Lock != "mutex" {
				t.Errorf("the store's own settings do not go first: %+v", got)
			}
			for i := range 50 {
				key := fmt.Sprintf("s:%d:c:%d", i%5, i)
				if err := s.Set([]byte(key), []byte("program")); err != nil {
					t.Fatal(err)
				}
				got := conversation(t, in.Addr().String(), [][]string{{"GET", key}, {"SET", key, "client"}}, 1)
				mustEqual(t, got, []string{"$7\r\nprogram\r\n", "+OK\r\n"})
				if v, ok := s.Get(nil, []byte(key)); !ok || string(v) != "client" {
					t.Errorf("%s: %q %v", key, v, ok)
				}
			}
			if err := in.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := s.Len(); n != 50 {
				t.Errorf("%d entries are left of 50", n)
			}
		})
	}
}

// Two servers may serve one store.
func TestStoreIsServedTwice(t *testing.T) {
	s := newTestStore(t, StoreConfig{})
	a := open(t, Config{Topology: "shared", Store: s})
	b := open(t, Config{Topology: "multi-direct", Store: s})
	conversation(t, a.Addr().String(), [][]string{{"SET", "k", "v"}}, 1)
	mustEqual(t, conversation(t, b.Addr().String(), [][]string{{"GET", "k"}}, 1), []string{"$1\r\nv\r\n"})
}

func TestStoreOperations(t *testing.T) {
	s := newTestStore(t, StoreConfig{Shards: 2})
	key := []byte("k")
	if _, ok := s.Get(nil, key); ok {
		t.Error("an empty store has a key")
	}
	if err := s.SetTTL(key, []byte("v"), time.Hour); err != nil {
		t.Fatal(err)
	}
	if v, ok := s.Get([]byte("got "), key); !ok || string(v) != "got v" {
		t.Errorf("%q %v", v, ok)
	}
	if ttl, ok := s.TTL(key); !ok || ttl > time.Hour || ttl < 59*time.Minute {
		t.Errorf("ttl %v %v", ttl, ok)
	}
	if !s.Expire(key, 0) {
		t.Error("Expire finds no key")
	}
	if ttl, ok := s.TTL(key); !ok || ttl != 0 {
		t.Errorf("ttl %v %v after it was taken away", ttl, ok)
	}
	if !s.Expire(key, -time.Second) {
		t.Error("Expire finds no key")
	}
	if _, ok := s.Get(nil, key); ok {
		t.Error("an expired key is there")
	}
	s.Set(key, nil)
	if !s.Delete(key) || s.Delete(key) {
		t.Error("Delete does not say what was there")
	}
	s.Set(key, nil)
	if s.Clear(); s.Len() != 0 {
		t.Error("Clear leaves entries")
	}
	if err := s.Set(make([]byte, 1), make([]byte, 513<<20)); err == nil {
		t.Error("a value of 513 MiB is stored")
	}
}

// What has expired goes away in the background, in a program's own store and in every topology.
func TestExpiredKeysGoAway(t *testing.T) {
	s := newTestStore(t, StoreConfig{})
	for i := range 1000 {
		s.SetTTL(fmt.Append(nil, i), []byte("v"), time.Millisecond)
	}
	waitFor(t, "the store to be empty", func() bool { return s.Len() == 0 })
	for _, v := range variants() {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			addr := v.open(t).Addr().String()
			requests := make([][]string, 1000)
			for i := range requests {
				requests[i] = []string{"SET", fmt.Sprint(i), "v", "PX", "1"}
			}
			conversation(t, addr, requests, 1)
			waitFor(t, "the keys to go", func() bool { return conversation(t, addr, [][]string{{"DBSIZE"}}, 1)[0] == ":0\r\n" })
		})
	}
}

// waitFor waits until there is what a background task does at times.
func waitFor(t *testing.T, what string, there func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !there(); {
		if time.Now().After(end) {
			t.Fatalf("waited 30 s for %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// At its limit a store refuses, or gives up what its policy says, and stays within it.
func TestStoreLimit(t *testing.T) {
	const limit = 1 << 20
	fill := func(s *Store) (err error) {
		for i := 0; i < 30_000 && err == nil; i++ {
			err = s.Set(fmt.Appendf(nil, "key:%d", i), bytes.Repeat([]byte{'v'}, 64))
		}
		return err
	}
	if err := fill(newTestStore(t, StoreConfig{MaxMemory: limit})); err != ErrFull {
		t.Errorf("got %v", err)
	}
	s := newTestStore(t, StoreConfig{MaxMemory: limit, MaxMemoryPolicy: "allkeys-lru"})
	if err := fill(s); err != nil {
		t.Fatal(err)
	}
	if used := s.budget.Used(); used > limit+limit/16 || used < limit/2 {
		t.Errorf("uses %d of %d bytes", used, limit)
	}
	if _, err := NewStore(StoreConfig{MaxMemoryPolicy: "random"}); err == nil {
		t.Error("an unknown policy is taken")
	}
}

// The program and clients change the same keys at once; each sees whole values.
func TestStoreIsSharedSafely(t *testing.T) {
	for _, lock := range lockNames {
		t.Run(lock, func(t *testing.T) {
			s := newTestStore(t, StoreConfig{Shards: 2, Lock: lock})
			in := open(t, Config{Topology: "multi-direct", Store: s, Workers: 2})
			var wg sync.WaitGroup
			for w := range 2 {
				wg.Go(func() {
					var v []byte
					for i := range 3000 {
						key := fmt.Appendf(nil, "k%d", i%20)
						s.Set(key, bytes.Repeat([]byte{byte('a' + w)}, 100))
						if v, _ = s.Get(v[:0], key); len(v) > 0 && bytes.Count(v, v[:1]) != len(v) {
							t.Errorf("torn value %q", v)
						}
						if i%50 == 0 {
							s.Delete(key)
						}
					}
				})
			}
			var requests [][]string
			for i := range 1000 {
				requests = append(requests, []string{"GETSET", fmt.Sprintf("k%d", i%20), string(bytes.Repeat([]byte{'z'}, 100))})
			}
			conversation(t, in.Addr().String(), requests, 2)
			wg.Wait()
		})
	}
}
