package topologies

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Every topology with one public address serves at a unix socket as well; those with several listeners say why not.
func TestUnixSocket(t *testing.T) {
	for _, topo := range All() {
		for _, transport := range topo.Transports {
			t.Run(topo.Name+"/"+transport, func(t *testing.T) {
				dir, err := os.MkdirTemp("", "sock") // that of t.TempDir may be too long for a socket
				if err != nil {
					t.Fatal(err)
				}
				defer os.RemoveAll(dir)
				path := filepath.Join(dir, "s")
				in, err := Open(Config{Topology: topo.Name, Transport: transport, Bind: "unix:" + path})
				if topo.DirectPorts || topo == reuseport { // several listeners
					if err == nil || !strings.Contains(err.Error(), "use host:port") {
						t.Errorf("error %v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				defer in.Shutdown(context.Background())
				nc, err := net.Dial("unix", path)
				if err != nil {
					t.Fatal(err)
				}
				defer nc.Close()
				nc.SetDeadline(time.Now().Add(20 * time.Second))
				nc.Write(encode([]string{"CONFIG", "GET", "unixsocket"}))
				got := make([]byte, 200)
				n, err := nc.Read(got)
				if err != nil || !strings.Contains(string(got[:n]), path) {
					t.Errorf("%q, %v", got[:n], err)
				}
			})
		}
	}
}
