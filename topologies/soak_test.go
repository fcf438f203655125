package topologies

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/server/wire/scnp"
)

var soakTime = flag.Duration("soak", 0, "how long TestSoak runs over all topologies together (default: some seconds)")

// TestSoak has a server of each topology in turn live through what clients do: mixed commands with checked content over every
// protocol and in process, connections that come and go, break off and are killed, readers that do not read, garbage, expiry, and a memory
// limit that evicts. Afterwards no value was wrong, and no goroutine, descriptor or byte is left.
//
//	go test ./topologies -run Soak -soak 10m -timeout 20m
func TestSoak(t *testing.T) {
	all := forms()
	each := 300 * time.Millisecond
	if *soakTime > 0 {
		each = *soakTime / time.Duration(len(all))
	}
	warmUp(t)
	for i, v := range all {
		t.Run(v.String(), func(t *testing.T) {
			before := takeStock(t)
			runSoak(t, v.config(), uint64(i), each)
			before.compare(t)
		})
	}
}

// soaker is one run against one server. Its actors work until the deadline.
type soaker struct {
	t        *testing.T
	in       *Instance
	deadline time.Time
	ids      chan int64 // of connections that may be killed
}

// soakLimit is a fraction of what is written, in bytes. A shard that has nothing to evict may go over it by 1/64 until others give way: that
// holds the largest values here, or writes would rightly be refused.
const soakLimit = 4 << 20

func runSoak(t *testing.T, cfg Config, seed uint64, d time.Duration) {
	cfg.Bind, cfg.HTTP, cfg.Admin = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	cfg.MaxMemory, cfg.MaxMemoryPolicy = soakLimit, "allkeys-lru"
	in, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := &soaker{t: t, in: in, deadline: time.Now().Add(d), ids: make(chan int64, 16)}
	empty := s.memory()
	var all sync.WaitGroup
	for id, act := range s.actors() {
		all.Go(func() { act(strconv.Itoa(id), rand.New(rand.NewPCG(seed, uint64(id)))) })
	}
	all.Wait()
	f := in.fronts.figures.read()
	var expired, evicted int64
	for _, sh := range f.Shards {
		expired, evicted = expired+sh.Expired, evicted+sh.Evicted
	}
	t.Logf("%d commands, %d hits, %d misses, %d expired, %d evicted; %d connections, %d HTTP responses 2xx", in.host.counts().Commands,
		f.Hits, f.Misses, expired, evicted, f.Fronts[0].Accepted, f.HTTPResponses[2])
	s.mustBeEmpty(empty)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := in.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

// actors are what goes on at the same time.
func (s *soaker) actors() []func(id string, rng *rand.Rand) {
	overRESP := func(id string, rng *rand.Rand) { s.check(id, rng, s.dialRESP) }
	inProcess := func(id string, rng *rand.Rand) { s.check(id, rng, s.openCaller) }
	return []func(string, *rand.Rand){
		overRESP, overRESP, overRESP, inProcess, inProcess, s.overSCNP, s.overHTTP, s.overHTTP,
		s.churn, s.churn, s.kill, s.neverRead, s.neverRead, s.garbage, s.scrape,
	}
}

func (s *soaker) over() bool { return !time.Now().Before(s.deadline) || s.t.Failed() }

// dial connects. What blocks ends with the run, or is reported as hanging by who needs it not to.
func (s *soaker) dial(addr net.Addr) *net.TCPConn {
	nc, err := net.Dial("tcp", addr.String())
	if err != nil {
		s.t.Errorf("dial: %v", err)
		return nil
	}
	nc.SetDeadline(s.deadline.Add(20 * time.Second))
	return nc.(*net.TCPConn)
}

// overSCNP reads and writes with the client of that protocol, through direct shard ports where there are any.
func (s *soaker) overSCNP(id string, rng *rand.Rand) {
	if s.in.Settings.Transport == server.Redcon { // it knows RESP only
		return
	}
	var opts scnp.Options
	for _, a := range s.in.DirectAddrs() {
		opts.ShardAddrs = append(opts.ShardAddrs, a.String())
	}
	c, err := scnp.Dial(s.t.Context(), s.in.Addr().String(), opts)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer c.Close()
	keys := soakKeys{}
	for n := 0; !s.over(); n++ {
		key := "v" + id + ":" + strconv.Itoa(rng.IntN(500))
		k := keys.at(key)
		if rng.IntN(2) == 0 {
			value := soakValue(key, n, rng.IntN(2000))
			if err := c.Set(s.t.Context(), []byte(key), []byte(value)); err != nil {
				s.t.Errorf("SCNP SET %s: %v", key, err)
				return
			}
			*k = soakKey{value: value}
			continue
		}
		got, ok, err := c.Get(s.t.Context(), []byte(key))
		if problem := k.saw(string(got), ok, 0); problem != "" || err != nil {
			s.t.Errorf("SCNP GET %s: %s %v", key, problem, err)
			return
		}
	}
}

// memory is what SHARDS sums up.
func (s *soaker) memory() (sum struct{ entries, stored, reserved int64 }) {
	c := s.in.NewCaller()
	defer c.Close()
	f := figures{shards: c}
	shards := f.perShard()
	if len(shards) != s.in.Settings.Shards {
		s.t.Fatalf("SHARDS: %d of %d shards", len(shards), s.in.Settings.Shards)
	}
	for _, sh := range shards {
		sum.entries, sum.stored, sum.reserved = sum.entries+sh.Entries, sum.stored+sh.Stored, sum.reserved+sh.Reserved
	}
	return sum
}

// mustBeEmpty flushes; then the memory must be what it was before anything was stored.
func (s *soaker) mustBeEmpty(before struct{ entries, stored, reserved int64 }) {
	if full := s.memory(); full.entries == 0 || full.stored > soakLimit+soakLimit/8 {
		s.t.Errorf("%d entries of %d bytes at the end; the limit is %d", full.entries, full.stored, soakLimit)
	}
	c := s.in.NewCaller()
	defer c.Close()
	if got := do(s.t, c, "FLUSHALL"); got != "OK" {
		s.t.Errorf("FLUSHALL: %s", got)
	}
	if after := s.memory(); after != before {
		s.t.Errorf("memory %+v after FLUSHALL, %+v at the start", after, before)
	}
	if used := s.in.host.budget.Used(); used > soakLimit/64 {
		s.t.Errorf("%d bytes count for the limit after FLUSHALL", used)
	}
}

// stock is what a process holds.
type stock struct {
	goroutines goleak.Option
	files      int
	rss        int64
}

// warmUp makes what the process opens only once.
func warmUp(t *testing.T) {
	in := open(t, Config{Topology: "shared", HTTP: "127.0.0.1:0"})
	conversation(t, in.Addr().String(), [][]string{{"PING"}}, 1)
	nc, err := net.Dial("tcp", in.HTTPAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	fmt.Fprint(nc, "GET /v1/keys/k HTTP/1.1\r\nHost: x\r\n\r\n")
	nc.Read(make([]byte, 1))
}

func takeStock(t *testing.T) stock {
	t.Helper()
	debug.FreeOSMemory()
	return stock{goleak.IgnoreCurrent(), openFiles(t), residentBytes(t)}
}

func (before stock) compare(t *testing.T) {
	t.Helper()
	if err := goleak.Find(before.goroutines); err != nil {
		t.Error(err)
	}
	after := takeStock(t)
	if after.files != before.files {
		t.Errorf("%d open descriptors, %d at the start", after.files, before.files)
	}
	// The limit, what clients and sockets had in flight, and what the Go runtime does not give back at once.
	if grown := after.rss - before.rss; grown > 64<<20 && !raceDetector {
		t.Errorf("%d MiB more resident than at the start", grown>>20)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func residentBytes(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages := strings.Fields(string(text))[1]
	return int64(atoi(t, pages)) * int64(os.Getpagesize())
}
