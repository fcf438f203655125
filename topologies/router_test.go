package topologies

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// keysOf returns n keys of one shard.
func keysOf(shard, shards, n int) (keys []string) {
	for i := 0; len(keys) < n; i++ {
		if k := fmt.Sprintf("of:%d", i); shardOf(k, shards) == shard {
			keys = append(keys, k)
		}
	}
	return keys
}

// With --cross-shard reject, commands that touch several shards are refused, in order with the others, and do nothing;
// those of one shard, however many keys, and what only counts are answered.
func TestCrossShardReject(t *testing.T) {
	const refused = "-ERR routed public embedded server only accepts single-shard commands\r\n"
	for _, form := range []Config{
		{Topology: "routed", Workers: 1}, {Topology: "routed", Workers: 2}, {Topology: "routed", Workers: 2, Boundary: "shared"},
		{Topology: "direct-shard", Workers: 2}, {Topology: "engine"}, {Topology: "engine", Transport: "epoll", Workers: 2},
	} {
		form.Shards, form.CrossShard = 4, "reject"
		t.Run(strings.Join([]string{form.Topology, form.Transport, form.Boundary, fmt.Sprint(form.Workers)}, "/"), func(t *testing.T) {
			in := open(t, form)
			a, b := keysOf(1, 4, 2), keysOf(2, 4, 2)
			requests := [][]string{
				{"SET", a[0], "1"}, {"MSET", a[0], "2", b[0], "2"}, {"GET", a[0]}, {"MGET", a[0], b[0]}, {"MSET", a[0], "3", a[1], "3"},
				{"MGET", a[1], a[0]}, {"DEL", a[0], b[0]}, {"EXISTS", a[0], a[1]}, {"RENAME", a[0], b[0]}, {"RENAME", a[0], a[1]},
				{"MSETNX", b[0], "1", a[0], "1"}, {"MSETNX", b[0], "1", b[1], "1"}, {"KEYS", "*"}, {"RANDOMKEY"}, {"FLUSHALL"},
				{"DBSIZE"}, {"PING"}, {"MULTI"}, {"GET", a[0]}, {"EXEC"}, {"MGET"},
			}
			got := conversation(t, in.Addr().String(), requests, 1)
			mustEqual(t, got, []string{
				"+OK\r\n", refused, "$1\r\n1\r\n", refused, "+OK\r\n",
				"*2\r\n$1\r\n3\r\n$1\r\n3\r\n", refused, ":2\r\n", refused, "+OK\r\n",
				refused, ":1\r\n", refused, refused, refused,
				":3\r\n", "+PONG\r\n", "+OK\r\n", "+QUEUED\r\n", "*1\r\n$-1\r\n",
				"-ERR wrong number of arguments for 'mget' command\r\n",
			})
		})
	}
}

// INFO counts messages between threads, what they carried, and loans; where everything is local there are none.
func TestHopsAreCounted(t *testing.T) {
	for _, workers := range []int{1, 2} {
		in := open(t, Config{Topology: "direct-shard", Workers: workers, Shards: 2})
		a, b := keysOf(0, 2, 8), keysOf(1, 2, 8)
		c := dial(t, in.Addr().String())
		var requests [][]string
		for _, k := range slices.Concat(a, b) {
			requests = append(requests, []string{"SET", k, "v"})
		}
		c.do(requests...)
		c.do([]string{"RENAME", a[0], b[0]})
		hops := in.host.router.hops()
		if workers == 1 {
			if hops != (HopCounts{}) {
				t.Errorf("with one worker: %+v", hops)
			}
			continue
		}
		// The pipeline may have arrived in several pieces, each with a message for the other worker, or none.
		if hops.Parts != 8 || hops.Messages() < 1 || hops.Messages() > 8 || hops.Loans != 1 {
			t.Errorf("%+v; want 8 parts and a loan", hops)
		}
		info := c.do([]string{"INFO", "topology"})[0]
		for _, field := range []string{"\r\nhops:", "\r\nhop_batch_avg:", "\r\nloans:1\r\n"} {
			if !strings.Contains(info, field) {
				t.Errorf("no %q in %q", field, info)
			}
		}
	}
}

// Owners that are goroutines can be pinned too, to processors that are given or all there are.
func TestEngineOwnersCanBePinned(t *testing.T) {
	for _, transport := range []string{"netpoll", "epoll"} {
		in := open(t, Config{Topology: "engine", Transport: transport, Shards: 2, Workers: 1, Pin: PinOn})
		if !in.Settings.Pinned {
			t.Errorf("%s: not pinned", transport)
		}
		got := conversation(t, in.Addr().String(), [][]string{{"SET", "k", "v"}, {"GET", "k"}}, 1)
		mustEqual(t, got, []string{"+OK\r\n", "$1\r\nv\r\n"})
	}
	if in, err := Open(Config{Topology: "engine", Bind: "127.0.0.1:0", Shards: 2, Pin: PinOn, CPUs: []int{1023}}); err == nil {
		t.Error("pinned to a processor that is not there")
		in.Shutdown(t.Context())
	}
}
