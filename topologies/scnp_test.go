package topologies

import (
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
	"github.com/shardlab/shardlab/store"
)

// The ways in which one request can be sent.
const (
	asRESP = iota
	asRESPFrame
	asFrame // typed if there is a layout for it, else in the argument form
	asAny   // one of these at random
)

// frameOf encodes a request in SCNP. wrapped reports that only the wrapper carries it.
func frameOf(args []string) (frame []byte, wrapped bool) {
	words := make([][]byte, len(args))
	for i, a := range args {
		words[i] = []byte(a)
	}
	name, rest := strings.ToUpper(args[0]), words[1:]
	op, ok := wire.OpcodeOf(name)
	switch {
	case !ok:
		return wire.AppendRESPFrame(nil, wire.Address{}, words...), true
	case len(rest) == 1 && (op == wire.OpGet || op == wire.OpDel || op == wire.OpExists || op == wire.OpTTL):
		return wire.AppendKeyFrame(nil, op, wire.ToServer(rest[0]), rest[0]), false
	case op == wire.OpSet && len(rest) == 2:
		return wire.AppendSetFrame(nil, wire.ToServer(rest[0]), rest[0], rest[1]), false
	case op == wire.OpMGet:
		return wire.AppendMGetFrame(nil, wire.Address{}, rest...), false
	case op == wire.OpMSet && len(rest)%2 == 0:
		return wire.AppendMSetFrame(nil, wire.Address{}, rest...), false
	case op == wire.OpPing && len(rest) == 0:
		return wire.AppendPingFrame(nil, nil), false
	}
	return wire.AppendArgsFrame(nil, op, wire.Address{}, rest...), false
}

// scnpReply is a RESP2 reply as SCNP carries it, by the rules of the protocol and none of our code.
func scnpReply(resp string) string {
	line, rest, _ := strings.Cut(resp, "\r\n")
	n, _ := strconv.ParseInt(line[1:], 10, 64)
	switch {
	case resp == "+OK\r\n":
		return scnpFrame(0, "")
	case line[0] == '+':
		return scnpFrame(4, line[1:])
	case line[0] == '-':
		return scnpFrame(2, line[1:])
	case line[0] == ':':
		return scnpFrame(3, string(binary.LittleEndian.AppendUint64(nil, uint64(n))))
	case line == "$-1":
		return scnpFrame(1, "")
	case line[0] == '$':
		return scnpFrame(4, rest[:n])
	}
	body := string(binary.LittleEndian.AppendUint32(nil, uint32(n)))
	for range n {
		if rest[0] != '$' {
			return scnpFrame(4, resp)
		}
		var head string
		head, rest, _ = strings.Cut(rest, "\r\n")
		length, _ := strconv.Atoi(head[1:])
		body += string(binary.LittleEndian.AppendUint32(nil, uint32(length)))
		if length >= 0 {
			body, rest = body+rest[:length], rest[length+2:]
		}
	}
	return scnpFrame(6, body)
}

func scnpFrame(status byte, body string) string {
	header := binary.LittleEndian.AppendUint32([]byte{0xfb, 2, status, 0}, uint32(len(body)))
	return string(header) + body
}

// translate encodes requests in the given way, and their RESP2 replies as they then come.
func translate(requests [][]string, replies []string, way int, seed uint64) (frames [][]byte, want []string) {
	rng := rand.New(rand.NewPCG(seed, 3))
	for i, req := range requests {
		w := way
		if w == asAny {
			w = rng.IntN(asAny)
		}
		frame, wrapped := frameOf(req)
		switch {
		case w == asRESP:
			frames, want = append(frames, encode(req)), append(want, replies[i])
			continue
		case w == asRESPFrame && !wrapped:
			words := make([][]byte, len(req))
			for i, a := range req {
				words[i] = []byte(a)
			}
			frame, wrapped = wire.AppendRESPFrame(nil, wire.Address{}, words...), true
		}
		frames = append(frames, frame)
		if wrapped {
			want = append(want, scnpFrame(4, replies[i]))
		} else {
			want = append(want, scnpReply(replies[i]))
		}
	}
	return frames, want
}

// TestSCNPAgrees: SCNP, wrapped and typed and mixed with RESP on one connection, says what RESP says, in every topology.
func TestSCNPAgrees(t *testing.T) {
	requests := newStream(7).takeExact(3000)
	replies := conversation(t, open(t, Config{Topology: "thread-local"}).Addr().String(), requests, 7)
	for way, name := range []string{asRESPFrame: "wrapped", asFrame: "typed", asAny: "mixed"} {
		if name == "" {
			continue
		}
		frames, want := translate(requests, replies, way, 7)
		for _, v := range scnpVariants() {
			t.Run(name+"/"+v.String(), func(t *testing.T) {
				got := exchange(t, v.open(t).Addr().String(), frames, 7)
				mustAgree(t, requests, got, want, "RESP")
			})
		}
	}
}

// Replies of many parts and many bytes: the length of an SCNP reply comes first, whoever makes its parts.
func TestLargeSCNPReplies(t *testing.T) {
	requests, replies := largeExchange()
	frames, want := translate(requests, replies, asAny, 5)
	for _, v := range scnpVariants() {
		t.Run(v.String(), func(t *testing.T) {
			mustAgree(t, requests, exchange(t, v.open(t).Addr().String(), frames, 3), want, "a plain reading")
		})
	}
}

// What a frame says of its key is never taken for true.
func TestSCNPHashesAreChecked(t *testing.T) {
	key, other := []byte("key"), []byte("other")
	mismatch := scnpFrame(2, "ERR SCNP key hash mismatch")
	frames := [][]byte{
		wire.AppendSetFrame(nil, wire.ToServer(key), key, []byte("v")),
		wire.AppendKeyFrame(nil, wire.OpGet, wire.ToServer(other), key),
		wire.AppendSetFrame(nil, wire.ToServer(other), key, []byte("w")),
		wire.AppendMGetFrame(nil, wire.ToServer(other), key, other),
		wire.AppendArgsFrame(nil, wire.OpSet, wire.ToServer(other), key, []byte("w")),
		{0xfa, 2, 1, 4, 12, 0, 0, 0, byte(store.Hash(key) >> 56), 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0}, // hash-only
		wire.AppendKeyFrame(nil, wire.OpGet, wire.ToShard(key, 1024), key),                         // the public port routes
		wire.AppendMGetFrame(nil, wire.ToServer(key), key, other),
		{0xfa, 2, 20, 0, 1, 0, 0, 0, 'x'}, // HSET
	}
	want := []string{
		scnpFrame(0, ""), mismatch, mismatch, mismatch, mismatch,
		scnpFrame(2, "ERR SCNP hash-only GET is not served; send the key's bytes"),
		scnpFrame(4, "v"), scnpReply("*2\r\n$1\r\nv\r\n$-1\r\n"), scnpFrame(2, "ERR unsupported command"),
	}
	for _, v := range scnpVariants() {
		t.Run(v.String(), func(t *testing.T) {
			mustEqual(t, exchange(t, v.open(t).Addr().String(), frames, 1), want)
		})
	}
}

// A direct port serves the frames that are sent to its shard, and says what is wrong with others.
func TestSCNPOnDirectPorts(t *testing.T) {
	for _, workers := range []int{1, 3} {
		in := open(t, Config{Topology: "direct-shard", Shards: 8, Workers: workers})
		for i := range 20 {
			key := fmt.Appendf(nil, "key:%d", i)
			home := shardOf(string(key), 8)
			for shard, addr := range in.DirectAddrs() {
				to := wire.ToShard(key, 8)
				got := exchange(t, addr.String(), [][]byte{
					wire.AppendSetFrame(nil, to, key, key), wire.AppendKeyFrame(nil, wire.OpGet, to, key),
					wire.AppendKeyFrame(nil, wire.OpGet, wire.ToServer(key), key),
					wire.AppendRESPFrame(nil, wire.Address{}, []byte("GET"), key),
					wire.AppendRESPFrame(nil, to, []byte("GET"), key), wire.AppendPingFrame(nil, nil),
				}, 1)
				const unrouted = "ERR SCNP direct shard port requires a routed shard-local command"
				want := []string{scnpFrame(0, ""), scnpFrame(4, string(key)), scnpFrame(2, unrouted),
					scnpFrame(4, "-"+unrouted+"\r\n"), scnpFrame(4, fmt.Sprintf("$%d\r\n%s\r\n", len(key), key)), scnpFrame(4, "PONG")}
				if shard != home {
					want[0] = scnpFrame(2, "ERR SCNP route shard mismatch")
					want[1], want[4] = want[0], scnpFrame(4, "-ERR SCNP route shard mismatch\r\n")
				}
				mustEqual(t, got, want)
			}
		}
	}
}

// A frame that is no frame ends its connection, and on a direct port the server says what it wants there.
func TestMalformedSCNP(t *testing.T) {
	end := func(addr, want string) {
		t.Helper()
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(60 * time.Second))
		nc.Write([]byte("\xfa\x02\x09\x00\x00\x00\x00\x00\xfa\x02\xff\x00\x00\x00\x00\x00"))
		got, err := io.ReadAll(nc)
		if err != nil || string(got) != scnpFrame(4, "PONG")+scnpFrame(2, want) {
			t.Errorf("got %q, %v", got, err)
		}
	}
	eachTopology(t, func(t *testing.T, in *Instance) {
		end(in.Addr().String(), "ERR Protocol error: unknown SCNP opcode 255")
		for _, a := range in.DirectAddrs() {
			end(a.String(), "ERR Protocol error: direct shard ports only accept routed SCNP frames: unknown SCNP opcode 255")
		}
	})
}

// What a transaction queues comes as RESP, in frames or not; a typed frame spoils it.
func TestSCNPTransactions(t *testing.T) {
	k, to := []byte("k"), wire.ToServer([]byte("k"))
	wrap := func(args ...string) []byte {
		var words [][]byte
		for _, a := range args {
			words = append(words, []byte(a))
		}
		return wire.AppendRESPFrame(nil, wire.Address{}, words...)
	}
	bare := func(name string) []byte {
		op, _ := wire.OpcodeOf(name)
		return wire.AppendArgsFrame(nil, op, wire.Address{})
	}
	value := func(resp string) string { return scnpFrame(4, resp) }
	const typed = "ERR typed SCNP commands are not supported inside MULTI; use RESP command frames"
	const aborted = "EXECABORT Transaction discarded because of previous errors."
	frames := [][]byte{
		wrap("MULTI"), wrap("SET", "k", "v"), encode([]string{"GET", "k"}), wrap("EXEC"),
		bare("MULTI"), wrap("GET", "k"), wrap("STRLEN", "k"), bare("EXEC"),
		bare("MULTI"), wire.AppendKeyFrame(nil, wire.OpGet, to, k), wrap("SET", "k", "w"), bare("EXEC"),
		bare("MULTI"), wire.AppendRESPFrame(nil, wire.ToServer([]byte("other")), []byte("SET"), k, k), wrap("EXEC"),
		bare("MULTI"), bare("DISCARD"), wire.AppendKeyFrame(nil, wire.OpGet, to, k),
	}
	want := []string{
		value("+OK\r\n"), value("+QUEUED\r\n"), "+QUEUED\r\n", value("*2\r\n+OK\r\n$1\r\nv\r\n"),
		scnpFrame(0, ""), value("+QUEUED\r\n"), value("+QUEUED\r\n"), value("*2\r\n$1\r\nv\r\n:1\r\n"),
		scnpFrame(0, ""), scnpFrame(2, typed), value("+QUEUED\r\n"), scnpFrame(2, aborted),
		scnpFrame(0, ""), value("-ERR SCNP key hash mismatch\r\n"), value("-" + aborted + "\r\n"),
		scnpFrame(0, ""), scnpFrame(0, ""), value("v"),
	}
	for _, v := range scnpVariants() {
		t.Run(v.String(), func(t *testing.T) {
			mustEqual(t, exchange(t, v.open(t).Addr().String(), frames, 1), want)
		})
	}
}

// Typed frames with a time to live count it in milliseconds.
func TestTypedTimesToLive(t *testing.T) {
	k, to := []byte("k"), wire.ToServer([]byte("k"))
	integer := func(n int) string { return scnpReply(fmt.Sprintf(":%d\r\n", n)) }
	frames := [][]byte{
		wire.AppendSetEXFrame(nil, to, k, []byte("v"), 5_000_000), wire.AppendKeyFrame(nil, wire.OpTTL, to, k),
		wire.AppendTTLFrame(nil, wire.OpGetEX, to, k, 70_000), wire.AppendKeyFrame(nil, wire.OpTTL, to, k),
		wire.AppendTTLFrame(nil, wire.OpExpire, to, k, 80_000), wire.AppendKeyFrame(nil, wire.OpTTL, to, k),
		wire.AppendArgsFrame(nil, wire.OpExpire, to, k, []byte("90")), wire.AppendKeyFrame(nil, wire.OpTTL, to, k),
		wire.AppendTTLFrame(nil, wire.OpExpire, to, k, 0), wire.AppendKeyFrame(nil, wire.OpTTL, to, k),
		wire.AppendTTLFrame(nil, wire.OpGetEX, to, k, 10),
		wire.AppendSetEXFrame(nil, to, k, []byte("v"), 0), wire.AppendSetEXFrame(nil, to, k, []byte("v"), 1<<63),
	}
	want := []string{
		scnpFrame(0, ""), integer(5000), scnpFrame(4, "v"), integer(70), integer(1), integer(80), integer(1), integer(90),
		integer(1), integer(-2), scnpFrame(1, ""), scnpFrame(2, "ERR invalid expire time in 'psetex' command"),
		scnpFrame(2, "ERR value is not an integer or out of range"),
	}
	eachTopology(t, func(t *testing.T, in *Instance) {
		mustEqual(t, exchange(t, in.Addr().String(), frames, 1), want)
	})
}

// A client and a server must compute the same hash and the same shard.
func TestWireAndStoreAgreeOnHashes(t *testing.T) {
	for i := range 1000 {
		key := fmt.Appendf(nil, "k%0*d", i%40, i)
		if wire.KeyHash(key) != store.Hash(key) {
			t.Fatalf("%q: %x, %x", key, wire.KeyHash(key), store.Hash(key))
		}
		for shards := 1; shards <= 1024; shards *= 2 {
			if wire.KeyShard(wire.KeyHash(key), shards) != store.ShardOf(store.Hash(key), shards) {
				t.Fatalf("%q of %d", key, shards)
			}
		}
	}
}
