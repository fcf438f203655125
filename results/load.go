package results

import (
	"fmt"
	"path/filepath"
)

// LoadSchema names the version of the lines that `shardlab load --json` prints.
const LoadSchema = "shardlab.load/1"

// Second is one line of seconds.jsonl and of `shardlab load --json`: what was answered in about a second of a long slice,
// whenever it was sent, and what fell due in it. The last one, with Tail set, is what came in after the slice's end. They
// add up to the slice.
type Second struct {
	Schema   string  `json:"schema"` // LoadSchema
	Kind     string  `json:"kind"`   // "second"
	Offered  float64 `json:"offered_per_s,omitempty"`
	Achieved float64 `json:"achieved_per_s"` // replies
	Tail     bool    `json:"tail,omitempty"`
	Slice            // its number is the second's, from 0
}

// NewSecond makes a line of what was measured.
func NewSecond(s Slice, tail bool) Second {
	x := Second{Schema: LoadSchema, Kind: "second", Tail: tail, Slice: s}
	if s.Dur > 0 && !tail {
		x.Offered = float64(s.Intended) / float64(s.Dur) * 1e9
		x.Achieved = float64(s.Replies) / float64(s.Dur) * 1e9
	}
	return x
}

// Pace is what a load's steadiness is judged by: replies a second or, in an open loop, whose rate is given, the median response
// time in ns.
func (s *Second) Pace(open bool) float64 {
	if open {
		return float64(s.Response.P50)
	}
	return s.Achieved
}

// Second appends one second to seconds.jsonl.
func (w *Writer) Second(s Second) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seconds == nil && !w.finished { // most runs have none
		f, err := openAppend(filepath.Join(w.dir, secondsFile))
		if err != nil {
			return err
		}
		w.seconds = f
	}
	return w.appendLineLocked(w.seconds, secondsFile, &s)
}

// Seconds reads seconds.jsonl. A run that was not made by `shardlab load` has none.
func (r *Run) Seconds() ([]Second, error) {
	scratch := Run{Dir: r.Dir} // a torn line means what it means in the other files, about which Open has warned
	lines, err := readRecords(&scratch, secondsFile, func(s *Second) error { return checkSlice(&s.Slice) })
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", r.Dir, err)
	}
	return lines, nil
}
