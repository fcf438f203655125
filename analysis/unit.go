package analysis

import (
	"math"
	"strconv"
)

// Unit is what a column's values are, and knows the scales they may be shown in.
type Unit int

// The units of the metrics.
const (
	OpsPerSecond Unit = iota
	Nanoseconds
	Bytes
)

// A Scale is a factor with its name: values are divided by Factor and called Name.
type Scale struct {
	Name   string
	Factor float64
}

var scales = map[Unit][]Scale{
	OpsPerSecond: {{"/s", 1}, {"k/s", 1e3}, {"M/s", 1e6}, {"G/s", 1e9}},
	Nanoseconds:  {{"ns", 1}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}},
	Bytes:        {{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}},
}

// ScaleFor is the largest scale in which the smallest of the values, as far as they are above zero, is still at least
// 1: one scale for a column, without leading zeros in any of its cells.
func (u Unit) ScaleFor(values ...float64) Scale {
	least := math.Inf(1)
	for _, v := range values {
		if v > 0 {
			least = min(least, v)
		}
	}
	best := scales[u][0]
	for _, s := range scales[u] {
		if !math.IsInf(least, 1) && least >= s.Factor*0.9995 {
			best = s
		}
	}
	return best
}

// Format is v in this scale with three significant digits, without the unit's name. Whole digits are never dropped.
func (s Scale) Format(v float64) string { return Digits3(v / s.Factor) }

// Digits3 is v with three significant digits and no exponent up to a billion: 0.0123, 1.23, 12.3, 123, 1234.
func Digits3(v float64) string {
	a := math.Abs(v)
	switch {
	case a == 0:
		return "0"
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case a >= 1e9 || a < 1e-6:
		return strconv.FormatFloat(v, 'e', 2, 64)
	case a >= 99.95:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	decimals := 2 - int(math.Floor(math.Log10(a)))
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	// 9.996 rounds to 10.00, a digit too many.
	if r, _ := strconv.ParseFloat(s, 64); math.Abs(r) >= math.Pow(10, float64(3-decimals)) {
		s = strconv.FormatFloat(v, 'f', decimals-1, 64)
	}
	return s
}

// FormatSI is a count or rate with a decimal prefix and three significant digits: "950", "81.2k", "1.25M".
func FormatSI(v float64) string {
	a, prefix := math.Abs(v), ""
	for _, p := range []string{"k", "M", "G", "T"} {
		if a < 999.5 {
			break
		}
		a, v, prefix = a/1000, v/1000, p
	}
	return Digits3(v) + prefix
}

// FormatDuration is a time in ns, at the scale that suits it: "812 ns", "48.1 µs".
func FormatDuration(ns float64) string { return formatOne(Nanoseconds, ns) }

// FormatRate is a rate per second: "81.2 k/s".
func FormatRate(r float64) string { return formatOne(OpsPerSecond, r) }

func formatOne(u Unit, v float64) string {
	s := u.ScaleFor(math.Abs(v))
	return s.Format(v) + " " + s.Name
}
