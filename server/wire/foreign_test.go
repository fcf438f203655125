package wire

import (
	"bytes"
	"strings"
	"testing"
)

func TestMemcachedReplies(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		s := NewMemcachedScanner(ReplyLimits{})
		r, n, err := s.Next([]byte(in + "VALUE k 0 3\r\n"))
		if err != nil || n != len(in) || describe(t, r) != want {
			t.Errorf("%q: %s, %d bytes, %v; want %s, %d bytes", in, describe(t, r), n, err, want, len(in))
		}
	}
	check("VALUE k 0 5\r\nhello\r\nEND\r\n", `$"hello"`)
	check("VALUE k 7 4 99\r\n\r\n\r\n\r\nEND\r\n", `$"\r\n\r\n"`)
	check("VALUE k 0 0\r\n\r\nEND\r\n", `$""`)
	check("END\r\n", `null`)
	check("STORED\r\n", `+"OK"`)
	check("NOT_STORED\r\n", `null`)
	check("DELETED\r\n", `:1`)
	check("NOT_FOUND\r\n", `:0`)
	check("42\r\n", `:42`)
	check("VERSION 1.6.18\r\n", `+"1.6.18"`)
	check("ERROR\r\n", `-"ERROR"`)
	check("SERVER_ERROR out of memory storing object\r\n", `-"SERVER_ERROR out of memory storing object"`)
	check("STAT pid 1\r\nSTAT curr_items 7\r\nEND\r\n", `$"STAT pid 1\r\nSTAT curr_items 7\r\n"`)
	for _, bad := range []string{"HELLO\r\n", "VALUE k\r\n", "VALUE k 0 -1\r\n", "VALUE k 0 99999999999\r\n", "STORED\n", "\r\n",
		"VALUE k 0 1\r\nabEND\r\n", "VALUE k 0 1\r\na\r\nSTORED\r\n", "+5\r\n"} {
		s := NewMemcachedScanner(ReplyLimits{})
		if r, n, err := s.Next([]byte(bad)); err == nil {
			t.Errorf("%q: %v, %d bytes and no error", bad, r, n)
		}
	}
}

// TestMemcachedValues takes a reply of several values apart, and what is none.
func TestMemcachedValues(t *testing.T) {
	in := "VALUE k 0 5\r\nhello\r\nVALUE ll 7 2 9\r\n\r\n\r\n"
	s := NewMemcachedScanner(ReplyLimits{})
	r, n, err := s.Next([]byte(in + "END\r\nSTORED\r\n"))
	if err != nil || n != len(in)+5 || r.Kind != ArrayReply || r.Int != 2 || string(r.Payload) != in {
		t.Fatalf("%v of %d values, %q, %d bytes, %v", r.Kind, r.Int, r.Payload, n, err)
	}
	rest := r.Payload
	for _, want := range []string{"k hello", "ll \r\n"} {
		key, value, n := MemcachedValue(rest)
		if got := string(key) + " " + string(value); got != want || n == 0 {
			t.Errorf("%q, %d bytes; want %q", got, n, want)
		}
		rest = rest[n:]
	}
	for _, bad := range []string{"", "VALUE k 0 5\r\nhell", "VALUE k 0\r\n\r\n", "VALUE\r\n", "VALUE k 0 -1\r\n\r\n", "VALUE k 0 99999999999\r\nx"} {
		if _, _, n := MemcachedValue([]byte(bad)); n != 0 {
			t.Errorf("%q has a value of %d bytes", bad, n)
		}
	}
}

func TestBodyless(t *testing.T) {
	s := NewHTTPScanner(ReplyLimits{})
	in := "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
	s.Bodyless()
	if r, n, err := s.Next([]byte(in + "HTTP/1.1 ")); err != nil || n != len(in) || describe(t, r) != `$""` {
		t.Errorf("%s, %d bytes, %v", describe(t, r), n, err)
	}
	in = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"
	if r, n, err := s.Next([]byte(in)); err != nil || n != len(in) || describe(t, r) != `$"x"` {
		t.Errorf("the one after it: %s, %d bytes, %v", describe(t, r), n, err)
	}
}

func TestHTTPReplies(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		s := NewHTTPScanner(ReplyLimits{})
		r, n, err := s.Next([]byte(in + "HTTP/1.1 "))
		if err != nil || n != len(in) || describe(t, r) != want {
			t.Errorf("%q: %s, %d bytes, %v; want %s, %d bytes", in, describe(t, r), n, err, want, len(in))
		}
	}
	check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", `$"hello"`)
	check("HTTP/1.1 200\r\ncontent-LENGTH:\t0 \r\nServer: x\r\n\r\n", `$""`)
	check("HTTP/1.0 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", `null`)
	check("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", `+"OK"`)
	check("HTTP/1.1 204 No Content\r\n\r\n", `+"OK"`)
	check("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 3\r\n\r\nno!", `-"503 Service Unavailable"`)
	check("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", `$"x"`)
	chunked := "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
	check(chunked+"5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n", `$"hello world"`)
	check(chunked+"A\r\n0123456789\r\n01\r\nx\r\n0\r\nExpires: never\r\n\r\n", `$"0123456789x"`)
	check(chunked+"0\r\n\r\n", `$""`)
	check("HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", `-"500 Oh"`)
	for _, bad := range []string{"HTTP/2 200 OK\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 999 Odd\r\n\r\n", "hello\r\n", "HTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "HTTP/1.1 200 OK\r\nno field\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", chunked + "x\r\n", chunked + "\r\n", chunked + "2\r\nabc\r\n", chunked + "fffffff0\r\n",
		chunked + "123456789\r\n"} {
		s := NewHTTPScanner(ReplyLimits{})
		if r, n, err := s.Next([]byte(bad)); err == nil {
			t.Errorf("%q: %v, %d bytes and no error", bad, r, n)
		}
	}
}

func TestForeignRepliesDoNotAllocate(t *testing.T) {
	for name, c := range map[string]struct {
		s  ReplyScanner
		in string
	}{
		"memcached": {NewMemcachedScanner(ReplyLimits{}), "VALUE k:0001 0 8\r\n12345678\r\nEND\r\nSTORED\r\n"},
		"http": {NewHTTPScanner(ReplyLimits{}), "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nDate: today\r\n\r\n12345678" +
			"HTTP/1.1 204 No Content\r\n\r\n"},
	} {
		in := []byte(c.in)
		if n := testing.AllocsPerRun(100, func() {
			for used := 0; used < len(in); {
				_, n, err := c.s.Next(in[used:])
				if n == 0 || err != nil {
					t.Fatal(n, err)
				}
				used += n
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// FuzzForeignReplies: what a scanner makes of bytes does not depend on how they arrive, and is within its limits.
func FuzzForeignReplies(f *testing.F) {
	for _, in := range []string{"VALUE k 0 5\r\nhello\r\nEND\r\nEND\r\nSTORED\r\n", "STAT a b\r\nEND\r\nERROR\r\n",
		"VALUE k 0 5\r\nhello\r\nVALUE l 7 2 9\r\n\r\n\r\nEND\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: u\r\n\r\n"} {
		f.Add([]byte(in), uint8(3))
	}
	limits := ReplyLimits{MaxBulk: 1 << 10, MaxLine: 1 << 8}
	f.Fuzz(func(t *testing.T, in []byte, step uint8) {
		for name, start := range map[string]func(ReplyLimits) ReplyScanner{"memcached": NewMemcachedScanner, "http": NewHTTPScanner} {
			whole, parts := start(limits), start(limits)
			a, b := bytes.Clone(in), bytes.Clone(in)
			want := scanParts(t, &whole, a, len(a))
			if got := scanParts(t, &parts, b, int(step%16)+1); got != want {
				t.Errorf("%s: %q in parts, %q at once", name, got, want)
			}
		}
	})
}

// scanParts describes every reply in buf, which arrives some bytes at a time, and how it ends.
func scanParts(t *testing.T, s *ReplyScanner, buf []byte, step int) string {
	var out strings.Builder
	used := 0
	for have := 0; ; {
		for used < have {
			r, n, err := s.Next(buf[used:have])
			if err != nil {
				return out.String() + "error"
			}
			if n == 0 {
				if s.Want() > 4<<10 {
					t.Fatalf("wants %d bytes", s.Want())
				}
				break
			}
			out.WriteString(describe(t, r) + " ")
			used += n
		}
		if have == len(buf) {
			return out.String()
		}
		have = min(have+step, len(buf))
	}
}
