package results

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestRoundTrip(t *testing.T) {
	root := t.TempDir()
	w := writeRun(t, root)
	must(t, w.Manifest(func(m *Manifest) {
		m.Order = append(m.Order, Visit{Block: 1, Point: "pipeline=1", Arms: []string{"shared"}})
		m.Notes = append(m.Notes, "arms share <one> CPU")
		m.ID, m.Schema = "other", "other"
		m.After = Environment{OS: "linux", Time: testStart}
	}))
	must(t, w.Finish(Failed, errors.New("dial: refused")))

	r, err := OpenIn(root, w.ID())
	must(t, err)
	if len(r.Warnings) != 0 {
		t.Errorf("warnings %v", r.Warnings)
	}
	if !reflect.DeepEqual(r.Manifest.Points, w.manifest.Points) ||
		!reflect.DeepEqual(r.Manifest.Order, w.manifest.Order) ||
		!reflect.DeepEqual(r.Manifest.Arms, w.manifest.Arms) || r.Manifest.After != w.manifest.After ||
		r.Manifest.Before != w.manifest.Before {
		t.Errorf("got %+v, want %+v", r.Manifest, w.manifest)
	}
	got := r.Manifest
	if got.ID != w.ID() || got.Schema != Schema || got.Status != Failed || got.Error != "dial: refused" ||
		got.Elapsed <= 0 || got.Ended.IsZero() || got.Notes[0] != "arms share <one> CPU" {
		t.Errorf("got %+v", got)
	}
	var want []Slice
	for block := range 2 {
		for _, point := range []string{"pipeline=1", "pipeline=16"} {
			for _, arm := range []string{"shared", "redis 7.2/io"} {
				for slice := range 3 {
					want = append(want, testSlice(point, arm, block, slice))
				}
			}
		}
	}
	if !reflect.DeepEqual(r.Slices, want) {
		t.Errorf("slices: got %+v, want %+v", r.Slices, want)
	}
	if len(r.Trials) != 8 || r.Trials[7].Block != 1 || r.Trials[7].PID != 4001 || r.Trials[0].Response.N != 1000 {
		t.Errorf("trials: got %+v", r.Trials)
	}
	counters, err := r.Counters()
	must(t, err)
	if len(counters) != 2 || string(counters[1]) != `{"goroutines":11}` {
		t.Errorf("counters: got %s", counters)
	}
}

func TestWriterIsSafeForConcurrentUse(t *testing.T) {
	root := t.TempDir()
	w, err := Create(root, "s", testManifest())
	must(t, err)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 50 {
				for _, err := range []error{
					w.Slice(testSlice("p", "a", g, i)), w.Counters(i), w.Manifest(func(m *Manifest) { m.Blocks++ }),
				} {
					if err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	must(t, w.Finish(Interrupted, nil))
	r, err := OpenIn(root, w.ID())
	must(t, err)
	counters, err := r.Counters()
	must(t, err)
	if len(r.Slices) != 200 || len(counters) != 200 || r.Manifest.Blocks != 202 {
		t.Errorf("got %d slices, %d counters, %d edits", len(r.Slices), len(counters), r.Manifest.Blocks)
	}
}

func TestRefusedRecordsLeaveNoTrace(t *testing.T) {
	root := t.TempDir()
	w, err := Create(root, "s", testManifest())
	must(t, err)
	check := func(want string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	nan := testSlice("p", "a", 0, 0)
	nan.ClientBusy = math.NaN()
	check("trials.jsonl: json: unsupported value: NaN", w.Slice(nan))
	check("a slice without an arm", w.Slice(Slice{}))
	check("a trial without an arm", w.Trial(Trial{}))
	check("counters.jsonl: ", w.Counters(func() {}))
	check(`unknown status "done"; have complete, interrupted, failed`, w.Finish("done", nil))
	must(t, w.Slice(testSlice("p", "a", 0, 0)))
	must(t, w.Finish(Complete, nil))
	for _, err := range []error{w.Slice(testSlice("p", "a", 0, 1)), w.Trial(Trial{Arm: "a"}), w.Counters(1),
		w.Histograms(BlockHistograms{}), w.Manifest(func(*Manifest) {}), w.Finish(Complete, nil)} {
		if !errors.Is(err, errFinished) {
			t.Errorf("after Finish: got %v", err)
		}
	}
	r, err := OpenIn(root, w.ID())
	must(t, err)
	if len(r.Slices) != 1 || len(r.Trials) != 0 || len(r.Warnings) != 0 {
		t.Errorf("got %d slices, %d trials, %v", len(r.Slices), len(r.Trials), r.Warnings)
	}
}

// What is written is in the file when the call returns, whole lines only: nothing waits in a buffer for a crash.
func TestEveryRecordIsInTheFileAtOnce(t *testing.T) {
	w, err := Create(t.TempDir(), "s", testManifest())
	must(t, err)
	for n := range 5 {
		must(t, w.Slice(testSlice("p", "a", 0, n)))
		must(t, w.Trial(Trial{Point: "p", Arm: "a", Block: n}))
		for _, name := range []string{slicesFile, trialsFile} {
			b, err := os.ReadFile(filepath.Join(w.Dir(), name))
			must(t, err)
			if lines := strings.Count(string(b), "\n"); lines != n+1 || b[len(b)-1] != '\n' {
				t.Fatalf("%s: %d lines after %d records", name, lines, n+1)
			}
		}
	}
	must(t, w.Finish(Complete, nil))
}

func TestStartedDefaultsToNow(t *testing.T) {
	before := time.Now()
	w, err := Create(t.TempDir(), "s", &Manifest{})
	must(t, err)
	m := w.manifest
	if m.Started.Before(before.Add(-time.Second)) || m.Started.After(time.Now()) || m.Started.Location() != time.UTC ||
		len(m.Argv) == 0 || m.EnvKey != "" || !strings.Contains(m.ID, "-norev-") {
		t.Errorf("got %+v", m)
	}
	must(t, w.Finish(Complete, nil))
}
