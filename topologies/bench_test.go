package topologies

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/server/wire"
)

// BenchmarkBatch executes batches of GET and SET (90/10, random keys, values of 64 bytes) on one session, without sockets: what a boundary
// and its lock scope cost, and what looking ahead is worth. ns/req is a request's share.
func BenchmarkBatch(b *testing.B) {
	forms := []struct {
		name string
		cfg  Config
	}{
		{"owned", Config{Topology: "thread-local"}},
		{"op", Config{Topology: "multi-direct", Workers: 1, LockScope: "op"}},
		{"shard", Config{Topology: "multi-direct", Workers: 1, LockScope: "shard"}},
		{"batch", Config{Topology: "multi-direct", Workers: 1, LockScope: "batch"}},
		{"mutex", Config{Topology: "multi-direct", Workers: 1, LockScope: "op", Lock: "mutex"}},
		{"rbmutex", Config{Topology: "multi-direct", Workers: 1, LockScope: "op", Lock: "rbmutex"}},
	}
	for _, keys := range []int{1_000, 100_000, 1_000_000} {
		for _, f := range forms {
			sess := preloaded(b, f.cfg, keys)
			for _, size := range []int{1, 4, 16, 64} {
				b.Run(fmt.Sprintf("keys=%d/batch=%d/%s", keys, size, f.name), func(b *testing.B) {
					reqs := randomRequests(keys)
					var batch wire.Batch
					b.ReportAllocs()
					for at := 0; b.Loop(); at = (at + size) % (len(reqs) - size) {
						batch.Reqs, batch.Next, batch.Out = reqs[at:at+size], 0, batch.Out[:0]
						sess.Exec(&batch)
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size), "ns/req")
				})
			}
			sess.Close()
		}
	}
}

// preloaded opens a session of a topology that holds the keys.
func preloaded(b *testing.B, cfg Config, keys int) server.Session {
	cfg.Bind = "127.0.0.1:0"
	in, err := Open(cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Shutdown(b.Context()) })
	sess := in.backend.NewSession(server.Place{ID: 1, Loop: 0})
	fill(sess, keys)
	return sess
}

func fill(sess server.Session, keys int) {
	var batch wire.Batch
	for i := range keys {
		batch.Reqs = append(batch.Reqs[:0], wire.Request{Args: [][]byte{[]byte("set"), benchKey(i), bytes.Repeat([]byte{'v'}, 64)}})
		batch.Next, batch.Out = 0, batch.Out[:0]
		sess.Exec(&batch)
	}
}

func benchKey(i int) []byte { return fmt.Appendf(nil, "k:%014d", i) }

func randomRequests(keys int) []wire.Request {
	rng := rand.New(rand.NewPCG(1, 2))
	reqs := make([]wire.Request, 1<<18)
	get, set, value := []byte("GET"), []byte("SET"), bytes.Repeat([]byte{'w'}, 64)
	for i := range reqs {
		args := [][]byte{get, benchKey(rng.IntN(keys))}
		if rng.IntN(10) == 0 {
			args = append(args, value)
			args[0] = set
		}
		reqs[i].Args = args
	}
	return reqs
}

// BenchmarkHops drives topologies in which requests travel between threads, and one in which they do not, by eight in-process
// sessions at once: cpu-ns/req is what the whole process spends on a request, messages and wake-ups included, and hop is how
// many parts travelled in a message.
func BenchmarkHops(b *testing.B) {
	const keys, sessions = 100_000, 8
	for _, cfg := range []Config{
		{Topology: "multi-direct", Workers: 2, Shards: 16},
		{Topology: "routed", Workers: 2, Shards: 16},
		{Topology: "engine", Workers: 2, Shards: 1},
		{Topology: "engine", Workers: 2, Shards: 2},
		{Topology: "engine", Workers: 2, Shards: 16},
		{Topology: "engine", Transport: "epoll", Workers: 2, Shards: 2},
	} {
		cfg.Bind = "127.0.0.1:0"
		in, err := Open(cfg)
		if err != nil {
			b.Fatal(err)
		}
		fillBy(in.NewCaller(), keys)
		for _, size := range []int{1, 16, 64} {
			name := fmt.Sprintf("batch=%d/%s/%s/%ds", size, cfg.Topology, in.Settings.Transport, cfg.Shards)
			b.Run(name, func(b *testing.B) { benchHops(b, in, keys, size, sessions) })
		}
		in.Shutdown(b.Context())
	}
}

func benchHops(b *testing.B, in *Instance, keys, size, sessions int) {
	reqs := randomRequests(keys)
	before := HopCounts{}
	if in.host.router != nil {
		before = in.host.router.hops()
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	b.ResetTimer()
	began := cpuTime()
	for i := range sessions {
		wg.Go(func() {
			c := in.NewCaller()
			defer c.Close()
			var batch wire.Batch
			for at := i * size; left.Add(-1) >= 0; at = (at + sessions*size) % (len(reqs) - size) {
				batch.Reqs, batch.Next, batch.Out = reqs[at:at+size], 0, batch.Out[:0]
				c.Exec(&batch)
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(cpuTime()-began)/float64(b.N*size), "cpu-ns/req")
	if in.host.router != nil {
		after := in.host.router.hops()
		if n := after.Messages() - before.Messages(); n > 0 {
			b.ReportMetric(float64(after.Parts-before.Parts)/float64(n), "hop")
		}
	}
}

func cpuTime() int64 {
	var u unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

func fillBy(c *Caller, keys int) {
	defer c.Close()
	var batch wire.Batch
	for i := range keys {
		batch.Reqs = append(batch.Reqs[:0], wire.Request{Args: [][]byte{[]byte("set"), benchKey(i), bytes.Repeat([]byte{'v'}, 64)}})
		batch.Next, batch.Out = 0, batch.Out[:0]
		c.Exec(&batch)
	}
}
