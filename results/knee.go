package results

import (
	"errors"
	"fmt"
	"path/filepath"
)

// KneePlan says how a run searched: its points are the rates that were probed, not a sweep of the scenario's.
type KneePlan struct {
	SLO     string  `json:"slo"`                 // the bound, "p99 < 1ms"
	From    float64 `json:"from_per_s"`          // the first rate probed
	Max     float64 `json:"max_per_s,omitempty"` // the highest that may be; 0: no limit
	Step    float64 `json:"step"`                // factor between neighbouring rates
	ProbeNS int64   `json:"probe_ns"`            // length of a probe's first look; slow rates take longer
	Looks   int     `json:"looks"`               // of a probe, at most; the later ones are longer
	// The most that all looks of a probe take together, and all probes of a search; 0 where it was not bounded.
	ProbeMaxNS  int64 `json:"probe_max_ns,omitempty"`
	SearchMaxNS int64 `json:"search_max_ns,omitempty"`
}

// Why a Knee has no Hi next to its Lo.
const (
	KneeClientBound = "client-bound" // the load generator was at its limit
	KneeMax         = "max"          // the highest rate that was allowed met the bound
	KneeUnsteady    = "unsteady"     // too many probes showed nothing, or spoke against each other; a Hi that is there is not confirmed
	KneeUndecided   = "undecided"    // not even the lowest rate showed anything in the time that a probe has; there is no Lo
	KneeTime        = "time"         // the search had used up its time; a Hi that is there is not confirmed
	KneeInterrupted = "interrupted"  // the search did not come to its end
)

// Knee is one line of knees.jsonl: the highest rate at which one arm in one block met the bound, as the interval [Lo, Hi].
type Knee struct {
	Point string  `json:"point"` // of the scenario's sweep, without the rate
	Arm   string  `json:"arm"`
	Block int     `json:"block"`
	Lo    float64 `json:"lo_per_s"`           // met the bound from below and from above; 0: no rate did
	Hi    float64 `json:"hi_per_s,omitempty"` // missed it from both; 0: no rate did, for the reason in Open; with one, it is far above
	Open  string  `json:"open,omitempty"`     // why there is no Hi next to Lo: one of the above
	// Hysteresis is set where the server bore less after an overload: the highest rates that met the bound.
	FromBelow float64     `json:"from_below_per_s,omitempty"`
	FromAbove float64     `json:"from_above_per_s,omitempty"`
	Probes    []KneeProbe `json:"probes"` // in the order of time
}

// KneeProbe is one rate that was probed.
type KneeProbe struct {
	Rate     float64 `json:"rate_per_s"`
	From     string  `json:"from"`       // "below", or "above": right after an overload
	Outcome  string  `json:"outcome"`    // "meets", "misses", "undecided" or "client-bound"
	Why      string  `json:"why"`        // what decided: the bound's statistic, or what else was found; of an undecided one, why it is
	Value    int64   `json:"value_ns"`   // of the bound's statistic
	N        uint64  `json:"n"`          // response times
	Achieved float64 `json:"achieved"`   // share of the rate
	Dur      int64   `json:"dur_ns"`     // measured
	Client   float64 `json:"cli_busy"`   // share of its time that the busiest load thread was on a CPU
	Void     int     `json:"void_looks"` // looks that were of no use: disturbed from outside
	// Limit says why the load generator may be to blame, whatever the outcome, and what would do; "" where it is not.
	Limit string `json:"limit,omitempty"`
}

// Knee appends a search that has ended to knees.jsonl.
func (w *Writer) Knee(k Knee) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.knees == nil && !w.finished { // most runs have none
		f, err := openAppend(filepath.Join(w.dir, kneesFile))
		if err != nil {
			return err
		}
		w.knees = f
	}
	return w.appendLineLocked(w.knees, kneesFile, &k)
}

// Knees reads knees.jsonl. Only a run of `shardlab knee` has it.
func (r *Run) Knees() ([]Knee, error) {
	scratch := Run{Dir: r.Dir} // a torn line means what it means in the other files, about which Open has warned
	lines, err := readRecords(&scratch, kneesFile, func(k *Knee) error {
		if k.Arm == "" {
			return errors.New("a knee without an arm")
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", r.Dir, err)
	}
	return lines, nil
}
