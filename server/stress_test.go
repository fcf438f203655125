package server

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func dialAddr(t *testing.T, addr string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	nc.SetDeadline(time.Now().Add(30 * time.Second)) // so that a hang fails
	t.Cleanup(func() { nc.Close() })
	return nc
}

// A connection above the limit is told so in the protocol it speaks, and does not hold up the others.
func TestConnectionLimit(t *testing.T) {
	const resp = "-ERR max connections reached\r\n"
	const scnp = "\xfb\x02\x02\x00\x1b\x00\x00\x00ERR max connections reached"
	eachTransport(t, func(t *testing.T, opts Options, e *echo) {
		opts.MaxConns = 2
		s := start(t, opts, e)
		first, second := dial(t, s), dial(t, s)
		mustEcho(t, first)
		mustEcho(t, second)
		for send, want := range map[string]string{
			"":                                  resp, // waits to be greeted
			"*1\r\n$4\r\nPING\r\n":              resp,
			"\xfa":                              scnp,
			"\xfa\x02\x09\x00\x00\x00\x00\x00":  scnp,
			strings.Repeat("PING\r\n", 100_000): resp,
		} {
			nc := dial(t, s)
			io.WriteString(nc, send)
			mustRead(t, nc, want)
			if len(send) < 1000 {
				mustEnd(t, nc)
			}
			mustEcho(t, first)
		}
		first.Close()
		waitFor(t, "the close to be noticed", func() bool { return s.Stats().Clients < 2 })
		mustEcho(t, dial(t, s))
		if st := s.Stats(); st.Rejected != 5 || st.Accepted != 3 {
			t.Errorf("stats: %+v", st)
		}
		s.SetMaxConns(3)
		mustEcho(t, dial(t, s))
	})
}

// Connections that are turned away and say nothing do not pile up: beyond a number they are answered at once.
func TestManyRejectionsAtOnce(t *testing.T) {
	eachTransport(t, func(t *testing.T, opts Options, e *echo) {
		opts.MaxConns = 1
		s := start(t, opts, e)
		mustEcho(t, dial(t, s))
		var silent []net.Conn
		for range 3 * maxRejecting {
			silent = append(silent, dial(t, s))
		}
		for _, nc := range silent {
			mustRead(t, nc, "-ERR max connections reached\r\n")
			mustEnd(t, nc)
		}
	})
}

// Without descriptors a server goes on serving those it has, tells the others, and takes new ones when there is room again.
func TestOutOfDescriptors(t *testing.T) {
	eachChild(t, childOptions{Descriptors: 60}, func(t *testing.T, addr string, end func() string) {
		var served []net.Conn
		rejected := 0
		for range 150 {
			nc := dialAddr(t, addr)
			nc.Write(request("echo", "hello"))
			got := make([]byte, len("$5\r\nhello\r\n"))
			_, err := io.ReadFull(nc, got)
			switch {
			case err == nil && string(got) == "$5\r\nhello\r\n":
				served = append(served, nc)
			case err == nil && bytes.HasPrefix([]byte("-ERR max connections reached\r\n"), got):
				rejected++
			case err != nil && !strings.Contains(err.Error(), "i/o timeout"): // reset before it could be read: told to go away as well
				rejected++
			default:
				t.Fatalf("connection %d: %q, %v", len(served)+rejected, got, err)
			}
		}
		if len(served) < 20 || rejected < 50 {
			t.Errorf("%d served, %d turned away, with 60 descriptors", len(served), rejected)
		}
		for _, nc := range served {
			mustEcho(t, nc)
			nc.Close()
		}
		for { // the closes take the server a moment
			nc := dialAddr(t, addr)
			nc.Write(request("echo", "hello"))
			got := make([]byte, 1)
			if _, err := io.ReadFull(nc, got); err == nil && got[0] == '$' {
				break
			}
			nc.Close()
		}
		logged := end()
		if !strings.Contains(logged, "too many open files") || strings.Count(logged, "\n") > 20 {
			t.Errorf("log:\n%s", logged)
		}
	})
}

func TestTenThousandConnections(t *testing.T) {
	const n = 10_000
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		t.Fatal(err)
	}
	if lim.Max < n+200 {
		t.Skipf("the hard limit of descriptors is %d: not tried with %d connections (ulimit -Hn)", lim.Max, n)
	}
	if testing.Short() {
		t.Skip("10,000 connections take a while")
	}
	eachChild(t, childOptions{MaxConns: n}, func(t *testing.T, addr string, end func() string) {
		conns := make([]net.Conn, n)
		for i := range conns {
			nc, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatalf("connection %d: %v", i, err)
			}
			defer nc.Close()
			nc.SetDeadline(time.Now().Add(60 * time.Second))
			conns[i] = nc
		}
		ask := request("echo", "hello")
		for _, nc := range conns {
			nc.Write(ask)
		}
		for _, nc := range conns {
			mustRead(t, nc, "$5\r\nhello\r\n")
		}
		above := dialAddr(t, addr)
		above.Write(ask)
		mustRead(t, above, "-ERR max connections reached\r\n")
		mustEcho(t, conns[n-1])
	})
}

// A connection that is silent holds neither buffer nor batch.
func TestIdleConnectionIsSmall(t *testing.T) {
	const n = 500
	for _, c := range []struct {
		opts Options
		most int // bytes, the goroutine's stack included; measured: 0.4 and 3.9 KiB
	}{{Options{Transport: Epoll, Loops: 1}, 1500}, {Options{Transport: Netpoll}, 9000}} {
		t.Run(c.opts.Transport, func(t *testing.T) {
			c.opts.Listen = []Listen{{Addr: "127.0.0.1:0", Loop: AnyLoop}}
			s := start(t, c.opts, &echo{})
			var conns []net.Conn
			for range n { // our own sides are there before we measure
				conns = append(conns, dial(t, s))
			}
			mustEcho(t, conns[n-1])
			for _, nc := range conns {
				nc.Write(request("echo", strings.Repeat("x", 30_000)))
				io.ReadFull(nc, make([]byte, 30_010))
			}
			used := inUse()
			for _, nc := range conns {
				nc.Close()
			}
			waitFor(t, "the closes", func() bool { return s.Stats().Clients == 0 })
			each := (int(used) - int(inUse())) / n
			t.Logf("%d bytes a connection", each)
			if each > c.most {
				t.Errorf("%d bytes a silent connection, more than %d", each, c.most)
			}
		})
	}
}

// inUse is what heap and stacks hold after a collection; two, because pools give up in two steps.
func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

func TestPipelineOfTenThousand(t *testing.T) {
	eachTransport(t, func(t *testing.T, opts Options, e *echo) {
		nc := dial(t, start(t, opts, e))
		const n = 10_000
		sent := make(chan error, 1)
		go func() { _, err := nc.Write(bytes.Repeat(request("echo", "v"), n)); sent <- err }()
		mustRead(t, nc, strings.Repeat("$1\r\nv\r\n", n))
		if err := <-sent; err != nil {
			t.Error(err)
		}
		go func() { _, err := nc.Write([]byte(strings.Repeat("echo v\r\n", n))); sent <- err }()
		mustRead(t, nc, strings.Repeat("$1\r\nv\r\n", n))
		if err := <-sent; err != nil {
			t.Error(err)
		}
	})
}

// A client that does not read is cut after WriteTimeout, whatever it sends meanwhile; others go on.
func TestSlowReaderIsCut(t *testing.T) {
	eachTransport(t, func(t *testing.T, opts Options, e *echo) {
		lines := make(logLines, 1000)
		opts.Log, opts.TickEvery, opts.WriteTimeout = lines.logger(), time.Millisecond, 100*time.Millisecond
		s := start(t, opts, e)
		other := dial(t, s)
		mustEcho(t, other)
		slow := dial(t, s)
		mustEcho(t, slow)
		slow.Write(bytes.Repeat(request("big"), 100))
		waitFor(t, "the slow reader to be cut", func() bool {
			mustEcho(t, other)
			slow.SetWriteDeadline(time.Now().Add(time.Second)) // nobody reads it
			slow.Write(request("echo", "still sending"))
			return s.Stats().Clients == 1
		})
		mustLog(t, lines, tooSlow)
	})
}

// A client that reads, however slowly, is not cut.
func TestProgressIsNotSlowness(t *testing.T) {
	eachTransport(t, func(t *testing.T, opts Options, e *echo) {
		if e.later {
			return // replies wait the same way
		}
		opts.TickEvery, opts.WriteTimeout = time.Millisecond, 500*time.Millisecond
		s := start(t, opts, e)
		nc := dial(t, s)
		// The peer hears of what we have read when a sixteenth of our buffer is free, which has grown to many megabytes else.
		if err := nc.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
			t.Fatal(err)
		}
		const n = 30
		nc.Write(bytes.Repeat(request("big"), n))
		began, total := time.Now(), int64(n*(len(big)+len("$1048576\r\n\r\n")))
		pace := time.NewTicker(time.Millisecond)
		defer pace.Stop()
		var got int64
		for time.Since(began) < 3*opts.WriteTimeout && got < total/2 {
			<-pace.C
			k, err := io.CopyN(io.Discard, nc, 16<<10)
			if got += k; err != nil {
				t.Fatalf("cut after %v and %d bytes: %v", time.Since(began), got, err)
			}
		}
		if k, err := io.CopyN(io.Discard, nc, total-got); err != nil {
			t.Fatalf("after %d more bytes: %v", k, err)
		}
	})
}

func TestIdleTimeout(t *testing.T) {
	eachTransport(t, func(t *testing.T, opts Options, e *echo) {
		lines := make(logLines, 1000)
		opts.Log, opts.TickEvery = lines.logger(), time.Millisecond
		s := start(t, opts, e)
		idle, busy := dial(t, s), dial(t, s)
		mustEcho(t, idle)
		mustEcho(t, busy)
		s.SetIdleTimeout(200 * time.Millisecond)
		waitFor(t, "the idle connection to be closed", func() bool {
			mustEcho(t, busy)
			return s.Stats().Clients == 1
		})
		mustEnd(t, idle)
		mustLog(t, lines, tooIdle)
		s.SetIdleTimeout(0)
	})
}

// mustLog fails unless a line says why.
func mustLog(t *testing.T, lines logLines, why verdict) {
	t.Helper()
	for {
		select {
		case line := <-lines:
			if strings.Contains(line, string(why)) {
				return
			}
		default:
			t.Fatalf("no line of the log says %q", why)
		}
	}
}

// Whatever ends a connection before its time is logged with its reason.
func TestBadInputIsLogged(t *testing.T) {
	eachTransport(t, func(t *testing.T, opts Options, e *echo) {
		if opts.Transport == Redcon {
			return // it parses, and has texts of its own
		}
		lines := make(logLines, 1000)
		opts.Log = lines.logger()
		s := start(t, opts, e)
		for input, why := range map[string]string{
			"*1\r\n:1\r\n":         "expected '$', got ':'",
			"*2\r\n$4\r\necho\r\n": "the input ends within a request",
		} {
			nc := dial(t, s)
			fmt.Fprint(nc, input)
			nc.(*net.TCPConn).CloseWrite()
			io.ReadAll(nc)
			mustLog(t, lines, verdict(why))
		}
	})
}
