package wire

import "strconv"

// Writer appends replies to Buf, in RESP2 or, after HELLO 3, in RESP3. Between Begin and End it appends the one reply to a
// request in the protocol that the request came in. Its methods allocate only to grow Buf.
type Writer struct {
	Buf   []byte
	RESP3 bool

	stage stage
	start int // of the frame in Buf, at any other stage than plain
}

// Status appends a simple string, which must hold neither CR nor LF.
func (w *Writer) Status(s string) {
	if w.stage == awaiting {
		w.frameStatus(s)
		return
	}
	w.Buf = append(w.Buf, '+')
	w.Buf = append(w.Buf, s...)
	w.crlf()
}

// Error appends an error reply: a code in capitals, a space and the text. CR and LF in it become blanks, as in Redis.
func (w *Writer) Error(s string) {
	if w.stage == awaiting {
		w.frameText(statusError, s)
		return
	}
	w.Buf = append(w.Buf, '-')
	for i := range len(s) {
		c := s[i]
		if c == '\r' || c == '\n' {
			c = ' '
		}
		w.Buf = append(w.Buf, c)
	}
	w.crlf()
}

// Int appends an integer.
func (w *Writer) Int(n int64) {
	if w.stage == awaiting {
		w.frameWord(statusInteger, uint64(n))
		return
	}
	w.number(':', n)
}

// Bulk appends a bulk string.
func (w *Writer) Bulk(v []byte) {
	if w.stage == awaiting {
		w.frameHeader(statusValue, len(v))
		w.Buf = append(w.Buf, v...)
		return
	}
	w.number('$', int64(len(v)))
	w.Buf = append(w.Buf, v...)
	w.crlf()
}

// BulkString appends a bulk string.
func (w *Writer) BulkString(s string) {
	if w.stage == awaiting {
		w.frameText(statusValue, s)
		return
	}
	w.number('$', int64(len(s)))
	w.Buf = append(w.Buf, s...)
	w.crlf()
}

// Text appends human-readable text: a verbatim string in RESP3, a bulk string in RESP2.
func (w *Writer) Text(s string) {
	if !w.resp3() {
		w.BulkString(s)
		return
	}
	w.number('=', int64(len(s))+4)
	w.Buf = append(w.Buf, "txt:"...)
	w.Buf = append(w.Buf, s...)
	w.crlf()
}

// Null appends the absence of a value.
func (w *Writer) Null() {
	switch {
	case w.stage == awaiting:
		w.frameHeader(statusNull, 0)
	case w.resp3():
		w.Buf = append(w.Buf, "_\r\n"...)
	default:
		w.Buf = append(w.Buf, "$-1\r\n"...)
	}
}

// NullArray appends the absence of an array, which RESP2 tells from that of a value.
func (w *Writer) NullArray() {
	if w.stage == awaiting || w.resp3() {
		w.Null()
	} else {
		w.Buf = append(w.Buf, "*-1\r\n"...)
	}
}

// Array announces n elements; the caller appends them.
func (w *Writer) Array(n int) { w.aggregate('*', n) }

// Set announces n elements of a set: an array in RESP2.
func (w *Writer) Set(n int) {
	if w.resp3() {
		w.aggregate('~', n)
	} else {
		w.Array(n)
	}
}

// Map announces n pairs; the caller appends key, value, key, value. In RESP2 it is an array of 2n elements.
func (w *Writer) Map(n int) {
	if w.resp3() {
		w.aggregate('%', n)
	} else {
		w.Array(2 * n)
	}
}

// ProtocolError appends what a client is told before its connection is closed for err.
func (w *Writer) ProtocolError(err error) {
	if p, ok := err.(*ProtocolError); ok {
		if p.SCNP {
			w.Begin(&Request{Frame: Frame{Form: Typed}})
			defer w.End()
		}
		w.Error("ERR Protocol error: " + p.Text)
		return
	}
	w.Error("ERR " + err.Error())
}

func (w *Writer) aggregate(kind byte, n int) {
	if w.stage == awaiting {
		w.frameElements()
	}
	w.number(kind, int64(n))
}

func (w *Writer) number(kind byte, n int64) {
	w.Buf = append(w.Buf, kind)
	if n >= 0 && n < 10 { // lengths and counts are mostly small: one digit needs no conversion
		w.Buf = append(w.Buf, byte('0'+n), '\r', '\n')
		return
	}
	w.Buf = strconv.AppendInt(w.Buf, n, 10)
	w.crlf()
}

func (w *Writer) crlf() { w.Buf = append(w.Buf, '\r', '\n') }
