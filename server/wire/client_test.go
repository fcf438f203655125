package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

func TestAppendCommand(t *testing.T) {
	if got, want := string(AppendCommand(nil, "GET", "k:1")), "*2\r\n$3\r\nGET\r\n$3\r\nk:1\r\n"; got != want {
		t.Errorf("strings: %q, want %q", got, want)
	}
	got := AppendCommand([]byte("x"), []byte("SET"), nil, bytes.Repeat([]byte{0}, 10))
	if want := "x*3\r\n$3\r\nSET\r\n$0\r\n\r\n$10\r\n" + strings.Repeat("\x00", 10) + "\r\n"; string(got) != want {
		t.Errorf("bytes: %q, want %q", got, want)
	}
	buf, key := make([]byte, 0, 64), []byte("key")
	if n := testing.AllocsPerRun(100, func() { AppendCommand(buf, []byte("GET"), key) }); n != 0 {
		t.Errorf("AppendCommand allocates %v times", n)
	}
}

func TestScanReply(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		s := NewReplyScanner(ReplyLimits{})
		r, n, err := s.Next([]byte(in + "rest"))
		if err != nil || n != len(in) || describe(t, r) != want {
			t.Errorf("%q: %s, %d bytes, %v; want %s, %d bytes", in, describe(t, r), n, err, want, len(in))
		}
	}
	check("+OK\r\n", `+"OK"`)
	check("+\r\n", `+""`)
	check("-ERR no\r\n", `-"ERR no"`)
	check("!5\r\nERR x\r\n", `-"ERR x"`)
	check(":0\r\n", `:0`)
	check(":-9223372036854775808\r\n", `:-9223372036854775808`)
	check(":+9223372036854775807\r\n", `:9223372036854775807`)
	check("$0\r\n\r\n", `$""`)
	check("$12\r\nhello\r\nworld\r\n", `$"hello\r\nworld"`)
	check("=7\r\ntxt:a\r\n\r\n", `$"a\r\n"`)
	check("$-1\r\n", `null`)
	check("*-1\r\n", `null`)
	check("_\r\n", `null`)
	check(",3.5\r\n", `,"3.5"`)
	check("#t\r\n", `#1`)
	check("#f\r\n", `#0`)
	check("(123\r\n", `("123"`)
	check("*0\r\n", `[]`)
	check("*2\r\n$1\r\na\r\n:7\r\n", `[$"a" :7]`)
	check("*3\r\n*0\r\n*1\r\n*1\r\n+x\r\n_\r\n", `[[] [[+"x"]] null]`)
	check("%1\r\n+k\r\n*1\r\n:1\r\n", `{+"k" [:1]}`)
	check("~1\r\n:1\r\n", `[:1]`)
	check(">2\r\n+invalidate\r\n*0\r\n", `>+"invalidate" []>`)
	check("|1\r\n+ttl\r\n:5\r\n+OK\r\n", `+"OK"`)
	check("|0\r\n*1\r\n|1\r\n+a\r\n*0\r\n:4\r\n", `[:4]`)
}

// describe spells a reply out, elements and all.
func describe(t *testing.T, r Reply) string {
	t.Helper()
	elements, err := r.Elements()
	if err != nil {
		return err.Error()
	}
	var parts []string
	for _, e := range elements {
		parts = append(parts, describe(t, e))
	}
	inner := strings.Join(parts, " ")
	switch r.Kind {
	case ArrayReply:
		return "[" + inner + "]"
	case MapReply:
		return "{" + inner + "}"
	case PushReply:
		return ">" + inner + ">"
	case NullReply:
		return "null"
	case IntReply:
		return ":" + strconv.FormatInt(r.Int, 10)
	case BoolReply:
		return "#" + strconv.FormatInt(r.Int, 10)
	}
	sign := map[ReplyKind]string{
		SimpleReply: "+", ErrorReply: "-", BulkReply: "$", DoubleReply: ",", BigNumberReply: "(",
	}
	return fmt.Sprintf("%s%q", sign[r.Kind], r.Payload)
}

func TestScanReplyRefuses(t *testing.T) {
	limits := ReplyLimits{MaxBulk: 100, MaxLine: 50, MaxElements: 10, MaxReply: 150}
	check := func(in, want string) {
		t.Helper()
		s := NewReplyScanner(limits)
		var err error
		for buf := []byte(in); len(buf) > 0 && err == nil; {
			var n int
			if _, n, err = s.Next(buf); n == 0 {
				break
			}
			buf = buf[n:]
		}
		var protocol *ProtocolError
		if !errors.As(err, &protocol) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: error %v, want %q", in, err, want)
		}
	}
	check("hello\r\n", "unknown reply type 'h'")
	check("\r\n", "does not end in CRLF")
	check("\n", "does not end in CRLF")
	check("+a\n", "does not end in CRLF")
	check(":\r\n", "invalid integer")
	check(":12a\r\n", "invalid integer")
	check(":9223372036854775808\r\n", "invalid integer")
	check("$-2\r\n", "bulk length")
	check("$101\r\n", "bulk length")
	check("$9999999999999999999\r\n", "bulk length")
	check("$3\r\nabcd\r\n", "expected CRLF after a bulk of 3 bytes")
	check("=3\r\ntxt\r\n", "without a format")
	check("#x\r\n", "invalid boolean")
	check("*?\r\n", "array of \"?\" elements")
	check("*11\r\n", "at most 10")
	check("%-1\r\n", "array of")
	check("+"+strings.Repeat("x", 60), "line longer than 50")
	check("*2\r\n$100\r\n"+strings.Repeat("x", 100)+"\r\n$100\r\n", "bulk length")
	check(strings.Repeat("*1\r\n", maxReplyDepth+1), "nested deeper")
}

// TestLongReplyIsNotScannedAgain holds the claim by erasing what has been passed: only a scanner that does not look
// back still finds the reply.
func TestLongReplyIsNotScannedAgain(t *testing.T) {
	full := AppendCommand(nil, strings.Repeat("a", 1<<20), strings.Repeat("b", 1<<20))
	s := NewReplyScanner(ReplyLimits{})
	calls := 0
	for have := 1; ; calls++ {
		r, n, err := s.Next(full[:have])
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			if n != len(full) || r.Int != 2 {
				t.Fatalf("took %d of %d bytes, %d elements", n, len(full), r.Int)
			}
			break
		}
		if have = s.Want(); have > len(full) {
			t.Fatalf("wants %d bytes of %d", have, len(full))
		}
		clear(full[:s.pos])
	}
	if calls > 40 {
		t.Errorf("%d calls for a reply of two strings, though Want was followed", calls)
	}
}

func TestScanReplyDoesNotAllocate(t *testing.T) {
	in := []byte("+OK\r\n$5\r\nhello\r\n$-1\r\n:17\r\n-ERR no\r\n*2\r\n*1\r\n:1\r\n$1\r\nx\r\n$300\r\nabc")
	s := NewReplyScanner(ReplyLimits{})
	if n := testing.AllocsPerRun(100, func() {
		s = NewReplyScanner(ReplyLimits{})
		for buf := in; ; {
			_, n, err := s.Next(buf)
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				return
			}
			buf = buf[n:]
		}
	}); n != 0 {
		t.Errorf("scanning allocates %v times", n)
	}
}

func TestWriterRepliesScan(t *testing.T) {
	w := Writer{RESP3: true}
	w.Map(2)
	w.BulkString("server")
	w.Text("shardlab\r\n")
	w.BulkString("modules")
	w.Set(1)
	w.Null()
	s := NewReplyScanner(ReplyLimits{})
	r, n, err := s.Next(w.Buf)
	if err != nil || n != len(w.Buf) {
		t.Fatalf("%d of %d bytes, %v", n, len(w.Buf), err)
	}
	if got, want := describe(t, r), `{$"server" $"shardlab\r\n" $"modules" [null]}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// scanAll returns what a scanner makes of stream when it arrives in pieces that end at the given places.
func scanAll(t *testing.T, stream []byte, cuts []byte) (seen []string, failed bool) {
	s := NewReplyScanner(ReplyLimits{MaxBulk: 1 << 10, MaxLine: 64, MaxElements: 64})
	start, end := 0, 0
	for i := 0; end < len(stream); i++ {
		step := len(stream)
		if len(cuts) > 0 {
			step = 1 + int(cuts[i%len(cuts)])
		}
		end = min(end+step, len(stream))
		for {
			want := s.Want()
			// A copy of just these bytes: a look beyond them, or at memory of an earlier call, would show.
			r, n, err := s.Next(bytes.Clone(stream[start:end]))
			if err != nil {
				return seen, true
			}
			if n == 0 {
				if s.Want() <= end-start {
					t.Fatalf("has %d bytes, cannot go on, and wants %d", end-start, s.Want())
				}
				break
			}
			if n > end-start || n < want {
				t.Fatalf("took %d of %d bytes, having wanted %d", n, end-start, want)
			}
			seen = append(seen, fmt.Sprintf("%v %d %q", r.Kind, r.Int, r.Payload))
			if start += n; start == end {
				break
			}
		}
	}
	return seen, false
}

func FuzzReplySplit(f *testing.F) {
	for _, in := range []string{
		"+OK\r\n$5\r\nhello\r\n:1\r\n", "*2\r\n*1\r\n$3\r\nabc\r\n%1\r\n+a\r\n_\r\n",
		"|1\r\n+a\r\n:1\r\n*1\r\n|0\r\n+x\r\n",
		"$-1\r\n*-1\r\n-ERR\r\n=5\r\ntxt:a\r\n", "*3\r\n:1\r\n", "$9999\r\n", "*0\r\n\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n",
	} {
		f.Add([]byte(in), []byte{0})
		f.Add([]byte(in), []byte{2, 0, 6})
	}
	f.Fuzz(func(t *testing.T, stream, cuts []byte) {
		whole, wholeFailed := scanAll(t, stream, nil)
		parts, partsFailed := scanAll(t, stream, cuts)
		if wholeFailed != partsFailed || strings.Join(whole, "\n") != strings.Join(parts, "\n") {
			t.Errorf("at once: %q, error %v; in pieces: %q, error %v", whole, wholeFailed, parts, partsFailed)
		}
	})
}

func BenchmarkScanReply(b *testing.B) {
	in := bytes.Repeat([]byte("$64\r\n"+strings.Repeat("v", 64)+"\r\n"), 64)
	s := NewReplyScanner(ReplyLimits{})
	b.ReportAllocs()
	for i := 0; i < b.N; {
		for buf := in; len(buf) > 0; i++ {
			_, n, err := s.Next(buf)
			if err != nil || n == 0 {
				b.Fatal(n, err)
			}
			buf = buf[n:]
		}
	}
}
