package topologies

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/server/wire"
)

// BenchmarkBatch executes batches of GET and SET (90/10, random keys, values of 64 bytes) on one session, without
// sockets: what a boundary and its lock scope cost, and what looking ahead is worth. ns/req is a request's share.
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
