package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/analysis/gate"
)

// TestWhatIsWrittenFitsItsSchema holds a real load, its lines and its run directory, against the schemas that this program prints, with
// a validator that others wrote.
func TestWhatIsWrittenFitsItsSchema(t *testing.T) {
	dir := t.TempDir()
	trace := filepath.Join(dir, "trace.csv")
	if err := os.WriteFile(trace, []byte("op,key,ttl\nget,a,\nset,b,\nset,c,60\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	addr := serveFor(t, "--topology", "shared")
	for _, how := range [][]string{
		{"--rate", "2k", "--connections", "4", "--keys", "1k", "--mix", "get=90,set=10", "--zipf", "0.99", "--values", "64..1024"},
		{"--rate", "1k", "--connections", "2", "--trace", trace},
		{"--closed", "--pipeline", "2", "--keys", "500", "--mix", "rmw=1"},
	} {
		out := filepath.Join(dir, how[1]+how[0])
		p := startShardlab(t, append([]string{"load", "--target", addr, "--duration", "1200ms", "--warmup", "0s", "--json", "--out", out}, how...)...)
		code, text, said := p.end(t)
		if code != 0 && code != exitInconclusive {
			t.Fatalf("%v: exit code %d: %s", how, code, said)
		}
		lines := strings.Split(strings.TrimSpace(text), "\n")
		if len(lines) < 2 {
			t.Fatalf("%v: %q", how, text)
		}
		for i, line := range lines {
			kind := "second"
			if i == len(lines)-1 {
				kind = "load"
			}
			fitsSchema(t, kind, []byte(line))
		}
		runs, err := filepath.Glob(filepath.Join(out, "*-load-*"))
		if err != nil || len(runs) != 1 {
			t.Fatalf("%v: runs %v, %v", how, runs, err)
		}
		for name, kind := range map[string]string{"manifest.json": "manifest", "trials.jsonl": "trials", "blocks.jsonl": "blocks", "seconds.jsonl": "second"} {
			data, err := os.ReadFile(filepath.Join(runs[0], name))
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(name, ".json") {
				fitsSchema(t, kind, data)
				continue
			}
			for line := range bytes.Lines(data) {
				fitsSchema(t, kind, line)
			}
		}
	}
	if validate(t, "load", []byte(`{"schema":"shardlab.load/1","kind":1}`)) == nil {
		t.Error("what is no summary fits the schema of one")
	}
}

// TestComparisonsFitTheirSchemas does so for a recorded run.
func TestComparisonsFitTheirSchemas(t *testing.T) {
	if testing.Short() {
		t.Skip("recorded runs are read in one goroutine")
	}
	published := filepath.Join("..", "..", "results", "published")
	const run, other = "20261130T110809Z", "20261125T084659Z"
	for kind, args := range map[string][]string{"comparison": {run}, "runs": {run, other}} {
		code, text, said := startShardlab(t, append([]string{"compare", "--json", "--results", published}, args...)...).end(t)
		if code != 0 {
			t.Fatal(said)
		}
		fitsSchema(t, kind, []byte(text))
	}
}

// TestTrendsFitTheirSchemas does so for a record of gates, and for what is printed of it.
func TestTrendsFitTheirSchemas(t *testing.T) {
	var record bytes.Buffer
	for i, ratio := range []float64{1, 1.04, 1.05, 1.04, 1.06, 1.05} {
		common := gate.TrendLine{Time: time.Date(2026, 11, 1+i, 0, 0, 0, 0, time.UTC), Run: fmt.Sprint("run", i), Revision: "b", Anchor: "a"}
		interval := analysis.Interval{Lo: ratio * 0.99, Hi: ratio * 1.01}
		for _, l := range gate.TrendLines(common, []gate.Row{{Point: "scenario=reads", Metric: gate.CPU, Ratio: ratio, Interval: &interval, N: 24}}) {
			if err := json.NewEncoder(&record).Encode(l); err != nil {
				t.Fatal(err)
			}
		}
	}
	for line := range bytes.Lines(record.Bytes()) {
		fitsSchema(t, "trend", line)
	}
	file := filepath.Join(t.TempDir(), "trend.jsonl")
	if err := os.WriteFile(file, record.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	code, text, said := startShardlab(t, "trend", file, "--json").end(t)
	if code != 0 || !strings.Contains(text, `"beyond": 5`) {
		t.Fatal(code, said, text)
	}
	fitsSchema(t, "trend-summary", []byte(text))
	if validate(t, "trend", []byte(`{"schema":"shardlab.trend/1"}`)) == nil {
		t.Error("what is no line of a record fits the schema of one")
	}
}

func fitsSchema(t *testing.T, kind string, data []byte) {
	t.Helper()
	if err := validate(t, kind, data); err != nil {
		t.Errorf("%s: %v in %.2000s", kind, err, data)
	}
}

// validate holds data against what shardlab schema prints.
func validate(t *testing.T, kind string, data []byte) error {
	t.Helper()
	code, text, said := startShardlab(t, "schema", kind).end(t)
	if code != 0 {
		t.Fatal(said)
	}
	var schema jsonschema.Schema
	if err := json.Unmarshal([]byte(text), &schema); err != nil {
		t.Fatal(err)
	}
	resolved, err := schema.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return resolved.Validate(v)
}
