package page

import (
	"bytes"
	"encoding/xml"
	"flag"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/analysis/gate"
	"github.com/shardlab/shardlab/analysis/internal/synth"
	"github.com/shardlab/shardlab/analysis/plots"
	"github.com/shardlab/shardlab/results"
)

var update = flag.Bool("update", false, "rewrite the golden structure")

// madeRun is a run whose names try to break out of the page.
func madeRun(t *testing.T, evil string) Run {
	t.Helper()
	made := synth.New(synth.Config{Seed: 2, Arms: []synth.Arm{{Name: "shared", Rate: 80e3, ServerCPU: 9000, P50: 600e3},
		{Name: "thread-local", Rate: 120e3, ServerCPU: 6000, P50: 400e3}, {Name: "mine" + evil, Rate: 100e3, ServerCPU: 7000, P50: 500e3}},
		Points: synth.Closed(2), Blocks: 6, Slices: 4, Noise: 0.02})
	m := &made.Manifest
	m.Scenario.Name, m.Scenario.Source = "synthetic"+evil, "name: synthetic # "+evil
	m.Argv = []string{"shardlab", "run", "mine.yaml", "--set", "load.rate=[1k,2k]" + evil}
	m.Notes = []string{"a note" + evil}
	m.Code.Dirty = true
	r, err := analysis.New(*m, made.Slices, made.Trials, analysis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r.Warnings = append(r.Warnings, analysis.Warning("a doubt"+evil))
	run := Run{Report: r, Manifest: *m, Left: []string{"No figure of kind load" + evil}}
	d := plots.Data{Report: r, Run: analysis.Run{Manifest: *m, Slices: made.Slices, Trials: made.Trials}, Environment: "a machine" + evil}
	d.Histograms = func() (map[analysis.PointArm]*hdrhistogram.Histogram, error) {
		hists := map[analysis.PointArm]*hdrhistogram.Histogram{}
		for k, h := range made.Histograms {
			hists[analysis.PointArm{Point: k[0], Arm: k[1]}] = h
		}
		return hists, nil
	}
	d.Intervals = func(string, string) ([]results.Interval, error) { return nil, nil }
	for _, name := range []string{"throughput", "latency", "forest", "strip"} {
		k, err := plots.FindKind(name)
		if err != nil {
			t.Fatal(err)
		}
		figures, err := k.Draw(d)
		if err != nil {
			t.Fatal(err)
		}
		run.Figures = append(run.Figures, figures...)
	}
	return run
}

func written(t *testing.T, p Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// skeleton is the page's elements with their identities, without drawings and texts: what must not change by accident.
func skeleton(t *testing.T, html string) string {
	t.Helper()
	html = regexp.MustCompile(`(?s)<(style|script)>.*?</(style|script)>`).ReplaceAllString(html, "")
	html = regexp.MustCompile(`(?s)<svg .*?</svg>`).ReplaceAllString(html, "<svg></svg>")
	d := xml.NewDecoder(strings.NewReader(html))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var b strings.Builder
	depth := 0
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("the page is not well formed: %v", err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			b.WriteString(strings.Repeat(" ", depth) + e.Name.Local)
			for _, a := range e.Attr {
				switch a.Name.Local {
				case "id", "class", "data-arm", "href", "scope":
					b.WriteString(" " + a.Name.Local + "=" + a.Value)
				}
			}
			b.WriteString("\n")
			depth++
		case xml.EndElement:
			depth--
		}
	}
	return b.String()
}

func TestStructure(t *testing.T) {
	got := skeleton(t, written(t, Page{Runs: []Run{madeRun(t, "")}, Beside: []Link{{"another", "/run/another", "quickstart"}}}))
	const path = "testdata/structure.txt"
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the page's structure is not that of %s; if it is meant, run with -update and look at the page", path)
	}
}

func TestThePageSaysWhatItIsOf(t *testing.T) {
	html := written(t, Page{Runs: []Run{madeRun(t, "")}})
	for _, want := range []string{"<td class=\"text\" data-key=\"thread-local &gt; mine &gt; shared\">thread-local &gt; mine &gt; shared</td>", "<span>git</span> <span>checkout</span> <span>abc1234def5678900000</span>",
		"<span>run</span> <span>mine.yaml</span> <span>--set</span> <span>&#39;load.rate=[1k,2k]&#39;</span>", "The source differed from that revision", "a doubt", "No figure of kind load",
		`aria-label="Ratio to shared"`, `<g data-arm="thread-local">`, `<tr data-arm="thread-local">`, "name: synthetic"} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q in the page", want)
		}
	}
	order := []string{">Verdicts</h3>", ">Figures</h3>", ">Tables</h3>", "how to run it again</h3>"}
	last := -1
	for _, h := range order {
		at := strings.Index(html, h)
		if at <= last {
			t.Errorf("%s stands at %d, after %d", h, at, last)
		}
		last = at
	}
}

// TestNothingIsFetched: no reference leads out of the page but links of a served one.
func TestNothingIsFetched(t *testing.T) {
	html := written(t, Page{Runs: []Run{madeRun(t, "")}})
	for _, m := range regexp.MustCompile(`(?i)\b(src|href|xlink:href|action|data)="([^"]*)"`).FindAllStringSubmatch(html, -1) {
		if !strings.HasPrefix(m[2], "#") && !strings.HasPrefix(m[2], "data:") {
			t.Errorf("the page refers to %s", m[0])
		}
	}
	if !strings.Contains(html, "default-src 'none'") || strings.Contains(html, "@import") || strings.Contains(html, "url(") {
		t.Error("the page may fetch something")
	}
}

// TestNamesCannotBreakOut has markup in every text of a run.
func TestNamesCannotBreakOut(t *testing.T) {
	const evil = `"><script>alert(1)</script><b class='x`
	html := written(t, Page{Runs: []Run{madeRun(t, evil)}, Beside: []Link{{evil, "javascript:alert(1)", evil}}})
	if strings.Contains(html, "<script>alert") || strings.Contains(html, "<b class") || strings.Contains(html, `href="javascript:`) {
		t.Error("a name is markup")
	}
	skeleton(t, html)
}

func TestGateStandsFirst(t *testing.T) {
	run := madeRun(t, "")
	run.Verdict = &gate.Verdict{Outcome: gate.Regressed, Meaning: "head is slower", Contaminated: "base differs from base",
		Rows: []gate.Row{{Point: "pipeline=1", Metric: gate.CPU, Delta: 0.05, Outcome: gate.Regressed, Meaning: "7 % more", Ratio: 1.07, N: 6,
			Interval: &analysis.Interval{Lo: 1.05, Hi: 1.09}}}}
	html := written(t, Page{Runs: []Run{run}})
	for _, want := range []string{"<strong>regressed</strong>: head is slower", "contaminated: base differs from base", "99 %: 1.050–1.090", "5.0 %"} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q in the page", want)
		}
	}
}

func TestQuotedForAShell(t *testing.T) {
	check := func(word, want string) {
		t.Helper()
		if got := quoted(word); got != want {
			t.Errorf("%q is quoted as %s, want %s", word, got, want)
		}
	}
	check("load.rate=10k", "load.rate=10k")
	check("p99 < 1ms", "'p99 < 1ms'")
	check("it's", `'it'\''s'`)
	check("", "''")
	check("$(rm -r x)", "'$(rm -r x)'")
}
