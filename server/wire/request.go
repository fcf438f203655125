package wire

import (
	"bytes"
	"fmt"
)

// Limits bound what one connection may ask the server to hold. The zero value means the defaults.
type Limits struct {
	MaxBulk    int // longest argument, bytes; default 64 MiB, at most the 512 MiB that Redis and the store allow
	MaxArgs    int // most arguments of one request; default 1,048,576
	MaxInline  int // longest inline request, bytes; default 64 KiB as in Redis
	MaxRequest int // longest request, all arguments with their framing, bytes; default 128 MiB
}

// WithDefaults returns l with every zero field replaced by its default.
func (l Limits) WithDefaults() Limits {
	set := func(p *int, def int) {
		if *p == 0 {
			*p = def
		}
	}
	set(&l.MaxBulk, 64<<20)
	l.MaxBulk = min(l.MaxBulk, 512<<20)
	set(&l.MaxArgs, 1<<20)
	set(&l.MaxInline, 64<<10)
	set(&l.MaxRequest, 2*l.MaxBulk)
	return l
}

// ProtocolError is input that is not a request. The stream cannot be resynchronised: the connection gets
// "ERR Protocol error: …" in its own protocol and is closed.
type ProtocolError struct {
	Text string
	SCNP bool // the input was an SCNP frame
}

func (e *ProtocolError) Error() string { return "protocol error: " + e.Text }

func protocolError(format string, args ...any) error {
	return &ProtocolError{Text: fmt.Sprintf(format, args...)}
}

// Parser is one connection's place in its input. It never looks twice at a byte of a large argument: what it knows of a
// request that is still incomplete is kept between calls, as offsets from the request's first byte.
type Parser struct {
	limits Limits

	left  int    // arguments still to come; 0 between requests
	bulk  int    // length of the argument being read; -1 while its header is still to come
	pos   int    // next byte to look at
	spans []span // arguments found so far
}

// span is an argument's place in the buffer, relative to its request's first byte. Requests are shorter than 4 GiB.
type span struct{ off, len uint32 }

// NewParser returns a parser at the start of a connection's input.
func NewParser(limits Limits) Parser { return Parser{limits: limits.WithDefaults(), bulk: -1} }

// Parse appends the complete requests at the front of buf to b and returns how many bytes they took. The caller passes
// the rest again, in front of what has arrived since; the bytes may have moved in memory, but must be the same. It stops
// early when b is full, so it is called until it takes nothing more. The error is a *ProtocolError; requests
// appended before it are good.
func (p *Parser) Parse(b *Batch, buf []byte) (int, error) {
	b.large = b.large || len(buf) >= largeInput
	done := 0
	for done < len(buf) && !b.full() {
		n, err := p.request(b, buf[done:])
		done += n
		if err != nil || n == 0 {
			return done, err
		}
	}
	return done, nil
}

// request takes one request off the front of buf. It returns 0 when the request is incomplete. Its first byte tells SCNP
// from RESP, so that both may come mixed on one connection.
func (p *Parser) request(b *Batch, buf []byte) (int, error) {
	if p.left == 0 {
		switch buf[0] {
		case '*':
		case RequestMagic:
			return p.frame(b, buf)
		default:
			return p.inline(b, buf)
		}
		count, next, err := p.header(buf, 1, "mbulk count")
		if next == 0 || err != nil {
			return 0, err
		}
		if count > p.limits.MaxArgs {
			return 0, protocolError("invalid multibulk length")
		}
		if count <= 0 {
			return next, nil // an empty request is skipped, as in Redis
		}
		p.left, p.bulk, p.pos = count, -1, next
		p.spans = p.spans[:0]
	}
	for p.left > 0 {
		if complete, err := p.argument(buf); !complete {
			return 0, err
		}
	}
	b.add(buf, p.spans)
	n := p.pos
	p.pos = 0
	if len(p.spans) > maxKeptSpans {
		p.spans = nil
	}
	return n, nil
}

// maxKeptSpans is how many arguments a parser remembers room for between requests.
const maxKeptSpans = 1024

// argument reads the next "$len CRLF bytes CRLF". It reports whether all of it was there.
func (p *Parser) argument(buf []byte) (bool, error) {
	if p.bulk < 0 {
		if p.pos >= len(buf) {
			return false, nil
		}
		if c := buf[p.pos]; c != '$' {
			return false, protocolError("expected '$', got '%c'", printable(c))
		}
		n, next, err := p.header(buf, p.pos+1, "bulk count")
		if next == 0 || err != nil {
			return false, err
		}
		if n < 0 || n > p.limits.MaxBulk {
			return false, protocolError("invalid bulk length")
		}
		if next+n+2 > p.limits.MaxRequest {
			return false, protocolError("too big request")
		}
		p.bulk, p.pos = n, next
	}
	end := p.pos + p.bulk
	if end+2 > len(buf) {
		return false, nil
	}
	if buf[end] != '\r' || buf[end+1] != '\n' {
		return false, protocolError("expected CRLF after a bulk of %d bytes", p.bulk)
	}
	p.spans = append(p.spans, span{uint32(p.pos), uint32(p.bulk)})
	p.pos, p.bulk = end+2, -1
	p.left--
	return true, nil
}

// header reads the decimal number and CRLF of a count or length line that starts at buf[at:]. next is 0 when the line is
// incomplete. The loop is the hot path: a number of one to three digits needs no call.
func (p *Parser) header(buf []byte, at int, what string) (n, next int, err error) {
	i := at
	neg := i < len(buf) && buf[i] == '-'
	if neg {
		i++
	}
	first := i
	for ; i < len(buf); i++ {
		c := buf[i] - '0'
		if c > 9 {
			break
		}
		n = min(n*10+int(c), 1<<40) // beyond every limit, and safe from overflow
	}
	// 32 characters hold any number; more are noise that would otherwise be waited upon for ever.
	if i-at > 32 {
		return 0, 0, protocolError("too big %s string", what)
	}
	if i == len(buf) {
		return 0, 0, nil
	}
	if i == first || buf[i] != '\r' || (buf[first] == '0' && i > first+1) {
		return 0, 0, invalid(what)
	}
	if i+1 == len(buf) {
		return 0, 0, nil
	}
	if buf[i+1] != '\n' {
		return 0, 0, invalid(what)
	}
	if neg {
		n = -n
	}
	return n, i + 2, nil
}

func invalid(what string) error {
	if what == "mbulk count" {
		return protocolError("invalid multibulk length")
	}
	return protocolError("invalid bulk length")
}

// inline reads a request typed as a line: words separated by blanks, quoted as in Redis.
func (p *Parser) inline(b *Batch, buf []byte) (int, error) {
	end := bytes.IndexByte(buf, '\n')
	if end < 0 || end > p.limits.MaxInline {
		if len(buf) > p.limits.MaxInline {
			return 0, protocolError("too big inline request")
		}
		return 0, nil
	}
	words, ok := splitWords(bytes.TrimSuffix(buf[:end], []byte{'\r'}))
	if !ok {
		return 0, protocolError("unbalanced quotes in request")
	}
	if len(words) > 0 {
		b.addArgs(words)
	}
	return end + 1, nil
}

func printable(c byte) rune {
	if c < ' ' || c > '~' {
		return '?'
	}
	return rune(c)
}
