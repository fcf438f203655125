package results

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

func TestMain(m *testing.M) {
	if root := os.Getenv(crashRoot); root != "" {
		crashWriter(root)
	}
	flag.Parse()
	os.Exit(m.Run())
}

// golden compares with a file of testdata, or writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("differs from %s (-update rewrites it); got:\n%s", path, got)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var testStart = time.Date(2026, 11, 22, 10, 30, 5, 250e6, time.UTC)

// testManifest has two points, three arms and everything that goes into the exports, all fixed.
func testManifest() *Manifest {
	return &Manifest{
		Started:  testStart,
		Argv:     []string{"shardlab", "run", "quickstart"},
		Scenario: Scenario{Name: "quickstart", Seed: 7, Resolved: []byte(`{"name":"quickstart"}`), SHA256: "ab"},
		Points: []Point{
			{Label: "pipeline=1", Params: []Param{{"pipeline", "1"}}, Mode: "closed", Connections: 50, Pipeline: 1},
			{Label: "pipeline=16", Params: []Param{{"pipeline", "16"}}, Mode: "open", Connections: 50, Rate: 2e4},
		},
		Arms: []Arm{{Name: "shared", Kind: "topology", Topology: "shared", Command: []string{"shardlab", "serve"}},
			{Name: "redis 7.2/io", Kind: "reference", Command: []string{"redis-server"}}},
		Blocks: 2,
		Code:   Code{Revision: "3f2c1e0d9a8b7c6d5e4f", GoVersion: "go1.26.8"},
		CPUs:   CPUs{Server: "0-1", Client: "2,3"},
		Before: Environment{OS: "linux", Arch: "amd64", CPU: CPUInfo{Model: "AMD EPYC", VCPUs: 4},
			Go: GoRuntime{Version: "go1.26.8", GOMAXPROCS: 4}},
	}
}

// testSlice is made of its position alone, so that what is read can be checked against what was written.
func testSlice(point, arm string, block, slice int) Slice {
	n := uint64(1000*(block+1) + slice)
	return Slice{
		Point: point, Arm: arm, Block: block, Slice: slice, T: int64(slice) * 60e6, Dur: 50e6,
		Ops: map[string]uint64{"GET": 9 * n, "SET": n}, Replies: 10*n + 1, BytesOut: 30 * n, BytesIn: 70 * n,
		ServerCPU: int64(4e3 * n), ClientCPU: int64(3e3 * n), ClientBusy: 0.5,
		Response: Latency{N: 10 * n, Mean: 1234.5, P50: 1100, P90: 2000, P99: 5000, Max: 90000},
		Service:  Latency{N: 10 * n, Mean: 1234.5, P50: 1100, P90: 2000, P99: 5000, Max: 90000},
		Valid:    slice != 1, Why: map[bool]string{true: "steal"}[slice == 1],
	}
}

// testHistogram holds n values, 1 µs apart, beginning at from.
func testHistogram(from, n int64) *hdrhistogram.Histogram {
	h := NewHistogram()
	for i := range n {
		if err := h.RecordValue(from + i*1000); err != nil {
			panic(err)
		}
	}
	return h
}

// writeRun records a whole run of two points, two arms and two blocks of three slices, the second of each void.
func writeRun(t *testing.T, root string) *Writer {
	t.Helper()
	m := testManifest()
	w, err := Create(root, "quickstart", m)
	must(t, err)
	for block := range 2 {
		for p, point := range []string{"pipeline=1", "pipeline=16"} {
			for a, arm := range []string{"shared", "redis 7.2/io"} {
				for slice := range 3 {
					must(t, w.Slice(testSlice(point, arm, block, slice)))
				}
				get, set := testHistogram(20_000, int64(900+100*a)), testHistogram(30_000, 100)
				h := BlockHistograms{
					Point: point, Arm: arm, Block: block,
					Start:    testStart.Add(time.Duration(block) * time.Minute),
					End:      testStart.Add(time.Duration(block)*time.Minute + time.Second),
					Response: map[string]*hdrhistogram.Histogram{"GET": get, "SET": set},
				}
				if p == 1 {
					h.Service = map[string]*hdrhistogram.Histogram{"GET": testHistogram(10_000, 50)}
				}
				must(t, w.Histograms(h))
				all := NewHistogram()
				all.Merge(get)
				all.Merge(set)
				must(t, w.Trial(Trial{Point: point, Arm: arm, Block: block, PID: 4000 + block, RSSEmpty: 5 << 20,
					RSSLoaded: 9 << 20, Keys: 50000, Response: NewLatency(all), Service: NewLatency(all)}))
			}
		}
		must(t, w.Counters(map[string]int{"goroutines": 10 + block}))
	}
	return w
}
