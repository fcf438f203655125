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
