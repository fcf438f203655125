package loadgen

import (
	"math/rand/v2"
	"testing"
)

// TestBacklogAgainstSlices holds lists that share nodes against one slice each.
func TestBacklogAgainstSlices(t *testing.T) {
	const size, lists = 10, 3
	b := newBacklog(size)
	var got [lists]waitingList
	var want [lists][]waitingArrival
	for i := range got {
		got[i].clear()
	}
	random := rand.New(rand.NewPCG(1, 2))
	count := 0
	for n := range 10_000 {
		l := random.IntN(lists)
		if random.IntN(2) == 0 {
			a := waitingArrival{due: int64(n), turn: uint64(n), client: uint32(l)}
			ok := b.put(&got[l], a)
			if ok != (count < size) {
				t.Fatalf("put says %v with %d of %d taken", ok, count, size)
			}
			if ok {
				want[l] = append(want[l], a)
				count++
			}
		} else if len(want[l]) > 0 {
			if a := b.take(&got[l]); a != want[l][0] {
				t.Fatalf("took %v, want %v", a, want[l][0])
			}
			want[l] = want[l][1:]
			count--
		}
		if got[l].empty() != (len(want[l]) == 0) || b.count != count {
			t.Fatalf("list of %d says empty %v; count %d, want %d", len(want[l]), got[l].empty(), b.count, count)
		}
	}
}
