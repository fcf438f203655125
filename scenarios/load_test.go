package scenarios

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var registered = Names{
	Topologies: []string{"shared", "shard-arc", "thread-local", "multi-direct", "reuseport", "routed", "direct-shard", "engine", "null"},
	Knobs:      map[string][]string{"transport": []string{"netpoll", "epoll"}},
}

// TestBuiltinsLoad also holds them to the length that their comments promise; starting servers comes on top.
func TestBuiltinsLoad(t *testing.T) {
	check := func(name string, points int, least, most time.Duration, arms ...string) {
		t.Helper()
		s, err := Load(name, registered)
		if err != nil {
			t.Fatal(err)
		}
		if s.Name != name || s.About == "" || s.File != "scenarios/"+name+".yaml" {
			t.Errorf("%s: name %q, about %q, file %q", name, s.Name, s.About, s.File)
		}
		if !strings.Contains(s.Source, "name: "+name) {
			t.Errorf("%s: the source is not the file's text", name)
		}
		if len(s.Points) != points {
			t.Errorf("%s: points %q, want %d", name, labels(s), points)
		}
		var have []string
		for _, a := range s.Arms {
			have = append(have, a.Name)
		}
		if !slices.Equal(have, arms) {
			t.Errorf("%s: arms %q, want %q", name, have, arms)
		}
		if d := s.Planned(); d < least || d > most {
			t.Errorf("%s: %v under load, want %v to %v", name, d, least, most)
		}
		if s.Run.Blocks < 6 {
			t.Errorf("%s: %d blocks are too few for an interval", name, s.Run.Blocks)
		}
	}
	check("quickstart", 2, 80*time.Second, 110*time.Second,
		"shared", "shard-arc", "thread-local", "multi-direct", "direct-shard", "redis")
	check("mixed", 2, 50*time.Second, 90*time.Second, "shared", "shard-arc", "thread-local", "routed")
	check("embedded", 2, 50*time.Second, 90*time.Second, "shared", "shard-arc", "thread-local", "routed", "engine", "null")
	check("ceiling", 3, time.Minute, 2*time.Minute, "redis", "multi-direct", "thread-local", "null")
	check("knee", 1, 10*time.Second, 20*time.Second, "shared", "multi-direct")
	check("lock-scopes", 3, time.Minute, 3*time.Minute, "op", "shard", "batch", "thread-local")
	check("open-loop", 5, 2*time.Minute, 4*time.Minute, "shared", "multi-direct", "thread-local", "redis")
	check("phase", 9, time.Minute, 4*time.Minute, "shared", "multi-direct", "thread-local")
	check("scaling", 6, time.Minute, 3*time.Minute, "shared", "multi-direct", "thread-local")
	check("phases", 1, 50*time.Second, 80*time.Second, "shared", "multi-direct")
	check("probe", 3, 40*time.Second, 80*time.Second, "shared", "multi-direct")
	check("protocols", 4, time.Minute, 2*time.Minute, "multi-direct", "direct-shard", "null")
	check("smoke", 1, 5*time.Second, 10*time.Second, "shared", "multi-direct", "direct-shard", "null")
	check("topologies", 2, 2*time.Minute, 4*time.Minute,
		"shared", "shard-arc", "engine", "multi-direct", "reuseport", "routed", "direct-shard", "thread-local")
}

// builtins are the names of all built-in scenarios, in their order.
var builtins = []string{"ceiling", "embedded", "knee", "lock-scopes", "mixed", "open-loop",
	"phase", "phases", "probe", "protocols", "quickstart", "scaling", "smoke", "topologies"}

func TestBuiltinsAreListed(t *testing.T) {
	infos := Builtin()
	if got := names(infos); !slices.Equal(got, builtins) {
		t.Errorf("built-ins are %q", got)
	}
	for _, i := range infos {
		if i.About == "" || strings.Contains(i.About, "\n") {
			t.Errorf("%s is about %q, want one line", i.Name, i.About)
		}
	}
}

func TestLoadPaths(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mine.yaml")
	if err := os.WriteFile(path, []byte("name: mine\narms: [shared]\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := Load(path, registered)
	if err != nil || s.Name != "mine" || s.File != path {
		t.Errorf("Load(%s) = %+v, %v", path, s, err)
	}
	check := func(path, want string) {
		t.Helper()
		if _, err := Load(path, registered); err == nil || err.Error() != want {
			t.Errorf("Load(%s): %v, want %s", path, err, want)
		}
	}
	check("quikstart", `unknown scenario "quikstart"; did you mean "quickstart"? have `+strings.Join(builtins, ", ")+`; `+
		`the name of a file needs a slash or .yaml`)
	check("no-such.yml", "no-such.yml: no such file; without a slash and .yaml it would be a built-in scenario: "+
		strings.Join(builtins, ", "))
	check("", `unknown scenario ""; have `+strings.Join(builtins, ", ")+`; the name of a file needs a slash or .yaml`)
	check(dir, dir+": is a directory")
	check("/dev/zero", "/dev/zero:1: longer than 64 KiB: not a scenario")
}

// TestNamesMayBeUnknown: with no list of names, words pass that look like one.
func TestNamesMayBeUnknown(t *testing.T) {
	const file = "name: x\nsettings: {transport: pigeon}\narms: [any-thing]\n"
	if _, err := Parse("x.yaml", []byte(file), Names{}); err != nil {
		t.Error(err)
	}
	if _, err := Parse("x.yaml", []byte(strings.Replace(file, "any-thing", "Any Thing", 1)), Names{}); err == nil {
		t.Error("no error for a topology with a space in its name")
	}
}

func TestDistributionsAreTheCallers(t *testing.T) {
	d := Distributions()
	if got := names(d); len(got) != 8 || !slices.Equal(got[:2], []string{Uniform, Zipfian}) {
		t.Errorf("distributions are %q", got)
	}
	d[0].Name = "changed"
	if Distributions()[0].Name != Uniform {
		t.Error("a caller can change the list")
	}
}
