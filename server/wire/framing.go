package wire

import (
	"encoding/binary"
	"math"
)

// stage is how far a Writer is with the reply to a request.
type stage uint8

const (
	plain    stage = iota // no SCNP: what is appended is RESP
	inside                // RESP, behind the header of a value that End completes
	awaiting              // the next call is the whole reply, or announces its elements
	framed                // the frame is complete
	elements              // RESP2, behind a header that End completes
	part                  // RESP2: elements that somebody else puts behind a header
)

// Begin prepares for the reply to req, which is appended between it and End. For RESP both do nothing.
//
// In SCNP a status OK is 0, null 1, an error 2, an integer 3, every kind of string 4. An array of strings and nulls is
// 6. SCNP's types hold nothing else: other arrays, and maps, are a value that holds RESP2, as in reply to OpRESP.
// An array is known to be one of strings when it is complete, so it is first written as RESP2, and End rewrites it in
// place: no element is longer in SCNP than in RESP.
func (w *Writer) Begin(req *Request) {
	if req.Form != RESP {
		w.begin(req.Form)
	}
}

// BeginPart is Begin for who appends only some of the elements of a reply that another Writer has announced.
func (w *Writer) BeginPart(req *Request) {
	if req.Form != RESP && req.Form != Wrapped {
		w.stage = part
	}
}

// End completes the reply to a request.
func (w *Writer) End() {
	if w.stage != plain {
		w.end()
	}
}

// Whole reports whether Buf ends behind a reply, and not in the middle of one that End must still rewrite.
func (w *Writer) Whole() bool { return w.stage == plain }

func (w *Writer) begin(f Form) {
	w.start = len(w.Buf)
	w.stage = awaiting
	if f == Wrapped {
		w.stage = inside
		w.frameHeader(statusValue, 0)
	}
}

func (w *Writer) end() {
	stage := w.stage
	w.stage = plain
	if stage != inside && stage != elements {
		return
	}
	frame := w.Buf[w.start:]
	status := byte(statusValue)
	if stage == elements {
		if n, ok := foldArray(frame[scnpHeader:]); ok {
			frame, status = frame[:scnpHeader+n], statusArray
			w.Buf = w.Buf[:w.start+len(frame)]
		}
	}
	if len(frame)-scnpHeader > math.MaxUint32 {
		w.Buf = w.Buf[:w.start]
		w.frameText(statusError, "ERR reply is longer than the 4 GiB of an SCNP frame")
		return
	}
	setHeader(frame, status)
}

// resp3 reports whether what is appended now may be RESP3: inside an array of SCNP it is RESP2.
func (w *Writer) resp3() bool { return w.RESP3 && w.stage <= inside }

func (w *Writer) frameHeader(status byte, body int) {
	if w.stage == awaiting {
		w.stage = framed
	}
	w.Buf = append(w.Buf, ReplyMagic, SCNPVersion, status, 0)
	w.Buf = binary.LittleEndian.AppendUint32(w.Buf, uint32(body))
}

func (w *Writer) frameElements() {
	w.frameHeader(statusArray, 0)
	w.stage = elements
}

func (w *Writer) frameStatus(s string) {
	if s == "OK" {
		w.frameHeader(statusOK, 0)
		return
	}
	w.frameText(statusValue, s)
}

func (w *Writer) frameText(status byte, s string) {
	w.frameHeader(status, len(s))
	w.Buf = append(w.Buf, s...)
}

func (w *Writer) frameWord(status byte, n uint64) {
	w.frameHeader(status, 8)
	w.Buf = binary.LittleEndian.AppendUint64(w.Buf, n)
}

// foldArray rewrites a RESP2 array of strings and nulls as the body of an SCNP array, and returns its length. It leaves
// anything else as it is.
func foldArray(buf []byte) (int, bool) {
	count, at, ok := lineAt(buf, 0, '*')
	if !ok || count > math.MaxUint32 {
		return 0, false
	}
	for i, next := 0, at; i < count; i++ {
		n, from, ok := lineAt(buf, next, '$')
		if !ok {
			return 0, false
		}
		next = from
		if n >= 0 {
			next += n + 2
		}
	}
	binary.LittleEndian.PutUint32(buf, uint32(count))
	to := 4
	for range count {
		n, from, _ := lineAt(buf, at, '$')
		if at = from; n < 0 {
			binary.LittleEndian.PutUint32(buf[to:], nullElement)
			to += 4
			continue
		}
		binary.LittleEndian.PutUint32(buf[to:], uint32(n))
		copy(buf[to+4:], buf[from:from+n])
		to, at = to+4+n, from+n+2
	}
	return to, true
}

// lineAt reads the count behind kind at buf[at:], which a Writer has written. from is where the next line starts.
func lineAt(buf []byte, at int, kind byte) (n, from int, ok bool) {
	if at >= len(buf) || buf[at] != kind {
		return 0, 0, false
	}
	at++
	if buf[at] == '-' { // there is one negative length, that of null
		return -1, at + 4, true
	}
	for ; buf[at] != '\r'; at++ {
		n = n*10 + int(buf[at]-'0')
	}
	return n, at + 2, true
}
