package topologies

import (
	"context"
	"flag"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/shardlab/shardlab/server"
)

var long = flag.Bool("long", false, "run the conformance streams with a million requests for each topology and transport")

func TestMain(m *testing.M) {
	// fasthttp keeps the text of the Date field current for as long as the process lives.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}

// streams are the seeds and the length of the conformance streams, and the variants that they are run on: few and short ones on
// all variants, or with -long a million requests on one variant of each topology and transport.
func streams() (seeds []uint64, length int, on []variant) {
	if !*long {
		return []uint64{0, 1}, 2000, variants()
	}
	for i := range uint64(100) {
		seeds = append(seeds, i)
	}
	for _, v := range variants() {
		if last := len(on) - 1; last < 0 || v.topology != on[last].topology || v.transport != on[last].transport {
			on = append(on, v)
		} else if v.workers == 2 && on[last].workers == 1 {
			on[last] = v
		}
	}
	return seeds, 10_000, on
}

// variant is a topology in one of its forms.
type variant struct {
	topology, transport          string
	workers, shards              int
	lock, scope, boundary, route string
}

func (v variant) String() string {
	name := fmt.Sprintf("%s/%s/%dw/%ds", v.topology, v.transport, v.workers, v.shards)
	for _, factor := range []string{v.lock, v.scope, v.boundary, v.route} {
		if factor != "" {
			name += "/" + factor
		}
	}
	return name
}

// variants are all topologies that hold data, over all transports they can use, with one worker and with several.
func variants() (vs []variant) {
	for _, topo := range All() {
		if topo.Responder {
			continue
		}
		for _, transport := range topo.Transports {
			for _, form := range [][2]int{{1, 16}, {2, 16}, {3, 8}, {1, 1}, {4, 64}} {
				if _, err := topo.workers(form[0], form[1], 2); err == nil {
					vs = append(vs, variant{topology: topo.Name, transport: transport, workers: form[0], shards: form[1]})
				}
			}
		}
		vs = append(vs, factors(topo)...)
	}
	return vs
}

// scnpVariants are those that know SCNP: redcon parses requests itself.
func scnpVariants() []variant {
	return slices.DeleteFunc(variants(), func(v variant) bool { return v.transport == server.Redcon })
}

// factors are the forms of a topology in which one factor is not the preset's.
func factors(topo *Topology) (vs []variant) {
	form := variant{topology: topo.Name, transport: topo.Transports[0], workers: 2, shards: 8}
	if _, err := topo.workers(form.workers, form.shards, 2); err != nil {
		form.workers = 1
	}
	add := func(change func(v *variant)) {
		v := form
		change(&v)
		vs = append(vs, v)
	}
	add(func(v *variant) { v.route = "session_prefix" })
	if _, err := topo.workers(4, 2, 2); err == nil && topo.routes { // two of them own nothing
		add(func(v *variant) { v.workers, v.shards = 4, 2 })
	}
	for _, b := range topo.boundaries {
		add(func(v *variant) { v.boundary = b })
	}
	if topo.Boundary == boundaryOwned {
		return vs
	}
	for _, l := range lockNames {
		for _, s := range lockScopeNames {
			if topo == multiDirect || l == lockRB || s == scopeNameBatch { // all of them once, the others as far as they differ
				add(func(v *variant) { v.lock, v.scope = l, s })
			}
		}
	}
	return vs
}

func open(t *testing.T, cfg Config) *Instance {
	t.Helper()
	cfg.Bind = "127.0.0.1:0"
	in, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := in.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	})
	return in
}

func (v variant) open(t *testing.T) *Instance { return open(t, v.config()) }

// forms are one variant of each topology over each transport, with several workers where there can be.
func forms() (fs []variant) {
	for _, v := range variants() {
		i := slices.IndexFunc(fs, func(f variant) bool { return f.topology == v.topology && f.transport == v.transport })
		switch {
		case i < 0:
			fs = append(fs, v)
		case v.workers > 1 && fs[i].workers == 1:
			fs[i] = v
		}
	}
	return fs
}

func (v variant) config() Config {
	return Config{Topology: v.topology, Bind: "127.0.0.1:0", Transport: v.transport, Workers: v.workers, Shards: v.shards,
		Lock: v.lock, LockScope: v.scope, Boundary: v.boundary, Route: v.route}
}

// TestRepliesAgree: every topology over every transport gives the same replies to one seeded stream.
func TestRepliesAgree(t *testing.T) {
	seeds, length, on := streams()
	for _, seed := range seeds {
		requests := newConnectionStream(seed).take(length)
		var want []string
		var first variant
		for _, v := range on {
			t.Run(fmt.Sprintf("seed=%d/%s", seed, v), func(t *testing.T) {
				got := conversation(t, v.open(t).Addr().String(), requests, seed)
				if want == nil {
					want, first = got, v
				}
				mustAgree(t, requests, got, want, first.String())
			})
		}
	}
}

// TestRedisAgrees holds the replies against the server whose replies they claim to be.
func TestRedisAgrees(t *testing.T) {
	addr := startRedis(t)
	in := open(t, Config{Topology: "thread-local"})
	seeds, length, _ := streams()
	for _, seed := range seeds {
		requests := append([][]string{{"FLUSHALL"}}, newConnectionStream(100+seed).take(length)...)
		want := conversation(t, addr, requests, seed)
		got := conversation(t, in.Addr().String(), requests, seed)
		mustAgree(t, requests, got, want, "redis-server")
	}
}

// startRedis runs a redis-server for the test, on a port of the kernel's choosing as far as Redis allows it.
func startRedis(t *testing.T) (addr string) {
	t.Helper()
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not on the PATH (apt-get install redis-server): the replies are not held against it")
	}
	for range 5 { // the port may be taken between our asking for it and Redis's binding it
		port := freePort(t)
		cmd := exec.Command(bin, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
			"--databases", "1")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if waitForLine(out, "Ready to accept connections") {
			t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
			return "127.0.0.1:" + port
		}
		cmd.Process.Kill()
		cmd.Wait()
	}
	t.Fatal("redis-server did not start")
	return ""
}

// Direct shard ports: each answers for its shard exactly, and says so for every other.
func TestDirectPorts(t *testing.T) {
	for _, workers := range []int{1, 3, 8} {
		in := open(t, Config{Topology: "direct-shard", Shards: 8, Workers: workers})
		if n := len(in.DirectAddrs()); n != 8 {
			t.Fatalf("%d direct ports for 8 shards", n)
		}
		for i := range 40 {
			key := fmt.Sprintf("key:%d", i)
			home := shardOf(key, 8)
			for shard, addr := range in.DirectAddrs() {
				want := []string{"+OK\r\n", "$1\r\nv\r\n", ":1\r\n"}
				if shard != home {
					want = slices.Repeat([]string{"-ERR direct shard route mismatch\r\n"}, 3)
				}
				got := conversation(t, addr.String(), [][]string{{"SET", key, "v"}, {"GET", key}, {"EXISTS", key}}, 1)
				mustEqual(t, got, want)
			}
			got := conversation(t, in.Addr().String(), [][]string{{"GET", key}, {"DEL", key}}, 1)
			mustEqual(t, got, []string{"$1\r\nv\r\n", ":1\r\n"})
		}
	}
}

func TestDirectPortRefusals(t *testing.T) {
	in := open(t, Config{Topology: "direct-shard", Shards: 2, Workers: 1})
	var mine, other string
	for i := 0; mine == "" || other == ""; i++ {
		if k := fmt.Sprintf("key:%d", i); shardOf(k, 2) == 0 {
			mine = k
		} else {
			other = k
		}
	}
	got := conversation(t, in.DirectAddrs()[0].String(), [][]string{
		{"MSET", mine, "1", other, "2"}, {"EXISTS", mine}, {"MGET", mine, other}, {"MSET", mine, "1"}, {"MGET", mine},
		{"DBSIZE"}, {"FLUSHALL"}, {"PING"},
	}, 1)
	const mismatch = "-ERR direct shard route mismatch\r\n"
	const wide = "-ERR keyspace-wide commands are not supported on direct shard ports; use the public port\r\n"
	mustEqual(t, got, []string{mismatch, ":0\r\n", mismatch, "+OK\r\n", "*1\r\n$1\r\n1\r\n", wide, wide, "+PONG\r\n"})
	info := conversation(t, in.DirectAddrs()[0].String(), [][]string{{"INFO", "keyspace"}}, 1)
	if !strings.Contains(info[0], "db0:keys=1,") {
		t.Errorf("INFO on a direct port: %q", info[0])
	}
}

func TestDirectPortRange(t *testing.T) {
	check := func(bind string, shards, first int, want string) {
		t.Helper()
		in, err := Open(Config{Topology: "direct-shard", Bind: bind, Shards: shards, DirectPort: first})
		if err == nil {
			in.Shutdown(context.Background())
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("bind %s, %d shards from %d: got %v; want %s", bind, shards, first, err, want)
		}
	}
	check("127.0.0.1:65535", 1, 0, "direct shard port range overflows u16")
	check("127.0.0.1:7000", 16, 65530, "direct shard port range overflows u16")
	check("127.0.0.1:7005", 16, 7000, "direct shard port range 7000-7015 overlaps public port 7005")
	// A port that is taken fails the start, and leaves nothing open: goleak sees to that.
	taken := open(t, Config{Topology: "shared"}).Addr().String()
	port := taken[strings.LastIndexByte(taken, ':')+1:]
	check("127.0.0.1:0", 1, atoi(t, port), "address already in use")
}

// With several loops and several connections at once, a public port must still keep each connection's own order.
func TestConcurrentConnectionsKeepTheirOrder(t *testing.T) {
	for _, v := range variants() {
		if v.workers < 2 {
			continue
		}
		t.Run(v.String(), func(t *testing.T) {
			addr := v.open(t).Addr().String()
			done := make(chan struct{})
			for c := range 6 {
				go func() {
					defer func() { done <- struct{}{} }()
					var requests [][]string
					var want []string
					for i := range 600 {
						k := fmt.Sprintf("c%d:%d", c, i%7)
						val := fmt.Sprint(i)
						requests = append(requests, []string{"SET", k, val}, []string{"GET", k}, []string{"MGET", k, "absent"})
						bulk := fmt.Sprintf("$%d\r\n%s\r\n", len(val), val)
						want = append(want, "+OK\r\n", bulk, "*2\r\n"+bulk+"$-1\r\n")
					}
					mustEqual(t, conversation(t, addr, requests, uint64(c)), want)
				}()
			}
			for range 6 {
				<-done
			}
		})
	}
}

// MSET and MGET of the same keys from many connections: no reader may see half of a write where the shards are locked.
func TestMultiKeyCommandsAreAtomicUnderLocks(t *testing.T) {
	for _, v := range variants() {
		if topo, err := Lookup(v.topology); err != nil || v.workers != 2 || topo.routes { // routed ones send each owner its keys
			continue
		}
		t.Run(v.String(), func(t *testing.T) {
			addr := v.open(t).Addr().String()
			set := func(v string) []string { return []string{"MSET", "a", v, "b", v, "c", v, "d", v} }
			conversation(t, addr, [][]string{set("0")}, 0)
			done := make(chan struct{})
			for w := range 2 {
				go func() {
					conversation(t, addr, slices.Repeat([][]string{set(fmt.Sprint(w))}, 500), 0)
					done <- struct{}{}
				}()
			}
			for _, reply := range conversation(t, addr, slices.Repeat([][]string{{"MGET", "a", "b", "c", "d"}}, 500), 0) {
				if v := strings.Split(reply, "\r\n"); v[2] != v[4] || v[4] != v[6] || v[6] != v[8] {
					t.Errorf("torn: %q", reply)
				}
			}
			<-done
			<-done
		})
	}
}

// Replies beyond what is gathered before a write, and commands with more keys than a session keeps room for: owners stop
// and go on, and what they made is still merged in the order of the requests.
func TestLargeRepliesAndManyKeys(t *testing.T) {
	requests, want := largeExchange()
	for _, v := range variants() {
		t.Run(v.String(), func(t *testing.T) {
			got := conversation(t, v.open(t).Addr().String(), requests, 3)
			mustAgree(t, requests, got, want, "a plain reading")
		})
	}
}

// largeExchange is requests with long replies, and the replies.
func largeExchange() (requests [][]string, want []string) {
	const keys = maxKept + 100
	mset, mget := []string{"MSET"}, []string{"MGET"}
	many := fmt.Sprintf("*%d\r\n", keys)
	for i := range keys {
		k := fmt.Sprintf("small:%d", i)
		mset, mget = append(mset, k, k), append(mget, k)
		many += fmt.Sprintf("$%d\r\n%s\r\n", len(k), k)
	}
	requests, want = [][]string{mset, mget}, []string{"+OK\r\n", many}
	all, gets := []string{"MGET"}, fmt.Sprintf("*%d\r\n", 40)
	for i := range 40 { // 2.5 MB in all, several times what is gathered
		k, v := fmt.Sprintf("large:%d", i), strings.Repeat(string(rune('a'+i%26)), 64<<10)
		requests, want = append(requests, []string{"SET", k, v}), append(want, "+OK\r\n")
		all, gets = append(all, k), gets+fmt.Sprintf("$%d\r\n%s\r\n", len(v), v)
	}
	for range 2 {
		for i := range 40 {
			bulk := fmt.Sprintf("$%d\r\n%s\r\n", 64<<10, strings.Repeat(string(rune('a'+i%26)), 64<<10))
			requests, want = append(requests, []string{"GET", all[i+1]}), append(want, bulk)
		}
		requests, want = append(requests, all, mget), append(want, gets, many)
	}
	return requests, want
}
