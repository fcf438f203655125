package wire

import "bytes"

// MaxMemcachedKey is the longest key of memcached.
const MaxMemcachedKey = 250

// memcached takes the next line or value of a reply. A Reply without a kind means that it goes on.
func (s *ReplyScanner) memcached(buf []byte) (Reply, bool, error) {
	if s.bulk >= 0 {
		return s.memcachedValue(buf)
	}
	start := s.pos
	line, ok, err := s.line(buf)
	if !ok {
		return Reply{}, false, err
	}
	word, rest, _ := bytes.Cut(line, []byte{' '})
	f := &s.foreign
	switch string(word) {
	case "VALUE":
		if f.values == 0 {
			f.first = start
		}
		return Reply{}, true, s.memcachedHeader(rest)
	case "STAT":
		if !f.found {
			f.found, f.at = true, start
		}
		f.size = s.pos - f.at
		return Reply{}, true, nil
	case "END":
		switch {
		case f.values > 1:
			return Reply{Kind: ArrayReply, Int: int64(f.values), Payload: buf[f.first:start]}, true, nil
		case f.found:
			return Reply{Kind: BulkReply, Payload: buf[f.at : f.at+f.size]}, true, nil
		}
		return Reply{Kind: NullReply}, true, nil
	}
	if f.found {
		return Reply{}, false, protocolError("%.40q between a value and its END", line)
	}
	switch string(word) {
	case "STORED", "OK":
		return Reply{Kind: SimpleReply, Payload: okText}, true, nil
	case "DELETED", "TOUCHED":
		return Reply{Kind: IntReply, Int: 1, Payload: word}, true, nil
	case "NOT_FOUND":
		return Reply{Kind: IntReply, Payload: word}, true, nil
	case "NOT_STORED", "EXISTS":
		return Reply{Kind: NullReply}, true, nil
	case "VERSION":
		return Reply{Kind: SimpleReply, Payload: rest}, true, nil
	case "ERROR", "CLIENT_ERROR", "SERVER_ERROR":
		return Reply{Kind: ErrorReply, Payload: line}, true, nil
	}
	if n, ok := parseReplyInt(line); ok && line[0] != '+' {
		return Reply{Kind: IntReply, Int: n, Payload: line}, true, nil
	}
	return Reply{}, false, protocolError("unknown memcached reply %.40q", line)
}

// memcachedHeader reads what follows VALUE: key, flags, length, and perhaps a number for compare-and-swap.
func (s *ReplyScanner) memcachedHeader(rest []byte) error {
	_, length := memcachedFields(rest)
	n, ok := parseReplyInt(length)
	switch {
	case !ok || n < 0 || n > int64(s.limits.MaxBulk) || s.pos+int(n)+2 > s.limits.MaxReply:
		return protocolError("value of length %.40q; at most %d fit", length, s.limits.MaxBulk)
	}
	s.bulk = int(n)
	return nil
}

// memcachedFields are the key and the length in what follows VALUE.
func memcachedFields(rest []byte) (key, length []byte) {
	key, rest, _ = bytes.Cut(rest, []byte{' '})
	_, rest, _ = bytes.Cut(rest, []byte{' '})
	length, _, _ = bytes.Cut(rest, []byte{' '})
	return key, length
}

// MemcachedValue takes the first value from the payload of a reply to a get of several keys. n is how long it is there, 0 where
// there is none.
func MemcachedValue(payload []byte) (key, value []byte, n int) {
	line, rest, _ := bytes.Cut(payload, []byte("\r\n"))
	_, line, ok := bytes.Cut(line, []byte{' '})
	key, length := memcachedFields(line)
	size, isNumber := parseReplyInt(length)
	if !ok || !isNumber || size < 0 || int64(len(rest)) < size+2 {
		return nil, nil, 0
	}
	return key, rest[:size], len(payload) - len(rest) + int(size) + 2
}

func (s *ReplyScanner) memcachedValue(buf []byte) (Reply, bool, error) {
	end := s.pos + s.bulk
	if end+2 > len(buf) {
		return Reply{}, false, nil
	}
	if buf[end] != '\r' || buf[end+1] != '\n' {
		return Reply{}, false, protocolError("expected CRLF after a value of %d bytes", s.bulk)
	}
	f := &s.foreign
	f.values++
	f.found, f.at, f.size = true, s.pos, s.bulk
	s.pos, s.bulk = end+2, -1
	return Reply{}, true, nil
}
