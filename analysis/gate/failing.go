package gate

import (
	"fmt"
	"math"

	"github.com/shardlab/shardlab/results"
)

// What an arm fails in more often than its reference is counted in blocks, fresh processes each. Whatever befalls both arms alike comes to
// four blocks of one and none of the other once in 16 times, which the confirmation makes once in 256; so does six to one, or eight to
// two. maxFailing is that probability, of so many or more by a fair coin; leastSuspect blocks more hold an arm back from passing.
const (
	maxFailing   = 1.0 / 16
	leastSuspect = 2
)

// fails says how a server has failed in a slice; "" if it has not. The metrics cannot show it: of what answers with errors, or not
// at all, the pair is dropped; what has timed out has no response time; and what has lost its keys is fast.
func fails(s *results.Slice) string {
	switch {
	case s.Errors > 0:
		return "error replies"
	case s.Corrupt > 0:
		return "wrong values"
	case s.Valid && s.Dur > 0 && s.Replies == 0:
		return "no replies"
	case s.TimedOut > 0:
		return "timeouts"
	case s.Misses > 0:
		return "lost keys"
	}
	return ""
}

// failure is where one of two arms has failed and the other has not.
type failure struct {
	blocks, others int    // blocks in which the one has failed in more slices, and those in which the other has
	slices         int    // of the one
	how            string // in the first of the slices
}

// certain says whether it is no chance that it is this arm.
func (f *failure) certain() bool { return chance(f.blocks, f.others) <= maxFailing }

// chance is the probability that a fair coin gives so many, or more, of one side.
func chance(one, other int) (p float64) {
	n, ways := one+other, 1.0 // to choose k of n
	for k := range other + 1 {
		p += ways / math.Exp2(float64(n))
		ways *= float64(n-k) / float64(k+1)
	}
	return p
}

// suspect says whether the arm may not pass for it.
func (f *failure) suspect() bool { return f.blocks-f.others >= leastSuspect }

func (f *failure) add(s *results.Slice, how string) {
	f.slices++
	if f.slices > 1 {
		return
	}
	if f.how = how; s.FirstError != "" {
		f.how += ": " + s.FirstError
	}
}

// compareFailures counts the pairs in which one arm has failed and the other has not.
func (b *Block) compareFailures(p pair) {
	arm, ref := fails(p.arm), fails(p.ref)
	switch {
	case arm != "" && ref == "":
		b.failed.add(p.arm, arm)
	case ref != "" && arm == "":
		b.refFailed.add(p.ref, ref)
	}
}

// failing is what an arm fails in over blocks, against its reference.
func failing(blocks []Block) (f failure) {
	for i := range blocks {
		arm, ref := &blocks[i].failed, &blocks[i].refFailed
		switch {
		case arm.slices > ref.slices:
			f.blocks++
		case ref.slices > arm.slices:
			f.others++
		}
		if f.slices == 0 {
			f.how = arm.how
		}
		f.slices += arm.slices
	}
	return f
}

func (f *failure) String() string {
	base := "in none"
	if f.others > 0 {
		base = fmt.Sprintf("more often in %d", f.others)
	}
	return fmt.Sprintf("%s in %d slices of %d blocks, of base %s", f.how, f.slices, f.blocks, base)
}
