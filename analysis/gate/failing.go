package gate

import (
	"fmt"

	"github.com/shardlab/shardlab/results"
)

// How many blocks, fresh processes each, an arm must have failed in alone to be called failing, and to be held back from
// passing. Whatever befalls both arms alike comes to four of one and none of the other once in 16 times, which the
// confirmation makes once in 256.
const (
	leastFailing = 4
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
	blocks, slices int
	how            string // in the first of the slices
}

func (f *failure) add(s *results.Slice, how string) {
	f.slices++
	if f.slices > 1 {
		return
	}
	if f.blocks, f.how = 1, how; s.FirstError != "" {
		f.how += ": " + s.FirstError
	}
}

func (f *failure) join(o failure) {
	if f.slices == 0 {
		f.how = o.how
	}
	f.blocks, f.slices = f.blocks+o.blocks, f.slices+o.slices
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

// failing is what an arm fails in alone over blocks; nothing where the reference does so as well at times.
func failing(blocks []Block) (f failure) {
	var ref failure
	for i := range blocks {
		f.join(blocks[i].failed)
		ref.join(blocks[i].refFailed)
	}
	if ref.blocks > 0 {
		return failure{}
	}
	return f
}

func (f *failure) String() string {
	return fmt.Sprintf("%s in %d slices of %d blocks, of base in none", f.how, f.slices, f.blocks)
}
