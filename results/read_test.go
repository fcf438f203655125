package results

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenChecksTheSchema(t *testing.T) {
	check := func(manifest, want string) {
		t.Helper()
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(manifest), 0o644))
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", manifest, err, want)
		}
	}
	check(`{"schema":"shardlab.run/2","points":7}`,
		`schema is "shardlab.run/2", this program reads "shardlab.run/1"; use the version of shardlab that wrote it`)
	check(`{"schema":"shardlab.gate/1"}`, `this is not the directory of a run`)
	check(`{"name":"some-app"}`, `schema is "", want "shardlab.run/1": this is not the directory of a run`)
	check(`{"schema":"shardlab.run/1"`, "manifest.json: unexpected end of JSON input")
	check(`{"schema":"shardlab.run/1","points":7}`, "manifest.json: json: cannot unmarshal")
	check(``, "manifest.json: ")
}

func TestOpenWarnsOfTornFilesAndRefusesDamagedOnes(t *testing.T) {
	root := t.TempDir()
	w := writeRun(t, root)
	must(t, w.Finish(Complete, nil))
	trials := filepath.Join(w.Dir(), "trials.jsonl")
	data, err := os.ReadFile(trials)
	must(t, err)

	must(t, os.WriteFile(trials, data[:len(data)-100], 0o644))
	r, err := OpenIn(root, w.ID())
	must(t, err)
	if len(r.Slices) != 23 || len(r.Warnings) != 1 ||
		!strings.Contains(r.Warnings[0].Error(), "trials.jsonl:24: the last line is torn") {
		t.Errorf("got %d slices, %v", len(r.Slices), r.Warnings)
	}

	damaged := append(data[:len(data)-100:len(data)-100], data...)
	must(t, os.WriteFile(trials, damaged, 0o644))
	if _, err := OpenIn(root, w.ID()); err == nil || !strings.Contains(err.Error(), "trials.jsonl:24: ") {
		t.Errorf("got %v", err)
	}

	must(t, os.Remove(trials))
	r, err = OpenIn(root, w.ID())
	must(t, err)
	if len(r.Warnings) != 1 || r.Warnings[0].Error() != "trials.jsonl: not there" {
		t.Errorf("got %v", r.Warnings)
	}
}

func TestDirectoryNamesAreNotPatterns(t *testing.T) {
	root := filepath.Join(t.TempDir(), "a[b-]*?\\")
	w := writeRun(t, root)
	must(t, w.Finish(Complete, nil))
	log := filepath.Join(w.Dir(), "latency", "pipeline=1", "shared.hlog")
	data, err := os.ReadFile(log)
	must(t, err)
	must(t, os.WriteFile(log, data[:len(data)-1], 0o644))
	r, err := Open(w.Dir())
	must(t, err)
	if len(r.Warnings) != 1 {
		t.Errorf("the torn log was not found: %v", r.Warnings)
	}
}
