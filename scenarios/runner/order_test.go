package runner

import (
	"slices"
	"testing"
)

// Over a pair of rounds every arm has the same mean place, and over many rounds every place.
func TestRoundsAreBalanced(t *testing.T) {
	const arms, pairs = 5, 500
	o := newOrder(1)
	var at [arms][arms]int
	for range pairs {
		first, second := slices.Clone(o.round(arms)), o.round(arms)
		for pos := range arms {
			if first[pos] != second[arms-1-pos] {
				t.Fatalf("%v is not the mirror image of %v", second, first)
			}
			at[first[pos]][pos]++
		}
	}
	for arm := range at {
		for pos, n := range at[arm] {
			if n < pairs/arms/2 || n > pairs/arms*2 {
				t.Errorf("arm %d came %d times at place %d of %d pairs", arm, n, pos, pairs)
			}
		}
	}
}

func TestOrderIsSeeded(t *testing.T) {
	a, b, c := newOrder(7), newOrder(7), newOrder(8)
	same, other := true, true
	for range 20 {
		x, y, z := a.shuffle(10), b.shuffle(10), c.shuffle(10)
		same = same && slices.Equal(x, y)
		other = other && slices.Equal(x, z)
	}
	if !same || other {
		t.Errorf("same seed same order: %v; other seed same order: %v", same, other)
	}
}
