package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shardlab/shardlab/results"
)

// process is a shardlab that a test has started.
type process struct {
	cmd    *exec.Cmd
	out    *bufio.Reader // standard output
	errOut *bufio.Reader // standard error
}

func startShardlab(t *testing.T, args ...string) *process {
	t.Helper()
	cmd := exec.Command("shardlab", args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	errOut, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return &process{cmd, bufio.NewReader(out), bufio.NewReader(errOut)}
}

// end waits for the process and returns its exit code and what it still said.
func (p *process) end(t *testing.T) (code int, out, errOut string) {
	t.Helper()
	said := make(chan string)
	go func() { b, _ := io.ReadAll(p.errOut); said <- string(b) }()
	b, _ := io.ReadAll(p.out)
	errOut = <-said
	p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode(), string(b), errOut
}

func (p *process) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

func TestServeEndsInOrder(t *testing.T) {
	for _, topology := range []string{"shared", "shard-arc", "thread-local", "multi-direct", "reuseport", "direct-shard", "null"} {
		t.Run(topology, func(t *testing.T) {
			t.Parallel()
			p := startShardlab(t, "serve", "--topology", topology, "--bind", "127.0.0.1:0", "--workers", "1", "--cpus", firstCPU(t))
			line, err := p.out.ReadString('\n')
			if err != nil {
				_, _, said := p.end(t)
				t.Fatalf("%v: %s", err, said)
			}
			nc, err := net.Dial("tcp", strings.TrimSpace(line))
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			nc.SetDeadline(time.Now().Add(20 * time.Second))
			fmt.Fprintf(nc, "SET k v\r\n")
			if reply, _ := bufio.NewReader(nc).ReadString('\n'); reply != "+OK\r\n" {
				t.Errorf("SET: %q", reply)
			}
			p.signal(t, syscall.SIGTERM)
			if code, _, said := p.end(t); code != 0 {
				t.Errorf("exit code %d after SIGTERM: %s", code, said)
			}
		})
	}
}

// A terminal that is closed ends what runs in it in order, unless nohup says that it stays.
func TestHangup(t *testing.T) {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) // a child then has the default, also where these tests run under nohup
	p := startShardlab(t, "serve", "--topology", "shared", "--bind", "127.0.0.1:0")
	p.out.ReadString('\n')
	p.signal(t, syscall.SIGHUP)
	if code, _, said := p.end(t); code != 0 {
		t.Errorf("exit code %d after SIGHUP: %s", code, said)
	}
	signal.Ignore(syscall.SIGHUP) // which a child inherits, as from nohup
	defer signal.Reset(syscall.SIGHUP)
	p = startShardlab(t, "serve", "--topology", "shared", "--bind", "127.0.0.1:0")
	line, _ := p.out.ReadString('\n')
	p.signal(t, syscall.SIGHUP)
	nc, err := net.Dial("tcp", strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprint(nc, "PING\r\n")
	if reply, _ := bufio.NewReader(nc).ReadString('\n'); reply != "+PONG\r\n" {
		t.Errorf("PING: %q", reply)
	}
}

// The fronts' addresses are lines of their own, behind the main one.
func TestServeFronts(t *testing.T) {
	p := startShardlab(t, "serve", "--topology", "multi-direct", "--bind", "127.0.0.1:0", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	pages := map[string]string{"http": "/v1/keys/k", "admin": "/readyz"}
	p.out.ReadString('\n')
	for range pages {
		line, err := p.out.ReadString('\n')
		name, addr, _ := strings.Cut(strings.TrimSpace(line), " ")
		if err != nil || pages[name] == "" {
			t.Fatalf("%q, %v", line, err)
		}
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(20 * time.Second))
		fmt.Fprintf(nc, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", pages[name])
		want := map[string]string{"http": "HTTP/1.1 404 Not Found\r\n", "admin": "HTTP/1.1 200 OK\r\n"}[name]
		if status, _ := bufio.NewReader(nc).ReadString('\n'); status != want {
			t.Errorf("%s: %q", name, status)
		}
	}
	p.signal(t, syscall.SIGTERM)
	if code, _, said := p.end(t); code != 0 {
		t.Errorf("exit code %d after SIGTERM: %s", code, said)
	}
}

// A connection that does not take its replies holds up the end for as long as --drain says, or until a second signal.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	for _, transport := range []string{"netpoll", "epoll", "redcon"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			p := startShardlab(t, "serve", "--topology", "shared", "--transport", transport, "--bind", "127.0.0.1:0", "--drain", "10m")
			line, err := p.out.ReadString('\n')
			if err != nil {
				_, _, said := p.end(t)
				t.Fatalf("%v: %s", err, said)
			}
			addr := strings.TrimSpace(line)
			nc, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			nc.SetDeadline(time.Now().Add(20 * time.Second))
			fmt.Fprintf(nc, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\n%s\r\n", strings.Repeat("v", 1_000_000))
			fmt.Fprint(nc, strings.Repeat("GET k\r\n", 200))
			if reply, _ := bufio.NewReaderSize(nc, 16).ReadString('\n'); reply != "+OK\r\n" {
				t.Fatalf("SET: %q", reply)
			}
			p.signal(t, syscall.SIGTERM)
			for { // until it drains
				other, err := net.Dial("tcp", addr)
				if err != nil {
					break
				}
				other.Close()
			}
			ended := make(chan struct{})
			go func() { p.end(t); close(ended) }()
			again := time.NewTicker(10 * time.Millisecond)
			defer again.Stop()
			for {
				select {
				case <-ended:
					if state := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !state.Signaled() {
						t.Errorf("ended with %v, not by the second signal", p.cmd.ProcessState)
					}
					return
				case <-again.C:
					p.cmd.Process.Signal(syscall.SIGTERM)
				case <-time.After(20 * time.Second):
					t.Fatal("still there after the second signal")
				}
			}
		})
	}
}

func firstCPU(t *testing.T) string {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "Cpus_allowed_list:")
	list := strings.Fields(rest)[0]
	return strings.FieldsFunc(list, func(r rune) bool { return r == '-' || r == ',' })[0]
}

// endless is a scenario that does not end by itself while a test is interested.
const endless = `
name: endless
workload: {keys: 1000}
load: {mode: closed, connections: 4, pipeline: 4}
arms: [thread-local, direct-shard]
run: {blocks: 1000, slices: 10ms, slices_per_block: 2, lead_in: 1ms, warmup: 10ms}
`

// startEndless starts a run and returns when its first block is finished.
func startEndless(t *testing.T) (p *process, results string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "endless.yaml")
	if err := os.WriteFile(file, []byte(endless), 0o644); err != nil {
		t.Fatal(err)
	}
	p = startShardlab(t, "run", file, "--results", dir)
	for {
		line, err := p.errOut.ReadString('\n')
		if err != nil {
			t.Fatalf("the run ended: %v: %s", err, line)
		}
		if strings.Contains(line, "block 1/1000") {
			return p, dir
		}
	}
}

func TestInterruptedRunKeepsItsBlocks(t *testing.T) {
	p, dir := startEndless(t)
	p.signal(t, syscall.SIGINT)
	code, out, said := p.end(t)
	if code != 130 {
		t.Errorf("exit code %d: %s", code, said)
	}
	if !strings.Contains(said, "interrupted; the servers are stopped and what was finished is kept in") {
		t.Errorf("says: %s", said)
	}
	if !strings.Contains(out, "thread-local") || !strings.Contains(out, "the run is interrupted") {
		t.Errorf("shows no comparison of what was finished:\n%s", out)
	}
	var manifest []byte
	if names, _ := filepath.Glob(filepath.Join(dir, "*", "manifest.json")); len(names) == 1 {
		manifest, _ = os.ReadFile(names[0])
	}
	if !bytes.Contains(manifest, []byte(`"status": "interrupted"`)) {
		t.Errorf("the manifest does not say so: %.300s", manifest)
	}
	if left := servers(t, dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A killed run must not leave servers behind: nobody else would stop them.
func TestKilledRunLeavesNoServers(t *testing.T) {
	p, _ := startEndless(t)
	var children []int
	for len(children) == 0 { // between blocks there are none
		children = childrenOf(t, p.cmd.Process.Pid)
	}
	p.signal(t, syscall.SIGKILL)
	p.end(t)
	deadline := time.After(20 * time.Second)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for _, pid := range children {
		for alive(pid) {
			select {
			case <-look.C:
			case <-deadline:
				t.Fatalf("process %d is still alive", pid)
			}
		}
	}
}

// servers lists processes that serve for a run whose results are in dir. They are found by their parent: ours are gone.
func servers(t *testing.T, dir string) (left []int) {
	t.Helper()
	names, _ := filepath.Glob(filepath.Join(dir, "*", "blocks.jsonl"))
	for _, name := range names {
		lines, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(lines) {
			_, rest, ok := bytes.Cut(line, []byte(`"pid":`))
			if !ok {
				t.Fatalf("no pid in %s", line)
			}
			digits, _, _ := bytes.Cut(rest, []byte(","))
			if pid, err := strconv.Atoi(string(digits)); err == nil && alive(pid) {
				left = append(left, pid)
			}
		}
	}
	return left
}

func childrenOf(t *testing.T, pid int) (children []int) {
	t.Helper()
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		if f[1] == strconv.Itoa(pid) {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			children = append(children, child)
		}
	}
	return children
}

// alive reports whether a process exists and has not yet ended.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	return f[0] != "Z" && f[0] != "X"
}

// runScenarioFile runs a scenario to its end and returns the run directory.
func runScenarioFile(t *testing.T, text string, args ...string) (dir string) {
	t.Helper()
	root := t.TempDir()
	file := filepath.Join(root, "scenario.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("shardlab", append([]string{"run", file, "--results", root, "--no-plots"}, args...)...)
	// 3: the machine was too busy for valid measurements, which is not what these tests are about.
	if out, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != 3 {
		t.Fatalf("%v\n%s", err, out)
	}
	dirs, _ := filepath.Glob(filepath.Join(root, "*Z-*"))
	if len(dirs) != 1 {
		t.Fatalf("run directories: %v", dirs)
	}
	return dirs[0]
}

const short = `
name: short
workload: {keys: 1000}
load: {mode: closed, connections: 4, pipeline: 4}
arms: [thread-local, multi-direct]
run: {blocks: 6, slices: 10ms, slices_per_block: 2, lead_in: 1ms, warmup: 10ms}
`

// The same scenario and seed mean the same operations, whenever they run; only then are two runs compared.
func TestTwoRunsAreComparedOnlyForTheSameWork(t *testing.T) {
	a, b := runScenarioFile(t, short), runScenarioFile(t, short)
	if ha, hb := streamHash(t, a), streamHash(t, b); ha != hb {
		t.Errorf("operation streams %s and %s of one scenario and seed", ha, hb)
	}
	out, err := exec.Command("shardlab", "compare", a, b).CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("multi-direct")) {
		t.Errorf("compare: %v\n%s", err, out)
	}
	other := runScenarioFile(t, short, "--seed", "2")
	if streamHash(t, other) == streamHash(t, a) {
		t.Error("another seed has the same operation stream")
	}
	out, err = exec.Command("shardlab", "compare", a, other).CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("operation stream")) {
		t.Errorf("runs of different seeds were compared: %v\n%s", err, out)
	}
}

func streamHash(t *testing.T, dir string) string {
	t.Helper()
	run, err := results.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return run.Manifest.Points[0].StreamHash
}
