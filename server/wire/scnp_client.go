package wire

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strings"
)

// Address is what a client puts in front of an SCNP frame's fields. The zero Address puts nothing there.
type Address struct {
	flags byte
	hash  uint64
	shard uint32
}

// ToServer addresses a frame to a public port: it carries the key's hash.
func ToServer(key []byte) Address { return Address{flags: FlagKeyHash, hash: KeyHash(key)} }

// ToShard addresses a frame to the port of one shard of so many: it carries the key's hash, tag and shard.
func ToShard(key []byte, shards int) Address {
	a := Address{flags: FlagKeyHash | FlagRouteShard | FlagKeyTag, hash: KeyHash(key)}
	a.shard = uint32(KeyShard(a.hash, shards))
	return a
}

// Shard is the shard that the frame is addressed to, 0 when to none.
func (a Address) Shard() int { return int(a.shard) }

// Readdress replaces the address of a frame that was made for another key. The new one must have been made in the same way.
func Readdress(frame []byte, a Address) { appendAddress(frame[:scnpHeader], a) }

// KeyShard is the shard of a key among shards, which is a power of two: the bits of its hash that follow the first seven.
func KeyShard(hash uint64, shards int) int { return int(hash << 7 >> (65 - bits.Len(uint(shards)))) }

// AppendKeyFrame appends a GET, DEL, EXISTS or TTL.
func AppendKeyFrame(dst []byte, op Opcode, a Address, key []byte) []byte {
	dst = appendFrame(dst, op, a, 4+len(key))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(key)))
	return append(dst, key...)
}

// AppendTTLFrame appends a GETEX or EXPIRE with a time to live in milliseconds.
func AppendTTLFrame(dst []byte, op Opcode, a Address, key []byte, ttl uint64) []byte {
	dst = appendFrame(dst, op, a, 12+len(key))
	dst = binary.LittleEndian.AppendUint64(dst, ttl)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(key)))
	return append(dst, key...)
}

// AppendSetFrame appends a SET.
func AppendSetFrame(dst []byte, a Address, key, value []byte) []byte {
	return appendPair(appendFrame(dst, OpSet, a, 8+len(key)+len(value)), key, value)
}

// AppendSetEXFrame appends a SETEX with a time to live in milliseconds.
func AppendSetEXFrame(dst []byte, a Address, key, value []byte, ttl uint64) []byte {
	dst = appendFrame(dst, OpSetEX, a, 16+len(key)+len(value))
	return appendPair(binary.LittleEndian.AppendUint64(dst, ttl), key, value)
}

// AppendPingFrame appends a PING that asks for payload back, or for PONG.
func AppendPingFrame(dst, payload []byte) []byte {
	return append(appendFrame(dst, OpPing, Address{}, len(payload)), payload...)
}

// AppendMGetFrame appends an MGET.
func AppendMGetFrame(dst []byte, a Address, keys ...[]byte) []byte {
	return appendStrings(appendFrame(dst, OpMGet, a, 4+sizeOf(keys, 4)), keys)
}

// AppendMSetFrame appends an MSET of keys, each with its value behind it.
func AppendMSetFrame(dst []byte, a Address, keysAndValues ...[]byte) []byte {
	dst = appendFrame(dst, OpMSet, a, 4+sizeOf(keysAndValues, 4))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(keysAndValues)/2))
	for i := 0; i+1 < len(keysAndValues); i += 2 {
		dst = appendPair(dst, keysAndValues[i], keysAndValues[i+1])
	}
	return dst
}

// AppendArgsFrame appends a command in the argument form. The arguments come without the name, which is the opcode.
func AppendArgsFrame(dst []byte, op Opcode, a Address, args ...[]byte) []byte {
	start := len(dst)
	a.flags |= FlagArgs
	dst = binary.AppendUvarint(appendFrame(dst, op, a, 0), uint64(len(args)))
	for _, arg := range args {
		dst = append(binary.AppendUvarint(dst, uint64(len(arg))), arg...)
	}
	binary.LittleEndian.PutUint32(dst[start+4:], uint32(len(dst)-start-scnpHeader))
	return dst
}

// AppendRESPFrame appends a whole command, its name first, to be answered with a value that holds RESP.
func AppendRESPFrame(dst []byte, a Address, args ...[]byte) []byte {
	return appendStrings(appendFrame(dst, OpRESP, a, 4+sizeOf(args, 4)), args)
}

// OpcodeOf returns the opcode of a command whose arguments the argument form can carry.
func OpcodeOf(name string) (Opcode, bool) {
	op, ok := opcodeOf[strings.ToUpper(name)]
	return op, ok
}

func appendFrame(dst []byte, op Opcode, a Address, fields int) []byte {
	dst = append(dst, RequestMagic, SCNPVersion, byte(op), a.flags)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(prefixSize(a.flags)+fields))
	return appendAddress(dst, a)
}

func appendAddress(dst []byte, a Address) []byte {
	if a.flags&FlagKeyHash != 0 {
		dst = binary.LittleEndian.AppendUint64(dst, a.hash)
	}
	if a.flags&FlagRouteShard != 0 {
		dst = binary.LittleEndian.AppendUint32(dst, a.shard)
	}
	if a.flags&FlagKeyTag != 0 {
		dst = binary.LittleEndian.AppendUint64(dst, a.hash>>56)
	}
	return dst
}

func appendPair(dst, key, value []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(key)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(value)))
	return append(append(dst, key...), value...)
}

func appendStrings(dst []byte, all [][]byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(all)))
	for _, s := range all {
		dst = append(binary.LittleEndian.AppendUint32(dst, uint32(len(s))), s...)
	}
	return dst
}

func sizeOf(all [][]byte, each int) (n int) {
	for _, s := range all {
		n += each + len(s)
	}
	return n
}

// scnp cuts the SCNP frame at the front of buf.
func (s *ReplyScanner) scnp(buf []byte) (Reply, int, error) {
	if len(buf) < scnpHeader {
		s.frame = scnpHeader
		return Reply{}, 0, nil
	}
	size := scnpHeader + int(binary.LittleEndian.Uint32(buf[4:]))
	switch {
	case buf[1] != SCNPVersion:
		return Reply{}, 0, frameError("SCNP version %d; have %d", buf[1], SCNPVersion)
	case size > s.limits.MaxReply || buf[2] != statusArray && size-scnpHeader > s.limits.MaxBulk:
		return Reply{}, 0, frameError("SCNP reply of %d bytes; at most %d fit", size, s.limits.MaxReply)
	}
	if size > len(buf) {
		s.frame = size
		return Reply{}, 0, nil
	}
	s.frame = 0
	r, ok := s.frameReply(buf[2], buf[scnpHeader:size])
	if !ok {
		return Reply{}, 0, frameError("SCNP reply of status %d with a body of %d bytes that does not fit it", buf[2],
			size-scnpHeader)
	}
	return r, size, nil
}

func (s *ReplyScanner) frameReply(status byte, body []byte) (r Reply, ok bool) {
	r = Reply{Payload: body, scnp: true}
	switch status {
	case statusOK:
		return Reply{Kind: SimpleReply, Payload: okText, scnp: true}, len(body) == 0
	case statusNull:
		return Reply{Kind: NullReply, scnp: true}, len(body) == 0
	case statusError:
		r.Kind = ErrorReply
	case statusValue:
		r.Kind = BulkReply
	case statusInteger, statusFloat:
		if len(body) != 8 {
			return r, false
		}
		if r.Kind = DoubleReply; status == statusInteger {
			r.Kind, r.Int, r.Payload = IntReply, int64(binary.LittleEndian.Uint64(body)), nil
		}
	case statusBool:
		if len(body) != 1 || body[0] > 1 {
			return r, false
		}
		r.Kind, r.Int, r.Payload = BoolReply, int64(body[0]), nil
	case statusArray:
		r.Kind = ArrayReply
		r.Int, ok = countElements(body, s.limits.MaxElements)
		return r, ok
	}
	return r, r.Kind != 0
}

var okText = []byte("OK")

// countElements checks the body of an array.
func countElements(body []byte, most int) (int64, bool) {
	if len(body) < 4 {
		return 0, false
	}
	count := int64(binary.LittleEndian.Uint32(body))
	body = body[4:]
	if count > int64(most) {
		return 0, false
	}
	for range count {
		if len(body) < 4 {
			return 0, false
		}
		n := binary.LittleEndian.Uint32(body)
		body = body[4:]
		if n == nullElement {
			continue
		}
		if int64(n) > int64(len(body)) {
			return 0, false
		}
		body = body[n:]
	}
	return count, len(body) == 0
}

// frameElements takes an array apart that the scanner has checked.
func (r Reply) frameElements() []Reply {
	elements := make([]Reply, r.Int)
	for i, body := 0, r.Payload[4:]; i < len(elements); i++ {
		n := binary.LittleEndian.Uint32(body)
		body = body[4:]
		elements[i] = Reply{Kind: NullReply, scnp: true}
		if n != nullElement {
			elements[i] = Reply{Kind: BulkReply, Payload: body[:n:n], scnp: true}
			body = body[n:]
		}
	}
	return elements
}

// Float is the value of a DoubleReply that came in SCNP.
func (r Reply) Float() float64 {
	if len(r.Payload) != 8 {
		return math.NaN()
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(r.Payload))
}
