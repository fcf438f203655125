package loadgen

import (
	"bytes"
	"testing"
)

func TestValuesAreVerified(t *testing.T) {
	for _, size := range []int{1, 7, 8, 15, 16, 17, 24, 100, 10_000} {
		v := newValues(Fixed(size), 1)
		a, b := make([]byte, size), make([]byte, size)
		for i := range uint32(50) {
			v.put(a, 1000+i, i%5, uint64(i)*77)
			if !v.check(a, 1000+i) {
				t.Errorf("size %d: a good value is refused", size)
			}
			if v.check(a, 999) {
				t.Errorf("size %d: the value of key %d passes for that of 999", size, 1000+i)
			}
			if v.check(a[:size-1], 1000+i) || v.check(append(bytes.Clone(a), 0), 1000+i) {
				t.Errorf("size %d: a wrong length passes", size)
			}
			if v.put(b, 1000+i, i%5, uint64(i)*77+1); size >= 8 && bytes.Equal(a, b) {
				t.Errorf("size %d: two versions are equal", size)
			}
		}
	}
}

// TestDamageIsFound flips one bit of every byte. From 24 bytes on, each is protected by 8 of padding at the least.
func TestDamageIsFound(t *testing.T) {
	for _, size := range []int{3, 24, 64, 1000} {
		v := newValues(Fixed(size), 1)
		value := make([]byte, size)
		v.put(value, 5, preloader, 0)
		for i := range value {
			value[i] ^= 0x10
			if v.check(value, 5) {
				t.Errorf("size %d: damage to byte %d is not found", size, i)
			}
			value[i] ^= 0x10
		}
	}
}
