package topologies

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// eachTopology runs a test on every topology that holds data, in its preset form.
func eachTopology(t *testing.T, test func(t *testing.T, in *Instance)) {
	for _, topo := range All() {
		if !topo.Responder {
			t.Run(topo.Name, func(t *testing.T) { test(t, open(t, Config{Topology: topo.Name, Workers: 1})) })
		}
	}
}

func TestGoRedis(t *testing.T) {
	eachTopology(t, func(t *testing.T, in *Instance) {
		for _, protocol := range []int{2, 3} {
			rdb := redis.NewClient(&redis.Options{Addr: in.Addr().String(), Protocol: protocol, ClientName: "test"})
			goRedisSession(t, rdb)
			if err := rdb.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

func goRedisSession(t *testing.T, rdb *redis.Client) {
	t.Helper()
	ctx := t.Context()
	if err := rdb.FlushAll(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := rdb.Get(ctx, "absent").Result(); !errors.Is(err, redis.Nil) {
		t.Errorf("absent: %v", err)
	}
	pipe := rdb.Pipeline()
	for i := range 100 {
		pipe.Set(ctx, fmt.Sprintf("k%d", i), i, time.Hour)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		t.Fatal(err)
	}
	if v := rdb.MGet(ctx, "k1", "k99", "absent").Val(); fmt.Sprint(v) != "[1 99 <nil>]" {
		t.Errorf("mget: %v", v)
	}
	if n := rdb.Incr(ctx, "k41").Val(); n != 42 {
		t.Errorf("incr: %d", n)
	}
	if ok := rdb.SetNX(ctx, "k1", "x", 0).Val(); ok {
		t.Error("setnx replaced a value")
	}
	if n := rdb.Del(ctx, "k1", "k2", "absent").Val(); n != 2 {
		t.Errorf("del: %d", n)
	}
	if n := rdb.DBSize(ctx).Val(); n != 98 {
		t.Errorf("dbsize: %d", n)
	}
	if name := rdb.ClientGetName(ctx).Val(); name != "test" {
		t.Errorf("client name: %q", name)
	}
	if v := rdb.ConfigGet(ctx, "max*").Val(); v["maxclients"] == "" {
		t.Errorf("config get: %v", v)
	}
	if info := rdb.Info(ctx, "keyspace").Val(); !strings.Contains(info, "db0:keys=98,expires=98,") {
		t.Errorf("info: %q", info)
	}
	if cmds := rdb.Command(ctx).Val(); cmds["get"] == nil || !cmds["get"].ReadOnly || cmds["mset"].StepCount != 2 {
		t.Errorf("command: %v", cmds)
	}
}

func TestRedisCLIAndBenchmark(t *testing.T) {
	for _, tool := range []string{"redis-cli", "redis-benchmark"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not on the PATH (apt-get install redis-tools): not tried as a client", tool)
		}
	}
	eachTopology(t, func(t *testing.T, in *Instance) {
		_, port, _ := net.SplitHostPort(in.Addr().String())
		cli := func(want string, args ...string) {
			t.Helper()
			out, err := exec.CommandContext(t.Context(), "redis-cli", append([]string{"-p", port}, args...)...).CombinedOutput()
			if err != nil || !strings.Contains(string(out), want) {
				t.Errorf("redis-cli %v: %q, %v; want %q", args, out, err, want)
			}
		}
		cli("OK", "set", "greeting", "hello")
		cli("hello", "get", "greeting")
		cli("proto", "-3", "hello")
		cli("topology:"+in.Settings.Topology, "info", "topology")
		cli("ERR unknown command 'nosuch'", "nosuch")
		bench := exec.CommandContext(t.Context(), "redis-benchmark", "-p", port, "-t", "ping,set,get,incr,mset",
			"-P", "16", "-n", "2000", "-c", "20", "-q")
		out, err := bench.CombinedOutput()
		if err != nil || strings.Count(string(out), "requests per second") != 6 || strings.Contains(string(out), "rror") {
			t.Errorf("redis-benchmark: %v\n%s", err, out)
		}
	})
}

// Hostile input gets an error or a close, and the next connection works.
func TestHostileInput(t *testing.T) {
	noise := make([]byte, 1<<20)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	eachTopology(t, func(t *testing.T, in *Instance) {
		for _, input := range [][]byte{
			[]byte("*2\r\n$3\r\nGET\r\n$536870912\r\n"), []byte("*1\r\n$-1\r\n"), []byte("*1\r\n$4\r\nPINGPING\r\n"),
			[]byte("*99999999999\r\n"), noise, []byte("POST / HTTP/1.1\r\nHost: x\r\n\r\n"),
		} {
			nc, err := net.Dial("tcp", in.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			nc.SetDeadline(time.Now().Add(20 * time.Second))
			go nc.Write(input) // the server may close before it has taken all
			mustEndWithin(t, nc, input)
			mustEqual(t, conversation(t, in.Addr().String(), [][]string{{"PING"}}, 0), []string{"+PONG\r\n"})
		}
	})
}

func mustEndWithin(t *testing.T, nc net.Conn, input []byte) {
	t.Helper()
	defer nc.Close()
	var got bytes.Buffer
	if _, err := got.ReadFrom(nc); err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%.40q: no close; the reply so far is %.100q", input, got.Bytes())
	}
	if got.Len() > 0 && !bytes.Contains(got.Bytes(), []byte("-ERR")) {
		t.Errorf("%.40q: answered %.100q", input, got.Bytes())
	}
}
