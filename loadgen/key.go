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

// appendKey appends key number n: "k:", zeros, the number; size bytes in all.
func appendKey(dst []byte, n uint32, size int) []byte {
	dst = append(dst, keyPrefix...)
	for range size - len(keyPrefix) {
		dst = append(dst, '0')
	}
	putDecimal(dst[len(dst)-decimalDigits(int(n)):], n)
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
