package gate

import (
	"slices"
	"testing"

	"github.com/shardlab/shardlab/results"
)

// A point whose change was looked for a second time through all looks, and neither shown nor excluded, takes nothing from another
// one whose change is seen only then: it is measured again as well.
func TestConfirmationsOfTwoPointsAreApart(t *testing.T) {
	plan := NewPlan([]Primary{{"a", CPU, 0.05, 0}, {"b", CPU, 0.05, 0}}, DefaultBlocks)
	var lines []results.Slice
	var trials []results.Trial
	measure := func(point string, m made) {
		l, t := m.run()
		for i := range l {
			l[i].Point = point
		}
		for i := range t {
			t[i].Point = point
		}
		lines, trials = append(lines, l...), append(trials, t...)
	}
	a, b := usual(), usual()
	a.head, a.blocks = 0.07, 6
	b.head, b.blocks, b.process = 0.045, 6, 0.03 // not to be seen with six blocks
	measure("a", a)
	measure("b", b)
	if block, points := Next(plan, lines, trials, 6, 0); block != plan.Blocks() || !slices.Equal(points, []string{"a"}) {
		t.Fatalf("block %d at %q, want a's confirmation", block, points)
	}
	a.from, a.blocks, a.seed, a.head, a.process = plan.Blocks(), plan.Blocks(), 2, 0.03, 0.08
	measure("a", a)
	if block, points := Next(plan, lines, trials, 6, plan.Blocks()); block != 6 || !slices.Equal(points, []string{"b"}) {
		t.Fatalf("block %d at %q, want the first measurement of b", block, points)
	}
	b.from, b.blocks, b.process, b.head = 6, 18, 0.004, 0.06
	measure("b", b)
	first := 6
	for ; first < plan.Blocks(); first++ { // until b is decided
		if block, points := Next(plan, lines, trials, first, plan.Blocks()); block != first {
			if block != 2*plan.Blocks() || !slices.Equal(points, []string{"b"}) {
				t.Fatalf("after %d blocks: block %d at %q, want b's confirmation", first, block, points)
			}
			break
		}
	}
	if first == plan.Blocks() {
		t.Fatal("b's confirmation has not begun")
	}
	b.from, b.blocks, b.seed = 2*plan.Blocks(), 6, 3
	measure("b", b)
	if _, points := Next(plan, lines, trials, first, plan.Blocks()+6); len(points) != 0 {
		t.Errorf("after b's confirmation there is more at %q", points)
	}
	v, err := Judge(plan, "", lines, trials)
	if err != nil || outcomes(v) != "inconclusive regressed" || v.Outcome != Regressed {
		t.Errorf("%v %s", err, outcomes(v))
	}
}
