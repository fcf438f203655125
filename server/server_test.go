package server

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/shardlab/shardlab/server/wire"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		serveAsChild()
		return
	}
	goleak.VerifyTestMain(m)
}

// echo answers every request with its last argument, and "big" with a megabyte.
type echo struct {
	executed atomic.Int64
	// later, when set, makes every Exec wait: the rest of the batch is answered by another goroutine.
	later bool
	wg    sync.WaitGroup
}

type echoSession struct {
	e    *echo
	done bool
}

var big = bytes.Repeat([]byte{'x'}, 1<<20)

func (e *echo) NewSession(Place) Session { return &echoSession{e: e} }
func (e *echo) Close() error             { e.wg.Wait(); return nil }
func (s *echoSession) Close()            {}

func (s *echoSession) Exec(b *wire.Batch) bool {
	if !s.e.later || s.done {
		s.done = false
		s.e.answer(b)
		return true
	}
	s.done = true
	s.e.wg.Go(func() { b.OnDone(-1) })
	return false
}

func (e *echo) answer(b *wire.Batch) {
	w := wire.Writer{Buf: b.Out}
	for b.Next < len(b.Reqs) && len(w.Buf) < wire.SoftOut && !b.Close {
		args := b.Reqs[b.Next].Args
		switch string(args[0]) {
		case "big":
			w.Bulk(big)
		case "quit":
			b.Close = true
			w.Status("OK")
		default:
			w.Bulk(args[len(args)-1])
		}
		b.Next++
		e.executed.Add(1)
	}
	b.Out = w.Buf
}

// eachTransport runs a test over both transports, with replies at once and later.
func eachTransport(t *testing.T, test func(t *testing.T, opts Options, e *echo)) {
	for _, opts := range []Options{{Transport: Netpoll}, {Transport: Redcon}, {Transport: Epoll, Loops: 1}, {Transport: Epoll, Loops: 3}} {
		for _, later := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/loops=%d/later=%v", opts.Transport, opts.Loops, later), func(t *testing.T) {
				opts.Listen = []Listen{{Addr: "127.0.0.1:0", Loop: AnyLoop}}
				test(t, opts, &echo{later: later})
			})
		}
	}
}

func start(t *testing.T, opts Options, e *echo) *Server {
	t.Helper()
	return startBackend(t, opts, e)
}

func startBackend(t *testing.T, opts Options, b Backend) *Server {
	t.Helper()
	s, err := Start(opts, b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shutdown(t, s) })
	return s
}

func shutdown(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

func dial(t *testing.T, s *Server) net.Conn {
	t.Helper()
	addr := s.Addrs()[0]
	nc, err := net.Dial(addr.Network(), addr.String())
	if err != nil {
		t.Fatal(err)
	}
	nc.SetDeadline(time.Now().Add(30 * time.Second)) // so that a hang fails
	t.Cleanup(func() { nc.Close() })
	return nc
}

// waitFor waits for what happens in the server's own time and announces itself only in its statistics.
func waitFor(t *testing.T, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for !cond() {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("still waiting for %s", what)
		}
	}
}

// logLines is a server's log for tests: each line as text. What nobody reads is lost.
type logLines chan string

func (l logLines) Write(line []byte) (int, error) {
	select {
	case l <- string(line):
	default:
	}
	return len(line), nil
}

func (l logLines) logger() *slog.Logger { return logWriter(l) }

func logWriter(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func request(args ...string) []byte {
	b := fmt.Appendf(nil, "*%d\r\n", len(args))
	for _, a := range args {
		b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(a), a)
	}
	return b
}

func mustRead(t *testing.T, r io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
		t.Fatalf("read %.100q, %v; want %.100q", got, err, want)
	}
}

func mustEnd(t *testing.T, r io.Reader) {
	t.Helper()
	if rest, err := io.ReadAll(r); len(rest) > 0 || (err != nil && !strings.Contains(err.Error(), "reset")) {
		t.Fatalf("read %.100q, %v; want the end", rest, err)
	}
}

func TestPipelineIsAnsweredInOrder(t *testing.T) {
	eachTransport(t, func(t *testing.T, opts Options, e *echo) {
		nc := dial(t, start(t, opts, e))
		const n = 5000 // several batches
		var out []byte
		var want strings.Builder
		for i := range n {
			out = append(out, request("echo", fmt.Sprint(i))...)
			fmt.Fprintf(&want, "$%d\r\n%d\r\n", len(fmt.Sprint(i)), i)
		}
		go nc.Write(out)
		mustRead(t, nc, want.String())
	})
}

func TestRequestInPieces(t *testing.T) {
	eachTransport(t, func(t *testing.T, opts Options, e *echo) {
		nc := dial(t, start(t, opts, e))
		for _, c := range request("echo", "hello") {
			nc.Write([]byte{c})
		}
		mustRead(t, nc, "$5\r\nhello\r\n")
		huge := strings.Repeat("v", 10<<20)
		go nc.Write(request("echo", huge))
		mustRead(t, nc, fmt.Sprintf("$%d\r\n%s\r\n", len(huge), huge))
	})
}

func TestProtocolErrorEndsOnlyItsConnection(t *testing.T) {
	eachTransport(t, func(t *testing.T, opts Options, e *echo) {
		if opts.Transport == Redcon {
			return // it parses, and has texts of its own and no limits
		}
		opts.Limits.MaxBulk = 1 << 20
		s := start(t, opts, e)
		for input, want := range map[string]string{
			"*1\r\n$536870912\r\n":                    "-ERR Protocol error: invalid bulk length\r\n",
			"*1\r\n$-2\r\n":                           "-ERR Protocol error: invalid bulk length\r\n",
			"*1\r\n$3\r\nabcdef":                      "-ERR Protocol error: expected CRLF after a bulk of 3 bytes\r\n",
			"echo 1\r\n*1\r\n:1\r\n":                  "$1\r\n1\r\n-ERR Protocol error: expected '$', got ':'\r\n",
			"quit\r\n*1\r\n:1\r\n":                    "+OK\r\n",
			"quit\r\necho 2\r\n":                      "+OK\r\n",
			strings.Repeat("x", 70<<10):               "-ERR Protocol error: too big inline request\r\n",
			"*1\r\n$" + strings.Repeat("0", 64) + "1": "-ERR Protocol error: too big bulk count string\r\n",
		} {
			nc := dial(t, s)
			nc.Write([]byte(input))
			mustRead(t, nc, want)
			mustEnd(t, nc)
		}
		nc := dial(t, s)
		nc.Write(request("echo", "still here"))
		mustRead(t, nc, "$10\r\nstill here\r\n")
	})
}

// A client that sends and never reads must not make the server execute, and buffer, without bound.
func TestSlowReaderIsBounded(t *testing.T) {
	eachTransport(t, func(t *testing.T, opts Options, e *echo) {
		s := start(t, opts, e)
		nc := dial(t, s)
		const n = 100 // megabytes
		nc.Write(bytes.Repeat(request("big"), n))
		// Other connections are served meanwhile, on every loop.
		for range 6 {
			other := dial(t, s)
			other.Write(request("echo", "ok"))
			mustRead(t, other, "$2\r\nok\r\n")
		}
		// The kernel's socket buffers take some megabytes on both sides; the server holds one batch's worth.
		if got := e.executed.Load() - 6; got > 40 {
			t.Errorf("%d of %d replies of a megabyte were made for a client that reads nothing", got, n)
		}
		head := fmt.Sprintf("$%d\r\n", len(big))
		r := bufio.NewReaderSize(nc, 1<<20)
		body := make([]byte, len(big)+2)
		for range n {
			mustRead(t, r, head)
			if _, err := io.ReadFull(r, body); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestShutdownAnswersWhatHasArrived(t *testing.T) {
	eachTransport(t, func(t *testing.T, opts Options, e *echo) {
		s := start(t, opts, e)
		nc, idle := dial(t, s), dial(t, s)
		nc.Write(request("echo", "one"))
		mustRead(t, nc, "$3\r\none\r\n")
		nc.Write(bytes.Repeat(request("echo", "more"), 100))
		shutdown(t, s)
		mustRead(t, nc, strings.Repeat("$4\r\nmore\r\n", 100))
		mustEnd(t, nc)
		mustEnd(t, idle)
		if c, err := net.Dial("tcp", s.Addrs()[0].String()); err == nil {
			c.Close()
			t.Error("still accepts after shutdown")
		}
	})
}

func TestShutdownCutsAfterItsTime(t *testing.T) {
	for _, opts := range []Options{{Transport: Netpoll}, {Transport: Epoll, Loops: 2}} {
		opts.Listen = []Listen{{Addr: "127.0.0.1:0", Loop: AnyLoop}}
		s, err := Start(opts, &echo{})
		if err != nil {
			t.Fatal(err)
		}
		nc := dial(t, s)
		nc.Write(bytes.Repeat(request("big"), 100)) // and never reads
		nc2 := dial(t, s)
		nc2.Write(request("echo", "x"))
		mustRead(t, nc2, "$1\r\nx\r\n")
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		if err := s.Shutdown(ctx); err == nil {
			t.Errorf("%s: a connection that cannot be drained was not reported", opts.Transport)
		}
	}
}

// TestShutdownWithoutTime: who is silent, or not there, is not cut.
func TestShutdownWithoutTime(t *testing.T) {
	eachTransport(t, func(t *testing.T, opts Options, e *echo) {
		for _, conns := range []int{0, 3} {
			if conns > 0 && opts.Transport != Epoll {
				continue // a blocking read takes its time to be seen to be silent
			}
			s, err := Start(opts, &echo{})
			if err != nil {
				t.Fatal(err)
			}
			for range conns {
				mustEcho(t, dial(t, s))
			}
			ctx, cancel := context.WithTimeout(context.Background(), 0)
			defer cancel()
			if err := s.Shutdown(ctx); err != nil {
				t.Errorf("%d silent connections: %v", conns, err)
			}
		}
	})
}

func TestClientThatLeavesIsForgotten(t *testing.T) {
	eachTransport(t, func(t *testing.T, opts Options, e *echo) {
		s := start(t, opts, e)
		for range 20 {
			nc := dial(t, s)
			nc.Write(bytes.Repeat(request("big"), 3))
			nc.(*net.TCPConn).SetLinger(0) // a reset, in the middle of everything
			nc.Close()
		}
		waitFor(t, "20 clients to come and go", func() bool { return s.Stats().Clients == 0 && s.Stats().Accepted == 20 })
	})
}

func TestStartReportsATakenAddress(t *testing.T) {
	opts := Options{Transport: Epoll, Loops: 1, Listen: []Listen{{Addr: "127.0.0.1:0", Loop: AnyLoop}}}
	s := start(t, opts, &echo{})
	for _, transport := range []string{Epoll, Netpoll, "carrier pigeon"} {
		again := opts
		again.Transport = transport
		if transport != "carrier pigeon" {
			again.Listen = []Listen{{Addr: "127.0.0.1:0", Loop: AnyLoop}, {Addr: s.Addrs()[0].String(), Loop: 0}}
		}
		if _, err := Start(again, &echo{}); err == nil {
			t.Errorf("%s: started", transport)
		}
	}
}

func TestLoopPinning(t *testing.T) {
	var avail unix.CPUSet
	if err := unix.SchedGetaffinity(0, &avail); err != nil {
		t.Fatal(err)
	}
	last := 0
	for i := range 1024 {
		if avail.IsSet(i) {
			last = i
		}
	}
	p := &pinProbe{cpus: make(chan int, 1)}
	opts := Options{Transport: Epoll, Loops: 1, PinTo: []int{last}, Listen: []Listen{{Addr: "127.0.0.1:0", Loop: 0}}}
	s, err := Start(opts, p)
	if err != nil {
		t.Fatal(err)
	}
	defer shutdown(t, s)
	dial(t, s)
	if n := <-p.cpus; n != 1 {
		t.Errorf("the loop may run on %d processors", n)
	}
	opts.PinTo = []int{1023}
	if _, err := Start(opts, p); err == nil || !strings.Contains(err.Error(), "pin to cpu 1023") {
		t.Errorf("pinned to a processor that is not there: %v", err)
	}
}

type pinProbe struct {
	echo
	cpus chan int
}

func (p *pinProbe) NewSession(at Place) Session {
	var set unix.CPUSet
	unix.SchedGetaffinity(0, &set)
	p.cpus <- set.Count()
	return p.echo.NewSession(at)
}

// The whole path of a request through an event loop, both ways, allocates nothing.
func TestEpollDoesNotAllocate(t *testing.T) {
	s := start(t, Options{Transport: Epoll, Loops: 1, Listen: []Listen{{Addr: "127.0.0.1:0", Loop: 0}}}, &echo{})
	nc := dial(t, s)
	out := bytes.Repeat(request("echo", strings.Repeat("v", 64)), 16)
	in := make([]byte, 16*len("$64\r\n\r\n")+16*64)
	round := func() {
		if _, err := nc.Write(out); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(nc, in); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		round()
	}
	if n := testing.AllocsPerRun(200, round); n != 0 {
		t.Errorf("%v allocations for a batch of 16", n)
	}
}

// A connection that floods waits for its turn once, however many events it causes meanwhile: with a place in the queue
// for each, it would get ever more turns and starve the others.
func TestFloodingConnectionWaitsForOneTurn(t *testing.T) {
	s := start(t, Options{Transport: Epoll, Loops: 1, Listen: []Listen{{Addr: "127.0.0.1:0", Loop: 0}}}, &echo{})
	l := s.transport.(*epoll).loops[0]
	nc := dial(t, s)
	chunk := bytes.Repeat(request("echo", strings.Repeat("v", 400)), 1000)
	const rounds = 60
	go func() {
		for range rounds {
			nc.Write(chunk)
		}
	}()
	most := make(chan int, 1)
	ended := make(chan struct{})
	go func() { // looks at the queue on the loop's own thread, as often as it gets there
		worst, seen := 0, make(chan int)
		for {
			select {
			case <-ended:
				most <- worst
				return
			default:
				l.Post(&Task{Run: func() { seen <- len(l.again) }})
				worst = max(worst, <-seen)
			}
		}
	}()
	if n, err := io.CopyN(io.Discard, nc, rounds*1000*int64(len("$400\r\n\r\n")+400)); err != nil {
		t.Fatalf("after %d bytes: %v", n, err)
	}
	close(ended)
	if worst := <-most; worst > 1 {
		t.Errorf("one connection stood %d times in the queue", worst)
	}
}
