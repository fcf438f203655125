package scenarios

import (
	"slices"
	"testing"
)

func TestFlat(t *testing.T) {
	check := func(file, wantErr string, want ...Row) {
		t.Helper()
		got, err := parseFlat("c.yaml", []byte(file), "configuration")
		text := ""
		if err != nil {
			text = err.Error()
		}
		if text != wantErr || !slices.Equal(got, want) {
			t.Errorf("%q: got %q, %v; want %v, %v", file, got, text, want, wantErr)
		}
	}
	check("", "")
	check("# nothing\n", "")
	check("topology: null\nshards: 8\nlock_scope: \"op\"\n", "",
		Row{"topology", "null", "c.yaml:1"}, Row{"shards", "8", "c.yaml:2"}, Row{"lock_scope", "op", "c.yaml:3"})
	check("shards:\n", "c.yaml:1: shards: is empty; write a value or leave the key out")
	check("shards: 1\nshards: 2\n", `c.yaml:2: duplicate key "shards"; it is already at c.yaml:1`)
	check("shards: [1]\n", "c.yaml:1: shards: wants one value, not a list")
	check("- a\n", "c.yaml:1: a configuration file is a table of keys, as in key: value, not a list")
	check("a: &x 1\n", "c.yaml:1: configuration files have no anchors (&), aliases (*) or tags (!); write the value out, "+
		"in quotes if it begins with such a sign")
}

func FuzzFlat(f *testing.F) {
	f.Add("topology: shared\nshards: 8\n")
	f.Add("a: [1, {b: c}]")
	f.Fuzz(func(t *testing.T, file string) {
		rows, err := parseFlat("c.yaml", []byte(file), "configuration")
		if err != nil && len(rows) > 0 {
			t.Error("rows beside an error")
		}
	})
}
