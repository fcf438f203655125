package command

import (
	"math/big"
	"strings"
)

// extended is a number with the 64-bit significand of an x87 long double: the arithmetic that INCRBYFLOAT has in Redis on
// amd64, where 0.1 + 0.2 is 0.3 and not 0.30000000000000004. big.Float rounds to nearest even like the hardware; what it lacks
// is a limit to the exponent, which parse and add enforce.
type extended struct{ f big.Float }

const (
	extendedBits    = 64
	extendedMaxExp  = 16384      // finite values are below 2 to this power
	extendedLongest = 5*1024 - 1 // longer texts are no numbers
)

func newExtended() *extended {
	e := new(extended)
	e.f.SetPrec(extendedBits)
	return e
}

// parse reads what strtold reads, and nothing before or behind it: decimal or hexadecimal, or an infinity. False: it is no
// number, or too large or too small for one.
func (e *extended) parse(text []byte) bool {
	if len(text) == 0 || len(text) > extendedLongest {
		return false
	}
	s := strings.ToLower(string(text))
	negative := s[0] == '-'
	if negative || s[0] == '+' {
		s = s[1:]
	}
	if s == "inf" || s == "infinity" {
		e.f.SetInf(negative)
		return true
	}
	var ok bool
	if digits, hex := strings.CutPrefix(s, "0x"); hex {
		ok = e.magnitude(digits, 16, 'p')
	} else {
		ok = e.magnitude(s, 10, 'e')
	}
	if negative {
		e.f.Neg(&e.f)
	}
	return ok
}

// magnitude reads digits with an optional point and an optional exponent behind the letter mark.
func (e *extended) magnitude(s string, base int, mark byte) bool {
	s, exponent, ok := cutExponent(s, mark)
	if !ok {
		return false
	}
	whole, fraction, _ := strings.Cut(s, ".")
	digits := whole + fraction
	if digits == "" || strings.ContainsFunc(digits, func(r rune) bool { return !isDigit(r, base) }) {
		return false
	}
	var mantissa big.Int
	mantissa.SetString(digits, base)
	if mantissa.Sign() == 0 {
		return true
	}
	if base == 16 {
		e.f.SetInt(&mantissa)
		e.f.SetMantExp(&e.f, exponent-4*len(fraction))
		return e.finite()
	}
	return e.setDecimal(&mantissa, exponent-len(fraction))
}

// setDecimal sets e to m times 10 to the power of exponent, rounded once.
func (e *extended) setDecimal(m *big.Int, exponent int) bool {
	// With at most 5,119 digits, no number beyond these exponents is representable; and the powers stay small.
	if exponent > 5000 || exponent < -11000 {
		return false
	}
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(exponent, -exponent))), nil)
	if exponent >= 0 {
		e.f.SetInt(power.Mul(power, m))
	} else {
		var num, den big.Float // exact: their precision is what the integers need
		e.f.Quo(num.SetInt(m), den.SetInt(power))
	}
	return e.finite()
}

// finite reports whether a long double can hold e: neither infinite nor rounded to nothing.
func (e *extended) finite() bool {
	return !e.f.IsInf() && e.f.MantExp(nil) <= extendedMaxExp && new(big.Float).Abs(&e.f).Cmp(extendedNothing) > 0
}

// extendedNothing is half of the smallest number that is not 0: what is no larger is rounded to 0.
var extendedNothing = new(big.Float).SetMantExp(big.NewFloat(1), -16446)

// add adds o to e. False: the sum is infinite, or no number.
func (e *extended) add(o *extended) bool {
	if e.f.IsInf() || o.f.IsInf() {
		return false
	}
	e.f.Add(&e.f, &o.f)
	return e.f.Sign() == 0 || e.f.MantExp(nil) <= extendedMaxExp
}

// text is e with 17 decimals, without the zeros that end them.
func (e *extended) text() []byte {
	b := e.f.Append(nil, 'f', 17)
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	if b[len(b)-1] == '.' {
		b = b[:len(b)-1]
	}
	if string(b) == "-0" {
		return b[1:]
	}
	return b
}

// cutExponent cuts the exponent off s, 0 if there is none. It is held within ±1,000,000, which is beyond every number.
func cutExponent(s string, mark byte) (rest string, exponent int, ok bool) {
	i := strings.IndexByte(s, mark)
	if i < 0 {
		return s, 0, true
	}
	digits := s[i+1:]
	negative := strings.HasPrefix(digits, "-")
	if negative || strings.HasPrefix(digits, "+") {
		digits = digits[1:]
	}
	if digits == "" {
		return s, 0, false
	}
	for _, c := range digits {
		if !isDigit(c, 10) {
			return s, 0, false
		}
		exponent = min(exponent*10+int(c-'0'), 1_000_000)
	}
	if negative {
		exponent = -exponent
	}
	return s[:i], exponent, true
}

func isDigit(c rune, base int) bool {
	return c >= '0' && c <= '9' || base == 16 && c >= 'a' && c <= 'f'
}
