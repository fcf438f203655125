package analysis

import (
	"fmt"
	"math"

	"github.com/shardlab/shardlab/results"
)

func checkMisses(e evidence) *Finding {
	n, reads := e.missed()
	expected := 0.0
	if x := e.point.ExpectedMisses; x != nil {
		expected = *x
	} else if e.point.MayMiss {
		return nil
	}
	// A share that is expected is met by chance only.
	most := expected*reads + samplingErrors*math.Sqrt(expected*(1-expected)*reads)
	if e.arm.Responder || n <= most {
		return nil
	}
	f := &Finding{Invalid, "preloaded keys were missing, and a miss costs less than a hit",
		fmt.Sprintf("%.0f of %.0f reads", n, reads),
		"raise the server's memory limit, or say workload.expected_misses"}
	if expected > 0 {
		f.Reason, f.Detail = "more reads found nothing than was expected, and a miss costs less than a hit",
			fmt.Sprintf("%.3g%% of the reads, not %.3g%%", 100*n/reads, 100*expected)
	}
	return f
}

// maxUnexpected is the share of misses that is worth a word where nobody has said how many to expect.
const maxUnexpected = 0.01

// missDoubt is about misses that the mix explains, and nobody has expected.
func (e evidence) missDoubt() Warning {
	n, reads := e.missed()
	if !e.point.MayMiss || e.point.ExpectedMisses != nil || e.arm.Responder || n <= maxUnexpected*reads {
		return ""
	}
	return "more than 1% of the reads found nothing, and a miss costs less than a hit; say how many are meant with workload.expected_misses"
}

func (e evidence) missed() (n, reads float64) {
	return float64(e.total(func(s *results.Slice) uint64 { return s.Misses })),
		float64(e.total(func(s *results.Slice) uint64 { return max(s.Reads, s.Ops["GET"]) }))
}

func checkPreload(e evidence) *Finding {
	if e.arm.Responder {
		return nil
	}
	mayBeGone := e.point.ExpectedMisses != nil && *e.point.ExpectedMisses > 0
	for _, b := range e.blocks {
		if have := b.trial.Keys; have != e.point.Keys && !(mayBeGone && 0 < have && have < e.point.Keys) {
			return &Finding{Invalid, "the server did not hold every preloaded key",
				fmt.Sprintf("%d of %d in block %d", b.trial.Keys, e.point.Keys, b.number),
				"raise the server's memory limit, or preload fewer keys"}
		}
	}
	return nil
}
