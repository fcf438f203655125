package topologies

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shardlab/shardlab/server/wire"
	"github.com/shardlab/shardlab/server/wire/scnp"
)

// scnpClient connects to a server, to the ports of its shards too where there are any.
func scnpClient(t *testing.T, in *Instance) *scnp.Client {
	t.Helper()
	var opts scnp.Options
	for _, a := range in.DirectAddrs() {
		opts.ShardAddrs = append(opts.ShardAddrs, a.String())
	}
	c, err := scnp.Dial(t.Context(), in.Addr().String(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestSCNPClient(t *testing.T) {
	for _, v := range scnpVariants() {
		t.Run(v.String(), func(t *testing.T) { scnpSession(t, scnpClient(t, v.open(t))) })
	}
}

func scnpSession(t *testing.T, c *scnp.Client) {
	ctx := t.Context()
	check := func(what string, got, want any, err error) {
		t.Helper()
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, %v; want %v", what, got, err, want)
		}
	}
	key, value := []byte("key"), bytes.Repeat([]byte("v"), 100)
	_, ok, err := c.Get(ctx, key)
	check("get of an absent key", ok, false, err)
	check("set", nil, nil, c.Set(ctx, key, value))
	got, ok, err := c.Get(ctx, key)
	check("get", ok && bytes.Equal(got, value), true, err)
	ok, err = c.Exists(ctx, key)
	check("exists", ok, true, err)
	ok, err = c.Del(ctx, key)
	check("del", ok, true, err)
	ok, err = c.Del(ctx, key)
	check("del of an absent key", ok, false, err)

	check("setex", nil, nil, c.SetTTL(ctx, key, value, 90*time.Second))
	ttl, err := c.TTL(ctx, key)
	check("ttl", ttl, 90, err)
	ok, err = c.Expire(ctx, key, 1999*time.Millisecond) // typed frames count milliseconds
	check("expire", ok, true, err)
	pttl, err := c.Do(ctx, "PTTL", "key")
	check("pttl", pttl.Int > 1000 && pttl.Int <= 1999, true, err)
	check("set", nil, nil, c.Set(ctx, key, value))
	ttl, err = c.TTL(ctx, key)
	check("ttl without one", ttl, -1, err)
	ok, err = c.Expire(ctx, []byte("absent"), time.Second)
	check("expire of an absent key", ok, false, err)
	ttl, err = c.TTL(ctx, []byte("absent"))
	check("ttl of an absent key", ttl, -2, err)

	var keys, pairs [][]byte
	for i := range 50 {
		keys = append(keys, fmt.Appendf(nil, "many:%d", i))
		pairs = append(pairs, keys[i], fmt.Append(nil, i))
	}
	check("mset", nil, nil, c.MSet(ctx, pairs...))
	values, err := c.MGet(ctx, append(slices.Clone(keys), []byte("absent"))...)
	check("mget", fmt.Sprintf("%s %v", values[49], values[50] == nil), "49 true", err)

	p := c.Pipeline()
	large := bytes.Repeat([]byte("x"), 100<<10)
	for range 2 { // a pipeline is used again
		for i, k := range keys {
			p.Set(k, large[:(i*7919)%len(large)])
			p.Get(k)
			p.Del(k)
			p.Get(k)
		}
		replies, err := p.Exec(ctx)
		check("pipeline", len(replies), 200, err)
		for i, r := range replies {
			wantKind := []wire.ReplyKind{wire.SimpleReply, wire.BulkReply, wire.IntReply, wire.NullReply}[i%4]
			if r.Kind != wantKind || i%4 == 1 && !bytes.Equal(r.Payload, large[:(i/4*7919)%len(large)]) {
				t.Fatalf("reply %d is %s of %d bytes", i, r.Kind, len(r.Payload))
			}
		}
	}

	r, err := c.Do(ctx, "ECHO", "hello")
	check("do", string(r.Payload), "hello", err)
	_, err = c.Do(ctx, "NOSUCH")
	var refused scnp.Error
	check("do of an unknown command", errors.As(err, &refused), true, nil)
	if err := c.SetTTL(ctx, key, value, time.Microsecond); err == nil || !strings.Contains(err.Error(), "use 1ms or more") {
		t.Errorf("a time to live of a microsecond: %v", err)
	}
}

// Many goroutines share a client; each gets its own replies.
func TestSCNPClientIsShared(t *testing.T) {
	eachTopology(t, func(t *testing.T, in *Instance) {
		c := scnpClient(t, in)
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 200 {
					k, v := fmt.Appendf(nil, "g%d:%d", g, i%10), fmt.Append(nil, g, i)
					if err := c.Set(t.Context(), k, v); err != nil {
						t.Error(err)
						return
					}
					if got, ok, err := c.Get(t.Context(), k); err != nil || !ok || !bytes.Equal(got, v) {
						t.Errorf("%s: %q, %v, %v", k, got, ok, err)
						return
					}
				}
			})
		}
		wg.Wait()
	})
}

func TestSCNPClientFailures(t *testing.T) {
	in := open(t, Config{Topology: "shared"})
	c := scnpClient(t, in)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Set(ctx, []byte("k"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled call: %v", err)
	}
	if err := c.Set(t.Context(), []byte("k"), []byte("v")); err != nil {
		t.Errorf("after a cancelled call: %v", err)
	}
	// The server has closed the idle connection: the next call finds another.
	if r, err := c.Do(t.Context(), "QUIT"); err != nil || string(r.Payload) != "OK" {
		t.Errorf("quit: %v, %v", r, err)
	}
	for range 3 {
		if _, err := c.Do(t.Context(), "PING"); err != nil && !strings.Contains(err.Error(), "closed by the server") {
			t.Errorf("after a connection was closed: %v", err)
		}
	}
	if _, err := c.Do(t.Context(), "PING"); err != nil {
		t.Errorf("after a connection was closed: %v", err)
	}
	c.Close()
	if _, _, err := c.Get(t.Context(), []byte("k")); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("of a closed client: %v", err)
	}
	if _, err := scnp.Dial(t.Context(), in.Addr().String(), scnp.Options{ShardAddrs: make([]string, 3)}); err == nil {
		t.Error("three shards are accepted")
	}
}

// GET and SET of a client allocate nothing, on neither side.
func TestSCNPClientDoesNotAllocate(t *testing.T) {
	c, ctx := scnpClient(t, open(t, Config{Topology: "thread-local"})), context.Background()
	key, value := []byte("key:1"), bytes.Repeat([]byte("v"), 64)
	dst := make([]byte, 0, 100)
	round := func() {
		if err := c.Set(ctx, key, value); err != nil {
			t.Fatal(err)
		}
		if got, ok, err := c.AppendGet(ctx, dst, key); err != nil || !ok || len(got) != 64 {
			t.Fatal(got, ok, err)
		}
	}
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations for SET and GET", n)
	}
}
