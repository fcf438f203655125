package loadgen

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// startMemcached starts memcached on a socket of its own and returns its address.
func startMemcached(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("memcached")
	if err != nil {
		t.Skip("memcached is not on the PATH; install it with: apt-get install memcached")
	}
	path := filepath.Join(t.TempDir(), "s")
	cmd := exec.Command(program, "-s", path, "-u", "root", "-m", "64", "-t", "1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	retry := time.NewTicker(5 * time.Millisecond)
	defer retry.Stop()
	for range retry.C {
		if c, err := net.Dial("unix", path); err == nil {
			c.Close()
			break
		}
		if t.Context().Err() != nil {
			t.Fatal("memcached does not accept connections")
		}
	}
	return "unix:" + path
}

// TestMemcached: preload, count and both kinds of load, against the real one.
func TestMemcached(t *testing.T) {
	sized := testWorkload
	sized.ValueLaw, sized.KeyLaw = Law{Min: 1, Max: 300}, Law{Min: 5, Max: 250}
	for i, load := range []Load{{Mode: Closed, Connections: 3, Pipeline: 8}, {Mode: Open, Connections: 3, Rate: 3000}} {
		s := connect(t, newTestPool(t, 2), Target{Addr: startMemcached(t), Protocol: Memcached}, []Workload{testWorkload, sized}[i], load)
		if err := s.Preload(t.Context()); err != nil {
			t.Fatal(err)
		}
		r := run(t, s, Window{Measure: 50 * time.Millisecond})
		if r.Ops[Get] == 0 || r.Ops[Set] == 0 || r.Errors+r.Misses+r.Corrupt+r.InFlight > 0 {
			t.Errorf("%v: %+v", load.Mode, r)
		}
		if n, known, err := s.Count(t.Context()); n != int64(testWorkload.Keys) || !known || err != nil {
			t.Errorf("%d keys, %v, %v", n, known, err)
		}
		if _, err := s.Do(t.Context(), "verbosity"); err == nil || !strings.Contains(err.Error(), "ERROR") {
			t.Errorf("a bad command: %v", err)
		}
	}
	long := testWorkload
	long.KeySize = 251
	if _, err := newTestPool(t, 1).Connect(t.Context(), Target{Addr: "unix:/none", Protocol: Memcached}, long, Load{Connections: 1, Pipeline: 1}); err == nil ||
		!strings.Contains(err.Error(), "at most 250") {
		t.Errorf("keys of 251 bytes: %v", err)
	}
}

// webServer keeps values by path. Replies to GET have a length, or come in chunks.
func webServer(t *testing.T, chunked bool) string {
	var mu sync.Mutex
	data := map[string][]byte{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch r.Method {
		case "PUT":
			data[r.URL.Path], _ = io.ReadAll(r.Body)
			w.WriteHeader(http.StatusNoContent)
		case "GET":
			value, ok := data[r.URL.Path]
			switch {
			case !ok:
				http.NotFound(w, r)
			case chunked:
				for len(value) > 0 {
					n := min(len(value), 7)
					w.Write(value[:n])
					w.(http.Flusher).Flush()
					value = value[n:]
				}
			default:
				w.Write(value)
			}
		default:
			http.Error(w, "no", http.StatusMethodNotAllowed)
		}
	}))
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String()
}

func TestHTTP(t *testing.T) {
	for _, chunked := range []bool{false, true} {
		target := Target{Addr: webServer(t, chunked), Protocol: HTTP, Path: "/data/{key}/value"}
		sized := testWorkload
		sized.ValueLaw, sized.KeyLaw = Law{Min: 1, Max: 300}, Law{Min: 5, Max: 250}
		for i, load := range []Load{{Mode: Closed, Connections: 3, Pipeline: 1}, {Mode: Open, Connections: 8, Rate: 1000}} {
			s := connect(t, newTestPool(t, 2), target, []Workload{testWorkload, sized}[i], load)
			if err := s.Preload(t.Context()); err != nil {
				t.Fatal(err)
			}
			r := run(t, s, Window{Measure: 50 * time.Millisecond})
			if r.Ops[Get] == 0 || r.Ops[Set] == 0 || r.Errors+r.Misses+r.Corrupt+r.InFlight > 0 {
				t.Errorf("chunked %v, %v: %+v", chunked, load.Mode, r)
			}
			if _, known, err := s.Count(t.Context()); known || err != nil {
				t.Errorf("HTTP counts: %v, %v", known, err)
			}
			if _, err := s.Do(t.Context(), "INFO"); err == nil {
				t.Error("HTTP has a command")
			}
		}
	}
	refused := func(target Target, l Load, want string) {
		t.Helper()
		if _, err := newTestPool(t, 1).Connect(context.Background(), target, testWorkload, l); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", target, err, want)
		}
	}
	addr := webServer(t, false)
	one := Load{Connections: 1, Pipeline: 1}
	refused(Target{Addr: addr, Protocol: HTTP}, Load{Connections: 1, Pipeline: 2}, "with http it is 1")
	refused(Target{Addr: addr, Protocol: HTTP}, Load{Mode: Open, Rate: 1, Connections: 1, InFlight: 2}, "with http it is 1")
	for _, path := range []string{"x{key}", "/x", "/{key}/{key}", "/a b/{key}"} {
		refused(Target{Addr: addr, Protocol: HTTP, Path: path}, one, fmt.Sprintf("path %q", path))
	}
	refused(Target{Addr: addr, Path: "/{key}"}, one, "of HTTP")
}
