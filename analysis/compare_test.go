package analysis

import (
	"math"
	"strings"
	"testing"
)

func values(v ...float64) []BlockValue {
	out := make([]BlockValue, len(v))
	for i, x := range v {
		out[i] = BlockValue{Block: i, Value: x}
	}
	return out
}

func TestPairedRatioCancelsWhatBlocksShare(t *testing.T) {
	ref := values(100, 200, 400, 800, 1600, 3200)
	arm := values(111, 219, 442, 879, 1762, 3515)
	r := PairedRatio(arm, ref)
	if math.Abs(r.Value-1.1) > 0.005 || r.N != 6 || r.Unpaired != 0 || len(r.Warnings) != 0 {
		t.Fatalf("got %+v", r)
	}
	if !r.Distinct() || r.Interval.Hi-r.Interval.Lo > 0.03 {
		t.Errorf("interval %+v: blocks that differ by a factor of 32 have widened it", *r.Interval)
	}
	back := PairedRatio(ref, arm)
	if math.Abs(back.Value*r.Value-1) > 1e-12 {
		t.Errorf("the ratio is %v one way and %v the other", r.Value, back.Value)
	}
}

func TestPairedRatioLeavesOutWhatHasNoPair(t *testing.T) {
	arm := []BlockValue{{0, 10}, {1, 10}, {2, 0}, {3, 10}, {4, 10}}
	ref := []BlockValue{{1, 10}, {2, 10}, {3, 10}, {4, 10}, {7, 10}}
	r := PairedRatio(arm, ref)
	if r.N != 3 || r.Unpaired != 3 || r.Value != 1 || r.Interval != nil {
		t.Errorf("got %+v, want 3 pairs and 3 blocks left out", r)
	}
	if len(r.Warnings) != 2 || r.Warnings[0] != tooFewBlocks(3) {
		t.Errorf("warnings %q", r.Warnings)
	}
	if r.Distinct() {
		t.Error("distinct without an interval")
	}
}

func TestNoCommonBlockIsAWarningNotANumber(t *testing.T) {
	for _, ref := range [][]BlockValue{nil, {{9, 5}}, {{0, math.NaN()}}, {{0, -1}}} {
		r := PairedRatio(values(1), ref)
		if r.Known() || r.Value != 0 || r.Interval != nil || len(r.Warnings) != 1 || r.String() != "–" {
			t.Errorf("against %v: %+v", ref, r)
		}
	}
	if r := unpairedRatio(values(1, 2), nil, false); r.Known() || len(r.Warnings) != 1 {
		t.Errorf("unpaired against nothing: %+v", r)
	}
}

func TestUnpairedRatio(t *testing.T) {
	r := unpairedRatio(values(110, 112, 108, 110, 109, 111, 110), values(100, 101, 99, 100, 98, 102), false)
	if math.Abs(r.Value-1.1) > 0.01 || r.N != 6 || !r.Distinct() {
		t.Errorf("got %+v", r)
	}
	if r := unpairedRatio(values(2, 0), values(1), false); r.Value != 2 || r.Unpaired != 1 || r.Interval != nil {
		t.Errorf("few: %+v", r)
	}
}

func TestRatioString(t *testing.T) {
	check := func(want string, r Ratio) {
		t.Helper()
		if got := r.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	check("+0.6% [-0.3, +1.5]", Ratio{Value: 1.006, N: 6, Interval: &Interval{0.997, 1.015}})
	// The sign stays: an interval that ends just below 0 must not look as if it included it.
	check("-0.0%", Ratio{Value: 0.9999, N: 3})
	check("+0.0%", Ratio{Value: 1, N: 3})
	check("+330% [+99.8, +1234]", Ratio{Value: 4.3, N: 6, Interval: &Interval{1.998, 13.34}})
	check("-50.0%", Ratio{Value: 0.5, N: 1})
}

func TestHugeIntervalsStayNumbers(t *testing.T) {
	r := PairedRatio(values(1e300, 1, 1e-300, 1, 1e300, 1), values(1e-300, 1, 1e300, 1, 1, 1))
	for _, v := range []float64{r.Interval.Lo, r.Interval.Hi} {
		if math.IsInf(v, 0) || math.IsNaN(v) {
			t.Errorf("interval %+v", *r.Interval)
		}
	}
	if s := r.String(); strings.Contains(s, "Inf") {
		t.Error(s)
	}
}
