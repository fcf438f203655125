package analysis

import (
	"fmt"
	"math"

	"github.com/shardlab/shardlab/results"
)

// checkTrend finds what the halves that checkDrift compares have in common: a steady climb within each of them.
func checkTrend(e evidence) *Finding {
	if !e.order.unsteady() || e.drift.unsteady() { // once is enough
		return nil
	}
	what, over := "throughput", "within the blocks, beyond what all arms share"
	if e.open() {
		what = "median response time"
	}
	if len(e.blocks) == 1 {
		over = "over the seconds of the load"
	}
	return &Finding{Unsteady, what + " has a trend " + over, fmt.Sprintf("%s%% from first to last, tau %.2f",
		percent(math.Exp(e.order.Change)), e.order.Tau), "warm up longer, or preload more keys"}
}

// checkPlateau: a block now and then whose noise hides its plateau is to be expected, and is a warning; see warmupDoubts.
func checkPlateau(e evidence) *Finding {
	blocks, without, change := plateaus(e.blocks)
	if without == 0 || float64(without) <= maxVoid*float64(blocks) {
		return nil
	}
	detail := fmt.Sprintf("%d of %d blocks", without, blocks)
	if change.Metric != "" {
		detail += fmt.Sprintf(", where %s still changed by up to %s%%", change.Metric, percent(math.Exp(change.Shift)))
	}
	return &Finding{NoPlateau, "rate, response time and CPU came to no plateau before the warm-up ended", detail,
		"raise run.warmup_max, or preload fewer keys; if that does not help, what is measured never settles"}
}

// plateaus counts the blocks whose warm-up was watched, and those of them without a plateau. change is the largest that spoke
// against one.
func plateaus(blocks []*block) (watched, without int, change results.Warmup) {
	for _, b := range blocks {
		w := b.trial.Warmup
		if !w.Detected || w.Metric == "" && !w.Plateau { // not looked for, or nothing to look at
			continue
		}
		watched++
		if w.Plateau {
			continue
		}
		without++
		if math.Abs(w.Shift) >= math.Abs(change.Shift) {
			change = w
		}
	}
	return watched, without, change
}

// warmupDoubts are what is to be said of warm-ups that the verdict lets pass.
func warmupDoubts(blocks []*block) (out []Warning) {
	watched, without, _ := plateaus(blocks)
	if without > 0 && float64(without) <= maxVoid*float64(watched) {
		out = append(out, Warning(fmt.Sprintf("%d of %d blocks began before their warm-up had come to a plateau", without, watched)))
	}
	for _, b := range blocks {
		if w := b.trial.Warmup; w.Detected && !w.Plateau && w.Metric == "" {
			return append(out, "too little was answered while it warmed up to see a plateau")
		}
	}
	return out
}
