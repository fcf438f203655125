package plots

import (
	"fmt"

	"github.com/shardlab/shardlab/analysis"
)

// caption is the paragraphs under a figure: what its marks are, then of which run it is. environment is one line that
// describes the machine.
func caption(r *analysis.Report, environment, marks string) []string {
	revision := r.Run.Revision
	if revision == "" {
		revision = "unknown"
	}
	if environment == "" {
		environment = "environment unknown"
	}
	n := blocksText(r)
	if r.SharedCPU {
		n += " · server and client shared CPUs"
	}
	return []string{
		marks,
		fmt.Sprintf("run %s · revision %.14s · %s · %s", r.Run.ID, revision, environment, n),
	}
}

func blocksText(r *analysis.Report) string {
	lo, hi := 0, 0
	for i, p := range r.Points {
		for j, row := range p.Rows {
			if i == 0 && j == 0 {
				lo, hi = row.Blocks, row.Blocks
			}
			lo, hi = min(lo, row.Blocks), max(hi, row.Blocks)
		}
	}
	if lo != hi {
		return fmt.Sprintf("n = %d to %d blocks, each a fresh process", lo, hi)
	}
	if hi == 1 {
		return "n = 1 block"
	}
	return fmt.Sprintf("n = %d blocks, each a fresh process", hi)
}

// pointTitle names a panel by what is swept and how it was loaded.
func pointTitle(p analysis.PointReport) string {
	if p.Point.Label == "" {
		return p.Load
	}
	return p.Point.Label + " · " + p.Load
}

// armLook is how an arm appears in every figure of a run.
func armLook(r *analysis.Report, arm string) look { return lookOf(placeOf(r.Arms, arm)) }

// legendOf is the arms that were measured, in the order of the manifest.
func legendOf(r *analysis.Report, points []analysis.PointReport) (entries []entry) {
	measured := map[string]bool{}
	for _, p := range points {
		for _, row := range p.Rows {
			measured[row.Arm] = true
		}
	}
	for _, a := range r.Arms {
		if measured[a] {
			entries = append(entries, entry{label: a, arm: a, look: armLook(r, a), line: true})
		}
	}
	return entries
}
