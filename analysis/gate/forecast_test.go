package gate

import (
	"math"
	"testing"
)

// The spread of blocks is told from a few short ones: that of slices by the square root of their number, and what
// processes differ by on top.
func TestForecast(t *testing.T) {
	m := usual()
	m.blocks, m.slice, m.process = 40, 0.05, 0.02
	lines, trials := m.run()
	all, void := Forecasts(lines, trials, "", Head, Base, 30)
	// Two arms' slices and processes: the spreads of a difference.
	want := math.Sqrt2 * math.Hypot(0.05/math.Sqrt(30), 0.02)
	if len(all) != 3 || void != 0 || math.Abs(all[0].SD/want-1) > 0.25 {
		t.Fatalf("%+v, %g void; want a spread of %g", all, void, want)
	}
	last := math.Inf(1)
	for _, l := range all[0].Looks {
		if !(l.Change > 0 && l.Change < last) {
			t.Errorf("%+v: more blocks find less", all[0].Looks)
		}
		last = l.Change
	}
	if none, _ := Forecasts(nil, nil, "", Head, Base, 30); len(none) != 0 {
		t.Errorf("%+v of nothing", none)
	}
}
