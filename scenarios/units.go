package scenarios

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// unit is a suffix and what it stands for.
type unit struct {
	suffix string
	scale  int64
}

// Counts are decimal, sizes binary; the suffixes differ so that nobody has to remember which.
var (
	countUnits = []unit{{"G", 1e9}, {"M", 1e6}, {"k", 1e3}, {"", 1}}
	sizeUnits  = []unit{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}, {"", 1}}
)

// scaled reads digits, perhaps with a decimal point, and a unit. It is false for anything else, for what is not whole
// in the end (1.5 without a unit), and for what does not fit.
func scaled(text string, units []unit) (int64, bool) {
	num, suffix := splitNumber(text)
	for _, u := range units {
		if u.suffix == suffix {
			return decimal(num, u.scale)
		}
	}
	return 0, false
}

// splitNumber parts the leading digits and points of text from the rest.
func splitNumber(text string) (num, rest string) {
	i := strings.IndexFunc(text, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if i < 0 {
		i = len(text)
	}
	return text[:i], text[i:]
}

// decimal is num times scale, exactly.
func decimal(num string, scale int64) (int64, bool) {
	whole, frac, point := strings.Cut(num, ".")
	if point && frac == "" || len(frac) > 9 { // 1e9 is the largest scale: more digits cannot make a whole number
		return 0, false
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n > math.MaxInt64/scale {
		return 0, false
	}
	n *= scale
	if point {
		f, err := strconv.ParseInt(frac, 10, 64)
		if err != nil {
			return 0, false
		}
		tens := int64(math.Pow10(len(frac)))
		if f*scale%tens != 0 || n > math.MaxInt64-f*scale/tens {
			return 0, false
		}
		n += f * scale / tens
	}
	return n, true
}

// inUnits is n with the largest unit that leaves it whole.
func inUnits(n int64, units []unit) string {
	for _, u := range units {
		if u.scale > 1 && n != 0 && n%u.scale == 0 {
			return strconv.FormatInt(n/u.scale, 10) + u.suffix
		}
	}
	return strconv.FormatInt(n, 10)
}

func (v value) count() (int64, error) {
	text, err := v.word()
	if err != nil {
		return 0, err
	}
	n, ok := scaled(text, countUnits)
	if !ok {
		return 0, v.errorf("%s is not a count; write digits, with k, M or G for thousands, millions, billions, "+
			"as in 100k",
			quote(text))
	}
	return n, nil
}

func (v value) size() (int64, error) {
	text, err := v.word()
	if err != nil {
		return 0, err
	}
	n, ok := scaled(text, sizeUnits)
	if !ok {
		return 0, v.errorf("%s is not a size; write bytes, with B, KiB, MiB or GiB or without, as in 64 or 4KiB",
			quote(text))
	}
	return n, nil
}

func (v value) duration() (time.Duration, error) {
	text, err := v.word()
	if err != nil {
		return 0, err
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, v.errorf("%s is not a duration; write a number with us, ms, s or m, as in 50ms", quote(text))
	}
	return d, nil
}

// number reads a plain decimal fraction: no sign, exponent, infinity or NaN.
func (v value) number() (float64, error) {
	text, err := v.word()
	if err != nil {
		return 0, err
	}
	_, rest := splitNumber(text)
	x, err := strconv.ParseFloat(text, 64)
	if rest != "" || err != nil {
		return 0, v.errorf("%s is not a number; write a decimal fraction without a sign, as in 0.99", quote(text))
	}
	return x, nil
}

func (v value) yes() (bool, error) {
	text, err := v.word()
	if err != nil {
		return false, err
	}
	if text != "true" && text != "false" {
		return false, v.errorf("%s is neither true nor false", quote(text))
	}
	return text == "true", nil
}
