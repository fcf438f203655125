package scenarios

import (
	"math"
	"testing"
)

func TestCounts(t *testing.T) {
	check := func(text string, want int64) {
		t.Helper()
		if got, ok := scaled(text, countUnits); !ok || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, ok, want)
		}
	}
	check("0", 0)
	check("007", 7)
	check("100k", 100_000)
	check("2.5k", 2500)
	check("1.0", 1)
	check("0.000000001G", 1)
	check("9223372036854775807", math.MaxInt64)
	check("9.223372036G", 9_223_372_036)
	for _, bad := range []string{
		"", "k", ".", ".5k", "5.", "1.5", "2.5555k", "1..5k", "1.5.5k", "-1", "+1", "1K", "1 k", "1kk", "1e3", "1_000",
		"0x10", "9223372036854775808", "9223372036854775807k", "0.0000000001G", "１",
	} {
		if n, ok := scaled(bad, countUnits); ok {
			t.Errorf("%q is read as %d", bad, n)
		}
	}
}

func TestSizes(t *testing.T) {
	check := func(text string, want int64) {
		t.Helper()
		if got, ok := scaled(text, sizeUnits); !ok || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, ok, want)
		}
	}
	check("64", 64)
	check("64B", 64)
	check("1.5KiB", 1536)
	check("16MiB", 16<<20)
	check("2GiB", 2<<30)
	for _, bad := range []string{"1k", "1KB", "1kib", "1TiB", "0.3KiB"} {
		if n, ok := scaled(bad, sizeUnits); ok {
			t.Errorf("%q is read as %d", bad, n)
		}
	}
}

// TestInUnitsReadsBack: ranges in errors are written as a file may write them.
func TestInUnitsReadsBack(t *testing.T) {
	for _, units := range [][]unit{countUnits, sizeUnits} {
		for _, n := range []int64{0, 1, 999, 1000, 1024, 1500, 1 << 20, 1e6, 1e9, 1e9 + 1} {
			text := inUnits(n, units)
			if got, ok := scaled(text, units); !ok || got != n {
				t.Errorf("%d is written %q and read %d", n, text, got)
			}
		}
	}
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]float64{"0.99": 0.99, "3": 3, ".5": 0.5, "1.": 1} {
		if got, err := (value{text: text}).number(); err != nil || got != want {
			t.Errorf("%q is %g, %v; want %g", text, got, err, want)
		}
	}
	for _, bad := range []string{"", ".", "-1", "+1", "1e3", "inf", "NaN", "0x1p3", "1_0", "1.2.3"} {
		if x, err := (value{text: bad}).number(); err == nil {
			t.Errorf("%q is read as %g", bad, x)
		}
	}
}
