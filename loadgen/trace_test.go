package loadgen

import (
	"bytes"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func mustTrace(t testing.TB, text string) *Trace {
	t.Helper()
	tr, err := ReadTrace(strings.NewReader(text), true)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// rowsOf writes a trace as "SETEX a 5 60000 @0", a line an operation: key, size, time to live, ms.
func rowsOf(tr *Trace) string {
	var b strings.Builder
	for i, r := range tr.rows {
		fmt.Fprintf(&b, "%s %s", r.op(), tr.key(r.key))
		if r.sized() > 0 {
			fmt.Fprintf(&b, " %d", r.sized()-1)
		}
		if r.op().expires() {
			fmt.Fprintf(&b, " ttl %d", tr.ttlAt(uint64(i)))
		}
		if tr.times != nil {
			fmt.Fprintf(&b, " @%v", time.Duration(tr.times[i]))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestTraceForms(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		if got := rowsOf(mustTrace(t, in)); got != want {
			t.Errorf("%s\nis read as\n%swant\n%s", in, got, want)
		}
	}
	check("op,key\nget,a\n\nSET,\"b, \"\"c\"\"\"\r\n", "GET a\nSET b, \"c\"\n")
	check("# ours\nTimestamp_ms,Operation,key,Value Size,ttl_ms,client_id\n5,set,a,3,,x\n7,set,a,0,1500,x\n9,touch,a,,20,y\n",
		"SET a 3 @0s\nSETEX a 0 ttl 1500 @2ms\nEXPIRE a ttl 20 @4ms\n")
	// Whole seconds: operations of one second are spread over it, but not beyond the next.
	check("10,a,1,4,7,get,0\n10,b,1,4,7,set,60\n10,a,1,0,7,gets,0\n10,c,1,9,8,add,0\n12,c,1,0,8,delete,0\n12,c,1,0,8,incr,0\n",
		"GET a @0s\nSETEX b 4 ttl 60000 @250ms\nGET a @500ms\nSET c 9 @750ms\nDEL c @2s\nINCR c @2.5s\n")
	check(`OK
1700000000.000001 [0 127.0.0.1:5] "set" "a\x00\"\\\n" "12345" "ex" "10"
1700000000.000003 [0 unix:/tmp/s [x]] "MGET" "a" "b c"
1700000000.500001 [0 lua] "PSETEX" "a" "20" ""
1700000000.600001 [0 127.0.0.1:5] "mset" "x" "1" "y" "22"
1700000000.700001 [0 127.0.0.1:5] "PING"
1700000000.700001 [0 127.0.0.1:5] "setnx" "z" "1"
1700000001.700001 [0 127.0.0.1:5] "expire" "z" "9"
1700000001.800001 [0 127.0.0.1:5] "SET" "z" "1" "PXAT" "1700000003800" "NX"
1700000001.900001 [0 127.0.0.1:5] "unlink" "z" "y"
`, "SETEX a\x00\"\\\n 5 ttl 10000 @0s\nGET a @2µs\nGET b c @2.5µs\nSETEX a 0 ttl 20 @500ms\nSET x 1 @600ms\nSET y 2 @600.0005ms\n"+
		"SET z 1 @700ms\nEXPIRE z ttl 9000 @1.7s\nSETEX z 1 ttl 1999 @1.8s\nDEL z @1.9s\nDEL y @1.9000005s\n")
}

func TestTraceErrors(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		if _, err := ReadTrace(strings.NewReader(in), true); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
	check("", "line 1: no operation is in it")
	check("op,key\n", "line 2: no operation is in it")
	check("a,b,c\n", `line 1: "a,b,c" is neither a header that names op and key, nor the seven columns of a Twitter cache trace, nor from MONITOR`)
	check("key,value_size\n", "line 1: no column op")
	check("key,op,colour\n", `line 1: unknown column "colour"; have timestamp, op, key`)
	check("key,op,ttl,ttl_ms\n", `line 1: column "ttl_ms" says what another says`)
	check("key,op\na,get\na\n", "line 3: 1 fields; want 2")
	check("key,op\na,get,b\n", "line 2: 3 fields; want 2")
	check("key,op\na,\"get\n", "line 2: a quote that does not end")
	check("key,op\na,\"get\"\"\n", "line 2: a quote that does not end")
	check("key,op\n\"a\"b,get\n", `line 2: "b,get" after a quoted field`)
	check("key,op\na,lpush\n", `line 2: "lpush" is not an operation that can be replayed; have get, set`)
	check("key,op\n,get\n", "line 2: a key of 0 bytes; use 1 to 65536")
	check("key,op\na,touch\n", "line 2: EXPIRE without a time to live")
	check("key,op,value_size\na,set,-1\n", `line 2: "-1" is not a number from 0`)
	check("key,op,value_size\na,set,99999999\n", "line 2: a value of 99999999 bytes; at most 67108864")
	check("key,op,value_size\na,set,99999999999999999999999\n", "is not a number from 0")
	check("timestamp,key,op\n2,a,get\n1,a,get\n", "line 3: it is before the operation on the line above")
	check("timestamp,key,op\n,a,get\n", `line 2: "" is not a time`)
	check("OK\n1.5 [0 x] \"get\"\n", "line 2: get with 0 arguments")
	check("OK\n1.5 [0 x] \"get\" \"a\n", "line 2: an argument without an end")
	check("OK\n1.5 [0 x] \"get\" \"a\\x0\"\n", "is no escaped byte")
	check("OK\n1.5 [0 x] \"get\" a\n", `line 2: "a" where a quote should begin an argument`)
	check("OK\n1.5 [0 x] \"lpush\" \"a\" \"b\"\n", `line 2: "lpush" cannot be replayed; have GET, SET`)
	check("OK\n1.5 [0 x] \"set\" \"a\" \"b\" \"EX\" \"x\"\n", "line 2: a time to live of -1 ms")
	check("OK\n1.5 [0 x] \"set\" \"a\" \"b\" \"what\"\n", `line 2: SET with the option "what"`)
	check("OK\n1.5 [0 x] \"get\" \"a\"\n1.6 [3 x] \"get\" \"a\"\n", "line 3: a command in database 3, and others in 0; replay one at a time")
	check("OK\nhello\n", `line 2: "hello" is not from MONITOR`)
	if _, err := OpenTrace("testdata/none.csv", false); err == nil || err.Error() != "trace testdata/none.csv: no such file or directory" {
		t.Errorf("no file: %v", err)
	}
}

// TestTraceStats: which keys are preloaded, and what is expected of the reads.
func TestTraceStats(t *testing.T) {
	tr := mustTrace(t, "op,key,value_size\n"+
		"get,a,\nset,b,10\nget,b,\nget,a,7\ndel,a,\nget,a,\nset,a,9\nget,a,\ndel,c,\nget,c,\nincr,n,\ncas,b,12\n")
	want := TraceStats{Operations: 12, Keys: 4, Preload: 2, Reads: 6, Hits: 4, ColdHits: 2, StandIns: map[string]uint64{"cas": 1},
		Skipped: map[string]uint64{}}
	if got := tr.Stats(); fmt.Sprint(got) != fmt.Sprint(want) || fmt.Sprintf("%+v", got.StandIns) != "map[cas:1]" {
		t.Errorf("%s; want %s", got, want)
	}
	if text := tr.Stats().String(); text != "12 operations on 4 keys; preloaded, because asked for before they are written: 2; "+
		"66.6 % of 6 reads are to hit, 33.3 % without the preload; replayed as what is nearest: 1 of cas" {
		t.Error(text)
	}
	if p := tr.preload; string(tr.key(p[0].key)) != "a" || p[0].sized() != 7+1 || string(tr.key(p[1].key)) != "n" || p[1].sized() != 0 {
		t.Errorf("preloaded: %+v", p)
	}
	w := tr.Workload(Workload{ValueSize: 64})
	if skew, err := SkewOf(w, 3); err != nil || math.Abs(skew.TopKey-0.5) > 1e-9 {
		t.Errorf("skew %+v, %v", skew, err)
	}
	other := mustTrace(t, "op,key\nget,b\n").Workload(Workload{ValueSize: 64})
	h1, err1 := StreamHash(w, Load{Connections: 2, Pipeline: 1})
	h2, err2 := StreamHash(other, Load{Connections: 2, Pipeline: 1})
	if err1 != nil || err2 != nil || h1 == h2 {
		t.Errorf("stream hashes %s, %s; %v, %v", h1, h2, err1, err2)
	}
	w.Keys++
	if _, err := newPlan(w); err == nil || !strings.Contains(err.Error(), "beside those of a trace") {
		t.Errorf("a trace with other keys: %v", err)
	}
}

// TestTraceIsReplayed sends the example in every protocol that has its operations. With one client, what is read is what the trace
// promises, to the operation.
func TestTraceIsReplayed(t *testing.T) {
	tr, err := OpenTrace("testdata/trace.csv", true)
	if err != nil {
		t.Fatal(err)
	}
	stats := tr.Stats()
	if stats.Operations != 400 || stats.Preload == 0 || stats.Hits <= stats.ColdHits || stats.Span < 3*time.Second {
		t.Fatalf("the example has %s", stats)
	}
	w := tr.Workload(Workload{ValueSize: 50, Seed: 1})
	for _, protocol := range []Protocol{RESP, SCNP} {
		server := newMapServer(t, nil)
		s := connect(t, newTestPool(t, 1), Target{Addr: server.addr, Protocol: protocol}, w, Load{Connections: 1, Pipeline: 16})
		if err := s.Preload(t.Context()); err != nil {
			t.Fatal(err)
		}
		server.mu.Lock()
		if n := len(server.data); n != stats.Preload {
			t.Errorf("%v: %d keys preloaded, want %d", protocol, n, stats.Preload)
		}
		for key := range server.data {
			if !bytes.Contains(tr.text, []byte(key)) {
				t.Errorf("%v: %q is no key of the trace", protocol, key)
			}
		}
		server.mu.Unlock()
		r := runFor(t, 600, s, Window{Measure: 20 * time.Millisecond})
		if r.Errors+r.Corrupt > 0 || r.Checked == 0 {
			t.Errorf("%v: %d errors (%s), %d of %d corrupt", protocol, r.Errors, r.FirstError, r.Corrupt, r.Checked)
		}
	}
	w = mustTrace(t, "op,key,value_size\nget,a b,30\nset,c,0\nget,c,\nget,a b,\nset,c,300\nget,c,\n").Workload(Workload{ValueSize: 50})
	server := newMapServer(t, nil)
	s := connect(t, newTestPool(t, 1), Target{Addr: server.addr}, w, Load{Connections: 1, Pipeline: 2})
	if err := s.Preload(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.mu.Lock()
	v := server.data["a b"]
	server.mu.Unlock()
	if len(v) != 30 {
		t.Errorf("a value of %d bytes was preloaded; the trace says 30", len(v))
	}
	r := runFor(t, 6, s, Window{Measure: 10 * time.Millisecond})
	if r.Errors+r.Corrupt+r.Misses > 0 || r.Reads != r.Ops[Get] {
		t.Errorf("%d errors, %d corrupt, %d misses, %d reads of %d", r.Errors, r.Corrupt, r.Misses, r.Reads, r.Ops[Get])
	}
}

// TestTraceOnForeignServers: keys that a path or memcached's lines would not hold are escaped, or refused.
func TestTraceOnForeignServers(t *testing.T) {
	text := "timestamp,op,key,value_size,ttl\n0,get,a,30,\n0,set,b:c,20,9\n0,get,b:c,,\n0,del,b:c,,\n1,set,d,40,\n"
	w := mustTrace(t, text).Workload(Workload{ValueSize: 50})
	for _, target := range []Target{{Addr: startMemcached(t), Protocol: Memcached}, {Addr: webServer(t, false), Protocol: HTTP}} {
		s := connect(t, newTestPool(t, 1), target, w, Load{Connections: 1, Pipeline: 1})
		if err := s.Preload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if r := runFor(t, 5, s, Window{Measure: 20 * time.Millisecond}); r.Errors+r.Corrupt+r.Misses > 0 || r.Ops[SetEx] == 0 {
			t.Errorf("%v: %d errors (%s), %d corrupt, %d misses", target.Protocol, r.Errors, r.FirstError, r.Corrupt, r.Misses)
		}
	}
	odd := mustTrace(t, "op,key\nget,a/b?c\nget,\"d e%\"\n").Workload(Workload{ValueSize: 50})
	s := connect(t, newTestPool(t, 1), Target{Addr: webServer(t, false), Protocol: HTTP}, odd, Load{Connections: 1, Pipeline: 1})
	if err := s.Preload(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := newTestPool(t, 1).Connect(t.Context(), Target{Addr: "unix:/none", Protocol: Memcached}, odd, Load{Connections: 1, Pipeline: 1})
	if err == nil || !strings.Contains(err.Error(), "blanks or control characters") {
		t.Errorf("keys with blanks: %v", err)
	}
}

// TestTraceInOrder: all clients together send the operations of the trace, each its own in their order; in an open loop at its times,
// and the totals reconcile.
func TestTraceInOrder(t *testing.T) {
	tr, err := OpenTrace("testdata/trace.csv", true)
	if err != nil {
		t.Fatal(err)
	}
	server := newMapServer(t, nil)
	const clients = 3
	l := Load{Mode: Open, Connections: clients, Rate: RateOf(tr.Times(), 40), Arrival: Arrival{Law: Listed, Times: tr.Times(), Speed: 40}}
	w := tr.Workload(Workload{ValueSize: 50, Seed: 1})
	s := connect(t, newTestPool(t, 2), Target{Addr: server.addr}, w, l)
	r := run(t, s, Window{Measure: 150 * time.Millisecond})
	if r.Intended != r.Total()+r.Errors+r.InFlight+r.Unsent || r.Intended == 0 || r.Errors > 0 {
		t.Errorf("%d due, %d done, %d errors (%s), %d in flight, %d unsent", r.Intended, r.Total(), r.Errors, r.FirstError, r.InFlight, r.Unsent)
	}
	due := 0
	for _, at := range tr.Times() {
		if time.Duration(float64(at)/40) < 150*time.Millisecond {
			due++
		}
	}
	// The trace goes round every 100 ms or so; the second time counts from its end. A window may be shorter or longer than asked for.
	if rounds := float64(r.Intended) / 400; rounds < 1 || rounds > 2 || due != 400 {
		t.Errorf("%d due, %.2f rounds", r.Intended, rounds)
	}
	p := s.plan
	for c, stream := range server.streams() {
		client := -1
		for k := range clients {
			o := p.at(uint32(k), 0)
			if want := p.appendRequest(nil, &o, uint32(k), 0); bytes.HasPrefix(stream, want) {
				client = k
			}
		}
		if client < 0 {
			t.Fatalf("connection %d begins with what is no client's first operation", c)
		}
		for i := uint64(0); len(stream) > 0; i++ {
			o := p.at(uint32(client), i)
			want := p.appendRequest(nil, &o, uint32(client), i)
			if !bytes.HasPrefix(stream, want) {
				t.Fatalf("operation %d of client %d: %.60q, want %.60q", i, client, stream, want)
			}
			stream = stream[len(want):]
		}
	}
}

func TestTraceDoesNotAllocate(t *testing.T) {
	tr, err := OpenTrace("testdata/trace.csv", true)
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPlan(tr.Workload(Workload{ValueSize: 50}))
	if err != nil {
		t.Fatal(err)
	}
	buf, i := make([]byte, 0, p.requestSize()), uint64(0)
	if n := testing.AllocsPerRun(2000, func() {
		var o operation
		p.choose(&o, 0, i)
		p.appendRequest(buf, &o, 0, i)
		i++
	}); n != 0 {
		t.Errorf("an operation allocates %v times", n)
	}
}

// TestTraceMemory holds what the documentation says an operation takes.
func TestTraceMemory(t *testing.T) {
	const operations, keys, keySize = 1 << 18, 1 << 10, 20
	var text bytes.Buffer
	for i := range operations {
		fmt.Fprintf(&text, "%d,key:%0*d,20,100,1,%s,0\n", i/1000, keySize-4, mix64(uint64(i))%keys, []string{"get", "set"}[i%2])
	}
	var before, after runtime.MemStats
	for _, times := range []bool{false, true} {
		runtime.GC()
		runtime.ReadMemStats(&before)
		tr, err := ReadTrace(bytes.NewReader(text.Bytes()), times)
		if err != nil {
			t.Fatal(err)
		}
		tr.rows, tr.times = slices.Clip(tr.rows), slices.Clip(tr.times)
		runtime.GC()
		runtime.ReadMemStats(&after)
		want := 8
		if times {
			want = 16
		}
		// Slices grow by a quarter.
		got := float64(after.HeapAlloc-before.HeapAlloc) / operations
		if got > 1.3*float64(want)+1 {
			t.Errorf("%.1f bytes an operation with times %v; want %d", got, times, want)
		}
		t.Logf("%.1f bytes an operation, times %v", got, times)
		runtime.KeepAlive(tr)
	}
}

// FuzzReadTrace: no text makes it panic, and what it takes can be replayed.
func FuzzReadTrace(f *testing.F) {
	for _, in := range []string{"op,key\nget,a\n", "10,a,1,4,7,get,0\n11,b,1,4,7,set,60\n", "OK\n1.5 [0 x] \"set\" \"a\" \"b\" \"EX\" \"5\"\n",
		"timestamp,op,key,value_size,ttl\n0.5,incr,\"a,\"\"b\",,\n", "1.5 [0 x] \"mset\" \"a\\x00\" \"b\" \"c\" \"\"\n"} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		tr, err := ReadTrace(bytes.NewReader(in), true)
		if err != nil {
			return
		}
		p, err := newPlan(tr.Workload(Workload{ValueSize: 50}))
		if err != nil {
			t.Fatal(err)
		}
		for i := range uint64(2 * len(tr.rows)) {
			o := p.at(0, i)
			args := requestOf(t, p.appendRequest(nil, &o, 0, i))
			if string(args[1]) != string(tr.key(o.key)) {
				t.Fatalf("operation %d is on %q, want %q", i, args[1], tr.key(o.key))
			}
		}
		if times := tr.Times(); times != nil && (len(times) != len(tr.rows) || !slices.IsSorted(times)) {
			t.Fatalf("times %v", times)
		}
	})
}
