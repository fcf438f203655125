package server

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// childEnv makes this test binary a server in a process of its own, for tests of what a process has only so many of.
const childEnv = "SHARDLAB_TEST_SERVER"

// childOptions is what a child is told, as JSON.
type childOptions struct {
	Transport       string
	Loops, MaxConns int
	Descriptors     uint64 // limit of the process; 0: as it is
}

// serveAsChild serves until its standard input ends. The first line on standard output is the address.
func serveAsChild() {
	fail := func(err error) {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	var o childOptions
	fail(json.Unmarshal([]byte(os.Getenv(childEnv)), &o))
	if o.Descriptors > 0 {
		fail(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: o.Descriptors, Max: o.Descriptors}))
	}
	s, err := Start(Options{
		Transport: o.Transport, Loops: o.Loops, MaxConns: o.MaxConns, Listen: []Listen{{Addr: "127.0.0.1:0", Loop: AnyLoop}},
		Log: logWriter(os.Stderr),
	}, &echo{})
	fail(err)
	fmt.Println(s.Addrs()[0])
	io.Copy(io.Discard, os.Stdin)
	fail(s.Shutdown(context.Background()))
}

// startChild runs a server in a process of its own and returns its address and what it has logged once it has ended.
func startChild(t *testing.T, o childOptions) (addr string, end func() (logged string)) {
	t.Helper()
	env, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(env))
	var logged strings.Builder
	cmd.Stderr = &logged
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	end = func() string {
		if !ended {
			ended = true
			in.Close()
			if err := cmd.Wait(); err != nil {
				t.Errorf("server process: %v\n%s", err, &logged)
			}
		}
		return logged.String()
	}
	t.Cleanup(func() { end() })
	line, err := bufio.NewReader(out).ReadString('\n')
	addr = strings.TrimSpace(line)
	if _, _, bad := net.SplitHostPort(addr); err != nil || bad != nil {
		t.Fatalf("server process says %q, %v", line, err)
	}
	return addr, end
}

func eachChild(t *testing.T, o childOptions, test func(t *testing.T, addr string, end func() string)) {
	for _, loops := range []int{0, 1, 2} {
		o.Transport, o.Loops = Epoll, loops
		if loops == 0 {
			o.Transport = Netpoll
		}
		t.Run(fmt.Sprintf("%s/loops=%d", o.Transport, loops), func(t *testing.T) {
			addr, end := startChild(t, o)
			test(t, addr, end)
		})
	}
}
