package loadgen

import (
	"fmt"
	"testing"
)

func TestKey(t *testing.T) {
	for _, n := range []uint32{0, 7, 42, 999, 1_000_000, MaxKeys - 1} {
		if got, want := string(appendKey([]byte("x"), n, 16)), fmt.Sprintf("xk:%014d", n); got != want {
			t.Errorf("key %d is %q, want %q", n, got, want)
		}
	}
	if got := string(appendKey(nil, 12, 4)); got != "k:12" {
		t.Errorf("the shortest key of 12 is %q", got)
	}
}
