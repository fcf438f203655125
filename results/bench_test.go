package results

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// anonymous replaces the run's id, which holds a hash of the clock.
func anonymous(b []byte, w *Writer) []byte {
	return bytes.ReplaceAll(b, []byte(w.ID()), []byte("RUNID"))
}

func TestBenchGolden(t *testing.T) {
	root := t.TempDir()
	w := writeRun(t, root)
	must(t, w.Finish(Complete, nil))
	written, err := os.ReadFile(filepath.Join(w.Dir(), "bench.txt"))
	must(t, err)
	golden(t, "bench.txt", anonymous(written, w))

	r, err := OpenIn(root, w.ID())
	must(t, err)
	var again bytes.Buffer
	must(t, WriteBench(&again, r))
	if !bytes.Equal(again.Bytes(), written) {
		t.Errorf("made anew, bench.txt is different:\n%s", again.Bytes())
	}
}

// parseBench reads as golang.org/x/perf/benchfmt does, but takes no line it would skip, except comments.
func parseBench(t *testing.T, text []byte) (config map[string]string, lines []map[string]float64, names []string) {
	t.Helper()
	config = map[string]string{}
	units := map[string]string{}
	key := regexp.MustCompile(`^\p{Ll}[^\s\p{Lu}:]*$`)
	for line := range strings.Lines(string(text)) {
		f := strings.FieldsFunc(line, unicode.IsSpace)
		switch k, v, isConfig := strings.Cut(line, ": "); {
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "Unit "):
			if len(f) != 3 || !strings.HasPrefix(f[2], "better=") || units[f[1]] != "" {
				t.Errorf("bad unit line %q", line)
			}
			units[f[1]] = f[2]
		case strings.HasPrefix(line, "Benchmark"):
			if _, err := strconv.ParseUint(f[1], 10, 63); err != nil || len(f) < 4 || len(f)%2 != 0 {
				t.Errorf("bad line %q", line)
			}
			values := map[string]float64{}
			for i := 2; i+1 < len(f); i += 2 {
				v, err := strconv.ParseFloat(f[i], 64)
				if err != nil || units[f[i+1]] == "" {
					t.Errorf("bad value %s %s in %q", f[i], f[i+1], line)
				}
				values[f[i+1]] = v
			}
			names = append(names, f[0])
			lines = append(lines, values)
		case isConfig && key.MatchString(k):
			config[k] = strings.TrimSpace(v)
		default:
			t.Errorf("not of the format: %q", line)
		}
	}
	return config, lines, names
}

func TestBenchFollowsTheGrammar(t *testing.T) {
	m := testManifest()
	m.ID, m.EnvKey = "x\nBenchmarkFake 1 2 ns/op", "k"
	m.Before.CPU.Model = " Odd\tCPU: \xff\n(R) "
	m.Scenario.Name = "a b/c\u00a0d\xff"
	m.Points = nil
	r := Run{Manifest: *m}
	for _, arm := range []string{"plain", "with space", "a/b", "tab\tnew\nline", "\u2028", "ends-4", "ünï"} {
		s := testSlice("weird label/1", arm, 0, 0)
		r.Slices = append(r.Slices, s)
		r.Trials = append(r.Trials, Trial{Point: s.Point, Arm: arm})
	}
	var b bytes.Buffer
	must(t, WriteBench(&b, &r))
	config, lines, names := parseBench(t, b.Bytes())
	if config["goos"] != "linux" || config["env_key"] != "k" || config["cpu"] != "Odd CPU: _ (R)" {
		t.Errorf("configuration %q", config)
	}
	if len(lines) != 7 {
		t.Fatalf("%d lines for 7 arms:\n%s", len(lines), b.Bytes())
	}
	for _, n := range names {
		if !strings.HasPrefix(n, "BenchmarkRun/scenario=a_b_c_d_/point=weird_label_1/arm=") || !strings.HasSuffix(n, "-2") {
			t.Errorf("name %q", n)
		}
	}
	if _, ok := lines[0]["p50-ns"]; ok {
		t.Errorf("a quantile without samples has a value: %v", lines[0])
	}
}

func TestBenchCountsValidSlicesOnly(t *testing.T) {
	s := func(valid bool, ops uint64, dur, cpu int64) Slice {
		return Slice{Arm: "a", Ops: map[string]uint64{"GET": ops / 2}, Replies: ops, Dur: dur, ServerCPU: cpu, Valid: valid}
	}
	r := Run{Slices: []Slice{s(true, 300, 3e6, 6e5), s(false, 9999, 1, 1), s(true, 100, 1e6, 6e5)},
		Trials: []Trial{{Arm: "a", Response: Latency{P50: 123, P99: 45678}}}}
	var b bytes.Buffer
	must(t, WriteBench(&b, &r))
	_, lines, _ := parseBench(t, b.Bytes())
	want := map[string]float64{"ns/op": 1e4, "cpu-ns/op": 3000, "p50-ns": 123, "p99-ns": 45678, "ops/s": 1e5}
	if len(lines) != 1 || len(lines[0]) != len(want) {
		t.Fatalf("got %v, want %v", lines, want)
	}
	for unit, v := range want {
		if lines[0][unit] != v {
			t.Errorf("%s: got %v, want %v", unit, lines[0][unit], v)
		}
	}
	r.Slices = []Slice{s(false, 300, 3e6, 6e5), s(true, 0, 1e6, 1)}
	b.Reset()
	must(t, WriteBench(&b, &r))
	if _, lines, _ := parseBench(t, b.Bytes()); len(lines) != 0 {
		t.Errorf("nothing valid was measured, got %v", lines)
	}
}
