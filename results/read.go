package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Run is a run as read from its directory. It is the caller's own; concurrent readers need no lock.
type Run struct {
	Dir      string
	Manifest Manifest
	Slices   []Slice
	Trials   []Trial

	// Warnings are what a reader of the figures must know: a run that did not end, a record torn by a crash.
	Warnings []error
}

// Open reads a run: a directory's path, or an id, or the beginning of one id, or "latest", of the runs under
// ./results. A run that is still going, or that died, can be read; Warnings then says so.
func Open(dirOrID string) (*Run, error) { return OpenIn("results", dirOrID) }

// OpenIn is Open with the folder in which ids are looked up.
func OpenIn(root, dirOrID string) (*Run, error) {
	dir, err := find(root, dirOrID)
	if err != nil {
		return nil, fmt.Errorf("open run %q: %w", dirOrID, err)
	}
	r := &Run{Dir: dir}
	if err := r.read(); err != nil {
		return nil, fmt.Errorf("open run %s: %w", dir, err)
	}
	return r, nil
}

func (r *Run) read() error {
	m, err := readManifest(r.Dir)
	if err != nil {
		return err
	}
	r.Manifest = *m
	if r.Slices, err = readRecords(r, slicesFile, checkSlice); err != nil {
		return err
	}
	if r.Trials, err = readRecords(r, trialsFile, checkTrial); err != nil {
		return err
	}
	if err := r.findTornLogs(); err != nil {
		return err
	}
	if m.Status == Running {
		r.Warnings = append(r.Warnings, fmt.Errorf("%s: status is %q: the run is in progress or its process died; "+
			"%d slices are there", manifestFile, Running, len(r.Slices)))
	}
	return nil
}

// Counters returns the lines of counters.jsonl, undecoded: their content is the runner's. There may be none.
func (r *Run) Counters() ([]json.RawMessage, error) {
	scratch := Run{Dir: r.Dir} // its warnings repeat what a torn line means; nothing is lost with it but a sample
	lines, err := readRecords(&scratch, countersFile, func(*json.RawMessage) error { return nil })
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", r.Dir, err)
	}
	return lines, nil
}

func readManifest(dir string) (*Manifest, error) {
	b, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return nil, err
	}
	// The schema first: a manifest of another version may not fit our types, and then that is the reason.
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, fmt.Errorf("%s: %w", manifestFile, err)
	}
	switch family, _, _ := strings.Cut(Schema, "/"); {
	case head.Schema == Schema:
	case strings.HasPrefix(head.Schema, family+"/"):
		return nil, fmt.Errorf("%s: schema is %q, this program reads %q; use the version of shardlab that wrote it",
			manifestFile, head.Schema, Schema)
	default:
		return nil, fmt.Errorf("%s: schema is %q, want %q: this is not the directory of a run",
			manifestFile, head.Schema, Schema)
	}
	var m Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("%s: %w", manifestFile, err)
	}
	return &m, nil
}

// readRecords reads all of a file. A torn end, or a file that is not there, is a warning on r.
func readRecords[T any](r *Run, name string, check func(*T) error) ([]T, error) {
	f, err := os.Open(filepath.Join(r.Dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		r.Warnings = append(r.Warnings, fmt.Errorf("%s: not there", name))
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []T
	err = readLines(f, name, func(v T) error {
		if err := check(&v); err != nil {
			return err
		}
		all = append(all, v)
		return nil
	})
	if torn := (*tornError)(nil); errors.As(err, &torn) {
		r.Warnings = append(r.Warnings, torn)
		err = nil
	}
	return all, err
}

func checkSlice(s *Slice) error {
	if s.Arm == "" {
		return errors.New("a slice without an arm")
	}
	return nil
}

func checkTrial(t *Trial) error {
	if t.Arm == "" {
		return errors.New("a trial without an arm")
	}
	return nil
}

// findTornLogs warns of histogram logs whose last block is not whole. They are read only when they are asked for.
func (r *Run) findTornLogs() error {
	logs, err := filepath.Glob(filepath.Join(escapeGlob(r.Dir), latencyDir, "*", "*"+hlogSuffix))
	if err != nil {
		return err
	}
	for _, name := range logs {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if tornHlog(data) {
			short, _ := filepath.Rel(r.Dir, name)
			r.Warnings = append(r.Warnings, fmt.Errorf("%s: the last block is torn and is left out", short))
		}
	}
	return nil
}

// escapeGlob keeps a directory's name from being taken for a pattern.
func escapeGlob(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}
