package analysis

import (
	"math"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"
)

func TestDigits3(t *testing.T) {
	check := func(v float64, want string) {
		t.Helper()
		if got := Digits3(v); got != want {
			t.Errorf("%v is %q, want %q", v, got, want)
		}
	}
	check(0, "0")
	check(0.012345, "0.0123")
	check(1.2345, "1.23")
	check(9.996, "10.0")
	check(12.345, "12.3")
	check(99.96, "100")
	check(0.09996, "0.100")
	check(123.4, "123")
	check(123456, "123456")
	check(-4.5678, "-4.57")
	check(math.NaN(), "–")
	check(math.Inf(1), "–")
	check(3e12, "3.00e+12")
}

func TestFormats(t *testing.T) {
	check := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	check(FormatSI(950), "950")
	check(FormatSI(81234), "81.2k")
	check(FormatSI(999999), "1.00M")
	check(FormatSI(-1500), "-1.50k")
	check(FormatDuration(812), "812 ns")
	check(FormatDuration(48123), "48.1 µs")
	check(FormatDuration(999999), "1.00 ms")
	check(FormatDuration(0), "0 ns")
	check(formatOne(Bytes, 96.4), "96.4 B")
	check(formatOne(Bytes, 1536), "1.50 KiB")
	check(FormatRate(81234), "81.2 k/s")
	check(shortSI(20000), "20k")
	check(shortSI(12500), "12.5k")
	check(shortSI(500), "500")
}

func TestScaleForIsOneForAll(t *testing.T) {
	check := func(want string, values ...float64) {
		t.Helper()
		if got := Nanoseconds.ScaleFor(values...).Name; got != want {
			t.Errorf("%v are shown in %s, want %s", values, got, want)
		}
	}
	check("ns")
	check("ns", 0, -5)
	check("ns", 900, 48e6)
	check("µs", 1000, 48e6)
	check("ms", 0, 48e6)
	check("s", 61e9)
}

// TestHistogramStep compares with the histograms that are used.
func TestHistogramStep(t *testing.T) {
	h := hdrhistogram.New(1, 60e9, 3)
	for _, v := range []int64{1, 100, 2047, 2048, 4096, 51234, 1e6, 123456789, 30e9} {
		step := int64(histogramStep(float64(v)))
		low := v / step * step
		if !h.ValuesAreEquivalent(low, low+step-1) || h.ValuesAreEquivalent(low, low+step) {
			t.Errorf("the bucket at %d is not %d wide", v, step)
		}
	}
}
