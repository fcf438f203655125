package results

import "testing"

// TestBatches: nothing is lost but the last stretch, all that is whole is equally long, and there are never more than 64.
func TestBatches(t *testing.T) {
	for _, n := range []int{0, 1, 63, 64, 65, 66, 127, 128, 129, 300, 1000} {
		var b Batches
		for i := range n {
			h := NewHistogram()
			h.RecordValues(int64(i+1), 3)
			b.Add(h)
		}
		whole := b.Whole()
		if len(whole) > 64 || n >= 64 && len(whole) < 32 || n < 65 && len(whole) != n {
			t.Fatalf("%d stretches: %d batches", n, len(whole))
		}
		var sum int64
		for i, h := range whole {
			sum += h.TotalCount()
			if h.TotalCount() != whole[0].TotalCount() || i > 0 && h.Min() <= whole[i-1].Max() {
				t.Fatalf("%d stretches: batch %d has %d values from %d", n, i, h.TotalCount(), h.Min())
			}
		}
		if left := 3*int64(n) - sum; n > 0 && (left < 0 || left >= whole[0].TotalCount()) {
			t.Errorf("%d stretches: %d values are in no batch", n, left)
		}
	}
}
