package wire

import (
	"bytes"
	"fmt"
	"strconv"
)

// AppendCommand appends a request to dst: an array of bulk strings, the command's name first. It allocates only to grow
// dst and keeps no argument.
func AppendCommand[T ~string | ~[]byte](dst []byte, args ...T) []byte {
	dst = appendPrefix(dst, '*', len(args))
	for _, a := range args {
		dst = appendPrefix(dst, '$', len(a))
		dst = append(dst, a...)
		dst = append(dst, '\r', '\n')
	}
	return dst
}

func appendPrefix(dst []byte, kind byte, n int) []byte {
	dst = append(dst, kind)
	dst = strconv.AppendInt(dst, int64(n), 10)
	return append(dst, '\r', '\n')
}

// ReplyKind says what a reply is. RESP3's other spellings of the same thing share a kind: a verbatim string is a bulk
// string, a set an array, a blob error an error, and all three nulls are null.
type ReplyKind byte

// The kinds of replies. The zero ReplyKind is none of them.
const (
	SimpleReply ReplyKind = iota + 1
	ErrorReply
	IntReply
	BulkReply
	NullReply
	ArrayReply
	MapReply
	PushReply // out of band: answers no request
	DoubleReply
	BoolReply
	BigNumberReply
)

var replyKindNames = [...]string{"nothing", "a simple string", "an error", "an integer", "a bulk string", "null",
	"an array", "a map", "a push message", "a double", "a boolean", "a big number"}

func (k ReplyKind) String() string {
	if int(k) < len(replyKindNames) {
		return replyKindNames[k]
	}
	return fmt.Sprintf("reply kind %d", byte(k))
}

// Reply is one complete reply. Its Payload aliases the buffer it was scanned from.
type Reply struct {
	Kind ReplyKind
	// Int is an integer's value, 1 for true, and for an array, map or push message the number of elements; keys and
	// values of a map count apart.
	Int int64
	// Payload is the text of a string, error or number, without framing; for an array, map or push message the
	// elements as they were encoded, which Elements takes apart. Of SCNP's integers and booleans it is empty, of its
	// floating-point numbers the eight bytes.
	Payload []byte
	scnp    bool // the elements are SCNP's
}

// Elements returns the elements of an array, map or push message, and nothing for any other reply. It allocates: it is
// meant for control commands. The elements alias r.Payload.
func (r Reply) Elements() ([]Reply, error) {
	switch r.Kind {
	case ArrayReply, MapReply, PushReply:
	default:
		return nil, nil
	}
	if r.scnp {
		return r.frameElements(), nil
	}
	// The sizes were checked when r was scanned; only the framing is read again. An element costs three bytes or more.
	all := len(r.Payload)
	s := NewReplyScanner(ReplyLimits{MaxBulk: all + 1, MaxLine: all + 1, MaxElements: all + 1, MaxReply: all + 1})
	var elements []Reply
	for buf := r.Payload; len(buf) > 0; {
		e, n, err := s.Next(buf)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, protocolError("%s of %d elements is cut off after %d", r.Kind, r.Int, len(elements))
		}
		elements, buf = append(elements, e), buf[n:]
	}
	return elements, nil
}

// maxReplyDepth is how deep arrays and maps may nest. COMMAND DOCS, the deepest reply of Redis, needs seven.
const maxReplyDepth = 16

// ReplyLimits bound what a server can make a client hold. The zero value means the defaults.
type ReplyLimits struct {
	MaxBulk     int // longest string, bytes; default 64 MiB
	MaxLine     int // longest line, bytes; default 64 KiB
	MaxElements int // most elements of one array or map; default 1,048,576
	MaxReply    int // longest reply with its framing, bytes; default twice MaxBulk
}

// WithDefaults returns l with every zero field replaced by its default.
func (l ReplyLimits) WithDefaults() ReplyLimits {
	set := func(p *int, def int) {
		if *p == 0 {
			*p = def
		}
	}
	set(&l.MaxBulk, 64<<20)
	set(&l.MaxLine, 64<<10)
	set(&l.MaxElements, 1<<20)
	set(&l.MaxReply, 2*l.MaxBulk)
	return l
}

// ReplyScanner is one connection's place in the replies of RESP2, RESP3 or SCNP, which may come mixed, or in those of
// memcached or HTTP. It never looks twice at a byte of a long
// string or at an element it has passed: what it knows of an incomplete reply is kept between calls, as offsets from
// the reply's first byte. After an error it must not be used again. Attributes of RESP3 are skipped; its streamed
// strings and arrays, which no server sends, are refused.
type ReplyScanner struct {
	limits ReplyLimits

	pos      int  // next byte to look at
	searched int  // bytes from pos on that hold no line end
	bulk     int  // length of the string whose bytes are awaited at pos; -1 between strings
	bulkType byte // its type byte
	depth    int  // open arrays, maps and attributes
	left     [maxReplyDepth]int
	attrs    uint32 // bit d is set when the level d is an attribute

	outer Reply // the outermost array or map
	body  int   // where its elements start

	frame int // length of the SCNP frame that has begun; 0 when its header is not there, and for RESP

	foreign foreign // of protocols that are not our servers'
}

// NewReplyScanner returns a scanner at the start of a connection's replies.
func NewReplyScanner(limits ReplyLimits) ReplyScanner {
	return ReplyScanner{limits: limits.WithDefaults(), bulk: -1}
}

// Want returns how many bytes of the reply in progress must be there before Next can get further: a hint for the size
// of the buffer. It is never more than MaxReply.
func (s *ReplyScanner) Want() int {
	if s.bulk >= 0 {
		return s.pos + s.bulk + 2
	}
	return max(s.frame, s.pos+s.searched+1)
}

// Next cuts the reply at the front of buf and returns it with its length, which is 0 when the reply is incomplete: the
// caller passes the bytes again, in front of what has arrived since; they may have moved in memory, but must be the
// same. The error is a *ProtocolError.
func (s *ReplyScanner) Next(buf []byte) (Reply, int, error) {
	var r Reply
	n, err := s.Scan(buf, &r)
	return r, n, err
}

// Scan is Next where a copy of the reply counts: it writes it to r, which says nothing when the length is 0.
func (s *ReplyScanner) Scan(buf []byte, r *Reply) (n int, err error) {
	if s.foreign.dialect != ownReplies {
		*r, n, err = s.other(buf)
		return n, err
	}
	if s.pos == 0 && s.searched == 0 {
		if len(buf) > 0 && buf[0] == ReplyMagic {
			*r, n, err = s.scnp(buf)
			return n, err
		}
		if n := s.quick(buf, r); n > 0 {
			return n, nil
		}
	}
	*r, n, err = s.values(buf)
	return n, err
}

// values reads a value and those in it.
func (s *ReplyScanner) values(buf []byte) (Reply, int, error) {
	for {
		r, ok, err := s.value(buf)
		if !ok {
			return Reply{}, 0, err
		}
		if r.Kind == 0 && s.left[s.depth-1] > 0 {
			continue // an array has opened
		}
		if r, ok = s.close(buf, r); ok {
			n := s.pos
			s.pos, s.searched = 0, 0
			return r, n, nil
		}
	}
}

// quick takes the two replies that a load generator sees, "+OK" and a bulk string that is all there, without keeping
// notes. Everything else, malformed input too, is for value.
func (s *ReplyScanner) quick(buf []byte, r *Reply) int {
	if len(buf) < 5 {
		return 0
	}
	if buf[0] == '+' && string(buf[1:5]) == "OK\r\n" {
		r.Kind, r.Int, r.Payload, r.scnp = SimpleReply, 0, buf[1:3], false
		return 5
	}
	if buf[0] != '$' {
		return 0
	}
	n, i := 0, 1
	for ; i < len(buf) && i < 10; i++ {
		c := buf[i] - '0'
		if c > 9 {
			break
		}
		n = n*10 + int(c)
	}
	end := i + 2 + n
	if i == 1 || n > s.limits.MaxBulk || end+2 > s.limits.MaxReply || end+2 > len(buf) ||
		buf[i] != '\r' || buf[i+1] != '\n' || buf[end] != '\r' || buf[end+1] != '\n' {
		return 0
	}
	r.Kind, r.Int, r.Payload, r.scnp = BulkReply, 0, buf[i+2:end], false
	return end + 2
}

// value reads the value at s.pos. An array or map is opened and reported as a Reply without a kind. ok is false when
// the value is incomplete or wrong.
func (s *ReplyScanner) value(buf []byte) (r Reply, ok bool, err error) {
	if s.bulk >= 0 {
		return s.string(buf)
	}
	line, ok, err := s.line(buf)
	if !ok {
		return Reply{}, false, err
	}
	if len(line) == 0 {
		return Reply{}, false, protocolError("empty reply line, or one that does not end in CRLF")
	}
	kind, text := line[0], line[1:]
	switch kind {
	case '+':
		return Reply{Kind: SimpleReply, Payload: text}, true, nil
	case '-':
		return Reply{Kind: ErrorReply, Payload: text}, true, nil
	case ':':
		n, ok := parseReplyInt(text)
		if !ok {
			return Reply{}, false, protocolError("invalid integer %.40q", text)
		}
		return Reply{Kind: IntReply, Int: n, Payload: text}, true, nil
	case '$', '=', '!':
		n, ok := parseReplyInt(text)
		if ok && n == -1 && kind == '$' {
			return Reply{Kind: NullReply}, true, nil
		}
		if !ok || n < 0 || n > int64(s.limits.MaxBulk) || s.pos+int(n)+2 > s.limits.MaxReply {
			return Reply{}, false, protocolError("bulk length %.40q; at most %d fit", text, s.limits.MaxBulk)
		}
		s.bulk, s.bulkType = int(n), kind
		return s.string(buf)
	case '_':
		return Reply{Kind: NullReply}, true, nil
	case ',':
		return Reply{Kind: DoubleReply, Payload: text}, true, nil
	case '(':
		return Reply{Kind: BigNumberReply, Payload: text}, true, nil
	case '#':
		if string(text) != "t" && string(text) != "f" {
			return Reply{}, false, protocolError("invalid boolean %.40q", text)
		}
		r := Reply{Kind: BoolReply, Payload: text}
		if text[0] == 't' {
			r.Int = 1
		}
		return r, true, nil
	case '*', '~', '>', '%', '|':
		return s.open(kind, text)
	}
	return Reply{}, false, protocolError("unknown reply type '%c'", printable(kind))
}

// line takes the line at s.pos, without its end.
func (s *ReplyScanner) line(buf []byte) ([]byte, bool, error) {
	from := s.pos + s.searched
	if from > len(buf) {
		from = len(buf)
	}
	i := bytes.IndexByte(buf[from:], '\n')
	length := from - s.pos + i // with the CR
	if i < 0 {
		length = len(buf) - s.pos
	}
	if length > s.limits.MaxLine+1 || s.pos+length >= s.limits.MaxReply {
		return nil, false, protocolError("reply line longer than %d bytes", s.limits.MaxLine)
	}
	if i < 0 {
		s.searched = len(buf) - s.pos
		return nil, false, nil
	}
	if length < 1 || buf[s.pos+length-1] != '\r' {
		return nil, false, protocolError("reply line does not end in CRLF")
	}
	line := buf[s.pos : s.pos+length-1]
	s.pos, s.searched = s.pos+length+1, 0
	return line, true, nil
}

// string takes the s.bulk bytes at s.pos.
func (s *ReplyScanner) string(buf []byte) (Reply, bool, error) {
	end := s.pos + s.bulk
	if end+2 > len(buf) {
		return Reply{}, false, nil
	}
	if buf[end] != '\r' || buf[end+1] != '\n' {
		return Reply{}, false, protocolError("expected CRLF after a bulk of %d bytes", s.bulk)
	}
	r := Reply{Kind: BulkReply, Payload: buf[s.pos:end]}
	switch s.bulkType {
	case '!':
		r.Kind = ErrorReply
	case '=': // three letters of format and a colon come first
		if len(r.Payload) < 4 || r.Payload[3] != ':' {
			return Reply{}, false, protocolError("verbatim string without a format")
		}
		r.Payload = r.Payload[4:]
	}
	s.pos, s.bulk = end+2, -1
	return r, true, nil
}

// open notes the elements that the header of an array, map, push message or attribute announces.
func (s *ReplyScanner) open(kind byte, count []byte) (Reply, bool, error) {
	n, ok := parseReplyInt(count)
	if ok && n == -1 && kind == '*' {
		return Reply{Kind: NullReply}, true, nil
	}
	if !ok || n < 0 || n > int64(s.limits.MaxElements) {
		return Reply{}, false, protocolError("array of %.40q elements; at most %d fit", count, s.limits.MaxElements)
	}
	if s.depth == maxReplyDepth {
		return Reply{}, false, protocolError("reply nested deeper than %d", maxReplyDepth)
	}
	r := Reply{Kind: ArrayReply, Int: n}
	switch kind {
	case '%', '|':
		r.Kind, r.Int = MapReply, 2*n
	case '>':
		r.Kind = PushReply
	}
	s.attrs &^= 1 << s.depth
	if kind == '|' {
		s.attrs |= 1 << s.depth
	}
	if s.depth == 0 {
		s.outer, s.body = r, s.pos
	}
	s.left[s.depth] = int(r.Int)
	s.depth++
	return Reply{}, true, nil
}

// close counts a complete value off the arrays it ends. It reports whether the outermost value is complete, and returns
// that. A value without a kind is an array that has just opened, empty.
func (s *ReplyScanner) close(buf []byte, r Reply) (Reply, bool) {
	if r.Kind != 0 {
		if s.depth == 0 {
			return r, true
		}
		s.left[s.depth-1]--
	}
	for s.left[s.depth-1] == 0 {
		s.depth--
		attribute := s.attrs&(1<<s.depth) != 0
		if attribute {
			return Reply{}, false // the value that it describes follows, and is the one that counts
		}
		if s.depth == 0 {
			s.outer.Payload = buf[s.body:s.pos]
			return s.outer, true
		}
		s.left[s.depth-1]--
	}
	return Reply{}, false
}

// parseReplyInt reads a decimal number of 64 bits with an optional sign.
func parseReplyInt(text []byte) (int64, bool) {
	digits := text
	negative := len(text) > 0 && text[0] == '-'
	if negative || len(text) > 0 && text[0] == '+' {
		digits = text[1:]
	}
	if len(digits) == 0 || len(digits) > 19 {
		return 0, false
	}
	var n uint64 // 19 digits cannot overflow it
	for _, c := range digits {
		if c -= '0'; c > 9 {
			return 0, false
		}
		n = n*10 + uint64(c)
	}
	if negative {
		return -int64(n), n <= 1<<63
	}
	return int64(n), n < 1<<63
}
