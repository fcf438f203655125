package results

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"time"
)

// errFinished is what every call after Finish gets.
var errFinished = errors.New("the run is finished")

// Writer records one run as it goes. Its methods may be called from several goroutines; none of them belongs inside a
// measured window, since each is at least one write to a file. After an error the record concerned is not in the file,
// and the Writer can be used further.
type Writer struct {
	dir   string
	begun time.Time // with the monotonic clock's reading

	mu       sync.Mutex
	manifest Manifest
	blocks   *blocks // sums of the slices so far
	slices   *appendFile
	trials   *appendFile
	counters *appendFile
	bench    *appendFile
	seconds  *appendFile // nil until the first
	knees    *appendFile // nil until the first
	line     bytes.Buffer
	finished bool
}

// Dir is the run's directory.
func (w *Writer) Dir() string { return w.dir }

// ID is the run's id: the base name of its directory.
func (w *Writer) ID() string { return w.manifest.ID }

// Slice appends one visit of one arm.
func (w *Writer) Slice(s Slice) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.Arm == "" {
		return fmt.Errorf("%s: a slice without an arm", slicesFile)
	}
	if err := w.appendLineLocked(w.slices, slicesFile, &s); err != nil {
		return err
	}
	w.blocks.slice(&s)
	return nil
}

// Trial ends an arm's block at a point: call it once, after the last Slice there. It appends to blocks.jsonl and,
// where the block has valid slices with replies, a line to bench.txt.
func (w *Writer) Trial(t Trial) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t.Arm == "" {
		return fmt.Errorf("%s: a trial without an arm", trialsFile)
	}
	if err := w.appendLineLocked(w.trials, trialsFile, &t); err != nil {
		return err
	}
	sum := w.blocks.take(blockKey{t.Point, t.Arm, t.Block})
	if line := benchLine(&w.manifest, &sum, &t); line != nil {
		if err := w.bench.append(line); err != nil {
			return fmt.Errorf("%s: %w", benchFile, err)
		}
	}
	return nil
}

// Counters appends v, any value that JSON can hold, to counters.jsonl.
func (w *Writer) Counters(v any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.appendLineLocked(w.counters, countersFile, v)
}

// Histograms appends one arm's latencies of one block. Call it once for each, while the histograms are not being
// recorded to.
func (w *Writer) Histograms(h BlockHistograms) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.finished {
		return errFinished
	}
	// Logs keep whole seconds of their base time; an odd one would shift every interval.
	base := w.manifest.Started.Truncate(time.Second)
	if err := appendHistograms(w.dir, w.manifest.ID, base, &h); err != nil {
		return fmt.Errorf("latencies of %s%s: %w", h.Arm, at(h.Point), err)
	}
	return nil
}

// Manifest changes the manifest by way of edit and rewrites it. Schema and ID cannot be changed. edit must not keep
// the pointer, nor call the Writer.
func (w *Writer) Manifest(edit func(*Manifest)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.finished {
		return errFinished
	}
	id := w.manifest.ID
	edit(&w.manifest)
	w.manifest.Schema, w.manifest.ID = Schema, id
	return w.writeManifest()
}

// Finish writes how the run ended and closes its files. Status is Complete, Interrupted or Failed; cause, which may
// be nil, is kept as the manifest's Error. The Writer is closed whatever Finish returns, except for a status it does
// not know.
func (w *Writer) Finish(status string, cause error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.finished {
		return errFinished
	}
	switch status {
	case Complete, Interrupted, Failed:
	default:
		return fmt.Errorf("finish run: unknown status %q; have %s, %s, %s", status, Complete, Interrupted, Failed)
	}
	w.finished = true
	w.manifest.Status = status
	if cause != nil {
		w.manifest.Error = cause.Error()
	}
	elapsed := time.Since(w.begun)
	w.manifest.Elapsed = int64(elapsed)
	w.manifest.Ended = w.begun.Add(elapsed).UTC().Round(0)
	// The records first: a manifest that says complete must not outlive them.
	if err := errors.Join(w.closeFiles(), w.writeManifest()); err != nil {
		return fmt.Errorf("finish run: %w", err)
	}
	return nil
}

// appendLineLocked encodes v and appends it as one line; the caller holds mu.
func (w *Writer) appendLineLocked(f *appendFile, name string, v any) error {
	if w.finished {
		return errFinished
	}
	w.line.Reset()
	err := appendJSONLine(&w.line, v)
	if err == nil {
		err = f.append(w.line.Bytes())
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
