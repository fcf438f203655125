package plots

import (
	"slices"
	"strings"
	"testing"

	"github.com/shardlab/shardlab/analysis"
	"github.com/shardlab/shardlab/analysis/internal/synth"
	"github.com/shardlab/shardlab/results"
)

// TestAdaptiveMatrix: cells say how many blocks they have where that came of looking at them, and the caption why.
func TestAdaptiveMatrix(t *testing.T) {
	points := sweepOf([]string{"1", "8", "64"}, []string{"64", "4KiB"})
	run := synth.New(synth.Config{Seed: 5, Arms: arms[:3], Points: points, Blocks: 9, Slices: 6, Noise: 0.02})
	extra := func(point string, block int) bool { return block >= 6 && !strings.Contains(point, "connections=8") }
	run.Slices = slices.DeleteFunc(run.Slices, func(s results.Slice) bool { return extra(s.Point, s.Block) })
	run.Trials = slices.DeleteFunc(run.Trials, func(x results.Trial) bool { return extra(x.Point, x.Block) })
	draw := func() (Figure, string) {
		r, err := analysis.New(run.Manifest, run.Slices, run.Trials, analysis.Options{})
		if err != nil {
			t.Fatal(err)
		}
		figures, err := Matrix(Data{Report: r, Run: analysis.Run{Manifest: run.Manifest, Slices: run.Slices, Trials: run.Trials}, Environment: environment})
		if err != nil {
			t.Fatal(err)
		}
		return figures[0], svg(t, figures[0])
	}
	if _, even := draw(); strings.Contains(even, ">n = 9<") {
		t.Error("cells of an even sweep have their number of blocks")
	}
	plan := analysis.NewSampling(7, len(points), analysis.Throughput)
	run.Manifest.Sampling = &plan
	f, text := draw()
	mustContain(t, text, "n = 6<", "n = 9<")
	if caption := strings.Join(f.Caption, " "); !strings.Contains(caption, "n: blocks of the cell") || !strings.Contains(caption, "n = 6 to 9 blocks") {
		t.Errorf("caption %q", caption)
	}
	compareGolden(t, "matrix-adaptive", f)
}
