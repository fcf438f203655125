package results

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

func TestHistogramsComeBackByBlockAndTag(t *testing.T) {
	root := t.TempDir()
	w := writeRun(t, root)
	must(t, w.Finish(Complete, nil))
	r, err := OpenIn(root, w.ID())
	must(t, err)

	check := func(arm, tag string, want int64, blocks ...int) {
		t.Helper()
		h, err := r.Histogram("pipeline=1", arm, tag, Response, blocks...)
		must(t, err)
		if h.TotalCount() != want {
			t.Errorf("%s %q of blocks %v: %d values, want %d", arm, tag, blocks, h.TotalCount(), want)
		}
	}
	check("shared", "GET", 900, 0)
	check("shared", "GET", 1800)
	check("shared", "GET", 1800, 0, 1)
	check("shared", "SET", 100, 1)
	check("shared", "", 1000, 1)
	check("shared", "", 2000)
	check("redis 7.2/io", "", 2200)

	want := NewHistogram()
	for range 2 {
		want.Merge(testHistogram(20_000, 900))
		want.Merge(testHistogram(30_000, 100))
	}
	got, err := r.Histogram("pipeline=1", "shared", "", Response)
	must(t, err)
	if !got.Equals(want) {
		t.Errorf("all operations: got %v, want %v", NewLatency(got), NewLatency(want))
	}
}

func TestServiceTimeOfAClosedLoopIsItsResponseTime(t *testing.T) {
	root := t.TempDir()
	w := writeRun(t, root)
	r, err := OpenIn(root, w.ID())
	must(t, err)
	closed, err := r.Histogram("pipeline=1", "shared", "", Service, 1)
	must(t, err)
	open, err := r.Histogram("pipeline=16", "shared", "", Service)
	must(t, err)
	if closed.TotalCount() != 1000 || open.TotalCount() != 100 {
		t.Errorf("got %d and %d", closed.TotalCount(), open.TotalCount())
	}
	r.Manifest.Points[0].Mode = "open"
	if _, err := r.Histogram("pipeline=1", "shared", "", Service); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("service time of an open loop was made up: %v", err)
	}
	must(t, w.Finish(Complete, nil))
}

func TestMissingHistogramsAreNamed(t *testing.T) {
	root := t.TempDir()
	w := writeRun(t, root)
	must(t, w.Finish(Complete, nil))
	r, err := OpenIn(root, w.ID())
	must(t, err)
	check := func(want, point, arm, tag string, blocks ...int) {
		t.Helper()
		_, err := r.Histogram(point, arm, tag, Response, blocks...)
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	check("latencies of routed at pipeline=1", "pipeline=1", "routed", "")
	check(`latencies of shared at pipeline=1: no "DEL"; have GET, SET`, "pipeline=1", "shared", "DEL")
	check("none for blocks [7]", "pipeline=1", "shared", "", 7)
}

// A log must be what HdrHistogram's own tools expect: the untagged interval of each block holds all operations, and
// times are relative to the base time.
func TestLogIsPlainHdrHistogram(t *testing.T) {
	root := t.TempDir()
	w := writeRun(t, root)
	must(t, w.Finish(Complete, nil))
	data, err := os.ReadFile(filepath.Join(w.Dir(), "latency", "pipeline=1", "shared.hlog"))
	must(t, err)
	lines := strings.Split(string(data), "\n")
	if !strings.Contains(lines[0], w.ID()) || !strings.HasPrefix(lines[0], "#") {
		t.Errorf("the first line does not name the run: %q", lines[0])
	}
	if !strings.Contains(string(data), "\n#[BaseTime: 1795343405 (seconds since epoch)]\n") { // testStart
		t.Errorf("no base time in %q", data[:300])
	}
	reader := hdrhistogram.NewHistogramLogReader(bytes.NewReader(data))
	counts := map[string]int64{}
	for n := 0; ; n++ {
		h, err := reader.NextIntervalHistogram()
		must(t, err)
		if h == nil {
			break
		}
		counts[h.Tag()] += h.TotalCount()
		begin := testStart.Add(time.Duration(n/3) * time.Minute).UnixMilli()
		if d := h.StartTimeMs() - begin; d < -1 || d > 1 { // the reader computes in floating-point seconds
			t.Errorf("interval %d starts %d ms off", n, d)
		}
		if d := h.EndTimeMs() - h.StartTimeMs(); d < 999 || d > 1001 {
			t.Errorf("interval %d is %d ms long", n, d)
		}
	}
	if counts[""] != 2000 || counts["GET"] != 1800 || counts["SET"] != 200 || len(counts) != 3 {
		t.Errorf("got %v", counts)
	}
}

func TestTornLogLosesItsLastBlockOnly(t *testing.T) {
	root := t.TempDir()
	w := writeRun(t, root)
	must(t, w.Finish(Complete, nil))
	name := filepath.Join(w.Dir(), "latency", "pipeline=1", "shared.hlog")
	data, err := os.ReadFile(name)
	must(t, err)
	second := bytes.LastIndex(data, blockLine)
	for cut := second + 1; cut < len(data); cut += 7 {
		must(t, os.WriteFile(name, data[:cut], 0o644))
		r, err := OpenIn(root, w.ID())
		must(t, err)
		if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].Error(), "shared.hlog: the last block is torn") {
			t.Fatalf("cut at %d: warnings %v", cut, r.Warnings)
		}
		h, err := r.Histogram("pipeline=1", "shared", "", Response)
		must(t, err)
		if h.TotalCount() != 1000 {
			t.Fatalf("cut at %d: %d values", cut, h.TotalCount())
		}
	}
	first := bytes.Index(data, blockLine)
	damaged := bytes.Clone(data)
	copy(damaged[first+60:], "!!!!")
	must(t, os.WriteFile(name, damaged, 0o644))
	r, err := OpenIn(root, w.ID())
	must(t, err)
	if _, err := r.Histogram("pipeline=1", "shared", "", Response); err == nil {
		t.Error("damage in the middle went unseen")
	}
}

func TestHistogramsRefuseWhatALogCannotHold(t *testing.T) {
	w, err := Create(t.TempDir(), "x", testManifest())
	must(t, err)
	check := func(want string, response map[string]*hdrhistogram.Histogram) {
		t.Helper()
		err := w.Histograms(BlockHistograms{Arm: "shared", Start: testStart, End: testStart, Response: response})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	wide := hdrhistogram.New(1, 10*MaxLatency, 3)
	must(t, wide.RecordValue(5*MaxLatency))
	must(t, w.Histograms(BlockHistograms{Arm: "shared"})) // nothing was answered: nothing to write, nothing amiss
	check("no histogram for GET", map[string]*hdrhistogram.Histogram{"GET": nil})
	check("1 values of GET are beyond 1m0s", map[string]*hdrhistogram.Histogram{"GET": wide})
	for _, tag := range []string{"", "a b", "a,b", "a\n", " a"} {
		check("cannot be a tag", map[string]*hdrhistogram.Histogram{tag: testHistogram(1, 1)})
	}
	if _, err := os.Stat(filepath.Join(w.Dir(), "latency")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was written: %v", err)
	}
	must(t, w.Finish(Failed, nil))
}

func FuzzReadHlog(f *testing.F) {
	h := BlockHistograms{Arm: "a", Start: testStart, End: testStart.Add(time.Second),
		Response: map[string]*hdrhistogram.Histogram{"GET": testHistogram(1000, 20)}}
	record, err := encodeBlock(testStart, &h, h.Response)
	if err != nil {
		f.Fatal(err)
	}
	log := append(hlogHeader("id", testStart, &h, Response), record...)
	f.Add(log)
	f.Add(append(log, record...))
	f.Add(record)
	f.Add([]byte("#x\n#[Block: 1, intervals: 0]\n"))
	f.Add([]byte("#x\n#[Block: -1, intervals: 9999999999999999999]\nTag=\n,,,\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		merged := map[string]*hdrhistogram.Histogram{}
		err := readHlog(data, "f", func(_ int, h *hdrhistogram.Histogram) error { return merge(merged, h) })
		torn := (*tornError)(nil)
		if err == nil && len(merged) > 0 && tornHlog(data) {
			t.Error("a log that reads whole passes for torn")
		}
		if errors.As(err, &torn) && !tornHlog(data) {
			t.Errorf("a torn log passes for whole: %v", err)
		}
	})
}
