package wire

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// frameBytes reads bytes written out by hand, in groups; what stands in quotes is text.
func frameBytes(t testing.TB, s string) []byte {
	t.Helper()
	var out []byte
	for i, part := range strings.Split(s, "'") {
		if i%2 == 1 {
			out = append(out, part...)
			continue
		}
		b, err := hex.DecodeString(strings.ReplaceAll(part, " ", ""))
		if err != nil {
			t.Fatalf("%q: %v", part, err)
		}
		out = append(out, b...)
	}
	return out
}

// The hashes are those of "key" and "a" in the source system's table of test vectors.
var golden = []struct {
	name, frame string
	encode      func() []byte
	args        string
}{
	{"GET", "fa02 01 00 07000000 03000000 'key'",
		func() []byte { return AppendKeyFrame(nil, OpGet, Address{}, []byte("key")) }, `["GET" "key"]`},
	{"GET, to the server", "fa02 01 01 0f000000 e36551a0630deabb 03000000 'key'",
		func() []byte { return AppendKeyFrame(nil, OpGet, ToServer([]byte("key")), []byte("key")) }, `["GET" "key"]`},
	{"GET, to shard 15 of 16", "fa02 01 07 1b000000 e36551a0630deabb 0f000000 bb00000000000000 03000000 'key'",
		func() []byte { return AppendKeyFrame(nil, OpGet, ToShard([]byte("key"), 16), []byte("key")) }, `["GET" "key"]`},
	{"SET", "fa02 02 00 0e000000 03000000 03000000 'keyval'",
		func() []byte { return AppendSetFrame(nil, Address{}, []byte("key"), []byte("val")) }, `["SET" "key" "val"]`},
	{"SET, to shard 3 of 8", "fa02 02 07 1f000000 1f4e961eb632c6e6 03000000 e600000000000000 01000000 02000000 'a12'",
		func() []byte { return AppendSetFrame(nil, ToShard([]byte("a"), 8), []byte("a"), []byte("12")) }, `["SET" "a" "12"]`},
	{"SETEX", "fa02 03 00 13000000 e803000000000000 01000000 02000000 'kvv'",
		func() []byte { return AppendSetEXFrame(nil, Address{}, []byte("k"), []byte("vv"), 1000) },
		`["PSETEX" "k" "1000" "vv"]`},
	{"GETEX", "fa02 04 00 0d000000 ffffffffffffffff 01000000 'k'",
		func() []byte { return AppendTTLFrame(nil, OpGetEX, Address{}, []byte("k"), 1<<64-1) },
		`["GETEX" "k" "PX" "18446744073709551615"]`},
	{"DEL", "fa02 05 00 05000000 01000000 'k'",
		func() []byte { return AppendKeyFrame(nil, OpDel, Address{}, []byte("k")) }, `["DEL" "k"]`},
	{"EXISTS", "fa02 06 00 04000000 00000000",
		func() []byte { return AppendKeyFrame(nil, OpExists, Address{}, nil) }, `["EXISTS" ""]`},
	{"TTL", "fa02 07 00 05000000 01000000 'k'",
		func() []byte { return AppendKeyFrame(nil, OpTTL, Address{}, []byte("k")) }, `["TTL" "k"]`},
	{"EXPIRE", "fa02 08 00 0d000000 0500000000000000 01000000 'k'",
		func() []byte { return AppendTTLFrame(nil, OpExpire, Address{}, []byte("k"), 5) }, `["PEXPIRE" "k" "5"]`},
	{"PING", "fa02 09 00 00000000", func() []byte { return AppendPingFrame(nil, nil) }, `["PING"]`},
	{"PING with a payload", "fa02 09 00 05000000 'hello'",
		func() []byte { return AppendPingFrame(nil, []byte("hello")) }, `["PING" "hello"]`},
	{"MGET", "fa02 0a 00 0f000000 02000000 01000000 'a' 02000000 'bc'",
		func() []byte { return AppendMGetFrame(nil, Address{}, []byte("a"), []byte("bc")) }, `["MGET" "a" "bc"]`},
	{"MSET", "fa02 0b 00 18000000 02000000 01000000 02000000 'a12' 01000000 00000000 'b'",
		func() []byte {
			return AppendMSetFrame(nil, Address{}, []byte("a"), []byte("12"), []byte("b"), nil)
		}, `["MSET" "a" "12" "b" ""]`},
	{"APPEND", "fa02 50 08 06000000 02 01 'k' 02 'vv'",
		func() []byte { return AppendArgsFrame(nil, 80, Address{}, []byte("k"), []byte("vv")) }, `["APPEND" "k" "vv"]`},
	{"SET in the argument form", "fa02 02 09 10000000 1f4e961eb632c6e6 03 01 'a' 01 'v' 02 'NX'",
		func() []byte {
			return AppendArgsFrame(nil, OpSet, ToServer([]byte("a")), []byte("a"), []byte("v"), []byte("NX"))
		}, `["SET" "a" "v" "NX"]`},
	{"the wrapper", "fa02 c8 00 11000000 02000000 04000000 'ECHO' 01000000 'x'",
		func() []byte { return AppendRESPFrame(nil, Address{}, []byte("ECHO"), []byte("x")) }, `["ECHO" "x"]`},
	{"HELLO", "fa02 3d 00 08000000 0300000000000000", nil, `["HELLO" "3"]`},
	{"HELLO alone", "fa02 3d 00 00000000", nil, `["HELLO"]`},
	{"SELECT", "fa02 3e 00 08000000 0000000000000000", nil, `["SELECT" "0"]`},
	{"ECHO", "fa02 40 00 05000000 01000000 'x'", nil, `["ECHO" "x"]`},
	{"COMMAND DOCS", "fa02 43 08 05000000 01 03 'get'", nil, `["COMMAND" "DOCS" "get"]`},
	{"CONFIG GET", "fa02 44 00 09000000 01000000 01000000 '*'", nil, `["CONFIG" "GET" "*"]`},
	{"DBSIZE", "fa02 45 00 00000000", nil, `["DBSIZE"]`},
	{"PTTL without the flag", "fa02 6f 00 03000000 01 01 'k'", nil, `["PTTL" "k"]`},
	{"a hash of sorts", "fa02 14 00 03000000 'abc'", nil, `[""]`},
}

func TestFrames(t *testing.T) {
	for _, g := range golden {
		want := frameBytes(t, g.frame)
		if g.encode != nil && !bytes.Equal(g.encode(), want) {
			t.Errorf("%s: encoded as %x, want %x", g.name, g.encode(), want)
		}
		got, err := parseAll(Limits{}, append(want, "PING\r\n"...), whole)
		if err != nil || strings.Join(got, "|") != g.args+`|["PING"]` {
			t.Errorf("%s: got %v, %v; want %s", g.name, got, err, g.args)
		}
	}
}

func TestLongLEB128Length(t *testing.T) {
	arg := bytes.Repeat([]byte("x"), 129)
	got, err := parseAll(Limits{}, frameBytes(t, "fa02 50 08 84000000 01 8101 '"+string(arg)+"'"), whole)
	if want := fmt.Sprintf(`["APPEND" %q]`, arg); err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("got %v, %v", got, err)
	}
}

// parseOne returns the request that input is.
func parseOne(t *testing.T, input []byte) Request {
	t.Helper()
	p := NewParser(Limits{})
	var b Batch
	if n, err := p.Parse(&b, input); err != nil || n != len(input) || len(b.Reqs) != 1 {
		t.Fatalf("%x: %d bytes taken, %v", input, n, err)
	}
	return b.Reqs[0]
}

func TestWhatFramesSayOfTheirKey(t *testing.T) {
	const hash = 0xbbea0d63a05165e3 // of "key"
	check := func(frame, refused string, right, wrong bool) {
		t.Helper()
		r := parseOne(t, frameBytes(t, frame))
		if r.Refused() != refused || r.HashIs(hash) != right || r.HashIs(hash^1) != wrong {
			t.Errorf("%s: %q, %v, %v", frame, r.Refused(), r.HashIs(hash), r.HashIs(hash^1))
		}
	}
	check("fa02 01 00 07000000 03000000 'key'", "", true, true)
	check("fa02 01 01 0f000000 e36551a0630deabb 03000000 'key'", "", true, false)
	check("fa02 01 04 0f000000 bb00000000000000 03000000 'key'", "", true, true)
	check("fa02 01 05 17000000 e36551a0630deabb bb00000000000000 03000000 'key'", "", true, false)
	check("fa02 01 05 17000000 e36551a0630deabb ba00000000000000 03000000 'key'", ErrKeyHash, true, false)
	check("fa02 01 04 0f000000 bb01000000000000 03000000 'key'", ErrKeyHash, true, true)
	check("fa02 01 05 14000000 e36551a0630deabb bb00000000000000 03000000", refusals[hashOnly], true, false)
	check("fa02 14 00 03000000 'abc'", refusals[notHere], true, true)
	if r := parseOne(t, frameBytes(t, "fa02 01 02 0b000000 05000000 03000000 'key'")); r.Args == nil {
		t.Error("no arguments")
	} else if to, ok := r.Route(); to != 5 || !ok {
		t.Errorf("route %d, %v", to, ok)
	}
}

func TestMalformedFrames(t *testing.T) {
	limits := Limits{MaxBulk: 1000, MaxArgs: 10, MaxRequest: 2000}
	check := func(frame, want string) {
		t.Helper()
		_, err := parseAll(limits, frameBytes(t, frame), whole)
		if p, ok := err.(*ProtocolError); !ok || !p.SCNP || p.Text != want {
			t.Errorf("%s: got %v; want %s", frame, err, want)
		}
	}
	check("fa03", "SCNP version 3; have 2")
	check("fa01 01 00 07000000", "SCNP version 1; have 2")
	check("fa02 00 00 07000000", "unknown SCNP opcode 0")
	check("fa02 c7 00 07000000", "unknown SCNP opcode 199")
	check("fa02 01 90 07000000", "unknown SCNP flags 0x90")
	check("fa02 01 00 ffffffff", "SCNP body of 4294967295 bytes; at most 1992 fit")
	check("fa02 c8 00 d0070000", "SCNP body of 2000 bytes; at most 1992 fit")
	check("fa02 01 07 13000000", "SCNP body of 19 bytes is shorter than what its flags announce")
	check("fa02 01 00 03000000", "SCNP body of 3 bytes is too short for opcode 1")
	check("fa02 01 00 05000000 02000000", "SCNP body of 5 bytes; its fields take 6")
	check("fa02 01 00 06000000 01000000", "SCNP body of 6 bytes; its fields take 5")
	check("fa02 02 00 10060000 01000000 ff050000", "SCNP field of 1535 bytes; at most 1000 fit")
	check("fa02 0a 00 04000000 0b000000", "SCNP frame of 11 arguments; at most 10 fit")
	check("fa02 0a 00 04000000 01000000", "SCNP fields go beyond the body of 4 bytes")
	check("fa02 0a 00 09000000 01000000 02000000 'a'", "SCNP fields go beyond the body of 9 bytes")
	check("fa02 0a 00 05000000 00000000 'a'", "SCNP body has 1 bytes too many")
	check("fa02 50 08 00000000", "SCNP arguments are missing their count")
	check("fa02 50 08 06000000 ffffffffff7f", "SCNP length of more than 32 bits")
	check("fa02 50 08 01000000 80", "SCNP fields go beyond the body of 1 bytes")
	check("fa02 3e 00 07000000 00000000000000", "SCNP fields go beyond the body of 7 bytes")
	check("fa02 c8 00 04000000 00000000", "SCNP frame without a command")
}

// What is known to be too long is refused before the rest of it has arrived, and what is waited for is not parsed again.
func TestLargeFrame(t *testing.T) {
	frame := AppendSetFrame(nil, ToServer([]byte("k")), []byte("k"), make([]byte, 5<<20))
	p := NewParser(Limits{})
	for _, n := range []int{1, 7, 8, 20, 30, 1 << 20, len(frame) - 1} {
		var b Batch
		if used, err := p.Parse(&b, frame[:n]); used != 0 || err != nil || len(b.Reqs) != 0 {
			t.Fatalf("%d bytes: %d, %v", n, used, err)
		}
	}
	var b Batch
	if used, err := p.Parse(&b, frame); used != len(frame) || err != nil || len(b.Reqs[0].Args[2]) != 5<<20 {
		t.Fatalf("%d, %v", used, err)
	}
	p = NewParser(Limits{MaxBulk: 1 << 20, MaxRequest: 64 << 20})
	if _, err := p.Parse(&b, frame[:24]); err == nil {
		t.Error("5 MiB are waited for where 1 MiB fits")
	}
}

func TestParseFramesDoesNotAllocate(t *testing.T) {
	key, value := []byte("k:00000000000001"), bytes.Repeat([]byte("v"), 64)
	var input []byte
	for range 8 {
		input = AppendSetFrame(input, ToShard(key, 16), key, value)
		input = AppendKeyFrame(input, OpGet, ToServer(key), key)
		input = AppendSetEXFrame(input, ToServer(key), key, value, 123456)
	}
	mustParseInPlace(t, input)
}

// FuzzSCNP: nothing panics; however the bytes are cut, the requests and the error are the same; and each request, encoded
// again, is read as what it was.
func FuzzSCNP(f *testing.F) {
	for _, g := range golden {
		f.Add(frameBytes(f, g.frame), uint64(1))
	}
	f.Add(append(frameBytes(f, golden[1].frame), "*1\r\n$4\r\nPING\r\nPING\r\n"...), uint64(2))
	limits := Limits{MaxBulk: 1000, MaxArgs: 50, MaxInline: 200, MaxRequest: 2000}
	f.Fuzz(func(t *testing.T, input []byte, seed uint64) {
		want, wantErr := parseAll(limits, input, whole)
		rng := rand.New(rand.NewPCG(seed, 0))
		got, gotErr := parseAll(limits, input, func(int) int { return 1 + rng.IntN(7) })
		if fmt.Sprint(got) != fmt.Sprint(want) || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
			t.Fatalf("cut: %v, %v\nwhole: %v, %v", got, gotErr, want, wantErr)
		}
		p := NewParser(limits)
		var b Batch
		p.Parse(&b, input)
		for _, r := range b.Reqs {
			again, err := parseAll(Limits{}, AppendRESPFrame(nil, Address{}, r.Args...), whole)
			if err != nil || len(again) != 1 || again[0] != fmt.Sprintf("%q", r.Args) {
				t.Fatalf("%q is read back as %v, %v", r.Args, again, err)
			}
		}
	})
}

func BenchmarkParseFrame(b *testing.B) {
	key := []byte("k:00000000000001")
	for _, depth := range []int{1, 16} {
		b.Run(fmt.Sprintf("GET/pipeline=%d", depth), func(b *testing.B) {
			input := bytes.Repeat(AppendKeyFrame(nil, OpGet, ToServer(key), key), depth)
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

func BenchmarkKeyHash(b *testing.B) {
	key := []byte("k:00000000000001")
	var sum uint64
	for b.Loop() {
		sum += KeyHash(key)
	}
	_ = sum
}
