package scenarios

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzParse: whatever the text, there is an error of one line that begins with a place, or a scenario that is the
// same and valid after a trip through its canonical form.
func FuzzParse(f *testing.F) {
	f.Add(full)
	f.Add(base)
	f.Add("name: x\narms: [~, null, {topology: null, name: \"\"}]\nseed: |\n  1\n" +
		"run: {cpus: {server: 0, client: 0-1}}\n")
	f.Add("? name\n: x\narms: !!seq [&a shared, *a]\n<<: {a: b}\n---\n...\n%YAML 1.2\n")
	f.Add("load: {pipeline: [1,, 2], rate: }\n\tworkload:\n - >-\n  x\n")
	for _, name := range builtinNames() {
		data, err := builtin.ReadFile(name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("f.yaml", []byte(text), registered)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f.yaml:") || strings.ContainsAny(err.Error(), "\n\r") {
				t.Fatalf("error without a place, or of two lines: %q", err)
			}
			return
		}
		if err := s.Validate(registered); err != nil {
			t.Fatalf("parsed, but %v", err)
		}
		canonical := s.Canonical()
		var back Scenario
		if err := json.Unmarshal(canonical, &back); err != nil {
			t.Fatal(err)
		}
		if err := back.Validate(registered); err != nil {
			t.Fatalf("valid before, but after canonical JSON: %v\n%s", err, canonical)
		}
		if got := back.Canonical(); string(got) != string(canonical) {
			t.Fatalf("canonical JSON changes\n%s\n%s", canonical, got)
		}
	})
}

// FuzzSet: whatever stands behind --set, there is an error of one line or a valid scenario.
func FuzzSet(f *testing.F) {
	f.Add("load.connections=10")
	f.Add("workload.mix={get: 1}")
	f.Add("run.cpus={server: 0, client: 1}")
	f.Add("load.pipeline=[1, 2]\n---")
	s, err := Parse("f.yaml", []byte(base), registered)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		changed, err := s.Override(Overrides{Set: []string{arg}})
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Fatalf("error of two lines: %q", err)
			}
			return
		}
		if err := changed.Validate(registered); err != nil {
			t.Fatalf("changed, but %v", err)
		}
	})
}
