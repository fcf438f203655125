package loadgen

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// startMemcached starts memcached on a socket of its own and returns its address.
func startMemcached(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	startProgram(t, path, "memcached", "-s", path, "-u", "root", "-m", "64", "-t", "1")
	return "unix:" + path
}

// startProgram starts another's server, which listens on the socket path, or skips the test where it is not installed.
func startProgram(t *testing.T, path, name string, args ...string) *exec.Cmd {
	t.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%[1]s is not on the PATH; install it with: apt-get install %[1]s", name)
	}
	cmd := exec.Command(program, args...)
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
			t.Fatalf("%s does not accept connections", name)
		}
	}
	return cmd
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

// TestMemcachedOps sends everything that memcached has: counters are there before they are counted, and what is removed is missed.
func TestMemcachedOps(t *testing.T) {
	w := testWorkload
	w.Mix = []OpShare{{Get, 4}, {Set, 4}, {Del, 1}, {Incr, 2}, {MGet, 2}, {SetEx, 1}, {Expire, 1}, {Decr, 1}}
	w.TTL, w.KeysPerOp, w.CrossShard = Law{Min: 1001, Max: 60_000}, 3, -1
	w.ValueLaw, w.KeyLaw = Law{Min: 16, Max: 300}, Law{Min: 5, Max: 250}
	for _, load := range []Load{{Mode: Closed, Connections: 3, Pipeline: 8}, {Mode: Open, Connections: 3, Rate: 10_000}} {
		s := connect(t, newTestPool(t, 2), Target{Addr: startMemcached(t), Protocol: Memcached}, w, load)
		if err := s.Preload(t.Context()); err != nil {
			t.Fatal(err)
		}
		r := runFor(t, 600, s, Window{Measure: 100 * time.Millisecond})
		if r.Errors+r.Corrupt+r.InFlight > 0 || r.Misses == 0 || r.Checked == 0 {
			t.Errorf("%v: %d errors (%s), %d corrupt, %d misses, %d checked", load.Mode, r.Errors, r.FirstError, r.Corrupt, r.Misses, r.Checked)
		}
		if r.Reads != r.Ops[Get]+3*r.Ops[MGet]+r.Ops[Incr]+r.Ops[Decr] {
			t.Errorf("%v: %d reads of %v", load.Mode, r.Reads, r.Ops)
		}
		for _, m := range w.Mix {
			if r.Ops[m.Op] == 0 {
				t.Errorf("%v: no %s", load.Mode, m.Op)
			}
		}
	}
	refused := func(want string, change func(*Workload)) {
		t.Helper()
		x := w
		change(&x)
		_, err := newTestPool(t, 1).Connect(t.Context(), Target{Addr: "unix:/none", Protocol: Memcached}, x, Load{Connections: 1, Pipeline: 1})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	refused("EXISTS has no counterpart in memcached, which has GET, SET, DEL, INCR, MGET, SETEX, EXPIRE, DECR, RMW; use resp",
		func(w *Workload) { w.Mix = []OpShare{{Exists, 1}} })
	refused("ECHO has no counterpart", func(w *Workload) { w.Mix, w.Templates = []OpShare{{FirstTemplate, 1}}, []string{"ECHO x"} })
	refused("beyond 30 days for a date", func(w *Workload) { w.TTL.Max = maxMemcachedTTL + 1 })
}

// TestHTTPOps likewise.
func TestHTTPOps(t *testing.T) {
	w := testWorkload
	w.Keys = 20
	w.Mix = []OpShare{{Get, 4}, {Set, 4}, {Del, 1}, {SetEx, 1}, {Exists, 2}}
	w.TTL = Law{Min: 1001, Max: 60_000}
	for _, load := range []Load{{Mode: Closed, Connections: 3, Pipeline: 1}, {Mode: Open, Connections: 8, Rate: 1000}} {
		s := connect(t, newTestPool(t, 2), Target{Addr: webServer(t, false), Protocol: HTTP}, w, load)
		if err := s.Preload(t.Context()); err != nil {
			t.Fatal(err)
		}
		r := runFor(t, 100, s, Window{Measure: 150 * time.Millisecond})
		if r.Errors+r.Corrupt+r.InFlight > 0 || r.Misses == 0 {
			t.Errorf("%v: %d errors (%s), %d corrupt, %d misses", load.Mode, r.Errors, r.FirstError, r.Corrupt, r.Misses)
		}
		for _, m := range w.Mix {
			if r.Ops[m.Op] == 0 {
				t.Errorf("%v: no %s", load.Mode, m.Op)
			}
		}
	}
	w.Mix = []OpShare{{Incr, 1}}
	_, err := newTestPool(t, 1).Connect(t.Context(), Target{Addr: "unix:/none", Protocol: HTTP}, w, Load{Connections: 1, Pipeline: 1})
	if err == nil || !strings.Contains(err.Error(), "INCR has no counterpart in http, which has GET, SET, DEL, SETEX, EXISTS, RMW; use resp") {
		t.Errorf("INCR: %v", err)
	}
}

// TestHTTPRequestsAreOnes: what net/http reads in them is what was meant.
func TestHTTPRequestsAreOnes(t *testing.T) {
	w := testWorkload
	w.Mix, w.TTL, w.ValueSize = []OpShare{{Get, 1}, {Set, 1}, {Del, 1}, {SetEx, 1}, {Exists, 1}}, Fixed(1500), 7
	p, err := newPlan(w)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.translate(Target{Addr: "localhost:80", Protocol: HTTP}); err != nil {
		t.Fatal(err)
	}
	for op, want := range map[Op]string{
		Get: "GET localhost:80 /v1/keys/k:00000000000007  0", Set: "PUT localhost:80 /v1/keys/k:00000000000007  7",
		Del: "DELETE localhost:80 /v1/keys/k:00000000000007  0", SetEx: "PUT localhost:80 /v1/keys/k:00000000000007 max-age=2 7",
		Exists: "HEAD localhost:80 /v1/keys/k:00000000000007  0",
	} {
		r := bufio.NewReader(bytes.NewReader(p.appendRequest(nil, &operation{op: op, key: 7}, 0, 0)))
		req, err := http.ReadRequest(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(req.Body)
		got := fmt.Sprintf("%s %s %s %s %d", req.Method, req.Host, req.URL, req.Header.Get("Cache-Control"), len(body))
		if got != want || r.Buffered() > 0 {
			t.Errorf("%q, want %q; %d bytes more", got, want, r.Buffered())
		}
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
			if age, ok := strings.CutPrefix(r.Header.Get("Cache-Control"), "max-age="); ok {
				if n, err := strconv.Atoi(age); err != nil || n < 2 || n > 60 {
					http.Error(w, "a time to live out of the law", http.StatusBadRequest)
					return
				}
			}
			w.WriteHeader(http.StatusNoContent)
		case "DELETE":
			if _, ok := data[r.URL.Path]; !ok {
				http.NotFound(w, r)
				return
			}
			delete(data, r.URL.Path)
			w.WriteHeader(http.StatusNoContent)
		case "GET", "HEAD":
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
			r := runFor(t, 50, s, Window{Measure: 50 * time.Millisecond})
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
