package gating

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/shardlab/shardlab/analysis/gate"
	"github.com/shardlab/shardlab/results"
)

// Trend measures head against base, which is the anchor, in as many blocks as a gate has at most, and appends to the record a line for every
// primary. It stops at none earlier: a ratio that ended when it looked good would be too good. Nothing is appended where any of it is not
// sound, which is a gate.ErrUnsound. The run directory is returned also with an error, once there is one.
func Trend(ctx context.Context, opts Options, record string) (dir string, err error) {
	if _, err := ReadTrend(record); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err // before minutes are spent on what cannot be appended
	}
	if err := os.MkdirAll(filepath.Dir(record), 0o755); err != nil {
		return "", err
	}
	g, sc := *opts.Gate, *opts.Gate.Scenario
	g.Scenario = &sc
	if g.AgainstRevisions(); len(g.Cases) == 0 {
		return "", fmt.Errorf("%s: all of its scenarios have claims, which compare two ways to start one build: nothing is left for a trend", g.File)
	}
	g.Looks = g.Looks[len(g.Looks)-1:]
	opts.Gate, opts.NoControl, opts.NoConfirm = &g, false, true
	dir, _, err = Run(ctx, opts)
	if err != nil {
		return dir, err
	}
	run, err := results.OpenIn(opts.Results, dir)
	if err != nil {
		return dir, err
	}
	plan, err := planIn(run)
	if err != nil {
		return dir, err
	}
	rows, err := gate.Ratios(plan, run.Slices, run.Trials)
	if err != nil {
		return dir, err
	}
	common := gate.TrendLine{Time: run.Manifest.Started.UTC().Round(time.Second), Run: run.Manifest.ID, Revision: gate.TrendRevision(opts.Head.Commit, opts.Head.Changes),
		Anchor: opts.Base.Commit, EnvKey: run.Manifest.EnvKey}
	return dir, appendTrend(record, gate.TrendLines(common, rows))
}

// ReadTrend reads a trend's record.
func ReadTrend(file string) ([]gate.TrendLine, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return gate.ReadTrend(f, file)
}

// appendTrend appends lines by one write, so that another gate's do not get among them.
func appendTrend(file string, lines []gate.TrendLine) (err error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	for _, l := range lines {
		if err := enc.Encode(l); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	data := text.Bytes()
	if info, err := f.Stat(); err != nil {
		return err
	} else if n := info.Size(); n > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, n-1); err != nil {
			return err
		}
		if last[0] != '\n' { // somebody's editor
			data = slices.Insert(data, 0, '\n')
		}
	}
	_, err = f.Write(data)
	return err
}
