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
	longest []byte // number 0, of the greatest size
	digits  int    // how many digits of a number can differ from 0
}

func newKeys(w Workload) keys {
	k := keys{sizes: newNumbers(w.keyLaw()), digits: decimalDigits(w.Keys - 1)}
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
	return k.sizes.draw(mix64(sizeSeed + uint64(n)*gamma))
}

// append appends key number n.
func (k *keys) append(dst []byte, n uint32) []byte {
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
	copy(dst, k.longest)
	putDecimal(dst[len(dst)-k.digits:], n)
}

// putDecimal fills dst with the last digits of n, zeros in front.
func putDecimal(dst []byte, n uint32) {
	for i := len(dst) - 1; i >= 0; i-- {
		q := n / 10
		dst[i] = byte('0' + n - q*10)
		n = q
	}
}
