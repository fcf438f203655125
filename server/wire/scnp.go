package wire

import (
	"encoding/binary"
	"strings"

	"github.com/zeebo/xxh3"
)

// SCNP version 2: length-delimited frames, little-endian, answered strictly in order.
//
//	request  0xFA 2 opcode flags bodyLen:u32 | prefix, by the flags: keyHash:u64 routeShard:u32 keyTag:u64 | fields
//	reply    0xFB 2 status 0     bodyLen:u32 | body
//
// An opcode has fields of its own (a typed frame), or carries its arguments without the name (the argument form, which
// FlagArgs asks for of any opcode); OpRESP wraps a whole command and is answered with a value that holds RESP.
const (
	RequestMagic = 0xFA
	ReplyMagic   = 0xFB
	SCNPVersion  = 2

	scnpHeader = 8
)

// Flags of a request.
const (
	FlagKeyHash = 1 << iota
	FlagRouteShard
	FlagKeyTag
	FlagArgs

	knownFlags = FlagKeyHash | FlagRouteShard | FlagKeyTag | FlagArgs
)

// Statuses of a reply.
const (
	statusOK = iota
	statusNull
	statusError
	statusInteger
	statusValue
	statusBool
	statusArray
	statusFloat
)

// nullElement is the length that stands for null in an array.
const nullElement = 0xFFFFFFFF

// Opcode is what an SCNP frame asks for.
type Opcode byte

// The opcodes with typed fields, and the wrapper.
const (
	OpGet Opcode = iota + 1
	OpSet
	OpSetEX // time to live in milliseconds
	OpGetEX // in milliseconds
	OpDel
	OpExists
	OpTTL
	OpExpire // in milliseconds
	OpPing
	OpMGet
	OpMSet

	OpRESP Opcode = 200
)

// layout is how the fields of an opcode are read when FlagArgs is not set.
type layout byte

const (
	undefined   layout = iota // no such opcode
	unsupported               // a command of a type that this server does not hold
	keyed                     // klen key
	keyedTTL                  // ttl klen key
	pair                      // klen vlen key value
	pairTTL                   // ttl klen vlen key value
	payload                   // the rest of the body, if any
	list                      // count, then each len bytes
	pairs                     // count, then each klen vlen key value
	text                      // len bytes
	number                    // u64
	maybeNumber               // u64 or nothing
	wrapped                   // as list, the command's name first
	argForm                   // LEB128 count, then each LEB128 length and bytes; or nothing
)

// opcode is what the parser knows of one.
type opcode struct {
	words  [][]byte // that the command begins with
	layout layout
	fixed  int // length of the times and lengths in front of a key; 0 for layouts without a key of their own
}

// fixedSizes are how long the times and lengths in front of a key are.
var fixedSizes = [argForm + 1]int{keyed: 4, pair: 8, keyedTTL: 12, pairTTL: 16}

var opcodes [256]opcode

// opcodeOf finds the opcode of a command by its name in capitals.
var opcodeOf = map[string]Opcode{}

func init() {
	define := func(first int, l layout, names ...string) {
		for i, name := range names {
			o := &opcodes[first+i]
			o.layout, o.fixed = l, fixedSizes[l]
			for _, w := range strings.Fields(name) {
				o.words = append(o.words, []byte(w))
			}
			opcodeOf[name] = Opcode(first + i)
		}
	}
	define(1, keyed, "GET")
	define(2, pair, "SET")
	define(3, pairTTL, "SETEX")
	define(4, keyedTTL, "GETEX")
	define(5, keyed, "DEL", "EXISTS", "TTL")
	define(8, keyedTTL, "EXPIRE")
	define(9, payload, "PING")
	define(10, list, "MGET")
	define(11, pairs, "MSET")
	define(60, argForm, "AUTH")
	define(61, maybeNumber, "HELLO")
	define(62, number, "SELECT")
	define(63, argForm, "QUIT")
	define(64, text, "ECHO")
	define(65, argForm, "INFO", "COMMAND", "COMMAND DOCS")
	define(68, list, "CONFIG GET")
	define(69, argForm, "DBSIZE", "TIME", "CLIENT GETNAME", "CLIENT SETNAME", "CLIENT ID", "CLIENT LIST", "CLIENT KILL",
		"CONFIG", "CLIENT", "FLUSHALL", "FLUSHDB")
	define(80, argForm, "APPEND", "BITCOUNT", "BITFIELD", "BITOP", "BITPOS", "DECR", "DECRBY", "GETBIT", "GETDEL",
		"GETRANGE", "GETSET", "INCR", "INCRBY", "INCRBYFLOAT", "MSETNX", "PSETEX", "SETBIT", "SETNX", "SETRANGE", "STRLEN")
	define(100, argForm, "COPY", "DUMP", "EXPIREAT", "EXPIRETIME", "KEYS", "MEMORY", "OBJECT", "PERSIST", "PEXPIRE",
		"PEXPIREAT", "PEXPIRETIME", "PTTL", "RANDOMKEY", "RENAME", "RENAMENX", "RESTORE", "SCAN", "TOUCH", "TYPE", "UNLINK")
	define(120, argForm, "MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH", "RESTORE-ASKING", "SUBSTR")
	opcodes[OpRESP].layout = wrapped
	// Hashes, lists, sets, sorted sets and vectors.
	for _, r := range [][2]int{{20, 24}, {30, 36}, {40, 44}, {50, 54}, {140, 150}, {160, 173}, {180, 190}, {201, 243}} {
		for op := r[0]; op <= r[1]; op++ {
			opcodes[op] = opcode{layout: unsupported, words: [][]byte{nil}}
		}
	}
}

// Typed frames with a time to live count it in milliseconds, where the commands of the same name count seconds. These are
// the words they become: PSETEX key ttl value, GETEX key PX ttl, PEXPIRE key ttl.
var (
	wordPSETEX  = []byte("PSETEX")
	wordPEXPIRE = []byte("PEXPIRE")
	wordPX      = []byte("PX")
)

// KeyHash is the hash that a frame carries of its key: XXH3-64 with seed 0 over the raw bytes.
func KeyHash(key []byte) uint64 { return xxh3.Hash(key) }

// Form is how a request came, and therefore how it is answered.
type Form uint8

// The forms.
const (
	RESP    Form = iota // the zero Form
	Typed               // SCNP, with the fields of its opcode
	ArgForm             // SCNP, in the argument form
	Wrapped             // RESP in an SCNP frame
)

// Frame is what the SCNP frame of a request says besides the command. It is zero for RESP. What it says of the key is
// the client's word: nothing is looked up by it.
type Frame struct {
	hash    uint64 // by KEY_HASH; of KEY_TAG alone only the eight high bits
	shard   uint32 // by ROUTE_SHARD
	flags   uint8
	refusal refusal
	Form    Form
}

// refusal says why a well-formed frame is not to be executed.
type refusal uint8

const (
	none refusal = iota
	badHash
	hashOnly
	notHere
)

// ErrKeyHash answers a frame whose KEY_HASH or KEY_TAG is not that of its key.
const ErrKeyHash = "ERR SCNP key hash mismatch"

// A hash-only GET leaves the key out and asks for whatever has its hash and length. Finding the entry would cost no more than
// other GETs, and hashing its key again would show that it is an entry of that hash; but not that it is the one that was
// meant. Anybody can make two keys of one length and one XXH3 hash, and a reader of the one would be given the other's
// value. So it is refused: the bytes of a key are the only name of an entry.
var refusals = [...]string{
	badHash:  ErrKeyHash,
	hashOnly: "ERR SCNP hash-only GET is not served; send the key's bytes",
	notHere:  "ERR unsupported command",
}

// Refused returns the error text that answers the frame instead of its command, or "".
func (f *Frame) Refused() string { return refusals[f.refusal] }

// Route returns the shard that the client sent the frame to, if it said so.
func (f *Frame) Route() (shard uint32, ok bool) { return f.shard, f.flags&FlagRouteShard != 0 }

// HashIs reports whether hash, which the caller has computed of the (first) key, agrees with what the frame says of it.
//
// The hash is always computed: an honest client's would spare the server 3 ns for a key of 16 bytes, a lying client's
// would put a value where no one else finds it, or read another's.
func (f *Frame) HashIs(hash uint64) bool {
	switch f.flags & (FlagKeyHash | FlagKeyTag) {
	case 0:
		return true
	case FlagKeyTag:
		return f.hash>>56 == hash>>56
	}
	return f.hash == hash
}

// setHeader completes the header at the front of frame.
func setHeader(frame []byte, status byte) {
	frame[0], frame[1], frame[2], frame[3] = ReplyMagic, SCNPVersion, status, 0
	binary.LittleEndian.PutUint32(frame[4:], uint32(len(frame)-scnpHeader))
}
