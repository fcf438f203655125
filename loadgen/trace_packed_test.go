package loadgen

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"
)

// packings are what writes a compressed file.
var packings = map[string]func(w io.Writer) io.WriteCloser{
	"gzip": func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	"zstd": func(w io.Writer) io.WriteCloser {
		z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
		if err != nil {
			panic(err)
		}
		return z
	},
}

func packed(t *testing.T, how string, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := packings[how](&b)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestPackedTrace: what is compressed is the same trace, whatever its name, also in several pieces; and what is cut off is an error.
func TestPackedTrace(t *testing.T) {
	defer goleak.VerifyNone(t)
	text, err := os.ReadFile("testdata/trace.csv")
	if err != nil {
		t.Fatal(err)
	}
	want, err := OpenTrace("testdata/trace.csv", true)
	if err != nil {
		t.Fatal(err)
	}
	open := func(content []byte) (*Trace, error) {
		path := filepath.Join(t.TempDir(), "trace.csv")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return OpenTrace(path, true)
	}
	half := len(text) / 2
	for how := range packings {
		whole := packed(t, how, text)
		pieces := append(packed(t, how, text[:half]), packed(t, how, text[half:])...)
		for name, content := range map[string][]byte{"whole": whole, "in two pieces": pieces} {
			got, err := open(content)
			if err != nil {
				t.Errorf("%s, %s: %v", how, name, err)
			} else if rowsOf(got) != rowsOf(want) || fmt.Sprint(got.Stats()) != fmt.Sprint(want.Stats()) {
				t.Errorf("%s, %s: %v, want %v", how, name, got.Stats(), want.Stats())
			}
		}
		for _, cut := range []int{5, len(whole) / 2, len(whole) - 1} {
			if _, err := open(whole[:cut]); err == nil || !strings.Contains(err.Error(), how) {
				t.Errorf("%s, cut after %d bytes: %v", how, cut, err)
			}
		}
		broken := bytes.Clone(whole)
		broken[len(broken)/2] ^= 0x55
		if _, err := open(broken); err == nil {
			t.Errorf("%s: a bit flipped, and no error", how)
		}
	}
	skip := append([]byte{0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 'x'}, packed(t, "zstd", text)...)
	if got, err := open(skip); err != nil || rowsOf(got) != rowsOf(want) {
		t.Errorf("a frame to be skipped: %v", err)
	}
}
