package loadgen

import (
	"math"
	"testing"
)

// probabilities reads the distribution off a table.
func (t aliasTable) probabilities() []float64 {
	p := make([]float64, len(t))
	for i, c := range t {
		keep := float64(c.keep) / (1 << 32)
		p[i] += keep / float64(len(t))
		p[c.other] += (1 - keep) / float64(len(t))
	}
	return p
}

func TestAliasTableIsExact(t *testing.T) {
	for _, weights := range [][]float64{
		{1}, {1, 1, 1}, {5, 0, 1}, {1e-9, 1, 1e9}, {0, 0, 3, 0}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
	} {
		sum := 0.0
		for _, w := range weights {
			sum += w
		}
		for i, got := range newAliasTable(append([]float64(nil), weights...)).probabilities() {
			if want := weights[i] / sum; math.Abs(got-want) > 1e-9 {
				t.Errorf("%v: entry %d has probability %v, want %v", weights, i, got, want)
			}
		}
	}
}

func TestAliasTableDraws(t *testing.T) {
	weights := []float64{1, 0, 2, 3, 10}
	table := newAliasTable(append([]float64(nil), weights...))
	counts := make([]int, len(weights))
	random := newWords(3)
	for n := range uint64(100_000) {
		counts[table.draw(random.at(0, n))]++
	}
	if z := chiSquare(counts, func(i int) float64 { return weights[i] / 16 }); z > 3.5 || counts[1] != 0 {
		t.Errorf("chi-square is %.1f standard deviations off: %v", z, counts)
	}
	for _, word := range []uint64{0, math.MaxUint64} {
		if i := table.draw(word); int(i) >= len(weights) {
			t.Errorf("word %#x draws %d", word, i)
		}
	}
}
