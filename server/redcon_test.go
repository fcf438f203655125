package server

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/shardlab/shardlab/server/wire"
)

// redcon knows RESP only, and says so to whoever begins with a frame of SCNP.
func TestRedconRefusesSCNP(t *testing.T) {
	s := start(t, Options{Transport: Redcon, Listen: []Listen{{Addr: "127.0.0.1:0", Loop: AnyLoop}}}, &echo{})
	nc := dial(t, s)
	nc.Write([]byte("\xfa\x02\x09\x00\x00\x00\x00\x00"))
	mustRead(t, nc, "\xfb\x02\x02\x00\x24\x00\x00\x00ERR transport redcon knows RESP only")
	mustEnd(t, nc)
}

// redcon gathers a request without bound; we end it, be it a line that does not end or an argument.
func TestRedconRequestsAreBounded(t *testing.T) {
	opts := Options{
		Transport: Redcon, Listen: []Listen{{Addr: "127.0.0.1:0", Loop: AnyLoop}}, Limits: wire.Limits{MaxBulk: 1 << 20, MaxRequest: 1 << 20},
	}
	s := start(t, opts, &echo{})
	for _, head := range []string{"", "*2\r\n$4\r\necho\r\n$100000000\r\n"} {
		nc := dial(t, s)
		mustEcho(t, nc)
		go nc.Write([]byte(head + strings.Repeat("x", 3<<20)))
		// What is not read when it ends may take the reply with it.
		reply, err := io.ReadAll(nc)
		if errors.Is(err, os.ErrDeadlineExceeded) || len(reply) > 0 && string(reply) != "-ERR Protocol error: too big request\r\n" {
			t.Errorf("%.80q, %v", reply, err)
		}
	}
	nc := dial(t, s)
	fits := strings.Repeat("x", 1<<19)
	for range 8 { // each begins anew
		go nc.Write(request("echo", fits))
		mustRead(t, nc, "$524288\r\n"+fits+"\r\n")
	}
}
