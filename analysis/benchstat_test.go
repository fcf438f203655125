package analysis

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"

	"github.com/shardlab/shardlab/results"
)

// What benchstat computes of a published run's bench.txt, by its own packages, is what compare shows.
func TestBenchstatShowsTheSameMedians(t *testing.T) {
	const published = "../results/published"
	files, err := filepath.Glob(published + "/*/bench.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no published run:", err)
	}
	units := map[string]Metric{"ops/s": Throughput, "cpu-ns/op": ServerCPU, "p50-ns": P50}
	compared := 0
	for _, file := range files {
		run, err := results.OpenIn(published, filepath.Dir(file))
		if err != nil {
			t.Fatal(err)
		}
		report, err := New(run.Manifest, run.Slices, run.Trials, Options{})
		if err != nil {
			t.Fatal(err)
		}
		values := readBench(t, file)
		for _, p := range report.Points {
			for _, row := range p.Rows {
				if row.Void > 0 {
					continue // benchstat has the void blocks too
				}
				for unit, metric := range units {
					of := values["/"+strings.ReplaceAll(p.Point.Label, ",", "/")+"/arm="+row.Arm][unit]
					e := row.Cells[metric].Estimate
					if e == nil || of == nil {
						continue
					}
					compared++
					theirs := benchmath.AssumeNothing.Summary(benchmath.NewSample(of, &benchmath.DefaultThresholds), 0.95).Center
					if math.Abs(theirs/e.Value-1) > 1e-4 { // bench.txt has five digits
						t.Errorf("%s, %s, %s %s: benchstat's median is %g, ours %g", run.Manifest.ID, p.Point.Label, row.Arm, unit, theirs, e.Value)
					}
				}
			}
		}
	}
	if compared < 30 {
		t.Errorf("only %d medians were compared", compared)
	}
}

// readBench reads a file's values by point and arm, as "/pipeline=16/arm=shared", and unit.
func readBench(t *testing.T, file string) map[string]map[string][]float64 {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	values := map[string]map[string][]float64{}
	for r := benchfmt.NewReader(f, file); r.Scan(); {
		switch rec := r.Result().(type) {
		case *benchfmt.Result:
			_, name, _ := strings.Cut(strings.TrimPrefix(rec.Name.String(), "Run/"), "/")
			name = "/" + name[:strings.LastIndexByte(name, '-')]
			if values[name] == nil {
				values[name] = map[string][]float64{}
			}
			for _, v := range rec.Values {
				if v.OrigUnit != "" {
					v.Value, v.Unit = v.OrigValue, v.OrigUnit
				}
				values[name][v.Unit] = append(values[name][v.Unit], v.Value)
			}
		case *benchfmt.SyntaxError:
			t.Error(rec)
		}
	}
	return values
}
