package runner

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shardlab/shardlab/loadgen"
	"github.com/shardlab/shardlab/server/wire"
)

func TestReadUsageOfOurselves(t *testing.T) {
	before, err := readUsage(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	clock := cpuClock(os.Getpid())
	start := clock()
	deadline := time.Now().Add(10 * time.Second)
	for clock()-start < int64(50*time.Millisecond) && time.Now().Before(deadline) {
	}
	after, err := readUsage(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if used := after.user + after.sys - before.user - before.sys; used < int64(30*time.Millisecond) {
		t.Errorf("%v of CPU between two readings, by the clock %v", time.Duration(used), time.Duration(clock()-start))
	}
	if after.rss < 1<<20 || after.voluntary == 0 {
		t.Errorf("implausible: %+v", after)
	}
	if _, err := readUsage(1 << 30); err == nil {
		t.Error("a process that is not there was read")
	}
}

// A server that ends instead of serving is reported with its own last words, and nothing waits.
func TestChildThatDoesNotServe(t *testing.T) {
	s := newSpawner()
	defer s.close()
	cpus, err := availableCPUs()
	if err != nil {
		t.Fatal(err)
	}
	c, err := startTopology(t.Context(), s, []string{"sh", "-c", "echo no such luck >&2; exit 3"}, false, cpus)
	if err == nil || !strings.Contains(err.Error(), "ended before it served: exit status 3: no such luck") {
		t.Errorf("got %v", err)
	}
	<-c.exited
	_, err = startReference(t.Context(), s, []string{"sh", "-c", "echo port {port} is haunted >&2; exit 1"}, cpus)
	if err == nil || !strings.Contains(err.Error(), "is haunted") || strings.Contains(err.Error(), "{port}") {
		t.Errorf("got %v", err)
	}
	if _, err := startReference(t.Context(), s, []string{"/no/such/program"}, cpus); err == nil {
		t.Error("a program that is not there was started")
	}
}

// Of a crash of a Go program what it begins with is told, however long the traces are and however it is written; of others the last line.
func TestLastWords(t *testing.T) {
	var crashed, other tail
	text := "serving\npanic: assignment to entry in nil map\n\ngoroutine 1 [running]:\n" + strings.Repeat("main.serve(0x1)\n\t/main.go:7\n", 1000)
	for i := 0; i < len(text); i += 7 {
		crashed.Write([]byte(text[i:min(i+7, len(text))]))
	}
	other.Write([]byte("do not panic: all is well\nport taken\n"))
	if got := crashed.lastWords(); got != "panic: assignment to entry in nil map" {
		t.Errorf("%q", got)
	}
	if got := other.lastWords(); got != "port taken" {
		t.Errorf("%q", got)
	}
}

func TestStubbornChildIsKilled(t *testing.T) {
	s := newSpawner()
	defer s.close()
	cpus, err := availableCPUs()
	if err != nil {
		t.Fatal(err)
	}
	c, err := startTopology(t.Context(), s, []string{"sh", "-c", "trap '' TERM; echo 127.0.0.1:1; while :; do sleep 0.1; done"},
		false, cpus)
	if err != nil {
		t.Fatal(err)
	}
	if c.addr != "127.0.0.1:1" {
		t.Errorf("address %q", c.addr)
	}
	c.stopWithin(10 * time.Millisecond)
	select {
	case <-c.exited:
	default:
		t.Error("stop returned before the process had ended")
	}
}

func TestChildInheritsItsProcessors(t *testing.T) {
	s := newSpawner()
	defer s.close()
	cpus, err := availableCPUs()
	if err != nil {
		t.Fatal(err)
	}
	last := cpus[len(cpus)-1]
	var out strings.Builder
	cmd := exec.Command("sh", "-c", "grep Cpus_allowed_list /proc/self/status")
	cmd.Stdout = &out
	if err := s.start(cmd, []int{last}); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if f := strings.Fields(out.String()); f[1] != strconv.Itoa(last) {
		t.Errorf("a child started on cpu %d may use %s", last, f[1])
	}
	if after, _ := availableCPUs(); len(after) != len(cpus) {
		t.Errorf("we ourselves are left with %v of %v", after, cpus)
	}
}

// answers is a server's answer to any control command.
type answers struct {
	reply wire.Reply
	err   error
}

func (a answers) Do(context.Context, ...string) (wire.Reply, error) { return a.reply, a.err }
func (a answers) ControlProtocol() loadgen.Protocol                 { return loadgen.RESP }

// A server that does not know INFO says nothing; one that does not answer is an error.
func TestServerInfo(t *testing.T) {
	info, err := serverInfo(t.Context(), answers{wire.Reply{Kind: wire.BulkReply, Payload: []byte("# Server\r\nprocess_id:7\r\n")}, nil}, "server")
	if err != nil || info["process_id"] != "7" {
		t.Errorf("%v %v", info, err)
	}
	no := errors.New("INFO: ERR unknown command")
	if info, err = serverInfo(t.Context(), answers{wire.Reply{Kind: wire.ErrorReply}, no}, "server"); err != nil || len(info) != 0 {
		t.Errorf("%v %v", info, err)
	}
	if _, err = serverInfo(t.Context(), answers{wire.Reply{}, no}, "server"); err == nil {
		t.Error("no answer is no error")
	}
}
