package results

import (
	"bytes"
	"io"
	"strconv"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// WriteHGRM writes a histogram's percentiles in the text form that HdrHistogram's plotters read (.hgrm), in microseconds: five
// lines for each halving of the distance to 100 %, as far as ten values lie beyond them, and then the maximum.
func WriteHGRM(w io.Writer, h *hdrhistogram.Histogram) error {
	var all bytes.Buffer
	if _, err := h.PercentilesPrint(&all, 5, 1e3); err != nil {
		return err
	}
	n := float64(h.TotalCount())
	for line := range bytes.Lines(all.Bytes()) {
		f := bytes.Fields(line)
		if len(f) == 4 {
			p, err := strconv.ParseFloat(string(f[1]), 64)
			if beyond := n * (1 - p); err == nil && p < 1 && beyond < 10 {
				continue
			}
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
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
