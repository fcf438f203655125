package wire

import (
	"errors"
	"testing"
)

func TestWriter(t *testing.T) {
	check := func(write func(*Writer), resp2, resp3 string) {
		t.Helper()
		two, three := Writer{}, Writer{RESP3: true}
		write(&two)
		write(&three)
		if string(two.Buf) != resp2 || string(three.Buf) != resp3 {
			t.Errorf("got %q and %q; want %q and %q", two.Buf, three.Buf, resp2, resp3)
		}
	}
	same := func(write func(*Writer), want string) { t.Helper(); check(write, want, want) }
	same(func(w *Writer) { w.Status("OK") }, "+OK\r\n")
	same(func(w *Writer) { w.Error("ERR a\r\nb") }, "-ERR a  b\r\n")
	same(func(w *Writer) { w.Int(-12) }, ":-12\r\n")
	same(func(w *Writer) { w.Int(7) }, ":7\r\n")
	same(func(w *Writer) { w.Bulk([]byte("a\r\nb")) }, "$4\r\na\r\nb\r\n")
	same(func(w *Writer) { w.BulkString("") }, "$0\r\n\r\n")
	same(func(w *Writer) { w.Array(12) }, "*12\r\n")
	check((*Writer).Null, "$-1\r\n", "_\r\n")
	check(func(w *Writer) { w.Map(2) }, "*4\r\n", "%2\r\n")
	check(func(w *Writer) { w.Set(2) }, "*2\r\n", "~2\r\n")
	check(func(w *Writer) { w.Text("hi") }, "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n")
	same(func(w *Writer) { w.ProtocolError(&ProtocolError{Text: "bad"}) }, "-ERR Protocol error: bad\r\n")
	same(func(w *Writer) { w.ProtocolError(errors.New("odd")) }, "-ERR odd\r\n")
}
