package topologies

import (
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shardlab/shardlab/server/wire"
)

// soakConn executes requests, one pipeline at a time.
type soakConn interface {
	// exec returns the replies to all requests. They are good until the next call.
	exec(requests [][]string) ([]wire.Reply, error)
	// abandon leaves requests behind without waiting for replies. It reports whether they may have been sent.
	abandon(requests [][]string) bool
	Close()
}

// respConn is a socket.
type respConn struct {
	nc      *net.TCPConn
	scan    wire.ReplyScanner
	buf     []byte
	replies []wire.Reply
	rng     *rand.Rand
}

func (s *soaker) dialRESP(rng *rand.Rand) soakConn {
	nc := s.dial(s.in.Addr())
	if nc == nil {
		return nil
	}
	own := rand.New(rand.NewPCG(rng.Uint64(), 0)) // its writer is a goroutine of its own
	return &respConn{nc: nc, scan: wire.NewReplyScanner(wire.ReplyLimits{}), rng: own}
}

func (c *respConn) write(requests [][]string) error {
	var out []byte
	for _, r := range requests {
		out = wire.AppendCommand(out, r...)
	}
	for len(out) > 0 { // in pieces, so that requests arrive in halves too
		n := min(len(out), 1+c.rng.IntN(64<<10))
		if _, err := c.nc.Write(out[:n]); err != nil {
			return err
		}
		out = out[n:]
	}
	return nil
}

func (c *respConn) exec(requests [][]string) ([]wire.Reply, error) {
	sent := make(chan error, 1)
	go func() { sent <- c.write(requests) }()
	c.replies, c.buf = c.replies[:0], c.buf[:0]
	// Replies alias the buffer, so it must not move: offsets first.
	var ends []int
	for from := 0; len(ends) < len(requests); {
		_, n, err := c.scan.Next(c.buf[from:])
		switch {
		case err != nil:
			return nil, err
		case n > 0:
			from += n
			ends = append(ends, from)
			continue
		}
		c.buf = slices.Grow(c.buf, 64<<10)
		n, err = c.nc.Read(c.buf[len(c.buf):cap(c.buf)])
		if c.buf = c.buf[:len(c.buf)+n]; err != nil {
			return nil, err
		}
	}
	if err := <-sent; err != nil {
		return nil, err
	}
	from := 0
	for _, end := range ends {
		r, _, err := c.scan.Next(c.buf[from:end])
		if err != nil {
			return nil, err
		}
		c.replies, from = append(c.replies, r), end
	}
	return c.replies, nil
}

func (c *respConn) abandon(requests [][]string) bool {
	if c.rng.IntN(2) == 0 {
		c.nc.SetLinger(0) // a reset, in place of an orderly end
	}
	c.write(requests)
	return true
}

func (c *respConn) Close() { c.nc.Close() }

// callerConn is an in-process session.
type callerConn struct {
	*Caller
	replies []wire.Reply
}

func (s *soaker) openCaller(*rand.Rand) soakConn { return &callerConn{Caller: s.in.NewCaller()} }

func (c *callerConn) exec(requests [][]string) ([]wire.Reply, error) {
	b := batchOf(requests)
	if err := c.Exec(b); err != nil {
		return nil, err
	}
	c.replies = c.replies[:0]
	scan := wire.NewReplyScanner(unbounded)
	for out := b.Out; len(out) > 0; {
		r, n, err := scan.Next(out)
		if err != nil || n == 0 {
			return nil, fmt.Errorf("replies end with %.40q: %w", out, err)
		}
		c.replies, out = append(c.replies, r), out[n:]
	}
	if len(c.replies) != len(requests) {
		return nil, fmt.Errorf("%d replies to %d requests", len(c.replies), len(requests))
	}
	return c.replies, nil
}

func (c *callerConn) abandon([][]string) bool { return false }

// soakKey is what the one who writes a key knows of it. Any key may be evicted at any time.
type soakKey struct {
	value    string // "" when it must be absent
	deadline int64  // Unix milliseconds; 0: none
}

type soakKeys map[string]*soakKey

func (ks soakKeys) at(key string) *soakKey {
	k := ks[key]
	if k == nil {
		k = new(soakKey)
		ks[key] = k
	}
	return k
}

// saw checks what a read returned that was asked for at the given time.
func (k *soakKey) saw(got string, there bool, since int64) (problem string) {
	switch {
	case !there:
		*k = soakKey{}
	case got != k.value:
		return fmt.Sprintf("got %.100q, %d bytes; want %.100q, %d bytes, or nothing", got, len(got), k.value, len(k.value))
	case k.deadline != 0 && k.deadline < since:
		return fmt.Sprintf("outlived its deadline by %d ms", since-k.deadline)
	}
	return ""
}

// soakValue is a value that says whose it is, and holds a checksum.
func soakValue(key string, n, length int) string {
	body := key + "|" + strconv.Itoa(n) + "|" + strings.Repeat(string(rune('a'+n%26)), length)
	return fmt.Sprintf("%s|%08x", body, crc32.ChecksumIEEE([]byte(body)))
}

func soakDescribes(key, value string) bool {
	i := len(value) - 9
	return i > 0 && strings.HasPrefix(value, key+"|") && value[i:] == fmt.Sprintf("|%08x", crc32.ChecksumIEEE([]byte(value[:i])))
}

// check reads and writes keys of its own, and reads others', in pipelines of every length. Now and then it breaks off in the
// middle and goes on under another name: what it left behind may still be executed, at any time.
func (s *soaker) check(id string, rng *rand.Rand, open func(*rand.Rand) soakConn) {
	c := open(rng)
	if c == nil {
		return
	}
	defer func() { c.Close() }()
	m := newSoakModel(id, rng)
	for generation := 1; !s.over(); {
		var ops []soakOp
		var requests [][]string
		for range 1 + rng.IntN(40) {
			op := m.next()
			ops, requests = append(ops, op), append(requests, op.requests...)
		}
		if rng.IntN(30) == 0 && c.abandon(requests) {
			c.Close()
			if c = open(rng); c == nil {
				return
			}
			m = newSoakModel(fmt.Sprintf("%s.%d", id, generation), rng)
			generation++
			continue
		}
		since := time.Now().UnixMilli()
		replies, err := c.exec(requests)
		if err != nil {
			s.t.Errorf("checker %s: %v", m.id, err)
			return
		}
		for _, op := range ops {
			n := len(op.requests)
			if problem := op.check(replies[:n], since); problem != "" {
				s.t.Errorf("checker %s: %s: %s", m.id, clip(fmt.Sprintf("%q", op.requests), 500), problem)
				return
			}
			replies = replies[n:]
		}
	}
}

func clip(s string, n int) string { return s[:min(len(s), n)] }
