package store

import (
	"bytes"
	"testing"
)

// TestRecordForms writes and reads entries on both sides of every form of lengths and deadlines, in place of each other.
func TestRecordForms(t *testing.T) {
	lengths := []int{0, 1, 30, 31, 32, 126, 127, 128, 4093, 4094, 4095, 4096, 1<<16 - 1, 1 << 16, 1<<16 + 1}
	deadlines := []int64{
		0, 1, -1, 1<<63 - 1, -1 << 63, deadlineEpoch - 1, deadlineEpoch, deadlineEpoch + 1,
		deadlineEnd - 1, deadlineEnd, deadlineEnd + 1,
	}
	mem := make([]byte, 200_000)
	check := func(key, value []byte, expireAt int64, marked bool) {
		t.Helper()
		r := load(&mem[0])
		if !bytes.Equal(r.key(), key) || !bytes.Equal(r.value(), value) || r.deadline() != expireAt || r.marked() != marked ||
			r.stored() != len(key)+len(value) || int(r.end) != recordSize(len(key), len(value), expireAt) ||
			r.expired(0) != (expireAt < 0) || r.expired(1<<62) != (expireAt != 0 && expireAt <= 1<<62) {
			t.Fatalf("key of %d, value of %d, deadline %d, marked %v: read %d, %d, %d, %v", len(key), len(value), expireAt, marked,
				len(r.key()), len(r.value()), r.deadline(), r.marked())
		}
	}
	for _, k := range lengths {
		for _, v := range lengths {
			key, value := bytes.Repeat([]byte("k"), k), bytes.Repeat([]byte("v"), v)
			for _, expireAt := range deadlines {
				write(mem, key, value, expireAt)
				check(key, value, expireAt, false)
				for _, other := range deadlines {
					load(&mem[0]).mark(other%2 != 0)
					rewrite(mem, load(&mem[0]), other)
					check(key, value, other, other%2 != 0)
				}
			}
		}
	}
	if n := recordSize(16, 64, deadlineEpoch+1); n != 87 {
		t.Errorf("an entry of 16 and 64 bytes with a deadline takes %d bytes", n)
	}
}
