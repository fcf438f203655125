package wire

import (
	"bytes"
	"fmt"
	"testing"
)

// answer writes one reply to a request of the given form.
func answer(f Form, write func(*Writer)) string {
	w := Writer{Buf: []byte("before")}
	w.Begin(&Request{Frame: Frame{Form: f}})
	write(&w)
	w.End()
	write(&w) // what follows is RESP again
	return string(bytes.TrimPrefix(w.Buf, []byte("before")))
}

func TestFramedReplies(t *testing.T) {
	check := func(write func(*Writer), want string) {
		t.Helper()
		var resp Writer
		write(&resp)
		for _, f := range []Form{Typed, ArgForm} {
			if got := answer(f, write); got != string(frameBytes(t, want))+string(resp.Buf) {
				t.Errorf("form %d: got %q", f, got)
			}
		}
		wrapped := append([]byte{ReplyMagic, SCNPVersion, statusValue, 0, byte(len(resp.Buf)), 0, 0, 0}, resp.Buf...)
		if got := answer(Wrapped, write); got != string(wrapped)+string(resp.Buf) {
			t.Errorf("wrapped: got %q", got)
		}
	}
	check(func(w *Writer) { w.Status("OK") }, "fb02 00 00 00000000")
	check(func(w *Writer) { w.Status("PONG") }, "fb02 04 00 04000000 'PONG'")
	check((*Writer).Null, "fb02 01 00 00000000")
	check(func(w *Writer) { w.Error("ERR no") }, "fb02 02 00 06000000 'ERR no'")
	check(func(w *Writer) { w.Int(-2) }, "fb02 03 00 08000000 feffffffffffffff")
	check(func(w *Writer) { w.Bulk([]byte("abc")) }, "fb02 04 00 03000000 'abc'")
	check(func(w *Writer) { w.BulkString("") }, "fb02 04 00 00000000")
	check(func(w *Writer) { w.Text("hi") }, "fb02 04 00 02000000 'hi'")
	check(func(w *Writer) { w.Array(0) }, "fb02 06 00 04000000 00000000")
	check(func(w *Writer) { w.Array(3); w.Bulk([]byte("ab")); w.Null(); w.BulkString("") },
		"fb02 06 00 12000000 03000000 02000000 'ab' ffffffff 00000000")
	check(func(w *Writer) { w.Map(1); w.BulkString("k"); w.BulkString("v") },
		"fb02 06 00 0e000000 02000000 01000000 'k' 01000000 'v'")
	check(func(w *Writer) { w.Array(2); w.Bulk([]byte("a")); w.Int(1) }, "fb02 04 00 0f000000 '*2' 0d0a '$1' 0d0a 'a' 0d0a ':1' 0d0a")
	check(func(w *Writer) { w.Array(1); w.Array(1); w.Null() }, "fb02 04 00 0d000000 '*1' 0d0a '*1' 0d0a '$-1' 0d0a")
}

// After HELLO 3 what the wrapper holds is RESP3; SCNP's own arrays know no other null.
func TestFramedRESP3(t *testing.T) {
	w := Writer{RESP3: true}
	for _, f := range []Form{Wrapped, Typed} {
		w.Begin(&Request{Frame: Frame{Form: f}})
		w.Array(1)
		w.Null()
		w.End()
	}
	want := frameBytes(t, "fb02 04 00 07000000 '*1' 0d0a '_' 0d0a fb02 06 00 08000000 01000000 ffffffff")
	if !bytes.Equal(w.Buf, want) {
		t.Errorf("got %q", w.Buf)
	}
}

// Elements that others have written, each with a Writer of its own.
func TestFramedParts(t *testing.T) {
	req := &Request{Frame: Frame{Form: Typed}}
	home, owner := Writer{RESP3: true}, Writer{RESP3: true}
	home.Begin(req)
	home.Array(2)
	for _, write := range []func(){owner.Null, func() { owner.Bulk([]byte("v")) }} {
		owner.Buf = owner.Buf[:0]
		owner.BeginPart(req)
		write()
		owner.End()
		if home.Whole() {
			t.Error("a reply without its elements counts as whole")
		}
		home.Buf = append(home.Buf, owner.Buf...)
	}
	home.End()
	want := frameBytes(t, "fb02 06 00 0d000000 02000000 ffffffff 01000000 'v'")
	if !bytes.Equal(home.Buf, want) || !home.Whole() {
		t.Errorf("got %q", home.Buf)
	}
}

func TestFrameErrorIsAnsweredInSCNP(t *testing.T) {
	var w Writer
	w.ProtocolError(frameError("odd"))
	if want := frameBytes(t, "fb02 02 00 17000000 'ERR Protocol error: odd'"); !bytes.Equal(w.Buf, want) {
		t.Errorf("got %q", w.Buf)
	}
}

// scanCut cuts replies out of input that arrives in the given steps.
func scanCut(limits ReplyLimits, input []byte, step func() int) (replies []string, err error) {
	s := NewReplyScanner(limits)
	var buf []byte
	for len(input) > 0 {
		n := min(step(), len(input))
		buf, input = append(bytes.Clone(buf), input[:n]...), input[n:]
		for len(buf) > 0 {
			r, n, err := s.Next(buf)
			if err != nil {
				return replies, err
			}
			if n == 0 {
				if s.Want() <= len(buf) {
					return replies, fmt.Errorf("wants %d of %d bytes", s.Want(), len(buf))
				}
				break
			}
			elements, err := r.Elements()
			if err != nil {
				return replies, err
			}
			text := fmt.Sprintf("%s %d %q", r.Kind, r.Int, r.Payload)
			if r.Kind == ArrayReply {
				text = fmt.Sprintf("%s %d", r.Kind, r.Int)
			}
			for _, e := range elements {
				text += fmt.Sprintf(" / %s %d %q", e.Kind, e.Int, e.Payload)
			}
			replies, buf = append(replies, text), buf[n:]
		}
	}
	return replies, nil
}

func TestScanFrames(t *testing.T) {
	check := func(frame, want string) {
		t.Helper()
		input := append(frameBytes(t, frame), "+OK\r\n"...)
		for _, step := range []int{1, 3, 1000} {
			got, err := scanCut(ReplyLimits{}, input, func() int { return step })
			if err != nil || len(got) != 2 || got[0] != want {
				t.Errorf("%s: got %q, %v; want %q", frame, got, err, want)
			}
		}
	}
	check("fb02 00 00 00000000", `a simple string 0 "OK"`)
	check("fb02 01 00 00000000", `null 0 ""`)
	check("fb02 02 00 06000000 'ERR no'", `an error 0 "ERR no"`)
	check("fb02 03 00 08000000 feffffffffffffff", `an integer -2 ""`)
	check("fb02 04 00 03000000 'abc'", `a bulk string 0 "abc"`)
	check("fb02 05 00 01000000 01", `a boolean 1 ""`)
	check("fb02 06 00 12000000 03000000 02000000 'ab' ffffffff 00000000",
		`an array 3 / a bulk string 0 "ab" / null 0 "" / a bulk string 0 ""`)
	s := NewReplyScanner(ReplyLimits{})
	r, _, err := s.Next(frameBytes(t, "fb02 07 00 08000000 000000000000f83f"))
	if err != nil || r.Kind != DoubleReply || r.Float() != 1.5 {
		t.Errorf("a float: %v, %v", r, err)
	}
}

func TestMalformedReplyFrames(t *testing.T) {
	for _, frame := range []string{
		"fb01 00 00 00000000", "fb02 08 00 00000000", "fb02 00 00 01000000 00", "fb02 01 00 01000000 00", "fb02 03 00 07000000 00000000000000",
		"fb02 05 00 01000000 02", "fb02 06 00 03000000 000000", "fb02 06 00 04000000 01000000", "fb02 06 00 04000000 ffffffff",
		"fb02 06 00 05000000 00000000 00", "fb02 06 00 08000000 01000000 01000000", "fb02 04 00 ffffffff",
	} {
		if got, err := scanCut(ReplyLimits{}, frameBytes(t, frame), func() int { return 1000 }); err == nil {
			t.Errorf("%s: %q", frame, got)
		}
	}
}

// FuzzSCNPReplies: nothing panics; however the bytes are cut, the replies and the error are the same.
func FuzzSCNPReplies(f *testing.F) {
	for _, s := range []string{"fb02 00 00 00000000", "fb02 06 00 12000000 03000000 02000000 'ab' ffffffff 00000000",
		"fb02 04 00 03000000 'abc' '+OK' 0d0a fb02 03 00 08000000 feffffffffffffff"} {
		f.Add(frameBytes(f, s), byte(1))
	}
	limits := ReplyLimits{MaxBulk: 100, MaxLine: 50, MaxElements: 20, MaxReply: 200}
	f.Fuzz(func(t *testing.T, input []byte, step byte) {
		want, wantErr := scanCut(limits, input, func() int { return len(input) })
		got, gotErr := scanCut(limits, input, func() int { return 1 + int(step%9) })
		if fmt.Sprint(got) != fmt.Sprint(want) || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
			t.Fatalf("cut: %v, %v\nwhole: %v, %v", got, gotErr, want, wantErr)
		}
	})
}
