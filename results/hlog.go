package results

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Kind tells the two latencies of a request apart.
type Kind int

const (
	Response Kind = iota // intended send to whole reply: what a user waits
	Service              // actual send to whole reply
)

const (
	latencyDir    = "latency"
	hlogSuffix    = ".hlog"
	serviceSuffix = ".service"
)

// BlockHistograms are one arm's latencies in one block, in nanoseconds, by operation type (GET, SET). A type's name
// must be free of commas, blanks and control characters, because it becomes a tag. The histograms are read, not kept.
type BlockHistograms struct {
	Point      string
	Arm        string
	Block      int
	Start, End time.Time                          // of the block's slices
	Response   map[string]*hdrhistogram.Histogram // empty where nothing was answered: then there is nothing to write
	Service    map[string]*hdrhistogram.Histogram // nil where it equals Response: closed loop
}

// appendHistograms adds one block to the logs of its arm, and makes the logs where they are new.
//
// Each arm has its own file, because HdrHistogram's tools add up all histograms of a file that bear the same tag. For
// the same reason the sum over types is the untagged one, which those tools read when they are not told which.
func appendHistograms(dir, runID string, base time.Time, h *BlockHistograms) error {
	for _, k := range []Kind{Response, Service} {
		byType := h.Response
		if k == Service {
			byType = h.Service
		}
		if len(byType) == 0 {
			continue
		}
		name := hlogPath(dir, h.Point, h.Arm, k)
		record, err := encodeBlock(base, h, byType)
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
		if err := appendHlog(name, runID, base, h, k, record); err != nil {
			return err
		}
	}
	return nil
}

func hlogPath(dir, point, arm string, k Kind) string {
	return filepath.Join(dir, latencyDir, pointDir(point), armFile(arm, k))
}

func appendHlog(name, runID string, base time.Time, h *BlockHistograms, k Kind, record []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := openAppend(name)
	if err != nil {
		return err
	}
	if f.size == 0 {
		// The header rides in the same write: no log has one without a block.
		record = append(hlogHeader(runID, base, h, k), record...)
	}
	return errors.Join(f.append(record), f.f.Close())
}

func hlogHeader(runID string, base time.Time, h *BlockHistograms, k Kind) []byte {
	var b bytes.Buffer
	w := hdrhistogram.NewHistogramLogWriter(&b)
	what := "response time: intended send to whole reply"
	if k == Service {
		what = "service time: actual send to whole reply"
	}
	// Writes to a bytes.Buffer do not fail.
	w.OutputComment(fmt.Sprintf("[run %s, point %q, arm %q; %s; ns]", runID, h.Point, h.Arm, what))
	w.OutputLogFormatVersion()
	w.OutputBaseTime(base.UnixMilli())
	w.OutputStartTime(base.UnixMilli())
	w.OutputLegend()
	return b.Bytes()
}

// blockMark introduces a block's intervals. HdrHistogram's tools take it for a comment; we need it to read single
// blocks, and its count of intervals to see that none is missing.
const blockMark = "#[Block: %d, intervals: %d]"

// encodeBlock is the block's mark, its sum over all types, and each type by name.
func encodeBlock(base time.Time, h *BlockHistograms, byType map[string]*hdrhistogram.Histogram) ([]byte, error) {
	types := sortedKeys(byType)
	var b bytes.Buffer
	fmt.Fprintf(&b, blockMark+"\n", h.Block, len(types)+1)
	w := hdrhistogram.NewHistogramLogWriter(&b)
	w.SetBaseTime(base.UnixMilli())
	all := NewHistogram()
	for _, t := range types {
		if err := checkTag(t); err != nil {
			return nil, err
		}
		if byType[t] == nil {
			return nil, fmt.Errorf("block %d: no histogram for %s", h.Block, t)
		}
		if lost := all.Merge(byType[t]); lost > 0 {
			return nil, fmt.Errorf("block %d: %d values of %s are beyond %v; record them as that and count them",
				h.Block, lost, t, time.Duration(MaxLatency))
		}
	}
	if err := outputInterval(w, all, "", h); err != nil {
		return nil, err
	}
	for _, t := range types {
		// A copy of the caller's, which keeps its own tag and times, in the one geometry.
		one := NewHistogram()
		one.Merge(byType[t])
		if err := outputInterval(w, one, t, h); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

func outputInterval(w *hdrhistogram.HistogramLogWriter, h *hdrhistogram.Histogram, tag string,
	b *BlockHistograms) error {
	h.SetTag(tag)
	h.SetStartTimeMs(b.Start.UnixMilli())
	h.SetEndTimeMs(b.End.UnixMilli())
	return w.OutputIntervalHistogram(h)
}

// checkTag is stricter than the library, which looks only within a tag and not at its ends.
func checkTag(t string) error {
	if t == "" || strings.ContainsFunc(t, func(r rune) bool { return r <= ' ' || r == ',' || r == 0x7f }) {
		return fmt.Errorf("operation type %q cannot be a tag; use letters and digits", t)
	}
	return nil
}
