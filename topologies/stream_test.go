package topologies

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shardlab/shardlab/server/wire"
)

// stream makes a seeded sequence of requests that touches every command whose reply depends on nothing but the requests before
// it. Few keys, so that they meet; values of all sizes from 0 to several pages, integers among them.
type stream struct{ rng *rand.Rand }

func newStream(seed uint64) *stream { return &stream{rand.New(rand.NewPCG(seed, 1))} }

// key is a key, one in four of a session.
func (s *stream) key() string {
	if n := s.rng.IntN(60); n >= 15 {
		return fmt.Sprintf("key:%d", n)
	} else {
		return fmt.Sprintf("s:%d:c:%d", n/5, n%5)
	}
}

func (s *stream) value() string {
	switch s.rng.IntN(6) {
	case 0:
		return strconv.Itoa(s.rng.IntN(1000) - 500)
	case 1:
		return strings.Repeat(string(rune('a'+s.rng.IntN(26))), s.rng.IntN(9000))
	case 2:
		return []string{"", "9223372036854775806", "007", "+1", " 1", "1.5", "\r\n$-1\r\n"}[s.rng.IntN(7)]
	default:
		return strings.Repeat(string(rune('a'+s.rng.IntN(26))), s.rng.IntN(130))
	}
}

func (s *stream) keys(n int) (keys []string) {
	for range 1 + s.rng.IntN(n) {
		keys = append(keys, s.key())
	}
	return keys
}

func (s *stream) setOptions() []string {
	all := [][]string{
		{"NX"}, {"XX"}, {"GET"}, {"KEEPTTL"}, {"EX", "1000"}, {"px", "5000000"}, {"XX", "GET"}, {"nx", "EX", "70"},
		{"PXAT", "1"}, {"EXAT", "99999999999"}, {"KEEPTTL", "XX"}, {"GET", "EX", "300"},
		{"EX", "0"}, {"EX", "-1"}, {"EX", "x"}, {"EX"}, {"NX", "XX"}, {"KEEPTTL", "EX", "5"}, {"EX", "1", "PX", "1"}, {"bogus"},
		{"EX", "9223372036854775807"}, {"EX", "0", "bogus"}, {"EX", "x", "NX", "XX"}, {"EX", "1", "EX", "200"}, {"PX", "EX"},
	}
	return all[s.rng.IntN(len(all))]
}

// next returns a request; the name comes in any case.
func (s *stream) next() []string {
	switch s.rng.IntN(24) {
	case 0, 1, 2, 3, 4, 5:
		return []string{"GET", s.key()}
	case 6, 7, 8, 9, 10:
		return []string{"set", s.key(), s.value()}
	case 11, 12, 13:
		return append([]string{"Set", s.key(), s.value()}, s.setOptions()...)
	case 14, 15:
		return append([]string{"DEL"}, s.keys(5)...)
	case 16:
		return append([]string{"EXISTS"}, s.keys(5)...)
	case 17:
		return append([]string{"MGET"}, s.keys(20)...)
	case 18:
		args := []string{"MSET"}
		for _, k := range s.keys(10) {
			args = append(args, k, s.value())
		}
		return args
	case 19, 20:
		return []string{"INCR", s.key()}
	case 21:
		return []string{"DBSIZE"}
	case 22:
		return s.odd()
	default:
		if s.rng.IntN(8) == 0 {
			return []string{"FLUSHALL"}
		}
		return []string{"ECHO", s.value()}
	}
}

// odd is everything else, and what is wrong.
func (s *stream) odd() []string {
	all := [][]string{
		{"PING"}, {"ping", "hello"}, {"PING", "a", "b"}, {"GET"}, {"GET", "a", "b"}, {"SET", "a"}, {"MSET", "a"},
		{"MSET", "a", "b", "c"}, {"MGET"}, {"DEL"}, {"INCR"}, {"INCR", "a", "b"}, {"ECHO"}, {"DBSIZE", "x"},
		{"FLUSHALL", "NOW"}, {"FLUSHALL", "ASYNC"}, {"SELECT", "0"}, {"SELECT", "77"}, {"SELECT", "x"},
		{"NOSUCH"}, {"NOSUCH", "a", "b\r\nc"}, {"GETX" + strings.Repeat("y", 200), strings.Repeat("z", 200)},
		{"CLIENT", "SETNAME", "me"}, {"CLIENT", "GETNAME"}, {"CLIENT", "SETNAME", "a b"},
		{"HELLO", "9"}, {"HELLO", "x"}, {"COMMAND", "INFO", "nosuch"},
	}
	return all[s.rng.IntN(len(all))]
}

func encode(args []string) []byte {
	b := fmt.Appendf(nil, "*%d\r\n", len(args))
	for _, a := range args {
		b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(a), a)
	}
	return b
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
	case '*', '~', '%':
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
