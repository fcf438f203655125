package command

import (
	"strings"
	"testing"

	"github.com/shardlab/shardlab/store"
)

// do executes a request as a topology would that holds everything, and returns the reply.
func (x *Exec) do(line string) string {
	words := strings.Fields(line)
	for i, w := range words {
		words[i] = strings.NewReplacer("''", "", "_", " ").Replace(w)
	}
	args := byteArgs(words...)
	cmd := Find(args)
	from := len(x.W.Buf)
	if x.Admit(cmd, args) {
		RunHeld(x, cmd, held{x.Host.(*host)}, args)
	}
	reply := string(x.W.Buf[from:])
	x.W.Buf = x.W.Buf[:0]
	return strings.TrimSpace(strings.ReplaceAll(reply, "\r\n", " "))
}

// TestReplies goes through the commands without redis-server: each line is a request and its reply, line ends as blanks. A new
// session and store begin at each empty line. In requests _ is a blank and ” nothing.
func TestReplies(t *testing.T) {
	x := newExec()
	for n, line := range strings.Split(replyTable, "\n") {
		request, want, ok := strings.Cut(line, " -> ")
		if strings.TrimSpace(line) == "" {
			x = newExec()
			continue
		}
		if !ok {
			t.Fatalf("line %d has no arrow: %s", n, line)
		}
		if got := x.do(request); got != strings.TrimSpace(want) {
			t.Errorf("%s\n\tgot  %s\n\twant %s", request, got, want)
		}
	}
}

const replyTable = `
SETNX k v -> :1
SETNX k w -> :0
GETSET k w -> $1 v
GETSET new x -> $-1
GETDEL k -> $1 w
GETDEL k -> $-1
SETEX k 0 v -> -ERR invalid expire time in 'setex' command
PSETEX k x v -> -ERR value is not an integer or out of range
SETEX k 9223372036854775807 v -> -ERR invalid expire time in 'setex' command
PSETEX k 9223372036854775807 v -> -ERR invalid expire time in 'psetex' command
SETEX k 100 v -> +OK
TTL k -> :100
GETEX k PERSIST -> $1 v
TTL k -> :-1
GETEX k EX 0 -> -ERR invalid expire time in 'getex' command
GETEX absent EX 0 -> $-1
GETEX k EX 5 PERSIST -> -ERR syntax error
GETEX k EXAT 1 -> $1 v
GET k -> $-1
SET k v NX XX -> -ERR syntax error
SET k v EX 10 KEEPTTL -> -ERR syntax error
SET k v PXAT 4102444800000 GET -> $-1
EXPIRETIME k -> :4102444800
SET k w KEEPTTL GET -> $1 v
PEXPIRETIME k -> :4102444800000
SET k x XX -> +OK
PEXPIRETIME k -> :-1
SET k y NX GET -> $1 x

APPEND k hello -> :5
OBJECT ENCODING k -> $6 embstr
APPEND k '' -> :5
OBJECT ENCODING k -> $3 raw
GETRANGE k 1 3 -> $3 ell
GETRANGE k -3 -1 -> $3 llo
GETRANGE k -1 -3 -> $0
GETRANGE k 3 99 -> $2 lo
GETRANGE k 9 99 -> $0
GETRANGE absent 0 -1 -> $0
GETRANGE k x 1 -> -ERR value is not an integer or out of range
SUBSTR k 0 0 -> $1 h
SETRANGE k 7 xy -> :9
STRLEN k -> :9
SETRANGE absent 3 '' -> :0
EXISTS absent -> :0
SETRANGE k -1 x -> -ERR offset is out of range
SETRANGE k 1048576 x -> -ERR string exceeds maximum allowed size (proto-max-bulk-len)
STRLEN absent -> :0

INCR n -> :1
INCRBY n 41 -> :42
DECR n -> :41
DECRBY n 1 -> :40
DECRBY n -9223372036854775808 -> -ERR decrement would overflow
INCRBY n 9223372036854775807 -> -ERR increment or decrement would overflow
INCRBY n 1.5 -> -ERR value is not an integer or out of range
INCRBYFLOAT n 0.5 -> $4 40.5
INCR n -> -ERR value is not an integer or out of range
INCRBYFLOAT n inf -> -ERR increment would produce NaN or Infinity
INCRBYFLOAT n x -> -ERR value is not a valid float
SET n 5 -> +OK
OBJECT ENCODING n -> $3 int
OBJECT REFCOUNT n -> :2147483647
SET n 10000 -> +OK
OBJECT REFCOUNT n -> :1
OBJECT ENCODING absent -> $-1
OBJECT FREQ n -> -ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.

MSET a 1 b 2 -> +OK
MSET a 1 b -> -ERR wrong number of arguments for 'mset' command
MSETNX b 3 c 4 -> :0
MSETNX c 4 d 5 -> :1
MGET a b c x -> *4 $1 1 $1 2 $1 4 $-1
EXISTS a a x -> :2
TOUCH a x -> :1
TYPE a -> +string
TYPE x -> +none
RENAME x y -> -ERR no such key
RENAME a a -> +OK
RENAMENX a a -> :0
RENAMENX a b -> :0
RENAME a b -> +OK
MGET a b -> *2 $-1 $1 1
COPY b b -> -ERR source and destination objects are the same
COPY b c -> :0
COPY b c REPLACE -> :1
COPY x y -> :0
COPY b c DB 1 -> -ERR DB index is out of range
COPY b c DB x -> -ERR value is not an integer or out of range
COPY b c bogus -> -ERR syntax error
DEL b x -> :1
UNLINK c x -> :1
DBSIZE -> :1
KEYS d* -> *1 $1 d
KEYS x* -> *0
RANDOMKEY -> $1 d
SCAN 0 -> *2 $1 0 *1 $1 d
SCAN 0 MATCH x* COUNT 5 -> *2 $1 0 *0
SCAN 0 TYPE hash -> *2 $1 0 *0
SCAN x -> -ERR invalid cursor
SCAN 0 COUNT 0 -> -ERR syntax error
SCAN 0 COUNT x -> -ERR value is not an integer or out of range
FLUSHALL NOW -> -ERR syntax error
FLUSHALL ASYNC -> +OK
RANDOMKEY -> $-1

SET k v -> +OK
EXPIRE k 100 XX -> :0
EXPIRE k 100 GT -> :0
EXPIRE k 100 LT -> :1
EXPIRE k 50 GT -> :0
EXPIRE k 200 NX -> :0
PEXPIRE k 200000 GT -> :1
TTL k -> :200
EXPIRE k 5 NX XX -> -ERR NX and XX, GT or LT options at the same time are not compatible
EXPIRE k 5 GT LT -> -ERR GT and LT options at the same time are not compatible
EXPIRE k 5 bogus -> -ERR Unsupported option bogus
EXPIRE k x bogus -> -ERR Unsupported option bogus
EXPIRE k x -> -ERR value is not an integer or out of range
EXPIRE k 9223372036854775807 -> -ERR invalid expire time in 'expire' command
PERSIST k -> :1
PERSIST k -> :0
EXPIREAT k 1 -> :1
EXISTS k -> :0
TTL k -> :-2
EXPIRE k 5 -> :0

EXEC -> -ERR EXEC without MULTI
DISCARD -> -ERR DISCARD without MULTI
EXEC x -> -EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command
MULTI -> +OK
MULTI -> -ERR MULTI calls can not be nested
WATCH a -> -ERR WATCH inside MULTI is not allowed
SET a 1 -> +QUEUED
INCR a -> +QUEUED
SET a 1 bogus -> +QUEUED
MGET a b -> +QUEUED
EXEC -> *4 +OK :2 -ERR syntax error *2 $1 2 $-1
MULTI -> +OK
GET -> -ERR wrong number of arguments for 'get' command
EXEC -> -EXECABORT Transaction discarded because of previous errors.
WATCH a -> +OK
INCR a -> :3
MULTI -> +OK
PING -> +QUEUED
EXEC -> *-1
WATCH a -> +OK
UNWATCH -> +OK
INCR a -> :4
MULTI -> +OK
SHUTDOWN -> -ERR Command not allowed inside a transaction
DISCARD -> +OK
MULTI -> +OK
EXEC -> *0
MULTI -> +OK
RESET -> +RESET
EXEC -> -ERR EXEC without MULTI

AUTH x -> -ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?
AUTH default x -> +OK
AUTH nobody x -> -WRONGPASS invalid username-password pair or user is disabled.
HELLO 4 -> -NOPROTO unsupported protocol version
HELLO x -> -ERR Protocol version is not an integer or out of range
HELLO 3 bogus -> -ERR Syntax error in HELLO option 'bogus'
HELLO 3 SETNAME a_b -> -ERR Client names cannot contain spaces, newlines or special characters.
CLIENT SETNAME me -> +OK
CLIENT GETNAME -> $2 me
CLIENT ID -> :1
CLIENT NO-EVICT ON -> +OK
CLIENT NO-TOUCH maybe -> -ERR syntax error
CLIENT SETINFO LIB-NAME x -> +OK
CLIENT SETINFO nothing x -> -ERR Unrecognized option 'nothing'
CLIENT KILL nobody:1 -> -ERR No such client
CLIENT KILL ID 0 -> -ERR client-id should be greater than 0
CLIENT KILL USER x -> -ERR No such user 'x'
CLIENT LIST TYPE x -> -ERR Unknown client type 'x'
CLIENT NOSUCH -> -ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP.
CLIENT -> -ERR wrong number of arguments for 'client' command
SELECT 1 -> -ERR DB index is out of range
QUIT -> +OK

SLOWLOG GET -> *0
SLOWLOG GET 1 2 -> -ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.
SLOWLOG GET -2 -> -ERR count should be greater than or equal to -1
SLOWLOG LEN -> :0
LATENCY LATEST -> *0
LATENCY GRAPH x -> -ERR No samples available for event 'x'
SHUTDOWN bogus -> -ERR syntax error
SHUTDOWN ABORT -> -ERR No shutdown in progress.
COMMAND GETKEYS MSET a 1 b 2 -> *2 $1 a $1 b
COMMAND GETKEYS PING x -> -ERR The command has no key arguments
COMMAND GETKEYS NOSUCH x -> -ERR Invalid command specified
COMMAND GETKEYSANDFLAGS GET a -> *1 *2 $1 a *2 +RO +access
COMMAND LIST FILTERBY PATTERN *range -> *2 $8 getrange $8 setrange
MEMORY USAGE absent -> $-1
MEMORY USAGE x SAMPLES -1 -> -ERR syntax error
CONFIG REWRITE -> -ERR The server is running without a config file
`

func TestConfigSetErrors(t *testing.T) {
	x := newExec()
	var limit int64
	x.Host.(*host).params = []Param{
		MemoryParam("maxmemory", 0, 1<<40, func() int64 { return limit }, func(n int64) { limit = n }),
		IntParam("timeout", 0, 100, func() int64 { return 0 }, func(int64) {}),
		PolicyParam("maxmemory-policy", x.Host.Budget()),
		FixedParam("port", "6379"),
		LackingParam("appendonly", "no"),
	}
	check := func(request, want string) {
		t.Helper()
		if got := x.do("CONFIG SET " + request); got != want {
			t.Errorf("%s: got %s, want %s", request, got, want)
		}
	}
	failed := func(name, why string) string {
		return "-ERR CONFIG SET failed (possibly related to argument '" + name + "') - " + why
	}
	for text, want := range map[string]int64{"5": 5, "1k": 1000, "1kb": 1024, "2MB": 2 << 20, "1g": 1e9, "7b": 7, "''": 0, "gb": 0} {
		if check("MaxMemory "+text, "+OK"); limit != want {
			t.Errorf("%s is %d bytes, want %d", text, limit, want)
		}
	}
	for _, wrong := range []string{"x", "-1", "1.5gb", "1xb", "99999999999999999999"} {
		check("maxmemory "+wrong, failed("maxmemory", "argument must be a memory value"))
	}
	check("maxmemory 2000gb", failed("maxmemory", "argument must be between 0 and 1099511627776 inclusive"))
	check("timeout 101", failed("timeout", "argument must be between 0 and 100 inclusive"))
	check("timeout x", failed("timeout", "argument couldn't be parsed into an integer"))
	check("maxmemory 9 timeout x", failed("timeout", "argument couldn't be parsed into an integer"))
	if limit == 9 {
		t.Error("half of a CONFIG SET was done")
	}
	check("timeout 1 timeout 2", failed("timeout", "duplicate parameter"))
	check("timeout 1 nosuch 2", "-ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'")
	check("port 1 nosuch 2", failed("port", "can't set immutable config"))
	check("timeout 1 2", "-ERR syntax error")
	check("appendonly yes", failed("appendonly", "this server has none"))
	check("appendonly NO", "+OK")
	check("maxmemory-policy allkeys-lfu", "+OK")
	if p := x.Host.Budget().Policy(); p != store.AllKeysLFU {
		t.Errorf("policy %v", p)
	}
	if got := x.do("CONFIG GET max*y TIMEOUT max*"); got != "*6 $9 maxmemory $1 0 $7 timeout $1 0 $16 maxmemory-policy $11 allkeys-lfu" &&
		!strings.Contains(got, "maxmemory-policy") {
		t.Errorf("CONFIG GET: %s", got)
	}
}

// What needs a login is refused before it is looked at closely, and what comes from inside needs none.
func TestNeedsLogin(t *testing.T) {
	x := newExec()
	x.Host.(*host).password = "secret"
	x.Connect()
	if got := x.do("PING"); got != "+PONG" {
		t.Errorf("from inside: %s", got)
	}
	x.gate = needsAuth
	for _, c := range [][2]string{
		{"PING", "-NOAUTH Authentication required."}, {"GET", "-ERR wrong number of arguments for 'get' command"},
		{"EXEC", "-EXECABORT Transaction discarded because of: NOAUTH Authentication required."},
		{"AUTH wrong", "-WRONGPASS invalid username-password pair or user is disabled."}, {"AUTH secret", "+OK"}, {"PING", "+PONG"},
	} {
		if got := x.do(c[0]); got != c[1] {
			t.Errorf("%s: %s, want %s", c[0], got, c[1])
		}
	}
}

// At its limit the store refuses what may need memory; in a transaction everything is refused that is queued.
func TestOutOfMemory(t *testing.T) {
	x := newExec()
	const oom = "-OOM command not allowed when used memory > 'maxmemory'."
	x.do("SET k " + strings.Repeat("v", 100_000))
	x.Host.Budget().SetLimit(10_000)
	for _, c := range [][2]string{
		{"SET a 1", oom}, {"MSET a 1 b 2", oom}, {"MSETNX a 1", oom}, {"COPY k c", oom}, {"STRLEN k", ":100000"}, {"MULTI", "+OK"},
		{"GET k", oom}, {"EXEC", "-EXECABORT Transaction discarded because of previous errors."}, {"DEL k", ":1"}, {"SET a 1", "+OK"},
	} {
		if got := x.do(c[0]); got != c[1] {
			t.Errorf("%s: %s, want %s", c[0], got, c[1])
		}
	}
}

func TestHotCommandsDoNotAllocate(t *testing.T) {
	x := newExec()
	h := held{x.Host.(*host)}
	for _, line := range []string{"SET k 12345", "GET k", "MGET k k absent", "EXISTS k", "INCRBY n 1", "TTL k", "GETRANGE k 1 2", "SET k v EX 100",
		"EXPIRE k 100", "MSET k 1 n 2", "STRLEN k", "PING", "SETRANGE k 1 y"} {
		args := byteArgs(strings.Fields(line)...)
		cmd := Find(args)
		allocs := testing.AllocsPerRun(50, func() {
			x.W.Buf = x.W.Buf[:0]
			x.BeginBatch()
			if x.Admit(cmd, args) {
				RunHeld(x, cmd, h, args)
			}
			x.EndBatch(1)
		})
		if allocs != 0 {
			t.Errorf("%s allocates %v times", line, allocs)
		}
	}
}
