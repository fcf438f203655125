package gate

import (
	"errors"
	"strings"
	"testing"

	"github.com/shardlab/shardlab/results"
)

// failed is the verdict on a run of which change has spoilt slices.
func failed(t *testing.T, m made, change func(s *results.Slice)) (*Verdict, error) {
	t.Helper()
	lines, trials := m.run()
	for i := range lines {
		change(&lines[i])
	}
	return Judge(threePrimaries(), "", lines, trials)
}

// What head alone fails in is red, though the pairs are dropped, and though it makes head faster; what it fails in rarely cannot pass;
// what base does as well is nothing.
func TestFailingHead(t *testing.T) {
	check := func(name string, m made, change func(s *results.Slice), want, meaning string) {
		t.Helper()
		v, err := failed(t, m, change)
		if err != nil {
			t.Fatal(name, err)
		}
		if outcomes(v) != want || !strings.Contains(v.Rows[0].Meaning, meaning) {
			t.Errorf("%s: %s: %s", name, outcomes(v), v.Rows[0].Meaning)
		}
	}
	const red, open, pass = "regressed regressed regressed", "inconclusive inconclusive inconclusive", "pass pass pass"
	head := func(s *results.Slice) bool { return s.Arm == Head }
	check("errors", usual(), func(s *results.Slice) {
		if head(s) {
			s.Errors, s.FirstError = 3, "GET: ERR no"
		}
	}, red, "it fails: error replies: GET: ERR no in 60 slices of 6 blocks, of base in none")
	check("few errors", usual(), func(s *results.Slice) {
		if head(s) && s.Slice == 0 {
			s.Errors = 1
		}
	}, red, "error replies in 6 slices of 6 blocks")
	faster := usual()
	faster.head = -0.07
	check("lost keys", faster, func(s *results.Slice) {
		if head(s) {
			s.Misses = s.Replies
		}
	}, red, "lost keys")
	check("wrong values, seldom", usual(), func(s *results.Slice) {
		if head(s) && s.Slice == 0 && s.Block < 3 {
			s.Corrupt = 1
		}
	}, open, "it fails: wrong values in 3 slices of 3 blocks")
	check("errors, and base's once", usual(), func(s *results.Slice) {
		if head(s) || s.Arm == Base && s.Slice == 0 && s.Block%24 == 2 {
			s.Errors, s.FirstError = 3, "GET: ERR no"
		}
	}, red, "it fails: error replies: GET: ERR no in 59 slices of 6 blocks, of base in none")
	check("errors, and base alone in a block", usual(), func(s *results.Slice) {
		if head(s) && s.Block%24 != 2 || s.Arm == Base && s.Slice == 0 && s.Block%24 == 2 {
			s.Errors = 1
		}
	}, red, "it fails: error replies in 90 slices of 9 blocks, of base more often in 1")
	check("once", usual(), func(s *results.Slice) {
		if head(s) && s.Slice == 0 && s.Block == 0 {
			s.Errors = 1
		}
	}, pass, "")
	check("keys that expire", usual(), func(s *results.Slice) { s.Misses = 5 }, pass, "")
	check("base fails", usual(), func(s *results.Slice) {
		if s.Arm != Head && s.Slice == 0 {
			s.Errors = 1
		}
	}, pass, "")
	check("stands still", usual(), func(s *results.Slice) {
		if head(s) && s.Slice == 0 {
			s.Replies = 0
		}
	}, red, "no replies in 6 slices of 6 blocks")
}

// A control that fails where base does not contaminates: it is base.
func TestFailingControl(t *testing.T) {
	v, err := failed(t, usual(), func(s *results.Slice) {
		if s.Arm == Control {
			s.Errors = 1
		}
	})
	if err != nil || !strings.Contains(v.Contaminated, "base fails a second time beside itself: error replies in 60 slices of 6 blocks") {
		t.Errorf("%v %q", err, v.Contaminated)
	}
}

// A gate that has compared nothing through no fault of the host is an error, not a verdict that may be waved through.
func TestNothingThatCounts(t *testing.T) {
	_, err := failed(t, usual(), func(s *results.Slice) { s.Errors = 1 })
	if !errors.Is(err, ErrNothing) || !strings.Contains(err.Error(), "6 of 6 blocks are void (error replies)") {
		t.Error(err)
	}
	lines, trials := usual().run()
	for i := range lines {
		lines[i].HeapLive = 0
	}
	plan := NewPlan([]Primary{{"", Allocs, 0.05, 0}}, DefaultBlocks)
	if _, err = Judge(plan, "", lines, trials); !errors.Is(err, ErrNothing) || !strings.Contains(err.Error(), "1 + allocations/op was not measured in both arms") {
		t.Error(err)
	}
}

// A look is over so many blocks of a point, whatever their numbers: another point may have been measured again before.
func TestLooksCountBlocks(t *testing.T) {
	plan := threePrimaries()
	m := usual()
	m.head, m.blocks = 0.07, 6
	lines, trials := m.run()
	m.from, m.seed = plan.Blocks()+6, 2
	l2, t2 := m.run()
	v, err := Judge(plan, "", append(lines, l2...), append(trials, t2...))
	if err != nil || outcomes(v) != "regressed regressed regressed" {
		t.Errorf("%v %s: %s", err, outcomes(v), v.Rows[0].Meaning)
	}
}
