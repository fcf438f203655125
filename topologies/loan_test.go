package topologies

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// routedVariants are the forms of topologies in which several threads own shards.
func routedVariants() (vs []variant) {
	for _, v := range variants() {
		if topo, err := Lookup(v.topology); err == nil && topo.routes && v.shards > 1 && (v.workers > 1 || topo.anywhere) {
			vs = append(vs, v)
		}
	}
	return vs
}

// client is a plain connection of a test.
type client struct {
	t  *testing.T
	nc net.Conn
	r  *bufio.Reader
}

func dial(t *testing.T, addr string) *client {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(60 * time.Second))
	return &client{t, nc, bufio.NewReader(nc)}
}

// do sends requests in one pipeline and returns their replies. It may be called from any goroutine.
func (c *client) do(requests ...[]string) (replies []string) {
	var out []byte
	for _, r := range requests {
		out = append(out, encode(r)...)
	}
	if _, err := c.nc.Write(out); err != nil {
		c.t.Error(err)
		return make([]string, len(requests))
	}
	for range requests {
		reply, err := readReply(c.r)
		if err != nil {
			c.t.Errorf("after %d replies to %.200q: %v", len(replies), requests, err)
			return make([]string, len(requests))
		}
		replies = append(replies, reply)
	}
	return replies
}

// Commands that hold several owners' shards, from many connections at once, while others read and write: every reply comes,
// nobody sees half a command, and no key is lost.
func TestCommandsAcrossOwnersAreAtomic(t *testing.T) {
	const tokens, pairs, rounds = 20, 40, 150
	for _, v := range routedVariants() {
		t.Run(v.String(), func(t *testing.T) {
			in := v.open(t)
			addr := in.Addr().String()
			setup := dial(t, addr)
			for i := range tokens {
				setup.do([]string{"SET", fmt.Sprintf("token:%d:0", i), fmt.Sprint(i)})
			}
			var wg sync.WaitGroup
			each := func(n int, f func(id int, c *client, rng *rand.Rand)) {
				for id := range n {
					c := dial(t, addr)
					wg.Go(func() { f(id, c, rand.New(rand.NewPCG(1, uint64(id)))) })
				}
			}
			// Movers carry each token from name to name; each token has one mover.
			each(4, func(id int, c *client, rng *rand.Rand) {
				at := make([]int, tokens)
				for range rounds {
					i := id + 4*rng.IntN(tokens/4)
					from, to := fmt.Sprintf("token:%d:%d", i, at[i]), fmt.Sprintf("token:%d:%d", i, at[i]+1)
					at[i]++
					got := c.do([]string{"RENAME", from, to}, []string{"GET", to}, []string{"EXISTS", from})
					mustEqual(t, got, []string{"+OK\r\n", fmt.Sprintf("$%d\r\n%d\r\n", len(fmt.Sprint(i)), i), ":0\r\n"})
				}
			})
			// Makers set both keys of a pair or neither; two of them race for each pair.
			made := make([]int, pairs)
			var mu sync.Mutex
			each(2, func(id int, c *client, _ *rand.Rand) {
				for i := range pairs {
					got := c.do([]string{"MSETNX", fmt.Sprintf("left:%d", i), "x", fmt.Sprintf("right:%d", i), "x"})
					if got[0] == ":1\r\n" {
						mu.Lock()
						made[i]++
						mu.Unlock()
					}
				}
			})
			// Watchers see the whole keyspace at one moment.
			each(2, func(_ int, c *client, _ *rand.Rand) {
				for range rounds / 3 {
					all := c.do([]string{"KEYS", "*"})[0]
					if n := strings.Count(all, "token:"); n != tokens {
						t.Errorf("%d tokens of %d", n, tokens)
					}
					if l, r := strings.Count(all, "left:"), strings.Count(all, "right:"); l != r {
						t.Errorf("%d left halves and %d right", l, r)
					}
				}
			})
			// Everybody else: pipelines across all owners.
			each(3, func(id int, c *client, rng *rand.Rand) {
				for n := range rounds {
					var requests [][]string
					var want []string
					for range 1 + rng.IntN(8) {
						k, val := fmt.Sprintf("own:%d:%d", id, rng.IntN(30)), fmt.Sprint(n)
						requests = append(requests, []string{"SET", k, val}, []string{"COPY", k, k + "'", "REPLACE"}, []string{"MGET", k, k + "'"})
						bulk := fmt.Sprintf("$%d\r\n%s\r\n", len(val), val)
						want = append(want, "+OK\r\n", ":1\r\n", "*2\r\n"+bulk+bulk)
					}
					mustEqual(t, c.do(requests...), want)
				}
			})
			wg.Wait()
			for i, n := range made {
				if n != 1 {
					t.Errorf("pair %d was made %d times", i, n)
				}
			}
		})
	}
}

// A session on a direct shard port, whose loop executes at once, waits as well while the loop's shards are lent.
func TestDirectPortsWaitForLentShards(t *testing.T) {
	in := open(t, Config{Topology: "direct-shard", Workers: 2, Shards: 4})
	var keys [4]string // one of each shard
	for i := 0; slices.Contains(keys[:], ""); i++ {
		k := fmt.Sprintf("n:%d", i)
		keys[shardOf(k, 4)] = k
	}
	dial(t, in.Addr().String()).do([]string{"MSET", keys[0], "0", keys[1], "0", keys[2], "0", keys[3], "0"})
	var wg sync.WaitGroup
	for range 3 {
		c := dial(t, in.Addr().String())
		wg.Go(func() {
			for range 300 {
				mustEqual(t, c.do([]string{"MSETNX", keys[0], "1", keys[1], "1", keys[2], "1", keys[3], "1"}), []string{":0\r\n"})
			}
		})
	}
	for shard, addr := range in.DirectAddrs() {
		c := dial(t, addr.String())
		wg.Go(func() {
			for n := range 300 {
				got := c.do([]string{"INCR", keys[shard]}, []string{"GET", keys[shard]})
				s := fmt.Sprint(n + 1)
				mustEqual(t, got, []string{":" + s + "\r\n", fmt.Sprintf("$%d\r\n%s\r\n", len(s), s)})
			}
		})
	}
	wg.Wait()
}

// Clients that vanish while their commands wait for shards, and a server that stops under them, leave nothing behind: no shard
// stays lent, no goroutine stays (goleak), and Shutdown returns.
func TestClientsVanishWhileShardsAreLent(t *testing.T) {
	for _, v := range routedVariants() {
		if v.boundary != "" { // with locks nothing is lent
			continue
		}
		t.Run(v.String(), func(t *testing.T) {
			in, err := Open(v.config())
			if err != nil {
				t.Fatal(err)
			}
			var request []byte
			for i := range 30 {
				request = append(request, encode([]string{"MSETNX", "a", "1", fmt.Sprintf("b%d", i), "1", "c", "1", "d", "1", "e", "1"})...)
				request = append(request, encode([]string{"KEYS", "nothing*"})...)
			}
			for range 40 {
				nc, err := net.Dial("tcp", in.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				nc.Write(request)
				nc.Close()
			}
			c := dial(t, in.Addr().String())
			for i := range 50 {
				c.do([]string{"SET", fmt.Sprintf("k%d", i), "v"}, []string{"RENAME", fmt.Sprintf("k%d", i), "z"})
			}
			mustEqual(t, c.do([]string{"GET", "z"}), []string{"$1\r\nv\r\n"})
			for range 20 { // these are cut
				nc, err := net.Dial("tcp", in.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer nc.Close()
				go func() { // more than the server will take in; ends with the connection
					for {
						if _, err := nc.Write(request); err != nil {
							return
						}
					}
				}()
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			in.Shutdown(ctx)
		})
	}
}

// An owner serves first come, first served: what waits for lent shards runs in its order, up to the next that borrows them.
func TestOwnerServesInOrder(t *testing.T) {
	var ran []string
	o := newOwner(0, nil, nil)
	piece := func(name string, lends bool) *work {
		w := new(work)
		w.init(func() { ran = append(ran, name); o.lent = lends })
		return w
	}
	o.give(0, piece("a", true))
	o.give(0, piece("b", false))
	o.give(0, piece("c", true))
	o.give(0, piece("d", false))
	mustEqual(t, ran, []string{"a"})
	o.takeBack()
	mustEqual(t, ran, []string{"a", "b", "c"})
	o.give(0, piece("e", false))
	o.takeBack()
	mustEqual(t, ran, []string{"a", "b", "c", "d", "e"})
	o.give(0, piece("f", false))
	mustEqual(t, ran, []string{"a", "b", "c", "d", "e", "f"})
}

// Transactions over keys of several owners are executed whole, and WATCH loses no update.
func TestTransactionsAcrossOwners(t *testing.T) {
	const accounts, clients, rounds, total = 6, 5, 60, 6 * 100
	for _, v := range routedVariants() {
		t.Run(v.String(), func(t *testing.T) {
			addr := v.open(t).Addr().String()
			setup := dial(t, addr)
			audit := [][]string{{"MULTI"}}
			for i := range accounts {
				setup.do([]string{"SET", fmt.Sprintf("account:%d", i), "100"})
				audit = append(audit, []string{"GET", fmt.Sprintf("account:%d", i)})
			}
			audit = append(audit, []string{"EXEC"})
			var wg sync.WaitGroup
			for id := range clients {
				c, rng := dial(t, addr), rand.New(rand.NewPCG(2, uint64(id)))
				wg.Go(func() {
					for range rounds {
						from, to := fmt.Sprintf("account:%d", rng.IntN(accounts)), fmt.Sprintf("account:%d", rng.IntN(accounts))
						c.do([]string{"MULTI"}, []string{"DECRBY", from, "7"}, []string{"INCRBY", to, "7"}, []string{"EXEC"})
						replies := c.do(audit...)
						sum := 0
						for i, line := range strings.Split(replies[len(replies)-1], "\r\n") {
							if n, err := strconv.Atoi(line); err == nil && i%2 == 0 {
								sum += n
							}
						}
						if sum != total {
							t.Errorf("the accounts hold %d of %d: %q", sum, total, replies[len(replies)-1])
						}
					}
				})
				wg.Go(func() { increment(t, dial(t, addr), rounds) })
			}
			wg.Wait()
			n := fmt.Sprint(clients * rounds)
			mustEqual(t, setup.do([]string{"GET", "counter"}), []string{fmt.Sprintf("$%d\r\n%s\r\n", len(n), n)})
		})
	}
}

// increment adds one to a counter so many times, by reading it, and writing it only if nobody else has meanwhile.
func increment(t *testing.T, c *client, times int) {
	for done, tries := 0, 0; done < times; tries++ {
		got := c.do([]string{"WATCH", "counter", "witness"}, []string{"GET", "counter"})
		n := 0
		if lines := strings.Split(got[1], "\r\n"); len(lines) == 3 {
			n = atoi(t, lines[1])
		}
		next := strconv.Itoa(n + 1)
		got = c.do([]string{"MULTI"}, []string{"SET", "counter", next}, []string{"SET", "witness", next}, []string{"EXEC"})
		switch got[3] {
		case "*2\r\n+OK\r\n+OK\r\n":
			done++
		case "*-1\r\n":
		default:
			t.Errorf("EXEC answers %q", got[3])
			return
		}
		if tries > 10000 {
			t.Errorf("%d of %d updates after %d tries", done, times, tries)
			return
		}
	}
}
