package loadgen

import (
	"bytes"
	"testing"
)

// BenchmarkTurn is what an operation of a pipeline costs in this program: its reply is read and judged, the next one is chosen
// and written. The kernel has no part in it.
func BenchmarkTurn(b *testing.B) {
	const depth = 64
	for _, op := range []Op{Get, Set} {
		b.Run(op.String(), func(b *testing.B) {
			w := Workload{Keys: 100_000, KeySize: 16, ValueSize: 64, Mix: []OpShare{{op, 1}}}
			s := connect(b, newTestPool(b, 1), Target{Addr: newCannedServer(b, w, RESP)}, w, Load{Connections: 1, Pipeline: depth})
			sh := s.shares[0]
			c := &sh.conns[0]
			replies := bytes.Repeat(cannedReply(RESP, op, make([]byte, 64)), depth)
			sh.prepare(edges{lead: clock(), start: clock(), end: 1 << 62}, Closed)
			sh.refill = true
			sh.tick(clock())
			for range depth {
				if err := sh.issue(0); err != nil {
					b.Fatal(err)
				}
			}
			b.ResetTimer()
			for range b.N {
				sh.now = clock()
				sh.stamp(c)
				c.out = c.out[:0]
				if n, err := sh.replies(c, replies); err != nil || n != len(replies) {
					b.Fatal(n, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/depth, "ns/operation")
		})
	}
}
