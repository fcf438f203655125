package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestReportIsServed shows a recorded run and those beside it, lets no path lead out of the folder, and ends when it is told to.
func TestReportIsServed(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"shardlab", "report", "20261130T111033Z", "--results", "../../results/published", "--serve", "127.0.0.1:0"},
			in, io.Discard)
		in.Close()
	}()
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url = strings.TrimSpace(url)
	get := func(path string) (status int, body string) {
		t.Helper()
		res, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
	const other = "20261130T110809Z-8fb30b9-quickstart-15ed8c"
	if status, body := get(""); status != http.StatusOK || !strings.Contains(body, "ceiling · shardlab report") ||
		!strings.Contains(body, `href="/run/`+other+`"`) {
		t.Errorf("the page has status %d and lacks its title or the runs beside it", status)
	}
	if status, body := get("run/" + other); status != http.StatusOK || !strings.Contains(body, "quickstart · shardlab report") {
		t.Errorf("the run beside it has status %d", status)
	}
	for _, path := range []string{"run/..%2f..%2f..", "run/nosuch", "manifest.json", "run/%2e%2e"} {
		if status, _ := get(path); status != http.StatusNotFound {
			t.Errorf("%s has status %d, want 404", path, status)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	cancel()
	if c := <-code; c != 0 {
		t.Errorf("exit code %d, want 0", c)
	}
}
