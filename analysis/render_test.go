package analysis

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/shardlab/shardlab/analysis/internal/synth"
	"github.com/shardlab/shardlab/results"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
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
		t.Errorf("%s differs; got\n%s", path, got)
	}
}

// sampleRun has something for every footnote: a client-bound arm, one with errors, a quantile without samples.
func sampleRun() *synth.Run {
	arms := append([]synth.Arm{}, twoArms...)
	arms = append(arms, synth.Arm{Name: "thread-local", Rate: 120e3, ServerCPU: 6000, P50: 400e3},
		synth.Arm{Name: "redis", Kind: "reference", Rate: 70e3, ServerCPU: 12000, P50: 700e3})
	r := synth.New(synth.Config{Seed: 1, Arms: arms, Points: synth.Closed(2), Blocks: 6, Slices: 8, Noise: 0.012})
	ofArm(r, "thread-local", func(_ int, s *results.Slice) { s.ClientBusy = 0.93 })
	ofArm(r, "redis", func(i int, s *results.Slice) { s.Errors = uint64(i % 2) })
	for i := range r.Trials {
		if r.Trials[i].Arm == "routed" {
			r.Trials[i].Response.N = 9000
		}
	}
	return r
}

func TestTables(t *testing.T) {
	var wide, narrow strings.Builder
	rep := analyse(t, sampleRun(), Options{})
	if err := rep.Text(&wide, Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "closed.txt", wide.String())

	r := synth.New(synth.Config{Seed: 2, Arms: twoArms, Points: synth.Open(20e3), Blocks: 3, Slices: 4, Noise: 0.02})
	r.Manifest.CPUs.Shared = true
	if err := analyse(t, r, Options{}).Text(&narrow, Style{Width: 60}); err != nil {
		t.Fatal(err)
	}
	golden(t, "open-narrow.txt", narrow.String())
}

func TestTablesKeepTheWidth(t *testing.T) {
	reports := []*Report{analyse(t, sampleRun(), Options{}), sweep(t, USL{Gamma: 5e4, Alpha: 0.1, Beta: 0.004}, someN, 8, 0.01)}
	for _, width := range []int{60, 80, 100, 140} {
		for _, rep := range reports {
			var b strings.Builder
			if err := rep.Text(&b, Style{Width: width}); err != nil {
				t.Fatal(err)
			}
			for _, line := range strings.Split(b.String(), "\n") {
				if columnsOf(line) > width {
					t.Errorf("%d columns where there are %d: %s", columnsOf(line), width, line)
				}
				if strings.TrimRight(line, " ") != line {
					t.Errorf("blanks at the end of %q", line)
				}
			}
		}
	}
}

// TestNoValuesNoUnit: a column without a value has no unit that someone could take for its scale.
func TestNoValuesNoUnit(t *testing.T) {
	r := synth.New(synth.Config{Seed: 1, Arms: twoArms, Points: synth.Closed(1), Blocks: 6, Slices: 4, Noise: 0.012})
	for i := range r.Trials {
		r.Trials[i].Response.N = 5000 // enough for p99
	}
	var b strings.Builder
	if err := analyse(t, r, Options{}).Text(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	head := regexp.MustCompile(`(?m)^arm +p50, µs.*`).FindString(b.String())
	if !strings.Contains(head, "p99, ") || !strings.Contains(head, "p99.9") || strings.Contains(head, "p99.9,") {
		t.Errorf("the head is %q", head)
	}
}

func TestColourOnlyAddsColour(t *testing.T) {
	rep := analyse(t, sampleRun(), Options{})
	var plain, colour strings.Builder
	if err := rep.Text(&plain, Style{}); err != nil {
		t.Fatal(err)
	}
	if err := rep.Text(&colour, Style{Color: true}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(plain.String(), "\x1b") || !strings.Contains(colour.String(), "\x1b[") {
		t.Error("colour where none was asked, or none where it was")
	}
	if regexp.MustCompile("\x1b\\[[0-9]*m").ReplaceAllString(colour.String(), "") != plain.String() {
		t.Error("the coloured text is another")
	}
}

func TestNotesAreNumberedOnce(t *testing.T) {
	var n notes
	if a, b, c := n.add("x", "one"), n.add("y", ""), n.add("x", "two"); a != 1 || b != 2 || c != 1 {
		t.Errorf("numbers %d %d %d", a, b, c)
	}
	n.add("x", "one")
	var b strings.Builder
	n.write(&b, 80)
	if want := "  ¹ x — one; two\n  ² y\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
	if got := (marks{12, 3, 12}).String(); got != "³,¹²" {
		t.Errorf("marks %q", got)
	}
}
