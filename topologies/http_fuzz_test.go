package topologies

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"
)

// FuzzHTTPPath: whatever a request line and a header hold, the server answers or closes and goes on serving; and what was put under
// a key, whatever its bytes, is what a get of that key returns.
func FuzzHTTPPath(f *testing.F) {
	in, err := Open(Config{Topology: "thread-local", Bind: "127.0.0.1:0", HTTP: "127.0.0.1:0"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { in.Shutdown(context.Background()) })
	for _, key := range []string{"k", "a/b", "%", "%41", "?", "#", "..", "//", "://", "\x00\xff\r\n ", "k HTTP/1.0"} {
		f.Add([]byte(key), []byte("value"), []byte("X-TTL: 5"))
	}
	f.Add([]byte("k"), []byte(""), []byte("If-None-Match: *\r\nIf-Match: \"\", W/\"x\", \""))
	f.Add([]byte("k"), []byte("5\r\nabcde\r\n0\r\n\r\n"), []byte("Transfer-Encoding: chunked\r\nContent-Length: 3\r\nExpect: 100-continue"))
	f.Add([]byte("k"), []byte("v"), []byte("Authorization: Basic \x80\r\nCache-Control: max-age=x, max-age=, =\r\n\r\nGET"))
	f.Fuzz(func(t *testing.T, key, value, junk []byte) {
		for _, input := range [][]byte{
			fmt.Appendf(nil, "GET /v1/keys/%s HTTP/1.1\r\nHost: x\r\n\r\n", key),
			fmt.Appendf(nil, "PUT /v1/keys/k HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n%s", junk, value),
			junk,
		} {
			mustEnd(t, in, input)
		}
		escaped := url.PathEscape(string(key))
		if len(key) == 0 || len(escaped) > 8<<10 {
			return
		}
		conn := dialHTTP(t, in)
		defer conn.Close()
		fmt.Fprintf(conn, "PUT /v1/keys/%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", escaped, len(value), value)
		fmt.Fprintf(conn, "GET /v1/keys/%s?%s HTTP/1.1\r\nHost: x\r\n\r\n", escaped, escaped)
		r := bufio.NewReader(conn)
		put, err := http.ReadResponse(r, &http.Request{Method: "PUT"})
		if err != nil || put.StatusCode != 201 && put.StatusCode != 204 {
			t.Fatalf("PUT of %q: %v, %v", key, put, err)
		}
		get, err := http.ReadResponse(r, &http.Request{Method: "GET"})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(get.Body)
		if err != nil || get.StatusCode != 200 || !bytes.Equal(body, value) || get.Header.Get("ETag") != put.Header.Get("ETag") {
			t.Errorf("key %q: put %q, got %d %q, %v", key, value, get.StatusCode, body, err)
		}
	})
}

func dialHTTP(t *testing.T, in *Instance) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", in.HTTPAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn.(*net.TCPConn)
}

// mustEnd sends input and the end of it, and wants the connection's end in answer.
func mustEnd(t *testing.T, in *Instance, input []byte) {
	t.Helper()
	conn := dialHTTP(t, in)
	defer conn.Close()
	conn.Write(input)
	conn.CloseWrite()
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%q: neither answered nor closed", input)
	}
}
