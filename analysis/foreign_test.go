package analysis

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/shardlab/shardlab/analysis/internal/synth"
)

func foreignReport(t *testing.T) *Report {
	t.Helper()
	run := synth.New(synth.Config{Seed: 3, Arms: []synth.Arm{{Name: "shared", Rate: 50e3, ServerCPU: 9000, P50: 9e5},
		{Name: "redis", Kind: "reference", Rate: 60e3, ServerCPU: 8000, P50: 8e5}}, Points: synth.Closed(2), Blocks: 6, Slices: 6, Noise: 0.01})
	run.Slices[0].Errors = 3 // shared at the first point is invalid
	r, err := New(run.Manifest, run.Slices, run.Trials, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestBMF(t *testing.T) {
	var b bytes.Buffer
	if err := foreignReport(t).BMF(&b); err != nil {
		t.Fatal(err)
	}
	var got map[string]map[string]struct {
		Value float64  `json:"value"`
		Lower *float64 `json:"lower_value"`
		Upper *float64 `json:"upper_value"`
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if _, ok := got["synthetic/pipeline=1/shared"]; ok || len(got) != 3 {
		t.Errorf("%d benchmarks, an invalid row among them: %v", len(got), ok)
	}
	m := got["synthetic/pipeline=4/redis"]["throughput"]
	if m.Lower == nil || !(*m.Lower < m.Value && m.Value < *m.Upper) || m.Value < 80e3 || m.Value > 110e3 {
		t.Errorf("%+v", m)
	}
}

func TestActionBenchmark(t *testing.T) {
	names := func(bigger bool) string {
		var b bytes.Buffer
		if err := foreignReport(t).ActionBenchmark(&b, bigger); err != nil {
			t.Fatal(err)
		}
		var got []struct{ Name, Unit, Range, Extra string }
		if err := json.Unmarshal(b.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, x := range got {
			all = append(all, x.Name+" "+x.Unit)
			if x.Range == "" || !strings.Contains(x.Extra, "median of 6 blocks") || !strings.Contains(x.Extra, "env_key env1") {
				t.Errorf("%+v", x)
			}
		}
		return strings.Join(all, "\n")
	}
	if got, want := names(true), "synthetic/pipeline=1/redis throughput ops/s\nsynthetic/pipeline=4/shared throughput ops/s\n"+
		"synthetic/pipeline=4/redis throughput ops/s"; got != want {
		t.Errorf("bigger:\n%s", got)
	}
	if got := names(false); strings.Contains(got, "throughput") || !strings.Contains(got, "synthetic/pipeline=1/redis server-cpu ns/op") {
		t.Errorf("smaller:\n%s", got)
	}
}

func TestJUnit(t *testing.T) {
	var b bytes.Buffer
	if err := foreignReport(t).JUnit(&b); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Cases    []struct {
			Name    string `xml:"name,attr"`
			Failure *struct {
				Message string `xml:"message,attr"`
			} `xml:"failure"`
			Out string `xml:"system-out"`
		} `xml:"testcase"`
	}
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	first := got.Cases[0]
	if got.Tests != 4 || got.Failures != 1 || first.Name != "pipeline=1 shared" || first.Failure == nil ||
		first.Failure.Message != "the server answered with errors" || !strings.Contains(first.Out, "invalid") {
		t.Errorf("%+v", got)
	}
	if last := got.Cases[3]; last.Failure != nil || !strings.Contains(last.Out, "throughput") {
		t.Errorf("%+v", last)
	}
}

// A report of nothing is a document of nothing.
func TestForeignFormatsOfNothing(t *testing.T) {
	var r Report
	var a, b, c bytes.Buffer
	if err := r.BMF(&a); err != nil || strings.TrimSpace(a.String()) != "{}" {
		t.Errorf("BMF: %q, %v", a.String(), err)
	}
	if err := r.ActionBenchmark(&b, true); err != nil || strings.TrimSpace(b.String()) != "[]" {
		t.Errorf("benchmark action: %q, %v", b.String(), err)
	}
	if err := r.JUnit(&c); err != nil || !strings.Contains(c.String(), `tests="0"`) {
		t.Errorf("JUnit: %q, %v", c.String(), err)
	}
}
