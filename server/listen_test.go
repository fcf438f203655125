package server

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// socketPath is a path for a unix socket, in a directory that does not exist yet. That of t.TempDir may be too long.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sock")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "run", "server.sock")
}

func overUnix(t *testing.T, test func(t *testing.T, opts Options, e *echo, path string)) {
	eachTransport(t, func(t *testing.T, opts Options, e *echo) {
		path := socketPath(t)
		opts.Listen = []Listen{{Network: "unix", Addr: path, Loop: AnyLoop}}
		test(t, opts, e, path)
	})
}

func mustEcho(t *testing.T, nc net.Conn) {
	t.Helper()
	nc.Write(request("echo", "hello"))
	mustRead(t, nc, "$5\r\nhello\r\n")
}

func TestUnixSocket(t *testing.T) {
	overUnix(t, func(t *testing.T, opts Options, e *echo, path string) {
		p := &placed{}
		p.later = e.later
		s := startBackend(t, opts, p)
		mustEcho(t, dial(t, s))
		if c := p.conns()[0]; c.Remote() != path+":0" || c.Local() != path+":0" {
			t.Errorf("the ends are named %q and %q", c.Remote(), c.Local())
		}
		shutdown(t, s)
		if _, err := os.Lstat(path); !os.IsNotExist(err) {
			t.Errorf("the socket file is still there: %v", err)
		}
	})
}

// What a killed server has left behind is replaced.
func TestStaleSocketFileIsReplaced(t *testing.T) {
	overUnix(t, func(t *testing.T, opts Options, e *echo, path string) {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		ln.SetUnlinkOnClose(false)
		ln.Close()
		mustEcho(t, dial(t, start(t, opts, e)))
	})
}

// A socket file that is served is left alone, and so is a file that is no socket.
func TestLiveSocketFileIsLeftAlone(t *testing.T) {
	overUnix(t, func(t *testing.T, opts Options, e *echo, path string) {
		s := start(t, opts, e)
		if _, err := Start(opts, &echo{}); err == nil || !strings.Contains(err.Error(), path+": another server is serving there") {
			t.Errorf("a second server at the same path: %v", err)
		}
		mustEcho(t, dial(t, s))
		plain := path + ".txt"
		if err := os.WriteFile(plain, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		opts.Listen[0].Addr = plain
		if _, err := Start(opts, &echo{}); err == nil || !strings.Contains(err.Error(), "not a socket") {
			t.Errorf("a file in the way: %v", err)
		}
		if b, _ := os.ReadFile(plain); string(b) != "precious" {
			t.Errorf("the file now holds %q", b)
		}
	})
}

// A server that ends does not remove the socket of another that has taken its place meanwhile.
func TestOnlyItsOwnSocketFileIsRemoved(t *testing.T) {
	overUnix(t, func(t *testing.T, opts Options, e *echo, path string) {
		first := start(t, opts, e)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		second := start(t, opts, &echo{})
		shutdown(t, first)
		mustEcho(t, dial(t, second))
	})
}

func TestListenRefusals(t *testing.T) {
	for text, l := range map[string]Listen{
		"unknown network":      {Network: "udp", Addr: "127.0.0.1:0", Loop: AnyLoop},
		"a path of 200 bytes":  {Network: "unix", Addr: "/tmp/" + strings.Repeat("x", 195), Loop: AnyLoop},
		"a path of 0 bytes":    {Network: "unix", Loop: AnyLoop},
		"not a directory":      {Network: "unix", Addr: "/dev/null/x.sock", Loop: AnyLoop},
		"event loop 1, have 1": {Addr: "127.0.0.1:0", Loop: 1},
	} {
		_, err := Start(Options{Transport: Epoll, Loops: 1, Listen: []Listen{{Addr: "127.0.0.1:0", Loop: 0}, l}}, &echo{})
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%+v: error %v; want %q", l, err, text)
		}
	}
}

// With SO_REUSEPORT every loop accepts at the same address, the kernel's choice of port included, and keeps what it accepts.
func TestReusePort(t *testing.T) {
	p := &placed{}
	opts := Options{Transport: Epoll, Loops: 3, Listen: []Listen{{Addr: "127.0.0.1:0", Loop: AnyLoop, ReusePort: true}}}
	s := startBackend(t, opts, p)
	if n := len(s.Addrs()); n != 1 {
		t.Fatalf("%d addresses", n)
	}
	seen := map[int]bool{}
	for len(seen) < 3 { // the kernel chooses by a hash of the ports: each loop's turn comes
		mustEcho(t, dial(t, s))
		p.mu.Lock()
		at := p.places[len(p.places)-1]
		p.mu.Unlock()
		if at.Listener != 0 {
			t.Fatalf("came in by address %d", at.Listener)
		}
		seen[at.Loop] = true
	}
	opts.Listen[0].Addr = s.Addrs()[0].String()
	if _, err := Start(opts, &echo{}); err == nil {
		t.Error("a second server joined the address in silence")
	}
}
