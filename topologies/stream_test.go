package topologies

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// stream makes a seeded sequence of requests that touches every command whose reply depends on nothing but the requests before
// it, or agrees with another server's up to time, order or chance (see agree). Few keys, so that they meet; values of all sizes
// from 0 to several pages, numbers among them; every option, and what is wrong in every way there is.
type stream struct {
	rng     *rand.Rand
	pending [][]string // requests that belong behind the last
	state   bool       // also what changes the connection: transactions, the protocol, names
}

func newStream(seed uint64) *stream { return &stream{rng: rand.New(rand.NewPCG(seed, 1))} }

// newConnectionStream is newStream with requests after which the connection is not what it was.
func newConnectionStream(seed uint64) *stream {
	s := newStream(seed)
	s.state = true
	return s
}

// take makes n requests.
func (s *stream) take(n int) (requests [][]string) {
	for len(requests) < n {
		requests = append(requests, s.next())
	}
	return requests
}

func (s *stream) next() []string {
	if len(s.pending) == 0 {
		s.pending = s.sequence()
	}
	req := s.pending[0]
	s.pending = s.pending[1:]
	return req
}

// spoilt now and then breaks a request: a word too few or too many, another case.
func (s *stream) spoilt(req []string) []string {
	switch s.rng.IntN(60) {
	case 0:
		return append(req[:len(req):len(req)], s.pick("x", "NX", "1", ""))
	case 1:
		if len(req) > 1 {
			return req[:len(req)-1]
		}
	case 2, 3, 4, 5:
		return append([]string{strings.ToLower(req[0])}, req[1:]...)
	}
	return req
}

func (s *stream) pick(from ...string) string { return from[s.rng.IntN(len(from))] }

// key is a key, one in four of a session.
func (s *stream) key() string {
	n := s.rng.IntN(60)
	if n >= 15 {
		return "key:" + strconv.Itoa(n)
	}
	return fmt.Sprintf("s:%d:c:%d", n/5, n%5)
}

func (s *stream) keys(n int) (keys []string) {
	for range 1 + s.rng.IntN(n) {
		keys = append(keys, s.key())
	}
	return keys
}

func (s *stream) pairs(n int) (pairs []string) {
	for _, k := range s.keys(n) {
		pairs = append(pairs, k, s.value())
	}
	return pairs
}

func (s *stream) value() string {
	switch s.rng.IntN(8) {
	case 0, 1:
		return s.integer()
	case 2:
		return s.float()
	case 3:
		return strings.Repeat(string(rune('a'+s.rng.IntN(26))), s.rng.IntN(9000))
	case 4:
		return s.pick("", "007", "+1", " 1", "1 ", "\r\n$-1\r\n", "\x00", "-0", "nan")
	default:
		return strings.Repeat(string(rune('a'+s.rng.IntN(26))), s.rng.IntN(130))
	}
}

func (s *stream) integer() string {
	switch s.rng.IntN(8) {
	case 0:
		return s.pick("9223372036854775807", "-9223372036854775808", "9223372036854775808", "9223372036854775806", "x", "", "1.0", "-1")
	case 1:
		return strconv.FormatInt(int64(s.rng.Uint64())>>s.rng.IntN(64), 10)
	default:
		return strconv.Itoa(s.rng.IntN(1000) - 300)
	}
}

func (s *stream) float() string {
	switch s.rng.IntN(8) {
	case 0:
		return s.pick("inf", "-Inf", "nan", "1e400", "1e4000", "-1e4931", "1e-5000", "0x1.8p3", ".5", "5.", ".", "1e", "+2.5e-3", " 1.5")
	case 1:
		return strconv.FormatFloat((s.rng.Float64()-0.5)*1e25, 'e', -1, 64)
	case 2:
		return strconv.FormatFloat(s.rng.Float64()-0.5, 'f', 1+s.rng.IntN(25), 64)
	default:
		return strconv.FormatFloat((s.rng.Float64()-0.5)*1e4, 'f', s.rng.IntN(6), 64)
	}
}

// seconds is a time that cannot come or pass while a test runs, or a wrong one.
func (s *stream) seconds() string {
	if s.rng.IntN(4) == 0 {
		return s.pick("0", "-1", "x", "", "9223372036854775807", "-9223372036854775808", "9223372036854776", "1.5")
	}
	return strconv.Itoa(5000 + 1000*s.rng.IntN(50))
}

// moment is a Unix time in seconds, far off or long gone.
func (s *stream) moment() string {
	return s.pick("99999999999", "4102444800", "5000000000", "1", "0", "-5", "x", "9223372036854775807")
}

// setTail is what may stand behind SET key value.
func (s *stream) setTail() (words []string) {
	for range s.rng.IntN(4) {
		words = append(words, s.setWord()...)
	}
	return words
}

func (s *stream) setWord() []string {
	switch s.rng.IntN(9) {
	case 0:
		return []string{s.pick("EX", "ex"), s.seconds()}
	case 1:
		return []string{s.pick("PX", "pX"), s.seconds() + "000"}
	case 2:
		return []string{"EXAT", s.pick("99999999999", "4102444800", "x", "0", "-1")}
	case 3:
		return []string{"PXAT", s.pick("99999999999000", "4102444800000", "x", "0")}
	case 4:
		return []string{s.pick("PERSIST", "bogus", "", "EX", "EX\x00")}
	default:
		return []string{s.pick("NX", "XX", "GET", "KEEPTTL", "nx", "xx", "get", "keepttl")}
	}
}

// sequence makes the next requests: mostly one, or some that belong together.
func (s *stream) sequence() [][]string {
	if s.state && s.rng.IntN(25) == 0 {
		return s.connectionChange()
	}
	one := func(words ...string) [][]string { return [][]string{s.spoilt(words)} }
	switch s.rng.IntN(20) {
	case 0, 1, 2, 3:
		return one("GET", s.key())
	case 4, 5, 6:
		return one("SET", s.key(), s.value())
	case 7:
		return one(append([]string{"SET", s.key(), s.value()}, s.setTail()...)...)
	case 8, 9, 10:
		return one(s.stringCommand()...)
	case 11:
		return one(s.numberCommand()...)
	case 12:
		return one(s.multiKeyCommand()...)
	case 13, 14:
		return one(s.keyCommand()...)
	case 15, 16:
		return one(s.expiryCommand()...)
	case 17:
		return s.expired()
	case 18:
		return one(s.keyspaceCommand()...)
	default: // one word less could be a SHUTDOWN
		return [][]string{oddRequests[s.rng.IntN(len(oddRequests))]}
	}
}

func (s *stream) stringCommand() []string {
	k := s.key()
	switch s.rng.IntN(14) {
	case 0:
		return []string{"SETNX", k, s.value()}
	case 1:
		return []string{"SETEX", k, s.seconds(), s.value()}
	case 2:
		return []string{"PSETEX", k, s.seconds() + "000", s.value()}
	case 3:
		return []string{"GETSET", k, s.value()}
	case 4:
		return []string{"GETDEL", k}
	case 5:
		return append([]string{"GETEX", k}, s.setTail()...)
	case 6, 7:
		return []string{s.pick("GETRANGE", "SUBSTR"), k, s.integer(), s.integer()}
	case 8, 9:
		return []string{"SETRANGE", k, s.pick("0", "3", "200", "5000", "-1", "x", "9223372036854775807", "536870912"), s.value()}
	case 10, 11, 12:
		return []string{"APPEND", k, s.value()}
	default:
		return []string{"STRLEN", k}
	}
}

func (s *stream) numberCommand() []string {
	k := s.key()
	switch s.rng.IntN(6) {
	case 0, 1:
		return []string{s.pick("INCR", "DECR"), k}
	case 2, 3:
		return []string{s.pick("INCRBY", "DECRBY"), k, s.integer()}
	default:
		return []string{"INCRBYFLOAT", k, s.float()}
	}
}

func (s *stream) multiKeyCommand() []string {
	switch s.rng.IntN(5) {
	case 0, 1:
		return append([]string{"MGET"}, s.keys(20)...)
	case 2:
		return append([]string{"MSETNX"}, s.pairs(3)...)
	default:
		return append([]string{"MSET"}, s.pairs(10)...)
	}
}

func (s *stream) keyCommand() []string {
	switch s.rng.IntN(10) {
	case 0, 1:
		return append([]string{s.pick("DEL", "UNLINK")}, s.keys(5)...)
	case 2, 3:
		return append([]string{s.pick("EXISTS", "TOUCH")}, s.keys(5)...)
	case 4:
		return []string{"TYPE", s.key()}
	case 5, 6:
		return []string{s.pick("RENAME", "RENAMENX"), s.key(), s.key()}
	case 7:
		words := []string{"COPY", s.key(), s.key()}
		for range s.rng.IntN(3) {
			words = append(words, [][]string{{"REPLACE"}, {"replace"}, {"DB", "0"}, {"DB", "5"}, {"DB", "x"}, {"DB"}, {"bogus"},
				{"DB", "99999999999"}}[s.rng.IntN(8)]...)
		}
		return words
	case 8:
		return []string{"OBJECT", s.pick("ENCODING", "encoding", "REFCOUNT", "FREQ", "IDLETIME", "HELP", "NOSUCH"), s.key()}
	default:
		return []string{"MEMORY", "USAGE", s.key()}
	}
}

func (s *stream) expiryCommand() []string {
	k := s.key()
	options := func(words ...string) []string {
		for range max(s.rng.IntN(5)-2, 0) {
			words = append(words, s.pick("NX", "XX", "GT", "LT", "gt", "lt", "bogus", "bo\r\ngus", "bo\x00gus\r\n"))
		}
		return words
	}
	switch s.rng.IntN(8) {
	case 0:
		return options("EXPIRE", k, s.seconds())
	case 1:
		return options("PEXPIRE", k, s.seconds()+"000")
	case 2:
		return options("EXPIREAT", k, s.moment())
	case 3:
		return options("PEXPIREAT", k, s.moment()+"000")
	case 4:
		return []string{"PERSIST", k}
	default:
		return []string{s.pick("TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"), k}
	}
}

// expired makes an entry whose deadline has passed, has something done to it, and reads it, so that it is gone for DBSIZE too.
func (s *stream) expired() [][]string {
	k := s.key()
	touch := [][]string{
		{"GET", k}, {"EXISTS", k, k}, {"INCR", k}, {"APPEND", k, "x"}, {"SETNX", k, "y"}, {"TTL", k}, {"TYPE", k}, {"STRLEN", k},
		{"RENAME", k, "other"}, {"RENAMENX", s.key(), k}, {"COPY", s.key(), k}, {"COPY", k, s.key()}, {"PERSIST", k}, {"GETSET", k, "z"},
		{"SET", k, "w", "KEEPTTL", "GET"}, {"SET", k, "w", "XX"}, {"SET", k, "w", "NX"}, {"DEL", k}, {"MGET", k, k}, {"GETDEL", k},
		{"GETEX", k, "PERSIST"}, {"EXPIRE", k, "5000"}, {"MSETNX", k, "1", s.key(), "2"}, {"SETRANGE", k, "3", "abc"}, {"TOUCH", k},
		{"GETRANGE", k, "0", "-1"}, {"INCRBYFLOAT", k, "1.5"}, {"OBJECT", "ENCODING", k}, {"EXPIRE", k, "5000", "GT"},
	}
	return [][]string{{"SET", k, s.value(), "PXAT", "1"}, touch[s.rng.IntN(len(touch))], {"GET", k}}
}

func (s *stream) keyspaceCommand() []string {
	switch s.rng.IntN(12) {
	case 0, 1, 2:
		return []string{"DBSIZE"}
	case 3:
		return []string{s.pick("FLUSHALL", "FLUSHDB")}
	case 4:
		return []string{s.pick("FLUSHALL", "FLUSHDB"), s.pick("ASYNC", "sync", "NOW")}
	case 5, 6, 7:
		return []string{"KEYS", s.pick("*", "key:?", "key:*", "*:1*", "key:[1-3]?", "key:[^1-3]*", "*[", "\\key:5", "", "nosuch*", "k*5")}
	case 8:
		return []string{"RANDOMKEY"}
	default:
		words := []string{"SCAN", s.pick("0", "0", "0", "x", "-1", "", " 0")}
		for range s.rng.IntN(3) {
			words = append(words, [][]string{{"COUNT", "5"}, {"count", "1000"}, {"COUNT", "0"}, {"COUNT", "x"}, {"COUNT"},
				{"MATCH", "*1"}, {"MATCH", "*"}, {"TYPE", "string"}, {"TYPE", "hash"}, {"bogus", "1"}, {"bogus"}}[s.rng.IntN(11)]...)
		}
		return words
	}
}

// oddRequests need no key, or are not what there is. They say nothing that another connection could tell, and change nothing that a stream would see.
var oddRequests = [][]string{
	{"PING"}, {"ping", "hello"}, {"PING", "a", "b"}, {"ECHO", "a\r\nb"}, {"ECHO"}, {"SELECT", "0"}, {"SELECT", "77"}, {"SELECT", "x"},
	{"SELECT", "99999999999"}, {"NOSUCH"}, {"NOSUCH", "a", "b\r\nc"}, {"NO\x00SUCH", "a\x00b"},
	{"GETX" + strings.Repeat("y", 200), strings.Repeat("z", 200)}, {"OBJECT"}, {"OBJECT", "ENCODING"}, {"HELLO", "9"}, {"HELLO", "x"},
	{"HELLO", "2", "bogus"}, {"HELLO", "2", "AUTH", "x", "y"}, {"HELLO", "2", "SETNAME", "a b"}, {"HELLO", "2", "AUTH", "x"},
	{"AUTH", "x"}, {"AUTH", "default", "x"}, {"AUTH", "x", "y"}, {"AUTH", "a", "b", "c"}, {"AUTH"},
	{"CLIENT"}, {"CLIENT", "NOSUCH"}, {"CLIENT", "GETNAME", "x"}, {"CLIENT", "SETNAME", "a b"}, {"CLIENT", "SETNAME"},
	{"CLIENT", "LIST", "x"}, {"CLIENT", "LIST", "TYPE", "x"}, {"CLIENT", "LIST", "ID", "x"}, {"CLIENT", "LIST", "TYPE", "pubsub"},
	{"CLIENT", "KILL", "nobody:1"}, {"CLIENT", "KILL", "ID", "0"}, {"CLIENT", "KILL", "ID", "x"}, {"CLIENT", "KILL", "ID", "999999999"},
	{"CLIENT", "KILL", "TYPE", "x"}, {"CLIENT", "KILL", "TYPE", "pubsub"}, {"CLIENT", "KILL", "USER", "x"}, {"CLIENT", "KILL", "SKIPME", "x"},
	{"CLIENT", "KILL", "ADDR", "nobody:1", "LADDR", "nowhere:2", "SKIPME", "no"}, {"CLIENT", "KILL", "ADDR", "x", "y"}, {"CLIENT", "KILL"},
	{"CLIENT", "NO-EVICT", "ON"}, {"CLIENT", "NO-EVICT", "off"}, {"CLIENT", "NO-EVICT", "x"}, {"CLIENT", "REPLY", "x"}, {"CLIENT", "REPLY", "ON"},
	{"CLIENT", "ID"}, {"CLIENT", "INFO"}, {"CLIENT", "LIST"}, {"CLIENT", "HELP"}, {"CLIENT", "ID", "x"},
	{"CONFIG"}, {"CONFIG", "NOSUCH"}, {"CONFIG", "GET"}, {"CONFIG", "GET", "nosuch*"}, {"CONFIG", "GET", "max*"}, {"CONFIG", "REWRITE"},
	{"CONFIG", "GET", "MAXMEMORY"}, {"CONFIG", "GET", "maxmemory", "maxmemory"}, {"CONFIG", "GET", "timeou?"},
	{"CONFIG", "SET", "nosuch", "1"}, {"CONFIG", "SET", "timeout"}, {"CONFIG", "SET", "timeout", "1", "2"}, {"CONFIG", "SET", "timeout", "x"},
	{"CONFIG", "SET", "timeout", "-1"}, {"CONFIG", "SET", "timeout", "99999999999"}, {"CONFIG", "SET", "TIMEOUT", "0"},
	{"CONFIG", "SET", "timeout", "0", "nosuch", "1"}, {"CONFIG", "SET", "timeout", "0", "timeout", "0"}, {"CONFIG", "SET", "databases", "2"},
	{"CONFIG", "SET", "databases", "2", "nosuch", "1"}, {"CONFIG", "SET", "nosuch", "1", "databases", "2"}, {"CONFIG", "SET", "maxmemory", "x"},
	{"CONFIG", "SET", "maxmemory", "-1"}, {"CONFIG", "SET", "maxmemory", "1.5gb"}, {"CONFIG", "SET", "maxmemory", "0"},
	{"CONFIG", "SET", "maxmemory", "0", "timeout", "x"}, {"CONFIG", "SET", "maxclients", "0"}, {"CONFIG", "SET", "proto-max-bulk-len", "5"},
	{"CONFIG", "SET", "proto-max-bulk-len", "x"}, {"CONFIG", "SET", "maxmemory-policy", "x"}, {"CONFIG", "SET", "maxmemory-policy", "NoEviction"},
	{"CONFIG", "SET", "appendonly", "no"}, {"CONFIG", "SET", "save", ""}, {"CONFIG", "SET", "requirepass", ""}, {"CONFIG", "RESETSTAT"},
	{"COMMAND", "NOSUCH"}, {"COMMAND", "COUNT"}, {"COMMAND", "COUNT", "x"}, {"COMMAND", "INFO", "nosuch"}, {"COMMAND", "INFO", "GET", "nosuch"},
	{"COMMAND", "DOCS", "nosuch"}, {"COMMAND", "DOCS", "get"}, {"COMMAND", "LIST"}, {"COMMAND", "LIST", "x"}, {"COMMAND", "LIST", "FILTERBY", "x", "y"},
	{"COMMAND", "LIST", "FILTERBY", "PATTERN", "set*x"}, {"COMMAND", "LIST", "FILTERBY", "MODULE", "x"}, {"COMMAND", "GETKEYS", "GET"},
	{"COMMAND", "GETKEYS", "GET", "a"}, {"COMMAND", "GETKEYS", "MSET", "a", "1", "b", "2"}, {"COMMAND", "GETKEYS", "MSET", "a", "1", "b"},
	{"COMMAND", "GETKEYS", "NOSUCH", "a"}, {"COMMAND", "GETKEYS", "PING", "a"}, {"COMMAND", "GETKEYS", "SET", "a"},
	{"COMMAND", "GETKEYS", "OBJECT", "ENCODING", "a"}, {"COMMAND", "GETKEYS", "WATCH", "a", "b"}, {"COMMAND", "GETKEYS", "RENAME", "a", "b"},
	{"COMMAND", "GETKEYS", "SCAN", "0"}, {"COMMAND", "GETKEYS", "CONFIG", "NOSUCH"}, {"COMMAND", "GETKEYSANDFLAGS", "GET", "a"},
	{"INFO"}, {"INFO", "keyspace"}, {"INFO", "nosuch"}, {"INFO", "cluster"}, {"INFO", "modules", "cluster"}, {"info", "everything"},
	{"TIME"}, {"TIME", "x"}, {"DEBUG"}, {"DEBUG", "SLEEP", "0"}, {"DEBUG", "JMAP"}, {"SLOWLOG"}, {"SLOWLOG", "GET", "x"}, {"SLOWLOG", "GET", "-2"},
	{"SLOWLOG", "GET", "5", "6"}, {"SLOWLOG", "RESET"}, {"SLOWLOG", "NOSUCH"}, {"SLOWLOG", "HELP"}, {"SLOWLOG", "LEN", "x"},
	{"LATENCY"}, {"LATENCY", "LATEST"}, {"LATENCY", "HISTORY", "x"}, {"LATENCY", "HISTORY"}, {"LATENCY", "GRAPH", "x"}, {"LATENCY", "RESET"},
	{"LATENCY", "RESET", "a", "b"}, {"LATENCY", "NOSUCH"}, {"LATENCY", "DOCTOR"}, {"LATENCY", "HISTOGRAM", "nosuch"},
	{"SHUTDOWN", "x"}, {"SHUTDOWN", "ABORT"}, {"SHUTDOWN", "SAVE", "NOSAVE"}, {"SHUTDOWN", "ABORT", "NOW"},
	{"MEMORY"}, {"MEMORY", "NOSUCH"}, {"MEMORY", "USAGE"}, {"MEMORY", "USAGE", "a", "SAMPLES"}, {"MEMORY", "USAGE", "a", "SAMPLES", "-1"},
	{"MEMORY", "USAGE", "a", "SAMPLES", "x"}, {"MEMORY", "USAGE", "a", "x"}, {"MEMORY", "DOCTOR"}, {"MEMORY", "STATS"}, {"MEMORY", "STATS", "x"},
	{"MEMORY", "PURGE"},
}

// connectionChange makes requests that belong to a connection's state.
func (s *stream) connectionChange() [][]string {
	switch s.rng.IntN(12) {
	case 0:
		return [][]string{{"HELLO", s.pick("2", "3")}}
	case 1:
		return [][]string{s.spoilt([]string{s.pick("EXEC", "DISCARD", "UNWATCH", "RESET", "MULTI")})}
	case 2:
		return [][]string{append([]string{"WATCH"}, s.keys(3)...), {"GET", s.key()}}
	case 4:
		return [][]string{{"CLIENT", "SETNAME", s.pick("me", "you", "")}, {"CLIENT", "GETNAME"}, {"HELLO", "3", "SETNAME", "it"}, {"CLIENT", "GETNAME"}}
	case 3: // what the connection itself changes counts too
		k := s.key()
		return [][]string{{"WATCH", k}, {"APPEND", k, "x"}, {"MULTI"}, {"GET", k}, {"EXEC"}}
	default:
		return s.transaction()
	}
}

func (s *stream) transaction() (requests [][]string) {
	if s.rng.IntN(3) == 0 {
		requests = append(requests, append([]string{"WATCH"}, s.keys(3)...))
	}
	requests = append(requests, []string{"MULTI"})
	plain := stream{rng: s.rng}
	for n := s.rng.IntN(8); n > 0; {
		req := plain.next()
		if s.rng.IntN(30) == 0 {
			req = [][]string{{"MULTI"}, {"WATCH", "a"}, {"UNWATCH"}, {"RESET"}, {"EXEC", "x"}}[s.rng.IntN(5)]
		} else if !exact(req) || len(plain.pending) > 0 {
			continue // EXEC's reply is compared byte for byte
		}
		requests = append(requests, req)
		n--
	}
	if s.rng.IntN(6) == 0 {
		return append(requests, []string{"DISCARD"})
	}
	return append(requests, []string{"EXEC"})
}

func encode(args []string) []byte {
	b := fmt.Appendf(nil, "*%d\r\n", len(args))
	for _, a := range args {
		b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(a), a)
	}
	return b
}
