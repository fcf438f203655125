package results

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
)

func TestCaptureCodeDescribesThisExecutable(t *testing.T) {
	t.Chdir(t.TempDir()) // no checkout here
	c := CaptureCode()
	info, err := os.Stat("/proc/self/exe")
	must(t, err)
	if c.ExeSize != info.Size() || len(c.ExeSHA256) != 64 || c.GoVersion == "" || c.Settings["GOOS"] == "" {
		t.Errorf("got %+v", c)
	}
	if c.Revision != "" || c.Rev7() != "norev" || c.Dirty {
		t.Errorf("a revision out of nowhere: %+v", c)
	}
	if _, err := json.Marshal(c); err != nil {
		t.Error(err)
	}
}

func TestStampedRevisionComesFirst(t *testing.T) {
	var c Code
	c.readBuild(&debug.BuildInfo{
		Main: debug.Module{Path: modulePath, Version: "v1.2.3"},
		Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789ab"}, {Key: "vcs.modified", Value: "true"},
			{Key: "-ldflags", Value: "-randlayout=2"}, {Key: "GOAMD64", Value: "v3"}},
		Deps: []*debug.Module{{Path: "b", Version: "v2", Sum: "h1:b"},
			{Path: "a", Version: "v1", Sum: "h1:a", Replace: &debug.Module{Path: "fork", Version: "v3", Sum: "h1:f"}}},
	})
	dir := gitRepo(t, modulePath) // at another revision
	c.readCheckout(dir)
	if c.Rev7() != "0123456" || c.VCSFrom != "build" || !c.Dirty || c.DiffHash != "" || c.Branch != "" {
		t.Errorf("got %+v", c)
	}
	if c.Version != "v1.2.3" || c.LDFlags != "-randlayout=2" || c.GOAMD64 != "v3" {
		t.Errorf("got %+v", c)
	}
	want := Module{Path: "a", Version: "v1", Sum: "h1:f", Replace: "fork@v3"}
	if len(c.Modules) != 2 || c.Modules[0] != want {
		t.Errorf("got %+v", c.Modules)
	}
}

// gitRepo is a checkout with one commit, of the module named.
func gitRepo(t *testing.T, module string) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(dir))
	for _, f := range [][2]string{{"go.mod", "module " + module + " // ours\n\ngo 1.26\n"}, {"a.go", "package a\n"}} {
		must(t, os.WriteFile(filepath.Join(dir, f[0]), []byte(f[1]), 0o644))
	}
	for _, args := range [][]string{{"init", "-q", "-b", "trunk"}, {"add", "."},
		{"-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "first"}} {
		if out, err := git(dir, args...); err != nil {
			t.Fatalf("git %v: %v %s", args, err, out)
		}
	}
	return dir
}

func TestCheckoutOfThisModule(t *testing.T) {
	dir := gitRepo(t, modulePath)
	sub := filepath.Join(dir, "sub")
	must(t, os.Mkdir(sub, 0o755))
	read := func() Code {
		var c Code
		c.readCheckout(sub)
		return c
	}
	clean := read()
	if len(clean.Revision) < 40 || clean.Dirty || clean.DiffHash != "" || clean.Branch != "trunk" ||
		clean.VCSFrom != "checkout" {
		t.Fatalf("clean: got %+v", clean)
	}
	hashes := map[string]string{}
	check := func(name, file, content string) {
		t.Helper()
		must(t, os.WriteFile(filepath.Join(dir, file), []byte(content), 0o644))
		c := read()
		if !c.Dirty || c.DiffHash == "" || c.Revision != clean.Revision {
			t.Errorf("%s: got %+v", name, c)
		}
		if other, ok := hashes[c.DiffHash]; ok {
			t.Errorf("%s: has the diff hash of %s", name, other)
		}
		hashes[c.DiffHash] = name
	}
	check("an edit", "a.go", "package a // edited\n")
	check("another edit", "a.go", "package a // edited again\n")
	check("an untracked source file", "b.go", "package a\n")
	check("its content", "b.go", "package a // more\n")
}

func TestForeignCheckoutIsNotOurs(t *testing.T) {
	dir := gitRepo(t, "example.org/other")
	var c Code
	c.readCheckout(dir)
	if c.Revision != "" || c.Dirty {
		t.Errorf("took another project's revision: %+v", c)
	}
}
