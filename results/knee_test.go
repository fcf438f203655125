package results

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestKneesAreReadAsWritten(t *testing.T) {
	root := t.TempDir()
	w, err := Create(root, "knee", testManifest())
	must(t, err)
	want := []Knee{
		{Point: "value_size=64", Arm: "a", Block: 1, Lo: 1000, Hi: 1050, FromBelow: 1000, FromAbove: 909, Probes: []KneeProbe{
			{Rate: 1000, From: "above", Outcome: "meets", Why: "p99", Value: 5, N: 7, Achieved: 1, Dur: 9, Client: 0.5, Void: 1, Limit: "late"}}},
		{Arm: "b", Lo: 1000, Open: KneeClientBound, Probes: []KneeProbe{}},
	}
	for _, k := range want {
		must(t, w.Knee(k))
	}
	must(t, w.Finish(Complete, nil))
	if w.Knee(want[0]) == nil {
		t.Error("written after the end")
	}
	r, err := Open(w.Dir())
	must(t, err)
	got, err := r.Knees()
	must(t, err)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	must(t, os.WriteFile(filepath.Join(w.Dir(), kneesFile), []byte("{}\n"), 0o644))
	if _, err := r.Knees(); err == nil {
		t.Error("a line without an arm is a knee")
	}
}

func TestRunWithoutKnees(t *testing.T) {
	w, err := Create(t.TempDir(), "run", testManifest())
	must(t, err)
	must(t, w.Finish(Complete, nil))
	r, err := Open(w.Dir())
	must(t, err)
	if got, err := r.Knees(); got != nil || err != nil || len(r.Warnings) != 0 {
		t.Errorf("%v, %v, warnings %v", got, err, r.Warnings)
	}
}
