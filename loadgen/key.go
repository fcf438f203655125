package loadgen

const keyPrefix = "k:"

// decimalDigits returns how many digits n has, 1 for what is not positive.
func decimalDigits(n int) int {
	d := 1
	for ; n >= 10; n /= 10 {
		d++
	}
	return d
}

// keys makes a workload's keys: "k:", zeros, the key's number. It is read-only.
//
// How long a key is follows from its number alone, not from the seed: whoever knows the workload's sizes finds the keys of
// an earlier session. No two keys are the same, whatever the law: either their lengths differ, or their numbers do.
type keys struct {
	sizes   numbers
	longest []byte // number 0, of the greatest size; of a trace, bytes of no meaning
	digits  int    // how many digits of a number can differ from 0
	trace   *Trace // whose keys they are, if not nil
	escaped bool   // is how append writes those, for a path
}

func newKeys(w Workload) keys {
	k := keys{sizes: newNumbers(w.keyLaw()), digits: decimalDigits(w.Keys - 1), trace: w.Trace}
	k.longest = append(k.longest, keyPrefix...)
	for len(k.longest) < k.sizes.Max {
		k.longest = append(k.longest, '0')
	}
	return k
}

// keyLaw is that of the sizes of keys.
func (w Workload) keyLaw() Law {
	if w.KeyLaw.Max != 0 {
		return w.KeyLaw
	}
	return Fixed(w.KeySize)
}

// sizeSeed parts the words that choose sizes of keys from all others that are made of a key's number.
const sizeSeed = 0x6b657973697a6573

// size returns how long key number n is.
func (k *keys) size(n uint32) int {
	if k.sizes.fixed() {
		return k.sizes.Min
	}
	if k.trace != nil {
		return len(k.trace.key(n))
	}
	return k.sizes.draw(mix64(sizeSeed + uint64(n)*gamma))
}

// append appends key number n.
func (k *keys) append(dst []byte, n uint32) []byte {
	if k.trace != nil {
		if k.escaped {
			return appendEscaped(dst, k.trace.key(n))
		}
		return append(dst, k.trace.key(n)...)
	}
	dst = append(dst, k.longest[:k.size(n)]...)
	putDecimal(dst[len(dst)-k.digits:], n)
	return dst
}

// is reports whether key is number n.
func (k *keys) is(key []byte, n uint32) bool {
	var buf [64]byte
	return len(key) == k.size(n) && string(key) == string(k.append(buf[:0], n))
}

// put makes dst, which is as long as size says, key number n.
func (k *keys) put(dst []byte, n uint32) {
	if k.trace != nil {
		copy(dst, k.trace.key(n))
		return
	}
	copy(dst, k.longest)
	putDecimal(dst[len(dst)-k.digits:], n)
}

// appendEscaped appends a key as a segment of a path: what is not sure to be let through there as %XX.
func appendEscaped(dst, key []byte) []byte {
	const digits = "0123456789ABCDEF"
	for _, c := range key {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '~' || c == ':' {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		}
	}
	return dst
}

// putDecimal fills dst with the last digits of n, zeros in front.
func putDecimal(dst []byte, n uint32) {
	for i := len(dst) - 1; i >= 0; i-- {
		q := n / 10
		dst[i] = byte('0' + n - q*10)
		n = q
	}
}
