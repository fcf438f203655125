package results

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCreateMakesARunThatCanBeRead(t *testing.T) {
	root := filepath.Join(t.TempDir(), "new", "root")
	m := testManifest()
	w, err := Create(root, "quickstart", m)
	must(t, err)
	if m.ID != "" || m.Schema != "" {
		t.Error("the caller's manifest was changed")
	}
	if want := "20261122T103005Z-3f2c1e0-quickstart-"; !strings.HasPrefix(w.ID(), want) || len(w.ID()) != len(want)+6 {
		t.Errorf("id is %q, want %q and six digits", w.ID(), want)
	}
	r, err := Open(w.Dir())
	must(t, err)
	got := r.Manifest
	if got.Schema != Schema || got.ID != w.ID() || got.Status != Running || got.EnvKey != m.Before.Key() ||
		!got.Started.Equal(testStart) || got.Argv[1] != "run" {
		t.Errorf("got %+v", got)
	}
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].Error(), `status is "running"`) {
		t.Errorf("warnings %v", r.Warnings)
	}
	must(t, w.Finish(Complete, nil))
}

func TestRunsOfOneSecondDoNotMeet(t *testing.T) {
	root := t.TempDir()
	seen := map[string]bool{}
	for range 20 {
		w, err := Create(root, "s", testManifest())
		must(t, err)
		if seen[w.ID()] {
			t.Fatalf("%s twice", w.ID())
		}
		seen[w.ID()] = true
		must(t, w.Finish(Complete, nil))
	}
}

func TestCreateFailsWithoutLeavings(t *testing.T) {
	root := t.TempDir()
	m := testManifest()
	m.Scenario.Resolved = []byte("{not json")
	if _, err := Create(root, "s", m); err == nil || !strings.Contains(err.Error(), "create run: manifest.json: ") {
		t.Errorf("got %v", err)
	}
	if entries, _ := os.ReadDir(root); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
	file := filepath.Join(root, "file")
	must(t, os.WriteFile(file, nil, 0o644))
	if _, err := Create(file, "s", testManifest()); err == nil {
		t.Error("made a run in a file")
	}
}
