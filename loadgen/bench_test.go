package loadgen

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/shardlab/shardlab/server/wire"
)

// newCannedServer starts a server that answers as many requests as it has read with as many canned replies, without
// looking at them: all must be of one type, and so of one size. It allocates nothing once a connection is up.
func newCannedServer(t testing.TB, w Workload, protocol Protocol) string {
	t.Helper()
	p, err := newPlan(w)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.translate(Target{Addr: ln.Addr().String(), Protocol: protocol})
	o := p.at(0, 0)
	size := len(p.appendRequest(nil, &o, 0, 0))
	reply := cannedReply(protocol, o.op, make([]byte, w.ValueSize))
	var done sync.WaitGroup
	done.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			done.Go(func() { answerCanned(c, size, reply) })
		}
	})
	t.Cleanup(func() { ln.Close(); done.Wait() })
	return ln.Addr().String()
}

func cannedReply(protocol Protocol, op Op, value []byte) []byte {
	switch {
	case protocol == Memcached && op == Get:
		return fmt.Appendf(nil, "VALUE k:00000000000000 0 %d\r\n%s\r\nEND\r\n", len(value), value)
	case protocol == Memcached:
		return []byte("STORED\r\n")
	case protocol == HTTP && op == Get:
		return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(value), value)
	case protocol == HTTP:
		return []byte("HTTP/1.1 204 No Content\r\n\r\n")
	}
	writer := wire.Writer{}
	req := &wire.Request{}
	if protocol == SCNP {
		req.Form = wire.Typed
	}
	writer.Begin(req)
	if op == Get {
		writer.Bulk(value)
	} else {
		writer.Status("OK")
	}
	writer.End()
	return writer.Buf
}

func answerCanned(c net.Conn, size int, reply []byte) {
	defer c.Close()
	in, out := make([]byte, 256<<10), bytes.Repeat(reply, 4096)
	for have := 0; ; {
		n, err := c.Read(in)
		if err != nil {
			return
		}
		for have += n; have >= size; {
			k := min(have/size, 4096)
			if _, err := c.Write(out[:k*len(reply)]); err != nil {
				return
			}
			have -= k * size
		}
	}
}

// BenchmarkClient reports what an operation costs the client's thread. The server is in the same process and on
// whatever CPU is free, so operations/s say little; the thread's CPU time per operation is the figure.
func BenchmarkClient(b *testing.B) {
	bench := func(name string, protocol Protocol, mix Op, connections, pipeline int) {
		b.Run(name, func(b *testing.B) {
			w := Workload{Keys: 1_000_000, KeySize: 16, ValueSize: 64, Mix: []OpShare{{mix, 1}}}
			target := Target{Addr: newCannedServer(b, w, protocol), Protocol: protocol, Responder: true}
			s := connect(b, newTestPool(b, 1), target, w, Load{Connections: connections, Pipeline: pipeline})
			var cpu time.Duration
			var operations uint64
			b.ResetTimer()
			for range b.N {
				r := run(b, s, Window{Lead: 3 * time.Millisecond, Measure: 50 * time.Millisecond})
				cpu += r.ClientCPU[0]
				operations += r.Replies
			}
			b.ReportMetric(float64(cpu.Nanoseconds())/float64(operations), "client-ns/op")
			b.ReportMetric(float64(operations)/(float64(b.N)*0.05), "op/s")
			b.ReportMetric(0, "ns/op")
		})
	}
	for _, pipeline := range []int{1, 16, 64} {
		for _, connections := range []int{1, 16} {
			bench(fmt.Sprintf("GET/connections=%d/pipeline=%d", connections, pipeline), RESP, Get, connections, pipeline)
		}
	}
	bench("SET/connections=16/pipeline=64", RESP, Set, 16, 64)
	bench("SCNP/GET/connections=16/pipeline=64", SCNP, Get, 16, 64)
	bench("SCNP/SET/connections=16/pipeline=64", SCNP, Set, 16, 64)
	bench("memcached/GET/connections=16/pipeline=64", Memcached, Get, 16, 64)
	bench("HTTP/GET/connections=16/pipeline=1", HTTP, Get, 16, 1)
}

// BenchmarkNull is what an operation costs the client where nothing else is done.
func BenchmarkNull(b *testing.B) {
	for _, pipeline := range []int{1, 16} {
		b.Run(fmt.Sprintf("GET/pipeline=%d", pipeline), func(b *testing.B) {
			w := Workload{Keys: 1_000_000, KeySize: 16, ValueSize: 64, Mix: []OpShare{{Get, 1}}}
			s := connect(b, newTestPool(b, 1), Target{InProcess: Null(w), Responder: true}, w, Load{Connections: 16, Pipeline: pipeline})
			var operations uint64
			for b.Loop() {
				operations += run(b, s, Window{Measure: 50 * time.Millisecond}).Replies
			}
			b.ReportMetric(float64(operations)/(float64(b.N)*0.05), "op/s")
		})
	}
}

// BenchmarkWindow reports what a window costs beside the time that is measured.
func BenchmarkWindow(b *testing.B) {
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			w := Workload{Keys: 1000, KeySize: 16, ValueSize: 64, Mix: []OpShare{{Get, 1}}}
			s := connect(b, newTestPool(b, workers), Target{Addr: newCannedServer(b, w, RESP), Responder: true}, w,
				Load{Connections: 2, Pipeline: 1})
			for b.Loop() {
				run(b, s, Window{Measure: time.Microsecond})
			}
		})
	}
}
