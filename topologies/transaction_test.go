package topologies

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// ask sends one request and returns the reply. It may be called from any goroutine.
func (c *client) ask(words ...string) string { return c.do(words)[0] }

// interleaved has several connections take turns, in the order that the seed gives: each watches, queues, executes and
// changes what the others watch. It returns the replies.
func interleaved(t *testing.T, addr string, seed uint64, turns int) (requests [][]string, replies []string) {
	clients := []*client{dial(t, addr), dial(t, addr), dial(t, addr)}
	rng := rand.New(rand.NewPCG(seed, 5))
	key := func() string { return fmt.Sprintf("w%d", rng.IntN(5)) }
	clients[0].ask("FLUSHALL")
	for range turns {
		k := key()
		req := [][]string{
			{"WATCH", k}, {"WATCH", k, key()}, {"WATCH", k, key()}, {"UNWATCH"}, {"MULTI"}, {"MULTI"}, {"MULTI"}, {"EXEC"}, {"EXEC"}, {"EXEC"}, {"EXEC"},
			{"DISCARD"}, {"GET", k}, {"SET", k, "v"}, {"SET", k, "v", "NX"}, {"APPEND", k, "x"}, {"DEL", k, key()}, {"EXPIRE", k, "5000"},
			{"EXPIRE", k, "-1"}, {"PERSIST", k}, {"RENAME", k, key()}, {"COPY", k, key(), "REPLACE"}, {"GETDEL", k}, {"GETEX", k, "EX", "9000"},
			{"INCR", k}, {"MSETNX", k, "1", key(), "2"}, {"MGET", k, key()}, {"FLUSHALL"}, {"TOUCH", k}, {"SETRANGE", k, "0", ""},
			{"SET", k, "gone", "PXAT", "1"}, {"TTL", k}, {"NOSUCH"}, {"GET"}, {"KEYS", "w1"},
		}[rng.IntN(35)]
		requests = append(requests, req)
		replies = append(replies, clients[rng.IntN(3)].ask(req...))
	}
	return requests, replies
}

func TestInterleavedTransactions(t *testing.T) {
	var want []string
	var other string
	agree := func(t *testing.T, addr, name string) {
		turns := 400
		if *long {
			turns = 20_000
		}
		requests, got := interleaved(t, addr, 1, turns)
		if want == nil {
			want, other = got, name
		}
		mustAgree(t, requests, got, want, other)
	}
	t.Run("redis-server", func(t *testing.T) { agree(t, startRedis(t), "redis-server") })
	for _, v := range variants() {
		t.Run(v.String(), func(t *testing.T) { agree(t, v.open(t).Addr().String(), v.String()) })
	}
}

// Money moves between accounts by WATCH, MULTI and EXEC from many connections at once: none is made or lost, and EXEC shows
// others all of its work or nothing.
func TestTransactionsAreAtomic(t *testing.T) {
	const accounts, each = 6, 1000
	for _, v := range variants() {
		t.Run(v.String(), func(t *testing.T) {
			addr := v.open(t).Addr().String()
			first := dial(t, addr)
			names := []string{"MGET"}
			for i := range accounts {
				names = append(names, fmt.Sprintf("account:%d", i))
				first.ask("SET", names[i+1], fmt.Sprint(each))
			}
			var all sync.WaitGroup
			for w := range 4 {
				c := dial(t, addr)
				all.Go(func() { move(c, names[1:], w) })
			}
			for range 40 {
				first.ask("MULTI")
				first.ask(names...)
				sum := 0
				for _, word := range strings.Split(first.ask("EXEC"), "\r\n")[2:] {
					var n int
					if fmt.Sscan(word, &n); word != "" && word[0] != '$' {
						sum += n
					}
				}
				if sum != accounts*each {
					t.Errorf("together %d, want %d", sum, accounts*each)
				}
			}
			all.Wait()
		})
	}
}

// move moves money about; half of the time it lets WATCH guard what it has read, otherwise EXEC does it all.
func move(c *client, accounts []string, seed int) {
	rng := rand.New(rand.NewPCG(uint64(seed), 6))
	for range 40 {
		from, to := accounts[rng.IntN(len(accounts))], accounts[rng.IntN(len(accounts))]
		if from == to {
			continue
		}
		if rng.IntN(2) == 0 {
			c.ask("MULTI")
			c.ask("DECRBY", from, "7")
			c.ask("INCRBY", to, "7")
			c.ask("EXEC")
			continue
		}
		c.ask("WATCH", from, to)
		var a, b int
		fmt.Sscanf(c.ask("MGET", from, to), "*2\r\n$%d\r\n%d\r\n$%d\r\n%d", new(int), &a, new(int), &b)
		c.ask("MULTI")
		c.ask("MSET", from, fmt.Sprint(a-5), to, fmt.Sprint(b+5))
		c.ask("EXEC")
	}
}

func TestTransactionModes(t *testing.T) {
	const shards = 16
	a, b := "a", ""
	for i := 0; b == ""; i++ {
		if k := fmt.Sprint(i); shardOf(k, shards) != shardOf(a, shards) {
			b = k
		}
	}
	for _, topology := range []string{"shared", "thread-local", "direct-shard", "routed", "engine"} {
		t.Run(topology, func(t *testing.T) {
			in := open(t, Config{Topology: topology, Shards: shards, Transactions: "shard_local"})
			got := conversation(t, in.Addr().String(), [][]string{
				{"MULTI"}, {"SET", a, "1"}, {"INCR", a}, {"PING"}, {"EXEC"},
				{"MULTI"}, {"SET", a, "7"}, {"SET", b, "7"}, {"EXEC"}, {"EXEC"}, {"MGET", a, b},
				{"MULTI"}, {"DBSIZE"}, {"EXEC"}, {"WATCH", b}, {"MULTI"}, {"GET", a}, {"EXEC"},
			}, 1)
			const crossed = "-CROSSSLOT Keys in request don't hash to the same shard\r\n"
			mustEqual(t, got, []string{
				"+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "*3\r\n+OK\r\n:2\r\n+PONG\r\n",
				"+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", crossed, "-ERR EXEC without MULTI\r\n", "*2\r\n$1\r\n2\r\n$-1\r\n",
				"+OK\r\n", "+QUEUED\r\n", crossed, "+OK\r\n", "+OK\r\n", "+QUEUED\r\n", crossed,
			})
			in = open(t, Config{Topology: topology, Shards: shards, Transactions: "disabled"})
			for _, req := range [][]string{{"MULTI"}, {"EXEC"}, {"DISCARD"}, {"WATCH", a, b}, {"UNWATCH"}} {
				mustEqual(t, conversation(t, in.Addr().String(), [][]string{req}, 1), []string{"-ERR transactions are disabled\r\n"})
			}
		})
	}
	if _, err := (Config{Topology: "shared", Transactions: "some"}).Resolve(); err == nil || !strings.Contains(err.Error(), "shard_local") {
		t.Errorf("mode some: %v", err)
	}
}

func TestDirectPortsHaveNoTransactions(t *testing.T) {
	in := open(t, Config{Topology: "direct-shard", Shards: 2, Workers: 1})
	for _, req := range [][]string{{"MULTI"}, {"EXEC"}, {"DISCARD"}, {"WATCH", "a", "b", "c"}, {"UNWATCH"}} {
		got := conversation(t, in.DirectAddrs()[0].String(), [][]string{req}, 1)
		mustEqual(t, got, []string{"-ERR transactions are not supported on direct shard RESP ports\r\n"})
	}
	const wide = "-ERR keyspace-wide commands are not supported on direct shard ports; use the public port\r\n"
	for _, req := range [][]string{{"KEYS", "*"}, {"SCAN", "0"}, {"RANDOMKEY"}, {"FLUSHALL"}, {"FLUSHDB"}, {"DBSIZE"}} {
		mustEqual(t, conversation(t, in.DirectAddrs()[1].String(), [][]string{req}, 1), []string{wide})
	}
}

// A watched key whose time comes counts as changed, also when nobody has removed it yet.
func TestWatchedKeyExpires(t *testing.T) {
	eachTopology(t, func(t *testing.T, in *Instance) {
		c := dial(t, in.Addr().String())
		mustEqual(t, []string{c.ask("SET", "k", "v", "PX", "40"), c.ask("WATCH", "k"), c.ask("MULTI"), c.ask("PING")},
			[]string{"+OK\r\n", "+OK\r\n", "+OK\r\n", "+QUEUED\r\n"})
		other := dial(t, in.Addr().String())
		for other.ask("PTTL", "k") != ":-2\r\n" {
		}
		mustEqual(t, []string{c.ask("EXEC"), c.ask("WATCH", "k"), c.ask("MULTI"), c.ask("PING"), c.ask("EXEC")},
			[]string{"*-1\r\n", "+OK\r\n", "+OK\r\n", "+QUEUED\r\n", "*1\r\n+PONG\r\n"})
	})
}

// What is queued is bounded, and too much of it spoils the transaction.
func TestTransactionIsBounded(t *testing.T) {
	in := open(t, Config{Topology: "thread-local"})
	c := dial(t, in.Addr().String())
	c.ask("MULTI")
	value := strings.Repeat("x", 9<<20)
	queued := 0
	for c.ask("SET", "k", value) == "+QUEUED\r\n" {
		queued++
	}
	if queued != 7 {
		t.Errorf("%d values of 9 MiB were queued", queued)
	}
	mustEqual(t, []string{c.ask("EXEC"), c.ask("EXISTS", "k")},
		[]string{"-EXECABORT Transaction discarded because of previous errors.\r\n", ":0\r\n"})
}
