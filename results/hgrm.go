package results

import (
	"io"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// WriteHGRM writes a histogram's percentiles in the text form that HdrHistogram's plotters read (.hgrm), in microseconds: five
// lines for each halving of the distance to 100 %.
func WriteHGRM(w io.Writer, h *hdrhistogram.Histogram) error {
	_, err := h.PercentilesPrint(w, 5, 1e3)
	return err
}

// ExportSecondsCSV writes a row per second of a run that `shardlab load` has made; the columns are those of ExportCSV with the
// rates offered and achieved.
func ExportSecondsCSV(w io.Writer, run *Run) error {
	seconds, err := run.Seconds()
	if err != nil {
		return err
	}
	return exportCSV(w, run.Manifest.ID, seconds, func(s *Second) map[string]uint64 { return s.Ops })
}
