package topologies

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shardlab/shardlab/server/wire"
)

// openHTTP opens a topology with its key front.
func openHTTP(t *testing.T, cfg Config) (in *Instance, hc *httpClient) {
	t.Helper()
	cfg.HTTP = "127.0.0.1:0"
	hc = &httpClient{t: t, client: http.Client{Transport: &http.Transport{}, Timeout: 20 * time.Second}}
	t.Cleanup(hc.client.CloseIdleConnections)
	in = open(t, cfg)
	hc.base = "http://" + in.HTTPAddr().String() + "/v1/keys/"
	return in, hc
}

type httpClient struct {
	t      *testing.T
	client http.Client
	base   string
}

type httpAnswer struct {
	code   int
	header http.Header
	body   string
}

// do sends a request for an escaped key. fields are names and values in turn.
func (c *httpClient) do(method, key, body string, fields ...string) httpAnswer {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.base+key, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		req.Header.Add(fields[i], fields[i+1])
	}
	resp, err := c.client.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return httpAnswer{resp.StatusCode, resp.Header, string(got)}
}

// want sends a request and checks the status and, of an error, its form.
func (c *httpClient) want(code int, method, key, body string, fields ...string) httpAnswer {
	c.t.Helper()
	a := c.do(method, key, body, fields...)
	if a.code != code {
		c.t.Errorf("%s %.60s %.100q: status %d, %.200q; want %d", method, key, fields, a.code, a.body, code)
	}
	if a.code >= 400 && method != http.MethodHead {
		var e struct{ Error string }
		if err := json.Unmarshal([]byte(a.body), &e); err != nil || e.Error == "" || a.header.Get("Content-Type") != "application/json" {
			c.t.Errorf("%s %.60s: error body %q of type %s", method, key, a.body, a.header.Get("Content-Type"))
		}
	}
	return a
}

func TestHTTPKeys(t *testing.T) {
	for _, v := range forms() {
		t.Run(v.String(), func(t *testing.T) {
			_, c := openHTTP(t, v.config())
			httpKeys(t, c)
		})
	}
}

func httpKeys(t *testing.T, c *httpClient) {
	c.want(404, "GET", "k", "")
	c.want(404, "HEAD", "k", "")
	c.want(404, "DELETE", "k", "")
	tag := c.want(201, "PUT", "k", "one").header.Get("ETag")
	if a := c.want(200, "GET", "k", ""); a.body != "one" || a.header.Get("ETag") != tag || a.header.Get("X-TTL") != "" ||
		a.header.Get("Cache-Control") != "no-cache" || a.header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("GET: %+v", a)
	}
	if a := c.want(200, "HEAD", "k", ""); a.body != "" || a.header.Get("Content-Length") != "3" || a.header.Get("ETag") != tag {
		t.Errorf("HEAD: %+v", a)
	}
	if other := c.want(204, "PUT", "k", "two").header.Get("ETag"); other == tag || len(tag) != 34 || tag[0] != '"' {
		t.Errorf("tags %s, %s", tag, other)
	}
	c.want(204, "DELETE", "k", "")
	c.want(404, "GET", "k", "")

	c.want(201, "PUT", "t", "v", "X-TTL", "100")
	if a := c.want(200, "GET", "t", ""); a.header.Get("Age") != "0" || a.header.Get("Expires") == "" ||
		a.header.Get("Cache-Control") != "max-age="+a.header.Get("X-TTL") {
		t.Errorf("with a TTL: %+v", a.header)
	} else if left, _ := strconv.Atoi(a.header.Get("X-TTL")); left < 90 || left > 100 {
		t.Errorf("X-TTL %d", left)
	}
	c.want(204, "PUT", "t", "v", "Cache-Control", "public, max-age=1000")
	if left, _ := strconv.Atoi(c.want(200, "HEAD", "t", "").header.Get("X-TTL")); left < 990 {
		t.Errorf("X-TTL %d", left)
	}
	c.want(204, "PUT", "t", "v") // as SET: the TTL is gone
	if a := c.want(200, "GET", "t", ""); a.header.Get("X-TTL") != "" {
		t.Errorf("the TTL stayed: %+v", a.header)
	}
	c.want(400, "PUT", "t", "v", "X-TTL", "0")
	c.want(400, "PUT", "t", "v", "Cache-Control", "max-age=-1")
	c.want(400, "PUT", "t", "v", "Content-Range", "bytes 0-1/2")
	c.want(400, "PUT", "", "v")
	c.want(404, "GET", "../k", "")
	if a := c.want(405, "POST", "k", "v"); a.header.Get("Allow") != "GET, HEAD, PUT, DELETE" {
		t.Errorf("Allow: %q", a.header.Get("Allow"))
	}
	large := strings.Repeat("0123456789", 100<<10)
	for _, value := range []string{"", "\x00\r\n\xff", large} {
		c.want(201, "PUT", "value/%00%ff%2F", value, "Content-Type", "multipart/form-data; boundary=x")
		if got := c.want(200, "GET", "value/%00%ff/", "").body; got != value {
			t.Errorf("put %.40q, got %.40q", value, got)
		}
		c.want(204, "DELETE", "value%2f%00%FF%2F", "")
	}
}

// raw writes bytes to the key front and returns everything it answers until it closes.
func raw(t *testing.T, in *Instance, input string) string {
	t.Helper()
	nc, err := net.Dial("tcp", in.HTTPAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	go io.WriteString(nc, input)
	out, err := io.ReadAll(nc)
	if err != nil {
		t.Fatalf("%.60q: %v after %.200q", input, err, out)
	}
	return string(out)
}

func TestHTTPPipeline(t *testing.T) {
	in, _ := openHTTP(t, Config{Topology: "thread-local"})
	var input strings.Builder
	for i := range 500 {
		fmt.Fprintf(&input, "PUT /v1/keys/k%d HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n%03d", i, i)
		fmt.Fprintf(&input, "GET http://x/v1/keys/k%d HTTP/1.1\r\nHost: x\r\n\r\n", i)
	}
	input.WriteString("HEAD /v1/keys/k1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	r := bufio.NewReader(strings.NewReader(raw(t, in, input.String())))
	for i := range 500 {
		mustRespond(t, r, "PUT", 201, "")
		mustRespond(t, r, "GET", 200, fmt.Sprintf("%03d", i))
	}
	mustRespond(t, r, "HEAD", 200, "")
	if r.Buffered() > 0 {
		t.Errorf("%d bytes too many", r.Buffered())
	}
}

func mustRespond(t *testing.T, r *bufio.Reader, method string, code int, body string) {
	t.Helper()
	resp, err := http.ReadResponse(r, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != code || string(got) != body {
		t.Fatalf("%s: %d %q, %v", method, resp.StatusCode, got, err)
	}
}

// What breaks a limit, or HTTP, is refused with a status, and the connection closed.
func TestHTTPRefusals(t *testing.T) {
	in, c := openHTTP(t, Config{Topology: "shared", Limits: wire.Limits{MaxBulk: 1000}})
	check := func(code int, input string) {
		t.Helper()
		out := raw(t, in, input)
		if !strings.HasPrefix(out, fmt.Sprintf("HTTP/1.1 %d ", code)) || !strings.Contains(out, `{"error":"`) {
			t.Errorf("%.60q: %.200q; want %d", input, out, code)
		}
	}
	check(413, "PUT /v1/keys/k HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n")
	check(413, "PUT /v1/keys/k HTTP/1.1\r\nHost: x\r\nContent-Length: 536870912\r\n\r\n"+strings.Repeat("x", 1<<20))
	check(413, "PUT /v1/keys/k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n"+strings.Repeat("x", 1001)+"\r\n0\r\n\r\n")
	check(431, "GET /v1/keys/k HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", 100<<10)+"\r\n\r\n")
	check(431, "GET /v1/keys/"+strings.Repeat("k", 100<<10)+" HTTP/1.1\r\nHost: x\r\n\r\n")
	check(400, "GET /v1/keys/%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	check(400, "nonsense\r\n\r\n")
	check(400, "GET /v1/keys/k SPDY/3\r\n\r\n")
	check(400, "*1\r\n$4\r\nPING\r\n")
	c.want(201, "PUT", "k", strings.Repeat("x", 1000))
	c.want(200, "GET", "k", "")
}

func TestHTTPConnectionLimit(t *testing.T) {
	in, c := openHTTP(t, Config{Topology: "shared", MaxConns: 2})
	c.want(404, "GET", "k", "") // its connection stays
	nc, err := net.Dial("tcp", in.HTTPAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	get := "GET /v1/keys/k HTTP/1.1\r\nHost: x\r\n\r\n"
	io.WriteString(nc, get)
	buf := make([]byte, 4096)
	if n, err := nc.Read(buf); err != nil || !bytes.HasPrefix(buf[:n], []byte("HTTP/1.1 404 ")) {
		t.Fatalf("within the limit: %q, %v", buf[:n], err)
	}
	if out := raw(t, in, ""); !strings.HasPrefix(out, "HTTP/1.1 503 ") {
		t.Errorf("above the limit: %q", out)
	} else {
		mustRespond(t, bufio.NewReader(strings.NewReader(out)), "GET", 503, "{\"error\":\"max connections reached\"}\n")
	}
	nc.Close()
	c.want(404, "GET", "k", "")
}

// With a password both fronts ask for it; the probes do not, and in-process sessions have come in already.
func TestFrontsAskForThePassword(t *testing.T) {
	in, c := openHTTP(t, Config{Topology: "multi-direct", Password: "pass word", Admin: "127.0.0.1:0"})
	if a := c.want(401, "PUT", "k", "v"); len(a.header.Values("WWW-Authenticate")) != 2 {
		t.Errorf("%+v", a.header)
	}
	c.want(401, "GET", "k", "", "Authorization", "Bearer password")
	c.want(201, "PUT", "k", "v", "Authorization", "Bearer pass word")
	c.want(200, "GET", "k", "", "Authorization", "Basic ZGVmYXVsdDpwYXNzIHdvcmQ=")
	c.want(412, "DELETE", "k", "", "Authorization", "Bearer pass word", "If-None-Match", "*")
	if got := do(t, in.NewCaller(), "GET", "k"); got != "v" {
		t.Errorf("in process: %q", got)
	}
	base := "http://" + in.AdminAddr().String()
	for page, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 401, "/debug/pprof/": 401} {
		if code, _ := getPage(t, base+page); code != want {
			t.Errorf("%s: %d, want %d", page, code, want)
		}
	}
	for _, auth := range []string{"Bearer pass word", "Basic ZGVmYXVsdDpwYXNzIHdvcmQ="} {
		if code, body := getPage(t, base+"/metrics", "Authorization", auth); code != 200 || !strings.Contains(body, "shardlab_") {
			t.Errorf("/metrics with %s: %d, %.100q", auth, code, body)
		}
	}
}

// At its limit, with nothing that may be evicted, the store refuses; what is there can still be read and deleted.
func TestHTTPOutOfMemory(t *testing.T) {
	in, c := openHTTP(t, Config{Topology: "thread-local", MaxMemory: 1 << 20, MaxMemoryPolicy: "noeviction"})
	value := strings.Repeat("x", 64<<10)
	code, n := 201, 0
	for ; code == 201 && n < 100; n++ {
		code = c.do("PUT", strconv.Itoa(n), value).code
	}
	if code != 507 || n < 10 {
		t.Fatalf("status %d after %d values of 64 KiB with 1 MiB", code, n)
	}
	c.want(507, "PUT", "0", value, "If-Match", "*")
	c.want(200, "GET", "0", "")
	c.want(204, "DELETE", "0", "")
	if got := do(t, in.NewCaller(), "EXISTS", "0"); got != "0" {
		t.Errorf("EXISTS after DELETE: %s", got)
	}
}

// A request that is under way when the server shuts down is answered; a silent connection does not hold it up.
func TestHTTPDrain(t *testing.T) {
	in, c := openHTTP(t, Config{Topology: "shared"})
	c.want(404, "GET", "k", "") // an idle connection
	silent, err := net.Dial("tcp", in.HTTPAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	nc, err := net.Dial("tcp", in.HTTPAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	r := bufio.NewReader(nc)
	io.WriteString(nc, "PUT /v1/keys/k HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n")
	mustRespond(t, r, "PUT", 100, "")
	ended := make(chan error)
	go func() { ended <- in.Shutdown(t.Context()) }()
	if _, err := io.ReadAll(silent); err != nil { // its end says that the drain has begun
		t.Errorf("silent: %v", err)
	}
	io.WriteString(nc, "0123456789")
	mustRespond(t, r, "PUT", 201, "")
	if _, err := r.ReadByte(); err != io.EOF {
		t.Errorf("after the response: %v", err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
