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
)

// do executes one command whose reply is wanted as the text of a bulk or simple string.
func do(t *testing.T, c *Caller, args ...string) string {
	t.Helper()
	r, err := c.Do(byteArgs(args)...)
	if err != nil {
		t.Fatalf("%.100q: %v", args, err)
	}
	return string(r.Payload)
}

func byteArgs(args []string) [][]byte {
	bs := make([][]byte, len(args))
	for i, a := range args {
		bs[i] = []byte(a)
	}
	return bs
}

// batchOf makes a batch of requests as a transport would, but whole.
func batchOf(requests [][]string) *wire.Batch {
	b := new(wire.Batch)
	for _, r := range requests {
		b.Reqs = append(b.Reqs, wire.Request{Args: byteArgs(r)})
	}
	return b
}

// The seeded stream gets the same replies through an in-process session as through a socket, in batches of every size.
func TestCallerRepliesAgree(t *testing.T) {
	requests := newStream(7).takeExact(3000)
	for _, v := range forms() {
		t.Run(v.String(), func(t *testing.T) {
			want := strings.Join(conversation(t, v.open(t).Addr().String(), requests, 1), "")
			c := v.open(t).NewCaller()
			defer c.Close()
			var got []byte
			for i, left := 0, requests; len(left) > 0; i++ {
				n := min(len(left), []int{1, 3, 64, 700}[i%4])
				b := batchOf(left[:n])
				if err := c.Exec(b); err != nil {
					t.Fatal(err)
				}
				got, left = append(got, b.Out...), left[n:]
			}
			if string(got) != want {
				i := 0
				for i < min(len(got), len(want)) && got[i] == want[i] {
					i++
				}
				t.Errorf("replies differ at byte %d: got %.100q, want %.100q", i, got[i:], want[i:])
			}
		})
	}
}

// Callers and sockets at once: each sees its own writes in order, and what the others wrote.
func TestCallersBesideConnections(t *testing.T) {
	for _, v := range forms() {
		t.Run(v.String(), func(t *testing.T) {
			in := v.open(t)
			var all sync.WaitGroup
			defer all.Wait()
			for i := range 3 {
				all.Go(func() {
					requests, want := ownKeys(fmt.Sprintf("socket%d", i))
					mustEqual(t, conversation(t, in.Addr().String(), requests, uint64(i)), want)
				})
				all.Go(func() {
					c := in.NewCaller()
					defer c.Close()
					requests, want := ownKeys(fmt.Sprintf("caller%d", i))
					for n := range len(requests) / 30 {
						b := batchOf(requests[n*30 : n*30+30])
						if err := c.Exec(b); err != nil || string(b.Out) != strings.Join(want[n*30:n*30+30], "") {
							t.Errorf("got %.200q, %v", b.Out, err)
							return
						}
					}
				})
			}
		})
	}
}

func ownKeys(prefix string) (requests [][]string, want []string) {
	for i := range 300 {
		k, val := fmt.Sprintf("%s:%d", prefix, i%7), fmt.Sprint(i)
		bulk := fmt.Sprintf("$%d\r\n%s\r\n", len(val), val)
		requests = append(requests, []string{"SET", k, val}, []string{"GET", k}, []string{"MGET", k, "absent"})
		want = append(want, "+OK\r\n", bulk, "*2\r\n"+bulk+"$-1\r\n")
	}
	return requests, want
}

// Replies beyond what a session gathers at once are all there.
func TestCallerLargeReplies(t *testing.T) {
	for _, v := range forms() {
		t.Run(v.String(), func(t *testing.T) {
			c := v.open(t).NewCaller()
			value := strings.Repeat("v", 100<<10)
			do(t, c, "SET", "k", value)
			bulk := fmt.Sprintf("$%d\r\n%s\r\n", len(value), value)
			for _, n := range []int{1, 2, 3, 20, 1} {
				b := batchOf(slices.Repeat([][]string{{"GET", "k"}}, n))
				if err := c.Exec(b); err != nil || string(b.Out) != strings.Repeat(bulk, n) {
					t.Fatalf("%d large values: %d bytes, %v", n, len(b.Out), err)
				}
			}
		})
	}
}

func TestCallerDoesNotAllocate(t *testing.T) {
	if raceDetector {
		t.Skip("under the race detector a sync.Pool forgets at random")
	}
	for _, v := range forms() {
		t.Run(v.String(), func(t *testing.T) {
			c := v.open(t).NewCaller()
			var requests [][]string
			for i := range 16 {
				k := fmt.Sprintf("key:%012d", i)
				requests = append(requests, []string{"SET", k, "value"}, []string{"GET", k})
			}
			b := batchOf(requests)
			round := func() {
				b.Next, b.Out = 0, b.Out[:0]
				if err := c.Exec(b); err != nil {
					t.Fatal(err)
				}
			}
			for range 20 {
				round()
			}
			if want := []byte(strings.Repeat("+OK\r\n$5\r\nvalue\r\n", 16)); !bytes.Equal(b.Out, want) {
				t.Fatalf("got %q", b.Out)
			}
			if n := testing.AllocsPerRun(200, round); n != 0 {
				t.Errorf("%v allocations for a batch of 32", n)
			}
		})
	}
}

// A session that QUIT has ended is closed; so is every session after Shutdown, whatever was under way.
func TestCallerEnds(t *testing.T) {
	for _, v := range forms() {
		t.Run(v.String(), func(t *testing.T) {
			in := v.open(t)
			c := in.NewCaller()
			b := batchOf([][]string{{"PING"}, {"QUIT"}, {"PING"}})
			if err := c.Exec(b); err != nil || string(b.Out) != "+PONG\r\n+OK\r\n" {
				t.Errorf("QUIT: %q, %v", b.Out, err)
			}
			if _, err := c.Do([]byte("PING")); !errors.Is(err, ErrClosed) {
				t.Errorf("after QUIT: %v", err)
			}
			var calling sync.WaitGroup
			started := make(chan struct{}, 4)
			for i := range 4 {
				calling.Go(func() { callUntilClosed(t, in.NewCaller(), fmt.Sprint(i), started) })
			}
			for range 4 {
				<-started
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if err := in.Shutdown(ctx); err != nil {
				t.Error(err)
			}
			calling.Wait()
			if _, err := in.NewCaller().Do([]byte("PING")); !errors.Is(err, ErrClosed) {
				t.Errorf("a new session after Shutdown: %v", err)
			}
			c.Close()
		})
	}
}

// callUntilClosed works without pause until the instance closes. Each call is either done completely or refused.
func callUntilClosed(t *testing.T, c *Caller, key string, started chan<- struct{}) {
	for i := 1; ; i++ {
		r, err := c.Do([]byte("INCR"), []byte(key))
		if errors.Is(err, ErrClosed) && i > 1 {
			return
		}
		if err != nil || r.Int != int64(i) {
			t.Errorf("call %d: %v, %v", i, r, err)
			return
		}
		if i == 1 {
			started <- struct{}{}
		}
	}
}
