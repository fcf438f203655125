package wire

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// parseAll feeds input to a parser in the given steps, as a connection does: unparsed bytes are kept and moved.
func parseAll(limits Limits, input []byte, step func(left int) int) (reqs []string, err error) {
	p := NewParser(limits)
	var buf []byte
	for len(input) > 0 {
		n := min(step(len(input)), len(input))
		buf = append(bytes.Clone(buf), input[:n]...)
		input = input[n:]
		for {
			var b Batch
			used, err := p.Parse(&b, buf)
			for _, r := range b.Reqs {
				reqs = append(reqs, fmt.Sprintf("%q", r.Args))
			}
			if err != nil {
				return reqs, err
			}
			if buf = buf[used:]; used == 0 {
				break
			}
		}
	}
	return reqs, nil
}

func whole(n int) int { return n }

func TestParse(t *testing.T) {
	check := func(input string, want ...string) {
		t.Helper()
		got, err := parseAll(Limits{}, []byte(input), whole)
		if err != nil || strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%q: got %v, %v; want %v", input, got, err, want)
		}
	}
	check("*1\r\n$4\r\nPING\r\n", `["PING"]`)
	check("*2\r\n$3\r\nGET\r\n$0\r\n\r\n", `["GET" ""]`)
	check("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\n\r\n\r\n\r\n", `["SET" "k" "\r\n\r\n"]`)
	check("*0\r\n*-1\r\n*1\r\n$1\r\nx\r\n", `["x"]`)
	check("*2\r\n$3\r\nGET\r\n$1\r\n", "")
	check("PING\r\n", `["PING"]`)
	check("PING\nPING\n", `["PING"]`, `["PING"]`)
	check("\r\n\r\n  \r\nGET  a\t b \r\n", `["GET" "a" "b"]`)
	check(`SET k "a b\n\x41\"" 'c\'d\n'`+"\r\n", `["SET" "k" "a b\nA\"" "c'd\\n"]`)
	check(`SET k pre"fix"`+"\r\n", `["SET" "k" "prefix"]`)
	check(`SET k ""`+"\r\n", `["SET" "k" ""]`)
	check("PING\r\n*1\r\n$4\r\nPING\r\nPING\r\n", `["PING"]`, `["PING"]`, `["PING"]`)
}

func TestProtocolErrors(t *testing.T) {
	limits := Limits{MaxBulk: 1 << 20, MaxArgs: 100, MaxInline: 1024, MaxRequest: 4 << 20}
	check := func(input, want string) {
		t.Helper()
		_, err := parseAll(limits, []byte(input), whole)
		if err == nil || err.Error() != "protocol error: "+want {
			t.Errorf("%.60q: got %v; want %s", input, err, want)
		}
	}
	check("*1\r\n$536870912\r\n", "invalid bulk length")
	check("*1\r\n$1048577\r\n", "invalid bulk length")
	check("*1\r\n$-1\r\n", "invalid bulk length")
	check("*1\r\n$abc\r\n", "invalid bulk length")
	check("*1\r\n$\r\n", "invalid bulk length")
	check("*1\r\n$99999999999999999999999\r\n", "invalid bulk length")
	check("*1\r\n$"+strings.Repeat("0", 40), "too big bulk count string")
	check("*1\r\n$1\n", "invalid bulk length")
	check("*1\r\n$4\r\nPINGxx", "expected CRLF after a bulk of 4 bytes")
	check("*1\r\n:4\r\n", "expected '$', got ':'")
	check("*1\r\n\x01", "expected '$', got '?'")
	check("*101\r\n", "invalid multibulk length")
	check("*x\r\n", "invalid multibulk length")
	check("*5\r\n"+strings.Repeat("$1048576\r\n"+strings.Repeat("x", 1<<20)+"\r\n", 5), "too big request")
	check(strings.Repeat("x", 1025), "too big inline request")
	check(strings.Repeat("x", 1025)+"\r\n", "too big inline request")
	check("SET k \"open\r\n", "unbalanced quotes in request")
	check("SET k \"a\"b\r\n", "unbalanced quotes in request")
}

// A malformed request must not take the good ones in front of it along.
func TestRequestsBeforeAnErrorAreKept(t *testing.T) {
	got, err := parseAll(Limits{}, []byte("PING\r\n*1\r\n$-5\r\n"), whole)
	if err == nil || len(got) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
}

func TestBatchIsBounded(t *testing.T) {
	p := NewParser(Limits{})
	input := bytes.Repeat([]byte("PING\n"), 3*MaxBatch)
	for range 3 {
		var b Batch
		n, err := p.Parse(&b, input)
		if err != nil || len(b.Reqs) != MaxBatch {
			t.Fatalf("%d requests, %v", len(b.Reqs), err)
		}
		input = input[n:]
	}
	if len(input) != 0 {
		t.Fatalf("%d bytes left", len(input))
	}
}

// A large argument arriving in pieces must cost the same for each piece: what was seen is not scanned again.
func TestLargeArgumentIsNotRescanned(t *testing.T) {
	p := NewParser(Limits{})
	head := []byte("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$50000000\r\n")
	buf := append(head, make([]byte, 1<<20)...)
	var b Batch
	if n, err := p.Parse(&b, buf); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	if p.left != 1 || p.bulk != 50000000 || p.pos != len(head) {
		t.Fatalf("has forgotten its place: left %d, bulk %d, pos %d", p.left, p.bulk, p.pos)
	}
}

func TestParseDoesNotAllocate(t *testing.T) {
	input := bytes.Repeat([]byte("*3\r\n$3\r\nSET\r\n$16\r\nk:00000000000001\r\n$64\r\n"+strings.Repeat("v", 64)+"\r\n"), 16)
	mustParseInPlace(t, input)
}

// mustParseInPlace parses whole requests again and again, and nothing may be allocated for them.
func mustParseInPlace(t *testing.T, input []byte) {
	t.Helper()
	p := NewParser(Limits{})
	var b Batch
	if n := testing.AllocsPerRun(100, func() {
		b.Reset()
		if n, err := p.Parse(&b, input); n != len(input) || err != nil {
			t.Fatal(n, err)
		}
	}); n != 0 {
		t.Fatalf("%v allocations for %d requests", n, len(b.Reqs))
	}
}

// FuzzParse: however the bytes are cut, the requests and the error are the same, and nothing panics.
func FuzzParse(f *testing.F) {
	f.Add([]byte("*2\r\n$3\r\nGET\r\n$1\r\na\r\nPING\r\n"), uint64(1))
	f.Add([]byte("*1\r\n$-1\r\n"), uint64(2))
	f.Add([]byte("SET \"a b\" 'c'\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\nvv\r\n"), uint64(3))
	f.Add([]byte("*1\r\n$5\r\nab\r\nc\r\n*1\r\n$1\r\n*\r\n"), uint64(4))
	limits := Limits{MaxBulk: 1000, MaxArgs: 50, MaxInline: 200, MaxRequest: 2000}
	f.Fuzz(func(t *testing.T, input []byte, seed uint64) {
		want, wantErr := parseAll(limits, input, whole)
		rng := rand.New(rand.NewPCG(seed, 0))
		got, gotErr := parseAll(limits, input, func(int) int { return 1 + rng.IntN(7) })
		if fmt.Sprint(got) != fmt.Sprint(want) || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
			t.Fatalf("cut: %v, %v\nwhole: %v, %v", got, gotErr, want, wantErr)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, depth := range []int{1, 16} {
		b.Run(fmt.Sprintf("GET/pipeline=%d", depth), func(b *testing.B) {
			input := bytes.Repeat([]byte("*2\r\n$3\r\nGET\r\n$16\r\nk:00000000000001\r\n"), depth)
			p := NewParser(Limits{})
			var batch Batch
			b.ReportAllocs()
			for b.Loop() {
				batch.Reset()
				p.Parse(&batch, input)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*depth), "ns/request")
		})
	}
}
