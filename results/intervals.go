package results

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// An Interval is one histogram of an arm's log as it was appended: a block of a run, or a second of a load. All operations
// together, in nanoseconds.
type Interval struct {
	Block      int
	Start, End time.Time // to the millisecond
	Histogram  *hdrhistogram.Histogram
}

// Intervals returns an arm's histograms at a point in the order in which they were appended. A log that ends torn is read up
// to there; Open has warned about it. Where nothing was recorded the error wraps fs.ErrNotExist.
func (r *Run) Intervals(point, arm string, k Kind) ([]Interval, error) {
	name := hlogPath(r.Dir, point, arm, k)
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("latencies of %s%s: %w", arm, at(point), err)
	}
	var all []Interval
	err = readHlog(data, filepath.Base(name), func(block int, h *hdrhistogram.Histogram) error {
		if h.Tag() == "" {
			all = append(all, Interval{block, time.UnixMilli(h.StartTimeMs()).UTC(), time.UnixMilli(h.EndTimeMs()).UTC(), h})
		}
		return nil
	})
	if torn := (*tornError)(nil); err != nil && !errors.As(err, &torn) {
		return nil, err
	}
	return all, nil
}
