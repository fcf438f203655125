package results

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Histograms returns an arm's latencies at a point, in nanoseconds, merged over the given blocks, or over all where
// none is given: by operation type, and under "" all operations together. Service time of a closed loop is its
// response time. The caller owns the result. A log that ends torn is read up to there; Open has warned about it.
// Where nothing was recorded the error wraps fs.ErrNotExist.
func (r *Run) Histograms(point, arm string, k Kind, blocks ...int) (map[string]*hdrhistogram.Histogram, error) {
	name := hlogPath(r.Dir, point, arm, k)
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && k == Service && r.closedLoop(point) {
		return r.Histograms(point, arm, Response, blocks...)
	}
	if err != nil {
		return nil, fmt.Errorf("latencies of %s%s: %w", arm, at(point), err)
	}
	merged := map[string]*hdrhistogram.Histogram{}
	err = readHlog(data, filepath.Base(name), func(block int, h *hdrhistogram.Histogram) error {
		if len(blocks) > 0 && !slices.Contains(blocks, block) {
			return nil
		}
		return merge(merged, h)
	})
	if torn := (*tornError)(nil); err != nil && !errors.As(err, &torn) {
		return nil, err
	}
	if len(merged) == 0 {
		return nil, fmt.Errorf("latencies of %s%s: none for blocks %v: %w", arm, at(point), blocks, fs.ErrNotExist)
	}
	return merged, nil
}

// Histogram is the one of Histograms with the given tag: an operation type, or "" for all operations together.
func (r *Run) Histogram(point, arm, tag string, k Kind, blocks ...int) (*hdrhistogram.Histogram, error) {
	merged, err := r.Histograms(point, arm, k, blocks...)
	if err != nil {
		return nil, err
	}
	h, ok := merged[tag]
	if !ok {
		return nil, fmt.Errorf("latencies of %s%s: no %q; have %s: %w", arm, at(point), tag,
			strings.Join(sortedKeys(merged)[1:], ", "), fs.ErrNotExist)
	}
	return h, nil
}

func (r *Run) closedLoop(point string) bool {
	return slices.ContainsFunc(r.Manifest.Points, func(p Point) bool { return p.Label == point && p.Mode == "closed" })
}

func at(point string) string {
	if point == "" {
		return ""
	}
	return " at " + point
}

func merge(into map[string]*hdrhistogram.Histogram, h *hdrhistogram.Histogram) error {
	sum, ok := into[h.Tag()]
	if !ok {
		sum = NewHistogram()
		into[h.Tag()] = sum
	}
	if lost := sum.Merge(h); lost > 0 {
		return fmt.Errorf("%d values are out of range; the log is not this program's", lost)
	}
	return nil
}

// readHlog hands every interval of every whole block to keep. A last block with fewer intervals than it announced, or
// a last line without end, is torn; damage before that is an error.
func readHlog(data []byte, file string, keep func(block int, h *hdrhistogram.Histogram) error) error {
	lines, tail := wholeLines(data)
	header, rest := cutBlock(lines)
	line := bytes.Count(header, []byte("\n")) + 1
	for len(rest) > 0 {
		var section []byte
		section, rest = cutBlock(rest)
		block, hs, err := decodeBlock(header, section)
		if err != nil {
			if len(rest) == 0 && errors.Is(err, errShort) {
				return &tornError{file, line}
			}
			return fmt.Errorf("%s:%d: %w", file, line, err)
		}
		for _, h := range hs {
			if err := keep(block, h); err != nil {
				return fmt.Errorf("%s:%d: %w", file, line, err)
			}
		}
		line += bytes.Count(section, []byte("\n"))
	}
	if len(tail) > 0 {
		return &tornError{file, line}
	}
	return nil
}

var (
	errShort  = errors.New("the block is not complete")
	blockLine = []byte("#[Block:")
)

// cutBlock splits after data's first section: the header, or one block with its mark.
func cutBlock(data []byte) (section, rest []byte) {
	i := bytes.Index(data, append([]byte("\n"), blockLine...))
	if i < 0 {
		return data, nil
	}
	return data[:i+1], data[i+1:]
}

// wholeLines splits off what follows the last newline, which is the beginning of a record at most.
func wholeLines(data []byte) (lines, tail []byte) {
	i := bytes.LastIndexByte(data, '\n') + 1
	return data[:i], data[i:]
}

// tornHlog reports whether a log ends in an incomplete block, without decoding anything.
func tornHlog(data []byte) bool {
	lines, tail := wholeLines(data)
	i := bytes.LastIndex(lines, append([]byte("\n"), blockLine...))
	if len(tail) > 0 || i < 0 { // a header is written with its first block
		return true
	}
	_, _, err := checkBlock(lines[i+1:])
	return errors.Is(err, errShort)
}

// checkBlock reads a section's mark and sees that all its lines are there. A section is of whole lines.
func checkBlock(section []byte) (block, intervals int, err error) {
	mark, lines, _ := bytes.Cut(section, []byte("\n"))
	if _, err := fmt.Sscanf(string(mark), blockMark, &block, &intervals); err != nil {
		return 0, 0, fmt.Errorf("bad block mark %.40q", mark)
	}
	if have := bytes.Count(lines, []byte("\n")); have < intervals {
		return 0, 0, fmt.Errorf("block %d: %d of %d intervals: %w", block, have, intervals, errShort)
	}
	return block, intervals, nil
}

// decodeBlock reads one section. The file's header goes before it, because it holds the base time.
func decodeBlock(header, section []byte) (block int, hs []*hdrhistogram.Histogram, err error) {
	block, want, err := checkBlock(section)
	if err != nil {
		return 0, nil, err
	}
	r := hdrhistogram.NewHistogramLogReader(bytes.NewReader(append(bytes.Clone(header), section...)))
	for {
		h, err := r.NextIntervalHistogram()
		if err != nil {
			return 0, nil, fmt.Errorf("block %d: %w", block, err)
		}
		if h == nil {
			break
		}
		hs = append(hs, h)
	}
	if len(hs) != want {
		return 0, nil, fmt.Errorf("block %d: %d intervals can be read, %d were written", block, len(hs), want)
	}
	return block, hs, nil
}
