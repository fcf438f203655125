package scenarios

import (
	"slices"
	"strings"
	"testing"
)

func TestCPULists(t *testing.T) {
	check := func(text, canonical string, want ...int) {
		t.Helper()
		got, err := ParseCPUs(text)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
		if s := FormatCPUs(got); s != canonical {
			t.Errorf("%q is written back as %q, want %q", text, s, canonical)
		}
	}
	check("0", "0", 0)
	check("0-3,8", "0-3,8", 0, 1, 2, 3, 8)
	check("8,1-2,0,2-4", "0-4,8", 0, 1, 2, 3, 4, 8)
	check("1,2", "1-2", 1, 2)
	check("1023,5-5", "5,1023", 5, 1023)

	for _, bad := range []string{
		"", ",", "0,", "-1", "1-", "a", "0-x", "1024", "0-1024", "99999999999999999999", " 1", "1 - 2", "0-1-2",
	} {
		cpus, err := ParseCPUs(bad)
		if err == nil {
			t.Errorf("%q is read as %v", bad, cpus)
		} else if !strings.Contains(err.Error(), "is not a CPU list") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	const backwards = `"3-1" is not a CPU list: the range 3-1 runs backwards`
	if _, err := ParseCPUs("3-1"); err == nil || err.Error() != backwards {
		t.Errorf("3-1: %v", err)
	}
	if s := FormatCPUs(nil); s != "" {
		t.Errorf("no CPUs are written %q", s)
	}
}

// TestCPUListsThatOverlap: every processor is there once, however often it is named.
func TestCPUListsThatOverlap(t *testing.T) {
	cpus, err := ParseCPUs("0-1000,5-1023,0-1023")
	if err != nil || len(cpus) != MaxCPU+1 || FormatCPUs(cpus) != "0-1023" {
		t.Errorf("got %d CPUs, %s, %v", len(cpus), FormatCPUs(cpus), err)
	}
}
