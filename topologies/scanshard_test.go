package topologies

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// scanOf scans one shard to its end and returns the keys.
func scanOf(t *testing.T, c *client, shard int) (keys []string) {
	t.Helper()
	for cursor := "0"; ; {
		reply := c.ask("SCNP.SCANSHARD", strconv.Itoa(shard), cursor, "COUNT", "7", "MATCH", "key:*")
		lines := strings.Split(reply, "\r\n") // *2, $n, the cursor, *n, and $n and a key in turn
		if len(lines) < 5 || lines[0] != "*2" {
			t.Fatalf("shard %d: %q", shard, reply)
		}
		for i := 5; i < len(lines); i += 2 {
			keys = append(keys, lines[i])
		}
		if cursor = lines[2]; cursor == "0" {
			return keys
		}
	}
}

// TestScanShard: every topology scans the shard that it is asked for, and the port of a shard no other.
func TestScanShard(t *testing.T) {
	const shards, keys = 4, 200
	for _, topology := range []string{"shared", "multi-direct", "thread-local", "routed", "direct-shard", "engine"} {
		t.Run(topology, func(t *testing.T) {
			in := open(t, Config{Topology: topology, Shards: shards})
			c := dial(t, in.Addr().String())
			want := make([][]string, shards)
			for i := range keys {
				key := fmt.Sprintf("key:%d", i)
				c.ask("SET", key, "v")
				want[shardOf(key, shards)] = append(want[shardOf(key, shards)], key)
			}
			c.ask("SET", "other", "v")
			ports := make([]*client, shards)
			for i, addr := range in.DirectAddrs() {
				ports[i] = dial(t, addr.String())
			}
			const mismatch = "-ERR SCNP scan shard mismatch\r\n"
			for shard := range shards {
				slices.Sort(want[shard])
				for _, from := range []*client{c, ports[shard]} {
					if from == nil {
						continue
					}
					if got := slices.Compact(slices.Sorted(slices.Values(scanOf(t, from, shard)))); !slices.Equal(got, want[shard]) {
						t.Errorf("shard %d has %q, want %q", shard, got, want[shard])
					}
				}
				if other := ports[(shard+1)%shards]; other != nil {
					mustEqual(t, []string{other.ask("SCNP.SCAN.SHARD", strconv.Itoa(shard), "0"), other.ask("SCNP.SCANSHARD", "99", "0"),
						other.ask("SCNP.SCAN", "0")}, []string{mismatch, mismatch, "-" + errKeyspaceWide + "\r\n"})
				}
			}
			mustEqual(t, []string{c.ask("SCNP.SCANSHARD", "4", "0"), c.ask("SCNP.SCANSHARD", "-1", "0"), c.ask("SCNP.SCANSHARD", "0", "x"),
				c.ask("SCNP.SCANSHARD", "0")}, []string{mismatch, "-ERR value is not an integer or out of range\r\n",
				"-ERR invalid cursor\r\n", "-ERR wrong number of arguments for 'scnp.scanshard' command\r\n"})
			if scan, named := c.ask("SCAN", "0"), c.ask("SCNP.SCAN", "0"); scan != named {
				t.Errorf("SCAN answers %q, SCNP.SCAN %q", scan, named)
			}
		})
	}
}
