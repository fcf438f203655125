package topologies

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/shardlab/shardlab/server/wire"
)

// The whole path of a GET and a SET, from the socket through the store and back, allocates nothing, in every topology
// over every transport, with one worker and with several, in RESP and in SCNP.
func TestGetSetDoesNotAllocate(t *testing.T) {
	if raceDetector {
		t.Skip("under the race detector a sync.Pool forgets at random")
	}
	for _, v := range scnpVariants() {
		t.Run(v.String(), func(t *testing.T) {
			nc, err := net.Dial("tcp", v.open(t).Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			nc.SetDeadline(time.Now().Add(60 * time.Second))
			value := strings.Repeat("v", 64)
			var out, want bytes.Buffer
			for i := range 16 {
				key := fmt.Sprintf("key:%012d", i)
				out.Write(encode([]string{"SET", key, value}))
				out.Write(encode([]string{"GET", key}))
				want.WriteString("+OK\r\n$64\r\n" + value + "\r\n")
				k := []byte(key)
				out.Write(wire.AppendSetFrame(nil, wire.ToServer(k), k, []byte(value)))
				out.Write(wire.AppendKeyFrame(nil, wire.OpGet, wire.ToServer(k), k))
				want.WriteString(scnpFrame(0, "") + scnpFrame(4, value))
			}
			in := make([]byte, want.Len())
			round := func() {
				if _, err := nc.Write(out.Bytes()); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(nc, in); err != nil {
					t.Fatal(err)
				}
			}
			for range 20 { // buffers grow to their size
				round()
			}
			if !bytes.Equal(in, want.Bytes()) {
				t.Fatalf("got %.200q", in)
			}
			if n := testing.AllocsPerRun(200, round); n != 0 {
				t.Errorf("%v allocations for 64 requests", n)
			}
		})
	}
}
