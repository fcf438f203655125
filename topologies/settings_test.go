package topologies

import (
	"math/bits"
	"strings"
	"testing"
)

func TestRefusals(t *testing.T) {
	check := func(cfg Config, want string) {
		t.Helper()
		cfg.Bind = "127.0.0.1:0"
		_, err := Open(cfg)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v; want %s", cfg, err, want)
		}
	}
	check(Config{Topology: "stripped"}, `unknown topology "stripped"; have shared, shard-arc, thread-local, multi-direct`)
	check(Config{Topology: "shared", Transport: "uring"}, `unknown transport "uring"; have epoll, netpoll`)
	check(Config{Topology: "thread-local", Transport: "netpoll"}, "topology thread-local cannot use transport netpoll: "+
		"the owner thread is the event loop, and goroutines would be other owners; use epoll")
	check(Config{Topology: "multi-direct", Transport: "netpoll"}, "topology multi-direct cannot use transport netpoll")
	check(Config{Topology: "direct-shard", Transport: "netpoll"}, "topology direct-shard cannot use transport netpoll")
	check(Config{Topology: "direct-shard", Lock: "mutex"}, "lock mutex: boundary owned has no locks")
	check(Config{Topology: "shared", Lock: "spin"}, `unknown lock "spin"; have rwmutex, mutex, rbmutex`)
	check(Config{Topology: "shared", LockScope: "all"}, `unknown lock scope "all"; have batch, shard, op`)
	check(Config{Topology: "thread-local", Lock: "mutex"}, "lock mutex: boundary owned has no locks")
	check(Config{Topology: "thread-local", Boundary: "shared"}, "topology thread-local cannot have boundary shared; use owned")
	check(Config{Topology: "shared", Boundary: "owned"}, "topology shared cannot have boundary owned; use shared or per-shard")
	check(Config{Topology: "shared", Route: "tag"}, `unknown route "tag"; have full_key, session_prefix`)
	check(Config{Topology: "shared", CrossShard: "reject"}, "cross shard reject: topology shared has no owners to route to")
	check(Config{Topology: "shared", Pin: "on"}, "pin on: with transport netpoll connections are goroutines")
	check(Config{Topology: "null", Route: "full_key"}, "route full_key: topology null has no shards to route to")
	check(Config{Topology: "thread-local", Workers: 2}, "topology thread-local has one owner thread, not 2")
	check(Config{Topology: "direct-shard", Workers: 9, Shards: 8}, "9 workers for 8 shards would leave 1 without work")
	check(Config{Topology: "shared", Shards: 12}, "shards: 12 is not a power of two")
	check(Config{Topology: "shared", Shards: 1 << 20}, "shards: 1048576 is not a power of two from 1 to 16384")
	check(Config{Topology: "shared", Workers: -1}, "workers: -1 is not a number from 1 to 1024")
}

func TestPresets(t *testing.T) {
	for _, topo := range All() {
		in := open(t, Config{Topology: topo.Name})
		s := in.Settings
		shards := DefaultShards
		if topo.shardPerWorker {
			shards = 1 << bits.Len(uint(s.Workers-1))
		}
		if s.Transport != topo.Transports[0] || s.Shards != shards || s.Workers < 1 || s.Boundary != topo.Boundary {
			t.Errorf("%s: %+v", topo.Name, s)
		}
	}
}

// What a server was started with can be asked of it, passwords aside.
func TestOptionsAreShown(t *testing.T) {
	in := open(t, Config{Topology: "shared", Lock: "mutex", LockScope: "op", Pin: PinOff})
	got := conversation(t, in.Addr().String(), [][]string{{"CONFIG", "GET", "shardlab-lock*"}, {"CONFIG", "GET", "shardlab-requirepass"},
		{"INFO", "topology"}}, 1)
	mustEqual(t, got[:2], []string{"*4\r\n$13\r\nshardlab-lock\r\n$5\r\nmutex\r\n$19\r\nshardlab-lock-scope\r\n$2\r\nop\r\n", "*0\r\n"})
	for _, line := range []string{"lock:mutex\r\n", "lock_scope:op\r\n", "lock_waits:", "lock_wait_usec:"} {
		if !strings.Contains(got[2], line) {
			t.Errorf("INFO topology has no %q: %s", line, got[2])
		}
	}
}

// Every option is read from the text that it shows, and what it shows is what was read.
func TestOptionsReadWhatTheyShow(t *testing.T) {
	texts := map[string]string{"bind": "127.0.0.1:7000", "requirepass": "secret", "http": "127.0.0.1:0", "admin": "127.0.0.1:0"}
	for _, o := range Options() {
		if o.Name == "unix-socket" { // another way to say bind
			continue
		}
		text := texts[o.Name]
		switch o.Kind {
		case kindWord:
			text = o.Words[len(o.Words)-1]
		case kindCount, kindSize:
			text = "8"
		case kindDuration:
			text = "3s"
		case kindSwitch:
			text = "true"
		}
		if text == "" {
			t.Errorf("%s: this test knows no value", o.Name)
		}
		var c Config
		if err := o.Set(&c, text); err != nil {
			t.Errorf("%s: %v", o.Name, err)
		}
		set := Settings{Transport: c.Transport, Boundary: c.Boundary, Shards: c.Shards, Workers: c.Workers, Pinned: c.Pin == PinOn,
			Lock: c.Lock, LockScope: c.LockScope, Route: c.Route, CrossShard: c.CrossShard, Transactions: c.Transactions}
		if got := o.Show(&c, &set); got != text {
			t.Errorf("%s: shows %q for %q", o.Name, got, text)
		}
		if o.Kind != kindText {
			for _, bad := range []string{"", "nonsense", "-1", "99999999999999999999"} {
				if err := o.Set(new(Config), bad); err == nil {
					t.Errorf("%s takes %q", o.Name, bad)
				}
			}
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "64": 64, "64B": 64, "64KiB": 64 << 10, "64MiB": 64 << 20, "64mb": 64 << 20, "1k": 1000,
		"1kb": 1024, "3m": 3e6, "2G": 2e9, "2GB": 2 << 30, "2GiB": 2 << 30} {
		if n, err := parseSize(text); n != want || err != nil {
			t.Errorf("%s: %d, %v; want %d", text, n, err, want)
		}
	}
	for _, bad := range []string{"", "mb", "64zz", "64 mb", "-1", "1.5gb", "64iB", "64KiBMiB", "0x10"} {
		if n, err := parseSize(bad); err == nil {
			t.Errorf("%q is read as %d", bad, n)
		}
	}
	if err := new(Config).Set("max_bulk", "1gb"); err == nil || err.Error() != "1gb is more than 536870912 bytes" {
		t.Errorf("max_bulk: %v", err)
	}
}

func TestPinning(t *testing.T) {
	check := func(c Config, want bool) {
		t.Helper()
		c.Topology = "multi-direct"
		if s, err := c.Resolve(); err != nil || s.Pinned != want {
			t.Errorf("%+v: pinned %v, %v", c, s.Pinned, err)
		}
	}
	check(Config{Workers: 2}, false)
	check(Config{Workers: 2, CPUs: []int{0, 1}}, true)
	check(Config{Workers: 1, CPUs: []int{0}}, false)
	check(Config{Workers: 1, Pin: PinOn}, true)
	check(Config{Workers: 2, CPUs: []int{0, 1}, Pin: PinOff}, false)
	open(t, Config{Topology: "multi-direct", Pin: PinOn}) // on the processors that there are
}
