package command

import "math"

// parseInt reads a 64-bit integer in the one form that Redis accepts: decimal, no sign but a minus, no leading zero, no
// blanks. strconv.ParseInt is laxer and needs a string.
func parseInt(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 20 {
		return 0, false
	}
	if len(b) == 1 && b[0] == '0' {
		return 0, true
	}
	neg := b[0] == '-'
	if neg {
		b = b[1:]
	}
	if len(b) == 0 || b[0] < '1' || b[0] > '9' {
		return 0, false
	}
	var n uint64
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 || n > (math.MaxUint64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	switch {
	case neg && n <= 1<<63:
		return -int64(n), true // for 1<<63 the conversion wraps to the right value
	case !neg && n < 1<<63:
		return int64(n), true
	}
	return 0, false
}
