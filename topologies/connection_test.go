package topologies

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Logging in, and what may be done before: the same replies as redis-server's, over one connection.
func TestPassword(t *testing.T) {
	requests := [][]string{
		{"CONFIG", "SET", "requirepass", "secret"}, {"PING"}, {"RESET"}, {"PING"}, {"GET"}, {"NOSUCH"}, {"CONFIG", "NOSUCH"}, {"DEBUG", "JMAP"},
		{"HELLO", "3", "x"}, {"HELLO", "3"}, {"HELLO"}, {"AUTH", "wrong"}, {"AUTH", "default", "wrong"}, {"AUTH", "nobody", "secret"},
		{"MULTI"}, {"EXEC"}, {"WATCH", "a"}, {"COMMAND"}, {"AUTH", "secret"}, {"PING"}, {"RESET"}, {"PING"}, {"AUTH", "default", "secret"},
		{"MULTI"}, {"PING"}, {"EXEC"}, {"RESET"}, {"HELLO", "2", "AUTH", "default", "wrong"}, {"PING"},
		{"HELLO", "2", "AUTH", "default", "secret", "SETNAME", "me"}, {"CLIENT", "GETNAME"}, {"AUTH", "wrong"}, {"PING"},
		{"CONFIG", "SET", "requirepass", ""}, {"RESET"}, {"PING"}, {"AUTH", "x"}, {"AUTH", "default", "x"},
	}
	want := conversation(t, startRedis(t), requests, 1)
	eachTopology(t, func(t *testing.T, in *Instance) {
		mustAgree(t, requests, conversation(t, in.Addr().String(), requests, 1), want, "redis-server")
	})
}

func TestPasswordFromTheStart(t *testing.T) {
	in := open(t, Config{Topology: "shared", Password: "secret"})
	got := conversation(t, in.Addr().String(), [][]string{{"GET", "k"}, {"QUIT"}}, 1)
	mustEqual(t, got, []string{"-NOAUTH Authentication required.\r\n", "+OK\r\n"})
	caller := in.NewCaller() // comes from inside
	if r, err := caller.Do([]byte("PING")); err != nil || string(r.Payload) != "PONG" {
		t.Errorf("in-process: %v, %v", r, err)
	}
}

// Replies that a client does not want are not sent, and nothing else is lost.
func TestClientReply(t *testing.T) {
	eachTopology(t, func(t *testing.T, in *Instance) {
		c := dial(t, in.Addr().String())
		var out []byte
		for _, req := range [][]string{
			{"SET", "n", "0"}, {"CLIENT", "REPLY", "SKIP"}, {"INCR", "n"}, {"INCR", "n"}, {"CLIENT", "REPLY", "OFF"}, {"INCR", "n"}, {"GET", "n"},
			{"MGET", "n", "m"}, {"NOSUCH"}, {"RENAME", "n", "m"}, {"CLIENT", "REPLY", "SKIP"}, {"CLIENT", "REPLY", "ON"}, {"GET", "m"},
		} {
			out = append(out, encode(req)...)
		}
		if _, err := c.nc.Write(out); err != nil {
			t.Fatal(err)
		}
		want := "+OK\r\n:2\r\n+OK\r\n$1\r\n3\r\n"
		got := make([]byte, len(want))
		if _, err := io.ReadFull(c.r, got); err != nil || string(got) != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
		if reply := c.ask("PING"); reply != "+PONG\r\n" {
			t.Errorf("then %q", reply)
		}
	})
}

func TestClientListAndKill(t *testing.T) {
	eachTopology(t, func(t *testing.T, in *Instance) {
		addr := in.Addr().String()
		a, b := dial(t, addr), dial(t, addr)
		mustEqual(t, []string{a.ask("CLIENT", "SETNAME", "first"), b.ask("HELLO", "3", "SETNAME", "second")[:3]}, []string{"+OK\r\n", "%7\r"})
		b.ask("MULTI")
		b.ask("GET", "k")
		list := strings.Split(bulk(t, a.ask("CLIENT", "LIST")), "\n")
		slices.SortFunc(list, func(x, y string) int { return field(x, "id") - field(y, "id") })
		if len(list) != 3 || !strings.Contains(list[1], "name=first ") || !strings.Contains(list[1], "cmd=client|list ") ||
			!strings.Contains(list[2], "name=second ") || !strings.Contains(list[2], "multi=1 ") || !strings.Contains(list[2], "resp=3 ") ||
			!strings.Contains(list[2], "addr="+b.nc.LocalAddr().String()+" laddr="+addr+" ") {
			t.Errorf("CLIENT LIST: %q", list)
		}
		id := strconv.Itoa(field(list[2], "id"))
		if one := bulk(t, a.ask("CLIENT", "LIST", "ID", id)); !strings.HasPrefix(one, "id="+id+" ") || strings.Count(one, "\n") != 1 {
			t.Errorf("CLIENT LIST ID: %q", one)
		}
		mustEqual(t, []string{a.ask("CLIENT", "KILL", "ID", "12345"), a.ask("CLIENT", "KILL", "ID", id, "ADDR", "else:1"),
			a.ask("CLIENT", "KILL", "ID", id)}, []string{":0\r\n", ":0\r\n", ":1\r\n"})
		mustBeClosed(t, b)
		c := dial(t, addr)
		c.ask("PING")
		mustEqual(t, []string{a.ask("CLIENT", "KILL", c.nc.LocalAddr().String())}, []string{"+OK\r\n"})
		mustBeClosed(t, c)
		for strings.Count(bulk(t, a.ask("CLIENT", "LIST")), "\n") > 1 { // the socket is closed before its connection is forgotten
		}
		mustEqual(t, []string{a.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no")}, []string{":1\r\n"})
		mustBeClosed(t, a)
	})
}

// mustBeClosed waits for the other side to close.
func mustBeClosed(t *testing.T, c *client) {
	t.Helper()
	if b, err := c.r.ReadByte(); err == nil {
		t.Errorf("read %q, not the end", b)
	}
}

// bulk is what a bulk string holds.
func bulk(t *testing.T, reply string) string {
	t.Helper()
	head, body, ok := strings.Cut(reply, "\r\n")
	if !ok || head[0] != '$' && head[0] != '=' {
		t.Fatalf("%.100q is no bulk string", reply)
	}
	body = strings.TrimSuffix(body, "\r\n")
	if head[0] == '=' {
		body = strings.TrimPrefix(body, "txt:")
	}
	return body
}

// field is a number in a line of name=value pairs.
func field(line, name string) int {
	_, rest, _ := strings.Cut(" "+line, " "+name+"=")
	var n int
	fmt.Sscan(rest, &n)
	return n
}

// What CONFIG SET changes takes effect, all of it or nothing.
func TestConfigSet(t *testing.T) {
	eachTopology(t, func(t *testing.T, in *Instance) {
		c := dial(t, in.Addr().String())
		const failed = "-ERR CONFIG SET failed (possibly related to argument 'timeout') - argument couldn't be parsed into an integer\r\n"
		mustEqual(t, []string{
			c.ask("CONFIG", "SET", "maxmemory", "3mb", "maxmemory-policy", "allkeys-lfu"), c.ask("CONFIG", "SET", "maxmemory", "1", "timeout", "x"),
			c.ask("CONFIG", "GET", "maxmemory"), c.ask("SET", "k", "v"), c.ask("GET", "k"), c.ask("OBJECT", "FREQ", "k")[:1],
			c.ask("OBJECT", "IDLETIME", "k")[:27],
		}, []string{"+OK\r\n", failed, "*2\r\n$9\r\nmaxmemory\r\n$7\r\n3145728\r\n", "+OK\r\n", "$1\r\nv\r\n", ":", "-ERR An LFU maxmemory policy"[:27]})
		mustEqual(t, []string{c.ask("CONFIG", "SET", "proto-max-bulk-len", "1mb"), c.ask("SETRANGE", "k", "1048576", "x"), c.ask("SETRANGE", "k", "1048575", "x")},
			[]string{"+OK\r\n", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n", ":1048576\r\n"})
		fresh := dial(t, in.Addr().String())
		fresh.nc.Write([]byte("*2\r\n$3\r\nGET\r\n$1048577\r\n"))
		if reply, err := readReply(fresh.r); in.Settings.Transport != "redcon" && (err != nil || reply != "-ERR Protocol error: invalid bulk length\r\n") {
			t.Errorf("a new connection: %q, %v", reply, err)
		}
		mustEqual(t, []string{c.ask("CONFIG", "SET", "maxclients", "1"), c.ask("CONFIG", "GET", "maxclients")},
			[]string{"+OK\r\n", "*2\r\n$10\r\nmaxclients\r\n$1\r\n1\r\n"})
		c.ask("CONFIG", "SET", "maxclients", "100")
	})
}

// INFO counts what was done, since the start or since CONFIG RESETSTAT.
func TestInfoCounts(t *testing.T) {
	eachTopology(t, func(t *testing.T, in *Instance) {
		c := dial(t, in.Addr().String())
		info := func(section string) map[string]string {
			m := map[string]string{}
			for _, line := range strings.Split(bulk(t, c.ask("INFO", section)), "\r\n") {
				if name, value, ok := strings.Cut(line, ":"); ok {
					m[name] = value
				}
			}
			return m
		}
		c.do([]string{"SET", "k", "v"}, []string{"GET", "k"}, []string{"GET", "absent"}, []string{"INCR", "k"}, []string{"GET"}, []string{"NOSUCH"},
			[]string{"SET", "gone", "v", "PXAT", "1"}, []string{"GET", "gone"}, []string{"MULTI"}, []string{"GET", "k"}, []string{"EXEC"},
			[]string{"SET", "k", "v", "EX", "100"})
		all := info("everything")
		for name, want := range map[string]string{
			"cmdstat_get": "calls=4,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0", "errorstat_ERR": "count=3",
			"cmdstat_incr":      "calls=1,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=1",
			"cmdstat_exec":      "calls=1,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=0",
			"keyspace_hits":     "2",
			"keyspace_misses":   "2",
			"expired_keys":      "1",
			"connected_clients": "1", "role": "master", "redis_mode": "standalone", "total_error_replies": "3", "loading": "0",
		} {
			if all[name] != want {
				t.Errorf("%s is %q, want %q", name, all[name], want)
			}
		}
		if db := all["db0"]; !strings.HasPrefix(db, "keys=1,expires=1,avg_ttl=") || strings.HasSuffix(db, "=0") {
			t.Errorf("db0 is %q", db)
		}
		c.ask("CONFIG", "RESETSTAT")
		c.ask("GET", "k")
		all = info("everything")
		for name, want := range map[string]string{
			"cmdstat_get":   "calls=1,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=0",
			"keyspace_hits": "1", "expired_keys": "0", "errorstat_ERR": "",
		} {
			if all[name] != want {
				t.Errorf("after RESETSTAT: %s is %q, want %q", name, all[name], want)
			}
		}
	})
}

// What redis-cli --stat and redis_exporter read is there, and is a number where they take it for one.
func TestInfoIsReadable(t *testing.T) {
	in := open(t, Config{Topology: "multi-direct"})
	c := dial(t, in.Addr().String())
	c.ask("SET", "k", "v")
	have := map[string]string{}
	for _, line := range strings.Split(bulk(t, c.ask("INFO", "all")), "\r\n") {
		name, value, ok := strings.Cut(line, ":")
		if !ok && line != "" && !strings.HasPrefix(line, "# ") {
			t.Errorf("line %q", line)
		}
		have[name] = value
	}
	for _, name := range strings.Fields("used_memory used_memory_rss maxmemory mem_fragmentation_ratio connected_clients blocked_clients " +
		"maxclients total_commands_processed total_connections_received instantaneous_ops_per_sec total_net_input_bytes " +
		"total_net_output_bytes rejected_connections expired_keys evicted_keys keyspace_hits keyspace_misses uptime_in_seconds process_id " +
		"tcp_port loading aof_enabled aof_rewrite_in_progress rdb_bgsave_in_progress connected_slaves master_repl_offset used_cpu_sys " +
		"used_cpu_user used_cpu_sys_children used_cpu_user_children cluster_enabled total_error_replies pubsub_channels") {
		if _, err := strconv.ParseFloat(have[name], 64); err != nil {
			t.Errorf("%s is %q", name, have[name])
		}
	}
	for _, name := range []string{"redis_version", "redis_mode", "os", "role", "maxmemory_policy", "db0", "cmdstat_set", "run_id"} {
		if have[name] == "" {
			t.Errorf("%s is missing", name)
		}
	}
}

// Rates are of the last second.
func TestInfoRates(t *testing.T) {
	in := open(t, Config{Topology: "thread-local"})
	c := dial(t, in.Addr().String())
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		for range 100 {
			c.ask("PING")
		}
		if !strings.Contains(c.ask("INFO", "stats"), "instantaneous_ops_per_sec:0\r\n") {
			return
		}
	}
	t.Error("after 20 s of PINGs there are still none a second")
}

// SHUTDOWN gets no reply but the end of the connection, and whoever runs the server learns of it.
func TestShutdownCommand(t *testing.T) {
	in := open(t, Config{Topology: "shared"})
	c := dial(t, in.Addr().String())
	if reply := c.ask("MULTI"); reply != "+OK\r\n" {
		t.Fatal(reply)
	}
	mustEqual(t, []string{c.ask("SHUTDOWN"), c.ask("DISCARD"), c.ask("SHUTDOWN", "ABORT")},
		[]string{"-ERR Command not allowed inside a transaction\r\n", "+OK\r\n", "-ERR No shutdown in progress.\r\n"})
	c.nc.Write(encode([]string{"SHUTDOWN", "NOSAVE"}))
	mustBeClosed(t, c)
	<-in.ShutdownAsked()
}

// CLIENT NO-TOUCH: what such a client reads stays as unused as it was.
func TestNoTouch(t *testing.T) {
	for _, v := range forms() {
		t.Run(v.String(), func(t *testing.T) {
			cfg := v.config()
			cfg.MaxMemory, cfg.MaxMemoryPolicy = 1<<30, "allkeys-lfu"
			c := dial(t, open(t, cfg).Addr().String())
			mustEqual(t, []string{c.ask("SET", "k", "v"), c.ask("CLIENT", "NO-TOUCH", "on")}, []string{"+OK\r\n", "+OK\r\n"})
			before := c.ask("OBJECT", "FREQ", "k")
			for range 200 {
				c.ask("GET", "k")
			}
			mustEqual(t, []string{c.ask("OBJECT", "FREQ", "k"), c.ask("CLIENT", "NO-TOUCH", "off")}, []string{before, "+OK\r\n"})
			for range 200 {
				c.ask("GET", "k")
			}
			if after := c.ask("OBJECT", "FREQ", "k"); after == before {
				t.Errorf("still %q after 200 reads", after)
			}
		})
	}
}
