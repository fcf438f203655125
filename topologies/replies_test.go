package topologies

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shardlab/shardlab/server/command"
	"github.com/shardlab/shardlab/server/wire"
)

func mustAgree(t *testing.T, requests [][]string, got, want []string, other string) {
	t.Helper()
	var queued [][]string // of the transaction that is open
	for i := range want {
		ok := agree(requests[i], got[i], want[i])
		switch name := strings.ToLower(requests[i][0]); {
		case want[i] == "+QUEUED\r\n":
			queued = append(queued, requests[i])
		case name == "exec" && !ok:
			ok = agreeAll(queued, got[i], want[i])
			fallthrough
		case name == "exec" || name == "discard" || name == "reset":
			queued = nil
		}
		if !ok {
			t.Fatalf("request %d, %.200q: got %.300q, but %s answers %.300q\n(before: %.100q)",
				i, requests[i], got[i], other, want[i], requests[max(i-6, 0):i])
		}
	}
}

// agreeAll reports whether two replies to an EXEC of these requests are the same as far as each of them can be compared.
func agreeAll(requests [][]string, a, b string) bool {
	x, y := elements(a), elements(b)
	if len(x) != len(requests) || len(y) != len(requests) {
		return false
	}
	for i, req := range requests {
		if !agree(req, x[i], y[i]) {
			return false
		}
	}
	return true
}

// elements cuts an array into its elements; nil if it is none.
func elements(reply string) (all []string) {
	_, body, _ := strings.Cut(reply, "\r\n")
	r := bufio.NewReader(strings.NewReader(body))
	for reply != "" && reply[0] == '*' {
		e, err := readReply(r)
		if err != nil {
			return all
		}
		all = append(all, e)
	}
	return nil
}

// agree reports whether two replies to one request are the same: byte for byte, except in what depends on time, order or chance.
func agree(request []string, a, b string) bool {
	if a == b {
		return true
	}
	if a == "" || b == "" || a[0] != b[0] || isNull(a) != isNull(b) || a[0] == '-' && fullName(request) != "config set" {
		return false
	}
	switch name := fullName(request); name {
	case "ttl", "expiretime":
		return near(a, b, 120)
	case "pttl", "pexpiretime":
		return near(a, b, 120_000)
	case "object encoding": // of a number that INCRBYFLOAT made, Redis remembers that it did
		return a == "$3\r\nint\r\n" && b == "$6\r\nembstr\r\n" || a == "$6\r\nembstr\r\n" && b == "$3\r\nint\r\n"
	case "command info": // entries differ in what is beyond their arity and keys
		return len(request) == 2 || request[2] != "nosuch"
	case "keys":
		return slices.Equal(sorted(a), sorted(b))
	case "config set":
		return strings.Contains(a, "must be one of the following") && strings.Contains(b, "must be one of the following") ||
			strings.Contains(a, "536870912 inclusive") // how long a value may be
	default:
		return slices.Contains(loose, name) || strings.HasSuffix(name, " help")
	}
}

// loose are the commands of whose replies only the kind can be compared.
var loose = []string{
	"randomkey", "scan", "memory usage", "memory stats", "memory doctor", "object idletime", "object refcount", "hello", "time", "info",
	"command", "command docs", "command list", "command count", "command getkeysandflags", "config get",
	"client id", "client info", "client list", "client kill", "latency doctor",
}

// fullName is the name of what a request asks for, with the subcommand.
func fullName(request []string) string {
	name := strings.ToLower(request[0])
	if s := command.Lookup([]byte(name)); s != nil && s.Subs != nil && len(request) > 1 {
		name += " " + strings.ToLower(request[1])
	}
	return name
}

// exact reports whether the reply to a request depends on nothing but the requests before it, whoever asks and in whatever
// protocol.
func exact(request []string) bool {
	name := fullName(request)
	return !slices.Contains(loose, name) && !strings.HasPrefix(name, "client") && !strings.HasSuffix(name, " help") &&
		!slices.Contains([]string{"ttl", "pttl", "expiretime", "pexpiretime", "keys"}, name)
}

// takeExact makes n requests whose replies are exact.
func (s *stream) takeExact(n int) (requests [][]string) {
	for len(requests) < n {
		if req := s.next(); exact(req) {
			requests = append(requests, req)
		}
	}
	return requests
}

func isNull(reply string) bool { return reply == "$-1\r\n" || reply == "*-1\r\n" || reply == "_\r\n" }

// near reports whether two integers, neither of which says that there is none, are at most so far apart.
func near(a, b string, distance int) bool {
	x, errX := strconv.Atoi(strings.TrimSpace(a[1:]))
	y, errY := strconv.Atoi(strings.TrimSpace(b[1:]))
	return errX == nil && errY == nil && x >= 0 && y >= 0 && max(x, y)-min(x, y) <= distance
}

// sorted is the lines of an array in order; no key in a stream holds a line end.
func sorted(reply string) []string {
	lines := strings.Split(reply, "\r\n")
	slices.Sort(lines)
	return lines
}

// conversation sends the requests over one connection, in pipelines of random length cut at random bytes, and returns
// each reply's bytes.
func conversation(t *testing.T, addr string, requests [][]string, seed uint64) []string {
	t.Helper()
	encoded := make([][]byte, len(requests))
	for i, req := range requests {
		encoded[i] = encode(req)
	}
	return exchange(t, addr, encoded, seed)
}

// exchange is conversation for requests of any protocol.
func exchange(t *testing.T, addr string, requests [][]byte, seed uint64) []string {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(60 * time.Second)) // a hang fails, with a stack of where
	rng := rand.New(rand.NewPCG(seed, 2))
	r := bufio.NewReader(nc)
	var replies []string
	for len(requests) > 0 {
		n := min(1+rng.IntN(40), len(requests))
		var out []byte
		for _, req := range requests[:n] {
			out = append(out, req...)
		}
		for len(out) > 0 {
			cut := len(out)
			if rng.IntN(3) == 0 {
				cut = 1 + rng.IntN(len(out))
			}
			if _, err := nc.Write(out[:cut]); err != nil {
				t.Fatal(err)
			}
			out = out[cut:]
		}
		for range n {
			reply, err := readReply(r)
			if err != nil {
				t.Fatalf("after %d replies: %v", len(replies), err)
			}
			replies = append(replies, reply)
		}
		requests = requests[n:]
	}
	return replies
}

// readReply reads the bytes of one whole reply, RESP2, RESP3 or SCNP.
func readReply(r *bufio.Reader) (string, error) {
	if first, err := r.Peek(1); err == nil && first[0] == wire.ReplyMagic {
		header, err := r.Peek(8)
		if err != nil {
			return "", err
		}
		frame := make([]byte, 8+binary.LittleEndian.Uint32(header[4:]))
		_, err = io.ReadFull(r, frame)
		return string(frame), err
	}
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	n, _ := strconv.Atoi(strings.TrimSuffix(line[1:], "\r\n"))
	switch line[0] {
	case '$', '=':
		if n < 0 {
			return line, nil
		}
		body := make([]byte, n+2)
		if _, err := io.ReadFull(r, body); err != nil {
			return "", err
		}
		return line + string(body), nil
	case '*', '~', '%', '>':
		if line[0] == '%' {
			n *= 2
		}
		var b bytes.Buffer
		b.WriteString(line)
		for range n {
			e, err := readReply(r)
			if err != nil {
				return "", err
			}
			b.WriteString(e)
		}
		return b.String(), nil
	}
	return line, nil
}
