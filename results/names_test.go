package results

import (
	"strings"
	"testing"
	"time"
)

func TestEveryLabelHasItsOwnSafeFile(t *testing.T) {
	labels := []string{"all", "", "pipeline=16", "pipeline=16,value_size=1024", "a/b", "a_b", "a%2Fb", "..", ".", "../x",
		"ä", "a b", "A", "a", "x.service", "x", "x%2Eservice", "a\nb", "a\x00b",
		strings.Repeat("long", 100), strings.Repeat("long", 100) + "er", strings.Repeat("ä", 90)}
	seen := map[string]string{}
	check := func(name, what string) {
		t.Helper()
		if other, ok := seen[name]; ok {
			t.Errorf("%s and %s are both %q", what, other, name)
		}
		seen[name] = what
		if len(name) > 255 || strings.ContainsAny(name, "/\x00\n ") || strings.HasPrefix(name, ".") || name == "" {
			t.Errorf("%s: unsafe name %q", what, name)
		}
	}
	for _, l := range labels {
		check(pointDir(l), "point "+l)
	}
	clear(seen)
	for _, l := range labels[2:] {
		check(armFile(l, Response), "arm "+l)
		check(armFile(l, Service), "service of arm "+l)
	}
	if got := armFile("redis-7.2", Response); got != "redis-7.2.hlog" {
		t.Errorf("a plain name became %q", got)
	}
	if got := pointDir("pipeline=16,value_size=1024"); got != "pipeline=16,value_size=1024" {
		t.Errorf("a plain label became %q", got)
	}
}

func TestRunID(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	check := func(scenario, want string) {
		t.Helper()
		got := runID(at, "norev", scenario, "x")
		if !strings.HasPrefix(got, want) || len(got) != len(want)+6 {
			t.Errorf("%q: got %q, want %q and six digits", scenario, got, want)
		}
	}
	check("quickstart", "20260102T020405Z-norev-quickstart-")
	check("../../etc/passwd", "20260102T020405Z-norev-etc-passwd-")
	check("ä/ö", "20260102T020405Z-norev-unnamed-")
	check("", "20260102T020405Z-norev-unnamed-")
	check(strings.Repeat("x", 90), "20260102T020405Z-norev-"+strings.Repeat("x", 40)+"-")
}
