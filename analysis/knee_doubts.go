package analysis

import (
	"fmt"
	"math"
	"time"

	"github.com/shardlab/shardlab/results"
)

// doubts says what a reader must know of the row.
func (r *KneeRow) doubts() {
	ended := map[string]int{} // by why there is no upper end next to the lower
	var nothing []results.Knee
	sticky, below, above := 0, 0.0, math.Inf(1)
	for _, k := range r.Blocks {
		if k.FromAbove > 0 {
			sticky++
			below, above = max(below, k.FromBelow), min(above, k.FromAbove)
		}
		if k.Lo == 0 {
			nothing = append(nothing, k)
		} else {
			ended[k.Open]++
		}
	}
	r.open(ended, nothing)
	n := len(r.Blocks)
	add := func(n int, format string, args ...any) {
		if n > 0 {
			r.Warnings = append(r.Warnings, Warning(fmt.Sprintf(format, args...)))
		}
	}
	some := ended[results.KneeUnsteady]
	add(some, "unsteady: in %d of %d blocks the search gave up, because too many probes showed nothing or spoke against each other; "+
		"measure on a quieter machine, or with a longer --probe", some, n)
	some = ended[results.KneeTime]
	add(some, "time: in %d of %d blocks the search had not come to its end when its time was up; its ends are not confirmed: give it more with "+
		"--search-max", some, n)
	some = ended[results.KneeClientBound]
	add(some, "client-bound: in %d of %d blocks the load generator was at its limit above the lower end; the knee may be higher%s", some, n,
		r.advice())
	some = ended[results.KneeMax]
	add(some, "in %d of %d blocks the highest rate that was allowed still met the bound; raise --max", some, n)
	if len(nothing) > 0 {
		add(1, "in %d of %d blocks no rate met the bound%s", len(nothing), n, nothingText(&nothing[0]))
	}
	r.undecided()
	add(sticky, "hysteresis: in %d of %d blocks the server bore less after an overload (%s/s) than before (%s/s); the interval "+
		"holds both", sticky, n, shortSI(above), shortSI(below))
	if n < MinBlocks && r.Open != results.KneeInterrupted {
		text := fmt.Sprintf("the interval is from minimum to maximum, which encloses the median with %.0f%%", 100*r.Coverage)
		if n == 1 {
			text = "one block shows nothing of how fresh processes differ"
		}
		add(1, "%s; %d blocks give %.0f%%", text, MinBlocks, Level*100)
	}
}

// open says why the row lacks an end, where it does, by why its blocks' searches ended and by those that found nothing.
func (r *KneeRow) open(ended map[string]int, nothing []results.Knee) {
	switch {
	case r.Open != "" || r.Lo > 0 && r.Hi > 0:
	case r.Lo == 0 && (r.Hi > 0 || nothing[0].Open != ""):
		r.Open = nothing[0].Open
	default:
		r.Open = results.KneeMax
		for _, why := range []string{results.KneeTime, results.KneeUnsteady, results.KneeClientBound} {
			if ended[why] > 0 {
				r.Open = why
			}
		}
	}
}

// advice is what would do about a client that was at its limit.
func (r *KneeRow) advice() string {
	for i := range r.Blocks {
		if limit := limitOf(&r.Blocks[i]); limit != "" {
			return " (" + limit + ")"
		}
	}
	return ""
}

// limitOf is what the first probe says of the client that missed the bound through its fault.
func limitOf(k *results.Knee) string {
	for _, p := range k.Probes {
		if p.Outcome == probeLimited {
			return p.Limit
		}
	}
	return ""
}

// Outcomes as results.KneeProbe has them.
const (
	probeLimited   = "client-bound"
	probeUndecided = "undecided"
)

// undecided says that probes within the interval have shown nothing, where there are such.
func (r *KneeRow) undecided() {
	var some, all int
	var longest time.Duration
	for _, k := range r.Blocks {
		all += len(k.Probes)
		for _, p := range k.Probes {
			if p.Outcome == probeUndecided && p.Rate > r.Lo && (p.Rate < r.Hi || r.Hi == 0) {
				some, longest = some+1, max(longest, time.Duration(p.Dur))
			}
		}
	}
	if some > 0 && r.Lo > 0 {
		r.Warnings = append(r.Warnings, Warning(fmt.Sprintf("%d of %d probes had shown nothing after up to %s; the interval holds their rates: "+
			"a longer --probe-max may narrow it", some, all, FormatDuration(float64(longest)))))
	}
}

// nothingText says why a search has found nothing, by its lowest rate, and what would do.
func nothingText(k *results.Knee) string {
	if len(k.Probes) == 0 {
		return ""
	}
	p := k.Probes[0]
	for _, q := range k.Probes {
		if q.Rate <= p.Rate {
			p = q
		}
	}
	text := fmt.Sprintf("; at the lowest, %s/s, ", shortSI(p.Rate))
	if p.N == 0 {
		return text + "nothing could be measured (" + p.Why + "): measure on a quieter machine"
	}
	text += fmt.Sprintf("it was %s (%d response times in %s)", FormatDuration(float64(p.Value)), p.N, FormatDuration(float64(p.Dur)))
	switch {
	case p.Limit != "":
		return text + ", but the load generator was at its own limit: " + p.Limit
	case p.Outcome == probeUndecided:
		text += ", too few or too unlike each other to tell it from the bound: take a longer --probe-max, a wider bound, or a quieter machine"
		if limit := limitOf(k); limit != "" {
			text += "; at higher rates the load generator was at its own limit: " + limit
		}
		return text
	}
	return text + ": take a wider bound, or begin lower with --from and a longer --probe-max"
}
