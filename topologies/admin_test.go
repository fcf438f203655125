package topologies

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/shardlab/shardlab/server/admin"
)

// getPage gets a page.
func getPage(t *testing.T, url string, fields ...string) (code int, body string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{}, Timeout: 20 * time.Second}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		req.Header.Add(fields[i], fields[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(page)
}

// The names, types and labels of our metrics are an interface: testdata/metrics holds them. SHARDLAB_UPDATE=1 writes it.
func TestMetrics(t *testing.T) {
	const golden = "testdata/metrics"
	for _, v := range forms() {
		t.Run(v.String(), func(t *testing.T) {
			cfg := v.config()
			cfg.Admin, cfg.HTTP = "127.0.0.1:0", "127.0.0.1:0"
			in := open(t, cfg)
			var want [][]string
			for range 100 {
				want = append(want, []string{"SET", "k", "v"}, []string{"GET", "k"}, []string{"GET", "absent"})
			}
			conversation(t, in.Addr().String(), want, 1)
			code, page := getPage(t, "http://"+in.AdminAddr().String()+"/metrics")
			if code != 200 {
				t.Fatalf("%d: %s", code, page)
			}
			for _, line := range []string{"shardlab_keyspace_hits_total 100", "shardlab_keyspace_misses_total 100",
				`shardlab_commands_total{command="get"} 200`, `shardlab_commands_total{command="set"} 100`,
				`shardlab_connections_accepted_total{front="main"} 1`} {
				if !strings.Contains(page, "\n"+line+"\n") {
					t.Errorf("no line %q in\n%s", line, page)
				}
			}
			if n := strings.Count(page, "\nshardlab_shard_entries{"); n != in.Settings.Shards {
				t.Errorf("figures of %d shards, there are %d", n, in.Settings.Shards)
			}
			problems, err := testutil.GatherAndLint(admin.Registry(in.fronts.figures.read))
			for _, p := range problems {
				if strings.HasPrefix(p.Metric, "shardlab_") { // the Go collector's own are not ours to name
					t.Errorf("%s: %s", p.Metric, p.Text)
				}
			}
			if err != nil {
				t.Error(err)
			}
			if v.topology == "multi-direct" {
				compareMetrics(t, golden, page)
			}
		})
	}
}

// compareMetrics compares the TYPE lines and the label names of our metrics with a file.
func compareMetrics(t *testing.T, golden, page string) {
	t.Helper()
	value := regexp.MustCompile(`"[^"]*"`)
	var lines []string
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		if typed, ok := strings.CutPrefix(line, "# TYPE shardlab_"); ok {
			lines = append(lines, "shardlab_"+typed)
		}
		// The labels of topology_info are the topology's settings, which are named elsewhere.
		name, _, ok := strings.Cut(line, "} ")
		if ok && strings.HasPrefix(name, "shardlab_") && !strings.HasPrefix(name, "shardlab_topology_info{") {
			lines = append(lines, value.ReplaceAllString(name, "")+"}")
		}
	}
	slices.Sort(lines)
	got := strings.Join(slices.Compact(lines), "\n") + "\n"
	if os.Getenv("SHARDLAB_UPDATE") != "" {
		if err := os.MkdirAll(filepath.Dir(golden), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("metrics are\n%s\n%s says\n%s", got, golden, want)
	}
}

// Bytes and processor time are those of the sockets and threads, as of a tick ago at most.
func TestTrafficIsCounted(t *testing.T) {
	for _, v := range forms() {
		t.Run(v.String(), func(t *testing.T) {
			in := v.open(t)
			conversation(t, in.Addr().String(), slices.Repeat([][]string{{"ECHO", strings.Repeat("x", 1000)}}, 100), 1)
			for end := time.Now().Add(20 * time.Second); ; {
				got := in.srv.Traffic()
				if got.In > 100_000 && got.In < 110_000 && got.Out > 100_000 && got.Out < 110_000 {
					break
				}
				if time.Now().After(end) {
					t.Fatalf("%+v after 100 echoes of 1,000 bytes", got)
				}
				do(t, in.NewCaller(), "PING") // gives the loops time to tick
			}
			if cpu := in.srv.LoopCPU(); v.transport == "epoll" {
				if len(cpu) != in.Settings.Workers || slices.Max(cpu) <= 0 {
					t.Errorf("processor time of %d loops: %v", in.Settings.Workers, cpu)
				}
			} else if cpu != nil {
				t.Errorf("loops without loops: %v", cpu)
			}
		})
	}
}

func TestAdminPages(t *testing.T) {
	in := open(t, Config{Topology: "multi-direct", Admin: "localhost:0"})
	base := "http://" + in.AdminAddr().String()
	for page, want := range map[string]string{
		"/healthz": "ok", "/readyz": "ready", "/debug/pprof/": "goroutine", "/debug/pprof/goroutine?debug=1": "goroutine profile",
		"/debug/pprof/profile?seconds=1": "", "/debug/pprof/symbol": "num_symbols", "/metrics": "go_goroutines",
	} {
		if code, body := getPage(t, base+page); code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d, %.200q", page, code, body)
		}
	}
	if code, _ := getPage(t, base+"/"); code != 404 {
		t.Errorf("/: %d", code)
	}
}

// From the first moment of a drain the server is not ready, and its pages are there until the end.
func TestReadyzWhileDraining(t *testing.T) {
	in := open(t, Config{Topology: "thread-local", Admin: "127.0.0.1:0"})
	nc, err := net.Dial("tcp", in.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	// A client that takes no replies holds up the drain until we close it: it sends until the server, stuck with its
	// replies, reads no more.
	rest := bytes.Repeat(encode([]string{"ECHO", strings.Repeat("x", 1<<20)}), 64)
	for n := 1; n > 0; rest = rest[n:] {
		nc.SetWriteDeadline(time.Now().Add(500 * time.Millisecond))
		if n, err = nc.Write(rest); err == nil {
			t.Fatal("the server took 64 MiB without a reply being read")
		}
	}
	ended := make(chan error)
	go func() { ended <- in.Shutdown(context.Background()) }()
	base := "http://" + in.AdminAddr().String()
	for code := 200; code != 503; code, _ = getPage(t, base+"/readyz") {
	}
	for _, page := range []string{"/healthz", "/metrics"} {
		if code, _ := getPage(t, base+page); code != 200 {
			t.Errorf("%s while draining: %d", page, code)
		}
	}
	nc.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAdminReach(t *testing.T) {
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0"} {
		_, err := Open(Config{Topology: "shared", Bind: "127.0.0.1:0", Admin: addr})
		if err == nil || !strings.Contains(err.Error(), "use a loopback address, or --admin-public") {
			t.Errorf("%s: %v", addr, err)
		}
		in := open(t, Config{Topology: "shared", Admin: addr, AdminPublic: true})
		if in.AdminAddr() == nil {
			t.Errorf("%s: no admin pages although they were allowed", addr)
		}
	}
	// A front that cannot be bound fails the start, and leaves nothing open: goleak sees to that.
	taken := open(t, Config{Topology: "shared"}).Addr().String()
	for _, cfg := range []Config{{HTTP: taken}, {Admin: taken}, {Admin: "nonsense"}, {HTTP: "127.0.0.1:0", Admin: taken}} {
		cfg.Topology, cfg.Bind = "multi-direct", "127.0.0.1:0"
		if _, err := Open(cfg); err == nil {
			t.Errorf("%+v: opened", cfg)
		}
	}
}
