package wire

import "bytes"

// Bodyless makes the next reply of HTTP one to HEAD, which has no body whatever its Content-Length.
func (s *ReplyScanner) Bodyless() { s.foreign.bodyless = true }

// The stages of an HTTP reply.
const (
	httpStatus uint8 = iota
	httpFields
	httpBody
	httpChunkSize
	httpChunk
	httpTrailer
)

// http takes the next line or stretch of body. A Reply without a kind means that it goes on.
func (s *ReplyScanner) http(buf []byte) (Reply, bool, error) {
	f := &s.foreign
	switch f.stage {
	case httpBody:
		if s.pos+s.bulk > len(buf) {
			return Reply{}, false, nil
		}
		f.at, f.size = s.pos, s.bulk
		s.pos, s.bulk = s.pos+s.bulk, -1
		return f.reply(buf), true, nil
	case httpChunk:
		end := s.pos + s.bulk
		if end+2 > len(buf) {
			return Reply{}, false, nil
		}
		if buf[end] != '\r' || buf[end+1] != '\n' {
			return Reply{}, false, protocolError("expected CRLF after a chunk of %d bytes", s.bulk)
		}
		f.size += s.bulk
		s.pos, s.bulk, f.stage = end+2, -1, httpChunkSize
		return Reply{}, true, nil
	}
	line, ok, err := s.line(buf)
	if !ok {
		return Reply{}, false, err
	}
	switch f.stage {
	case httpStatus:
		return Reply{}, true, s.httpStatus(line)
	case httpFields:
		if len(line) > 0 {
			return Reply{}, true, s.httpField(line)
		}
		return s.httpHead(buf)
	case httpChunkSize:
		return Reply{}, true, s.httpChunkSize(line)
	}
	if len(line) > 0 { // a trailer
		return Reply{}, true, nil
	}
	f.join(buf[:s.pos])
	return f.reply(buf), true, nil
}

func (s *ReplyScanner) httpStatus(line []byte) error {
	f := &s.foreign
	if len(line) < len("HTTP/1.1 200") || string(line[:7]) != "HTTP/1." || line[8] != ' ' || len(line) > 12 && line[12] != ' ' {
		return protocolError("not an HTTP/1.1 status line: %.40q", line)
	}
	n, ok := parseReplyInt(line[9:12])
	if !ok || n < 100 || n > 599 {
		return protocolError("not an HTTP/1.1 status line: %.40q", line)
	}
	f.stage, f.code = httpFields, int(n)
	f.text, f.textSize = s.pos-len("\r\n")-len(line)+9, len(line)-9
	return nil
}

func (s *ReplyScanner) httpField(line []byte) error {
	f := &s.foreign
	name, value, ok := bytes.Cut(line, []byte{':'})
	if !ok || len(name) == 0 {
		return protocolError("not an HTTP header field: %.40q", line)
	}
	value = bytes.TrimSpace(value)
	switch {
	case isField(name, "content-length"):
		n, ok := parseReplyInt(value)
		if !ok || n < 0 || value[0] == '+' || n > int64(s.limits.MaxBulk) {
			return protocolError("Content-Length of %.40q; at most %d fit", value, s.limits.MaxBulk)
		}
		if f.found && f.length != int(n) {
			return protocolError("two Content-Lengths, %d and %d", f.length, n)
		}
		f.found, f.length = true, int(n)
	case isField(name, "transfer-encoding"):
		if !isField(value, "chunked") {
			return protocolError("Transfer-Encoding %.40q; have chunked", value)
		}
		f.chunked = true
	}
	return nil
}

// isField compares a field's name, whose case does not matter, with one in lower case.
func isField(name []byte, want string) bool {
	if len(name) != len(want) {
		return false
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != want[i] {
			return false
		}
	}
	return true
}

// httpHead is at the end of the header.
func (s *ReplyScanner) httpHead(buf []byte) (Reply, bool, error) {
	f := &s.foreign
	switch {
	case f.code < 200: // another status follows
		*f = foreign{dialect: f.dialect, bodyless: f.bodyless}
	case f.code == 204 || f.code == 304 || f.bodyless:
		return f.reply(buf), true, nil
	case f.chunked:
		f.stage, f.at = httpChunkSize, s.pos
	case !f.found:
		return Reply{}, false, protocolError("an HTTP reply with neither Content-Length nor chunks: its end cannot be seen")
	case s.pos+f.length > s.limits.MaxReply:
		return Reply{}, false, protocolError("HTTP reply longer than %d bytes", s.limits.MaxReply)
	default:
		f.stage, s.bulk = httpBody, f.length
	}
	return Reply{}, true, nil
}

func (s *ReplyScanner) httpChunkSize(line []byte) error {
	f := &s.foreign
	n, ok := parseChunkSize(line)
	if !ok || f.size+n > s.limits.MaxBulk || s.pos+n+2 > s.limits.MaxReply {
		return protocolError("chunk of size %.40q; at most %d fit", line, s.limits.MaxBulk)
	}
	if n == 0 {
		f.stage = httpTrailer
		return nil
	}
	f.stage, s.bulk = httpChunk, n
	return nil
}

// parseChunkSize reads hexadecimal digits, and passes over what may follow a semicolon.
func parseChunkSize(line []byte) (n int, ok bool) {
	i := 0
	for ; i < len(line) && i < 8; i++ {
		c := line[i]
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			c = 16
		}
		if c == 16 { // no digit
			break
		}
		n = n<<4 | int(c)
	}
	rest := bytes.TrimLeft(line[i:], " \t")
	return n, i > 0 && (len(rest) == 0 || rest[0] == ';')
}

// join moves the chunks of a complete reply together.
func (f *foreign) join(buf []byte) {
	to := f.at
	for from := f.at; to < f.at+f.size; {
		end := from + bytes.IndexByte(buf[from:], '\n')
		n, _ := parseChunkSize(buf[from : end-1])
		to += copy(buf[to:], buf[end+1:end+1+n])
		from = end + 1 + n + len("\r\n")
	}
}

// reply is what a complete reply says.
func (f *foreign) reply(buf []byte) Reply {
	switch f.code {
	case 200:
		return Reply{Kind: BulkReply, Payload: buf[f.at : f.at+f.size]}
	case 201, 202, 204:
		return Reply{Kind: SimpleReply, Payload: okText}
	case 404:
		return Reply{Kind: NullReply}
	}
	return Reply{Kind: ErrorReply, Payload: buf[f.text : f.text+f.textSize]}
}
