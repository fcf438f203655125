package loadgen

import (
	"fmt"
	"math"
)

// ramp turns the times of a schedule of constant rate into those of one whose rate changes in a straight line: arrival n falls
// due when the integral of the rate is what it was at arrival n before. Of a Poisson process that makes, exactly, the one whose
// rate is the line. Its zero value changes nothing.
type ramp struct {
	lead, length float64 // the rate is constant for lead ns, and then changes for length ns
	growth       float64 // by so much of what it is at first
}

// at returns when an arrival is due that at a constant rate would be at x, ns.
func (r *ramp) at(x float64) float64 {
	if r.growth == 0 || x <= r.lead {
		return x
	}
	// With u from 0 to 1 in the ramp, the integral is length·(u + growth·u²/2): solved for u without a difference of numbers
	// that are all but equal.
	v := (x - r.lead) / r.length
	root := 1 + 2*r.growth*v
	if root < 0 { // a falling rate brings no more: it would be due beyond the end
		return math.Inf(1)
	}
	return r.lead + r.length*2*v/(1+math.Sqrt(root))
}

// span makes the rate of the schedule that begins next change over a window.
func (a *arrivals) span(l *Load, w *edges) {
	a.ramp = ramp{}
	if l.RateTo > 0 {
		a.ramp = ramp{float64(w.start - w.lead), float64(w.end - w.start), l.RateTo/l.Rate - 1}
	}
}

func (l *Load) checkRamp() error {
	switch {
	case l.RateTo == 0:
		return nil
	case !(l.RateTo > 0) || math.IsInf(l.RateTo, 0):
		return fmt.Errorf("load: rate to %v/s; use more than 0", l.RateTo)
	case l.Mode != Open || l.Arrival.Law != Poisson && l.Arrival.Law != Evenly:
		return fmt.Errorf("load: a ramp to %v/s; it needs an open loop with poisson or uniform arrivals", l.RateTo)
	}
	return nil
}
