package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	manifestFile = "manifest.json"
	slicesFile   = "trials.jsonl"
	trialsFile   = "blocks.jsonl"
	countersFile = "counters.jsonl"
	benchFile    = "bench.txt"
	secondsFile  = "seconds.jsonl"
	kneesFile    = "knees.jsonl"
	verdictFile  = "verdict.json"
)

// Create makes the directory of a new run under root and writes its manifest, with status Running. The directory's
// name, which is the run's id, is <utc>-<revision or "norev">-<scenario>-<hash>.
//
// m is copied; what it points at belongs to the Writer from here on. Schema, ID and Status are set; Started and Argv
// are where they are zero, and EnvKey where it is empty and there is an environment.
func Create(root, scenario string, m *Manifest) (*Writer, error) {
	w := &Writer{manifest: *m, begun: time.Now(), blocks: newBlocks()}
	w.manifest.Schema, w.manifest.Status = Schema, Running
	if w.manifest.Started.IsZero() {
		w.manifest.Started = w.begun
	}
	w.manifest.Started = w.manifest.Started.UTC().Round(0)
	if w.manifest.Argv == nil {
		w.manifest.Argv = os.Args
	}
	if w.manifest.EnvKey == "" && w.manifest.Before != (Environment{}) {
		w.manifest.EnvKey = w.manifest.Before.Key()
	}
	if err := w.makeDir(root, scenario); err != nil {
		return nil, fmt.Errorf("create run: %w", err)
	}
	if err := w.openFiles(); err != nil {
		return nil, fmt.Errorf("create run: %w", errors.Join(err, w.closeFiles(), os.RemoveAll(w.dir)))
	}
	return w, nil
}

// makeDir tries another hash where a run of the same second has the name already.
func (w *Writer) makeDir(root, scenario string) error {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	const attempts = 100
	for try := range attempts {
		unique := fmt.Sprint(w.begun.UnixNano(), " ", os.Getpid(), " ", try, " ", w.manifest.Scenario.SHA256)
		w.manifest.ID = runID(w.manifest.Started, w.manifest.Code.Rev7(), scenario, unique)
		w.dir = filepath.Join(root, w.manifest.ID)
		err := os.Mkdir(w.dir, 0o755)
		if err == nil || !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return fmt.Errorf("%s: %d names of this second are taken; use another root", root, attempts)
}

func (w *Writer) openFiles() (err error) {
	for _, f := range []struct {
		to   **appendFile
		name string
	}{{&w.slices, slicesFile}, {&w.trials, trialsFile}, {&w.counters, countersFile}, {&w.bench, benchFile}} {
		if *f.to, err = openAppend(filepath.Join(w.dir, f.name)); err != nil {
			return err
		}
	}
	if err := w.bench.append(benchHeader(&w.manifest)); err != nil {
		return err
	}
	return w.writeManifest()
}

func (w *Writer) closeFiles() error {
	var errs []error
	for _, f := range []*appendFile{w.slices, w.trials, w.counters, w.bench, w.seconds, w.knees} {
		if f != nil {
			errs = append(errs, f.close())
		}
	}
	return errors.Join(errs...)
}

func (w *Writer) writeManifest() error {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(&w.manifest); err != nil {
		return fmt.Errorf("%s: %w", manifestFile, err)
	}
	return writeWhole(filepath.Join(w.dir, manifestFile), []byte(b.String()))
}

// WriteVerdict writes a gate's verdict into its finished run's directory, and what it stands on in the Go benchmark format in the place of
// the lines of all blocks.
func WriteVerdict(dir string, verdict, bench []byte) error {
	return errors.Join(writeWhole(filepath.Join(dir, verdictFile), verdict), writeWhole(filepath.Join(dir, benchFile), bench))
}
