package analysis

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/shardlab/shardlab/results"
)

// Verdict says whether a row's figures are the server's.
type Verdict string

// The verdicts, from best to worst. A row has the worst that applies.
const (
	Valid       Verdict = "valid"
	Unsteady    Verdict = "unsteady"        // the arm was still changing while it was measured
	NoPlateau   Verdict = "no-steady-state" // its warm-up came to no plateau: there may be no figure that time would not change
	ClientBound Verdict = "client-bound"    // the client limited it: throughput is a lower bound
	Saturated   Verdict = "saturated"       // the offered rate was not met: a point of the curve, not a latency to quote
	Invalid     Verdict = "invalid"         // the figures are not of the work that was asked for
)

var severity = map[Verdict]int{Valid: 0, Unsteady: 1, NoPlateau: 2, ClientBound: 3, Saturated: 4, Invalid: 5}

// The limits of the checks. They are where published practice puts them (Lancet, mutilate, wrk2 and Treadmill differ by
// little); each is a judgement and none is derived.
const (
	maxVoid        = 0.30  // share of void slices, and of void blocks
	minAchieved    = 0.99  // completed over intended
	maxTimedOut    = 0.01  // share of the requests; beyond it the p99 is not known
	maxClientBusy  = 0.85  // median over slices of the busiest load thread's share of a CPU
	maxCeiling     = 0.70  // of what a responder reached with a client that was itself at its limit
	pacingFloor    = 200e3 // ns: lateness that a client which sleeps has on a virtual machine (p99 of 80 to 150 µs)
	maxPacingShare = 0.10  // of the median response time: lateness of sends that matters
	maxClumps      = 1.0   // above the arrivals' squared coefficient of variation: clumps of two, on average
	maxSmoothed    = 0.5   // below it, of itself
	minGaps        = 100   // in a slice; of fewer nothing can be said
	samplingErrors = 5.0   // a Poisson count differs from its mean by chance; by so many standard deviations hardly ever
)

// A Finding is one thing that a check found. Reason is the same text whenever the same thing is found, Detail has the
// figures, Fix is one sentence on what to change.
type Finding struct {
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason,omitempty"`
	Detail  string  `json:"detail,omitempty"`
	Fix     string  `json:"fix,omitempty"`
}

// Judgement is a row's verdict with all that was found, the worst first.
type Judgement struct {
	Finding
	Also []Finding `json:"also,omitempty"`
}

// Findings is the verdict's own finding and the others; empty for a valid row.
func (j Judgement) Findings() []Finding {
	if j.Verdict == Valid {
		return nil
	}
	return append([]Finding{j.Finding}, j.Also...)
}

// evidence is what one row is judged by.
type evidence struct {
	point   results.Point
	arm     results.Arm
	blocks  []*block // finished ones, usable and void
	drift   Drift
	order   Order
	ceiling float64 // ops/s of a responder whose client was at its limit; 0 if there is none

	serverCPUs int // processors that the server has; 0: not known
}

// otherWork are the checks that find figures to be of other work than was asked for, also in a single block.
var otherWork = []func(evidence) *Finding{checkErrors, checkCorrupt, checkMisses, checkPreload, checkReconciled}

// judge runs every check. Checks of one severity keep their order.
func judge(e evidence) Judgement {
	checks := append(slices.Clone(otherWork),
		checkVoid, checkUsable, checkThrottled,
		checkUnanswered, checkUnsent, checkTimedOut, checkAchieved, checkListenDrops,
		checkClientBusy, checkPacing, checkClumps, checkCeiling, checkGenerator, checkClientWait, checkClientGC,
		checkPlateau, checkDrift, checkTrend)
	var found []Finding
	for _, check := range checks {
		if f := check(e); f != nil {
			found = append(found, *f)
		}
	}
	if len(found) == 0 {
		return Judgement{Finding: Finding{Verdict: Valid}}
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return severity[b.Verdict] - severity[a.Verdict] })
	return Judgement{Finding: found[0], Also: found[1:]}
}

func (e evidence) open() bool { return e.point.Mode == "open" }

// due reports whether anything fell due: in an open loop, and where only some of several groups are one.
func (e evidence) due() bool {
	return e.open() || e.total(func(s *results.Slice) uint64 { return s.Intended }) > 0
}

// inside reports whether all clients are in the server's process.
func (e evidence) inside() bool { return e.point.Inside > 0 && e.point.Inside == e.point.Connections }

// total sums a count over every slice, void ones too: an error is an error.
func (e evidence) total(count func(*results.Slice) uint64) (n uint64) {
	for _, b := range e.blocks {
		for _, s := range b.all {
			n += count(s)
		}
	}
	return n
}

// median is the median over the valid slices of usable blocks; 0 without any.
func (e evidence) median(value func(*results.Slice) float64) float64 {
	var v []float64
	for _, b := range usableBlocks(e.blocks) {
		for _, s := range b.valid {
			v = append(v, value(s))
		}
	}
	return NewSample(v).Median()
}

func checkUsable(e evidence) *Finding {
	if len(usableBlocks(e.blocks)) > 0 {
		return nil
	}
	return &Finding{Invalid, "there is no finished block with enough valid slices", fmt.Sprintf("%d finished",
		len(e.blocks)), "run at least one block to its end on a quieter machine"}
}

func checkErrors(e evidence) *Finding {
	n := e.total(func(s *results.Slice) uint64 { return s.Errors })
	if n == 0 {
		return nil
	}
	return &Finding{Invalid, "the server answered with errors", fmt.Sprintf("%d errors", n),
		"look at the server's log, and see that its settings allow every operation of the mix"}
}

func checkCorrupt(e evidence) *Finding {
	n := e.total(func(s *results.Slice) uint64 { return s.Corrupt })
	if n == 0 || e.arm.Responder {
		return nil
	}
	checked := e.total(func(s *results.Slice) uint64 { return s.Checked })
	return &Finding{Invalid, "values came back with the wrong content", fmt.Sprintf("%d of %d checked", n, checked),
		"this is a bug in the server: do not quote any of its figures"}
}

func checkVoid(e evidence) *Finding {
	var lines, void, blocks int
	why := map[string]int{} // by the word before the colon
	for _, b := range e.blocks {
		for _, s := range b.all {
			if word, _, ok := strings.Cut(s.Why, ":"); ok && !s.Valid {
				why[word]++
			}
		}
		lines += b.slices
		void += b.void
		if !b.usable() {
			blocks++
		}
	}
	if float64(void) <= maxVoid*float64(lines) && float64(blocks) <= maxVoid*float64(len(e.blocks)) {
		return nil
	}
	return &Finding{Invalid, fmt.Sprintf("more than %.0f%% of the slices or of the blocks are void", maxVoid*100),
		fmt.Sprintf("%d of %d slices, %d of %d blocks%s", void, lines, blocks, len(e.blocks), reasons(why)),
		"measure on a quieter machine; the run's trials.jsonl says why each slice is void"}
}

// reasons lists why slices are void, the commonest first.
func reasons(why map[string]int) (text string) {
	words := slices.SortedFunc(maps.Keys(why), func(a, b string) int { return cmp.Or(why[b]-why[a], strings.Compare(a, b)) })
	for _, w := range words {
		text += fmt.Sprintf(", %d by %s", why[w], w)
	}
	return text
}

// checkUnanswered: a request without a reply is in no histogram, and it is the slowest that are missing.
func checkUnanswered(e evidence) *Finding {
	n := e.total(func(s *results.Slice) uint64 { return s.InFlight })
	if n == 0 {
		return nil
	}
	f := &Finding{Invalid, "requests were not answered within the drain, and are missing from every percentile",
		fmt.Sprintf("%d unanswered", n), "look at what stalled the server"}
	if e.due() {
		f.Verdict, f.Fix = Saturated, "offer a lower rate"
	}
	return f
}

// checkReconciled holds totals against each other: what was due was sent or is missing, and what was sent was answered, in error,
// too late or not at all. Runs of older programs do not say what was sent.
func checkReconciled(e evidence) *Finding {
	for _, b := range e.blocks {
		for _, s := range b.all {
			known := s.TotalOps() + s.Errors + s.TimedOut + s.InFlight
			detail := ""
			switch {
			case s.Sent != 0 && s.Sent != known:
				detail = fmt.Sprintf("%d sent, %d accounted for in block %d", s.Sent, known, b.number)
			case e.open() && s.Intended != known+s.Unsent:
				detail = fmt.Sprintf("%d due, %d accounted for in block %d", s.Intended, known+s.Unsent, b.number)
			default:
				continue
			}
			return &Finding{Invalid, "totals do not reconcile: a request was counted twice, or not at all", detail,
				"this is a bug in the load generator: do not quote any of these figures"}
		}
	}
	return nil
}

// checkTimedOut: a request that timed out is in every percentile with the timeout, which is less than it took.
func checkTimedOut(e evidence) *Finding {
	n := e.total(func(s *results.Slice) uint64 { return s.TimedOut })
	sent := e.total(func(s *results.Slice) uint64 { return s.Sent })
	if float64(n) <= maxTimedOut*float64(sent) {
		return nil
	}
	return &Finding{Saturated, fmt.Sprintf("more than %.0f%% of the requests timed out: they count as the timeout, and p99 is a "+
		"lower bound", maxTimedOut*100), fmt.Sprintf("%.1f%% timed out", 100*float64(n)/float64(sent)),
		"offer less, or allow more time"}
}

func checkUnsent(e evidence) *Finding {
	n := e.total(func(s *results.Slice) uint64 { return s.Unsent })
	if n == 0 || !e.due() {
		return nil
	}
	return &Finding{Saturated, "operations that were due were never sent", fmt.Sprintf("%d unsent", n),
		"offer a lower rate, or use more connections"}
}

// checkAchieved compares what was completed with what was due, and both with the offered rate. Edges of windows and the
// arrivals' own randomness make the counts differ by chance, hence the allowance, which their dispersion widens. Arrivals from a
// file, and those of several groups, each of which has its own law and is held against it, are held against what was due alone.
func checkAchieved(e evidence) *Finding {
	if !e.open() || e.point.Rate <= 0 {
		return nil
	}
	var done, due, offered float64
	for _, b := range usableBlocks(e.blocks) {
		done += float64(b.ops)
		offered += e.point.MeanRate() * float64(b.dur) / 1e9
		for _, s := range b.valid {
			due += float64(s.Intended)
		}
	}
	// Below a few arrivals the allowance swallows the limit, and nothing can be said.
	short := func(want, dispersion float64) bool {
		return want > 0 && done/want < minAchieved-samplingErrors*math.Sqrt(dispersion/want)
	}
	dispersion := 1.0
	if d := e.point.Dispersion; d != nil {
		dispersion = max(*d, 1)
	}
	if listed(e.point.Arrival) || len(e.point.Groups) > 0 {
		offered, dispersion = due, 1
	}
	if !short(due, 1) && !short(offered, dispersion) {
		return nil
	}
	return &Finding{Saturated, fmt.Sprintf("less than %.0f%% of the offered rate was achieved", minAchieved*100),
		fmt.Sprintf("%.1f%%", 100*done/offered), "offer a lower rate; this point belongs on the curve, not in a table"}
}

// checkClientBusy leaves clients in the server's process alone: their threads execute what they ask.
func checkClientBusy(e evidence) *Finding {
	if e.inside() {
		return nil
	}
	busy := e.median(func(s *results.Slice) float64 { return s.ClientBusy })
	if busy <= maxClientBusy {
		return nil
	}
	return &Finding{ClientBound, fmt.Sprintf("a load thread was busy more than %.0f%% of the time: throughput is a "+
		"lower bound, the server could do more", maxClientBusy*100), fmt.Sprintf("%.0f%% busy", busy*100),
		"give the client more CPUs and threads, or the server fewer"}
}

// pacingBudget is how late a send may be, in ns.
func (e evidence) pacingBudget() float64 {
	return max(pacingFloor, maxPacingShare*e.median(func(s *results.Slice) float64 { return float64(s.Response.P50) }))
}

func checkPacing(e evidence) *Finding {
	if !e.open() {
		return nil
	}
	late := e.median(func(s *results.Slice) float64 { return s.LatenessP })
	if late <= e.pacingBudget() {
		return nil
	}
	return &Finding{ClientBound, "the client sent late: response times include its own delay and are upper bounds, " +
		"the server could do more", "p99 of lateness " + FormatDuration(late),
		"give the client more CPUs and threads, or offer a lower rate"}
}

// checkClumps: sends that are only a little late, but together, are another load than the one asked for. Where they are late the
// verdict on pacing says so already.
func checkClumps(e evidence) *Finding {
	if !e.open() || checkPacing(e) != nil {
		return nil
	}
	over := e.median(func(s *results.Slice) float64 {
		if s.Pacing.Gaps < minGaps {
			return 0
		}
		return s.Pacing.Sent - s.Pacing.Due
	})
	due := e.median(func(s *results.Slice) float64 { return s.Pacing.Due })
	if over <= maxClumps && over >= -maxSmoothed*due {
		return nil
	}
	return &Finding{ClientBound, "what was sent is not spaced as the arrivals are: the server was put to another load than the law's",
		fmt.Sprintf("squared variation of the gaps %.2f, of arrivals %.2f", due+over, due),
		"let the client spin (load.spin: 100us), give it more CPUs and threads, or offer a lower rate"}
}

// checkCeiling leaves a server alone that uses its processors up: that is its own limit, close to the client's or not.
func checkCeiling(e evidence) *Finding {
	if e.ceiling <= 0 || e.arm.Responder || e.open() || e.serverBusy() > serverBound {
		return nil
	}
	share := medianThroughput(e.blocks) / e.ceiling
	if share <= maxCeiling {
		return nil
	}
	return &Finding{ClientBound, fmt.Sprintf("it is above %.0f%% of what this client reaches without a store: "+
		"throughput is a lower bound, the server could do more", maxCeiling*100), fmt.Sprintf("%.0f%%", share*100),
		"give the client more CPUs and threads, or the server fewer"}
}

func checkDrift(e evidence) *Finding {
	if !e.drift.unsteady() {
		return nil
	}
	what := "throughput"
	if e.open() {
		what = "median response time"
	}
	return &Finding{Unsteady, what + " differs between the first and the second half of the blocks, beyond what all " +
		"arms share", fmt.Sprintf("%s%%", percent(math.Exp(e.drift.Mean))), "warm up longer, or preload more keys"}
}

func medianThroughput(blocks []*block) float64 {
	var v []float64
	for _, b := range usableBlocks(blocks) {
		v = append(v, b.throughput())
	}
	return NewSample(v).Median()
}

// listed reports whether a law of arrivals is a list of times, which one window may meet where they are dense.
func listed(arrival string) bool { return arrival == "file" || arrival == "trace" }
