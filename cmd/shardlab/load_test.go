package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/shardlab/shardlab/results"
)

// serveFor starts a server for a test and returns its address.
func serveFor(t *testing.T, args ...string) string {
	t.Helper()
	p := startShardlab(t, append([]string{"serve", "--bind", "127.0.0.1:0", "--workers", "1"}, args...)...)
	line, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// TestLoadMetrics: what a scrape finds while the load is on.
func TestLoadMetrics(t *testing.T) {
	p := startShardlab(t, "load", "--target", serveFor(t, "--topology", "shared"), "--rate", "1k", "--connections", "4",
		"--keys", "1k", "--duration", "1h", "--warmup", "0s", "--prometheus", "127.0.0.1:0")
	url := ""
	for {
		line, err := p.errOut.ReadString('\n')
		if err != nil {
			t.Fatalf("the load ended: %v: %s", err, line)
		}
		if rest, ok := strings.CutPrefix(line, "prometheus "); ok {
			url = strings.TrimSpace(rest)
		}
		if strings.Contains(line, "1s  offered") {
			break
		}
	}
	reply, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"shardlab_load_replies_total ", "shardlab_load_errors_total 0", "shardlab_load_offered_per_second ",
		`shardlab_load_latency_seconds{quantile="0.5",time="response"} `, `shardlab_load_latency_seconds{quantile="1",time="service"} `} {
		if !strings.Contains(string(body), want) {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
	p.signal(t, syscall.SIGINT)
	if code, _, said := p.end(t); code != exitInterrupted {
		t.Errorf("exit code %d: %s", code, said)
	}
}

// TestInterruptedLoadKeepsItsSeconds: on the screen and in the run directory.
func TestInterruptedLoadKeepsItsSeconds(t *testing.T) {
	dir := t.TempDir()
	p := startShardlab(t, "load", "--target", serveFor(t, "--topology", "shared"), "--rate", "1k", "--connections", "4",
		"--keys", "1k", "--duration", "1h", "--warmup", "0s", "--out", dir)
	for {
		line, err := p.errOut.ReadString('\n')
		if err != nil {
			t.Fatalf("the load ended: %v: %s", err, line)
		}
		if strings.Contains(line, "2s  offered") {
			break
		}
	}
	p.signal(t, syscall.SIGINT)
	code, out, said := p.end(t)
	if code != exitInterrupted || !strings.Contains(said, "the figures are of what was measured until then") {
		t.Errorf("exit code %d: %s", code, said)
	}
	if !strings.Contains(out, "response") || !strings.Contains(out, "p99") {
		t.Errorf("shows no table:\n%s", out)
	}
	run, err := results.OpenIn(dir, "latest")
	if err != nil {
		t.Fatal(err)
	}
	seconds, err := run.Seconds()
	if err != nil {
		t.Fatal(err)
	}
	if run.Manifest.Status != results.Interrupted || len(seconds) < 3 || !seconds[len(seconds)-1].Tail || len(run.Slices) != 1 {
		t.Fatalf("status %s, %d seconds, %d slices", run.Manifest.Status, len(seconds), len(run.Slices))
	}
	var ops uint64
	for _, s := range seconds {
		ops += s.TotalOps()
	}
	whole := run.Slices[0].TotalOps()
	h, err := run.Histogram("", "target", "", results.Response)
	if err != nil || ops != whole || uint64(h.TotalCount()) != whole {
		t.Errorf("seconds have %d operations, the slice %d, the log %v: %v", ops, whole, h, err)
	}
	logs, _ := filepath.Glob(filepath.Join(run.Dir, "latency", "*", "target.hlog"))
	if len(logs) != 1 {
		t.Fatalf("logs %v", logs)
	}
	log, err := os.ReadFile(logs[0])
	if n := strings.Count(string(log), "#[Block:"); err != nil || n < 2 {
		t.Errorf("%d intervals in the log: %v", n, err)
	}
}
