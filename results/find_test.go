package results

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// runAt makes a bare run that started at the time.
func runAt(t *testing.T, root string, started time.Time) string {
	t.Helper()
	w, err := Create(root, "s", &Manifest{Started: started})
	must(t, err)
	must(t, w.Finish(Complete, nil))
	return w.ID()
}

func TestFindRun(t *testing.T) {
	root := t.TempDir()
	first := runAt(t, root, testStart)
	second := runAt(t, root, testStart.Add(time.Hour))
	must(t, os.Mkdir(filepath.Join(root, "20991122T000000Z-not-a-run"), 0o755))

	check := func(name, want string) {
		t.Helper()
		r, err := OpenIn(root, name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if r.Manifest.ID != want || r.Dir != filepath.Join(root, want) {
			t.Errorf("%s: got %s in %s, want %s", name, r.Manifest.ID, r.Dir, want)
		}
	}
	check(first, first)
	check(second, second)
	check("20261122T1030", first)
	check(second[:len(second)-1], second)
	check("latest", second)
	check(filepath.Join(root, first), first)
	check(filepath.Join(root, first)+"/", first)

	fail := func(name, want string) {
		t.Helper()
		if _, err := OpenIn(root, name); err == nil || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
	fail("20261122", "2 runs begin so: "+second+", "+first+"; use more of the id")
	fail("nope", "no such run; "+root+" has "+second+", "+first)
	fail("", "no such run")
	fail("../x", "no such run")
	fail(root, "no manifest.json in it, but runs: "+second+", "+first)
	fail(filepath.Join(root, "20991122T000000Z-not-a-run"), "it is not the directory of a run")
	fail(filepath.Join(root, first, "manifest.json"), "it is a file")
}

func TestFindInNothing(t *testing.T) {
	root := filepath.Join(t.TempDir(), "missing")
	for _, name := range []string{"latest", "x", ""} {
		_, err := OpenIn(root, name)
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "there are no runs in "+root) {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

func TestLatestOfOneSecond(t *testing.T) {
	root := t.TempDir()
	var last string
	for i := range 5 { // whatever the hashes at the ends of their names
		last = runAt(t, root, testStart.Truncate(time.Second).Add(time.Duration(i)*time.Millisecond))
	}
	r, err := OpenIn(root, Latest)
	must(t, err)
	if r.Manifest.ID != last {
		t.Errorf("got %s, want %s", r.Manifest.ID, last)
	}
}

func TestSomeIsShort(t *testing.T) {
	ids := []string{"a", "b", "c", "d", "e", "f", "g"}
	if got := some(ids); got != "g, f, e, d, c and 2 more" {
		t.Errorf("got %q", got)
	}
	if ids[0] != "a" {
		t.Error("the caller's ids were turned round")
	}
}

func TestOpenLooksUnderResults(t *testing.T) {
	t.Chdir(t.TempDir())
	id := runAt(t, "results", testStart)
	r, err := Open(Latest)
	must(t, err)
	if r.Manifest.ID != id {
		t.Errorf("got %s", r.Manifest.ID)
	}
}
