package topologies

import (
	"fmt"
	"strings"
	"testing"
)

// At the limit, what needs memory is refused and the rest works; in a transaction Redis refuses everything. With a policy of
// eviction nothing is refused, and the limit holds.
func TestMemoryLimit(t *testing.T) {
	const limit = 1 << 20
	const oom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n"
	value := strings.Repeat("v", 1000)
	for _, topo := range All() {
		if topo.Responder {
			continue
		}
		t.Run(topo.Name, func(t *testing.T) {
			in := open(t, Config{Topology: topo.Name, Workers: 1, MaxMemory: limit})
			c := dial(t, in.Addr().String())
			refused := 0
			for i := range 3000 {
				if reply := c.ask("SET", fmt.Sprint("k", i), value); reply == oom {
					refused++
				} else if reply != "+OK\r\n" {
					t.Fatalf("SET: %q", reply)
				}
			}
			if refused < 1500 || refused > 2500 {
				t.Errorf("%d of 3000 writes of 1,000 bytes refused with a limit of 1 MiB", refused)
			}
			got := c.do([]string{"STRLEN", "k0"}, []string{"APPEND", "k0", "x"}, []string{"MSET", "a", "1", "b", "2"},
				[]string{"MSETNX", "a", "1", "b", "2"}, []string{"COPY", "k0", "k9999"}, []string{"EXPIRE", "k0", "1000"}, []string{"MULTI"},
				[]string{"GET", "k0"}, []string{"EXEC"}, []string{"DEL", "k0"}, []string{"INCRBY", "n", "x"})
			mustEqual(t, got, []string{":1000\r\n", oom, oom, oom, oom, ":1\r\n", "+OK\r\n", oom,
				"-EXECABORT Transaction discarded because of previous errors.\r\n", ":1\r\n",
				"-ERR value is not an integer or out of range\r\n"})

			in = open(t, Config{Topology: topo.Name, Workers: 1, MaxMemory: limit, MaxMemoryPolicy: "allkeys-lru"})
			c = dial(t, in.Addr().String())
			for i := range 3000 {
				if reply := c.ask("SET", fmt.Sprint("k", i), value); reply != "+OK\r\n" {
					t.Fatalf("SET: %q", reply)
				}
			}
			if used := in.host.budget.Used(); used > limit*101/100 || used < limit*9/10 {
				t.Errorf("%d bytes used with a limit of %d", used, limit)
			}
			if info := c.ask("INFO"); strings.Contains(info, "evicted_keys:0\r\n") || !strings.Contains(info, "maxmemory_policy:allkeys-lru\r\n") {
				t.Errorf("INFO: %s", info)
			}
		})
	}
}
