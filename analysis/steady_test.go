package analysis

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shardlab/shardlab/results"
)

// steadyRows makes the blocks of arms whose slices have 5 % of noise with a memory of rho, on a machine that drifts by 10 % in each
// block and takes all of them along; the first arm climbs by slope from its first slice to its last.
func steadyRows(rng *rand.Rand, arms, blocks, rounds int, rho, slope float64) map[string][]*block {
	rows := map[string][]*block{}
	names := []string{"a", "b", "c", "d"}[:arms]
	for b := range blocks {
		machine := 0.1 * rng.NormFloat64()
		if arms == 1 {
			machine = 0
		}
		for i, name := range names {
			one := &block{number: b, trial: &results.Trial{}}
			x := rng.NormFloat64()
			for r := range rounds {
				x = rho*x + math.Sqrt(1-rho*rho)*rng.NormFloat64()
				at := float64(r) / float64(rounds-1)
				level := machine*at + 0.05*x
				if i == 0 {
					level += slope * at
				}
				one.add(&results.Slice{Slice: r, Dur: 1e9, Replies: uint64(1e6 * math.Exp(level)), Valid: true})
			}
			rows[name] = append(rows[name], one)
		}
	}
	return rows
}

// TestUnsteadyByChance: a row that is as steady as the machine is called unsteady once in a hundred at most, whatever the memory of its
// slices; and a climb of 15 % within each block is found.
func TestUnsteadyByChance(t *testing.T) {
	runs := 300
	if testing.Short() {
		runs = 60
	}
	for _, c := range []struct {
		arms, blocks int
		rho          float64
	}{{3, 3, 0}, {3, 6, 0}, {3, 6, 0.6}, {1, 6, 0}, {1, 6, 0.6}, {4, 4, 0.3}, {2, 10, 0.6}} {
		rng := rand.New(rand.NewPCG(21, uint64(c.arms*100+c.blocks)))
		rowsSeen, accused := 0, 0
		for range runs {
			rows := steadyRows(rng, c.arms, c.blocks, 16, c.rho, 0)
			drift, order := drifts(false, rows), orders(false, rows)
			for arm := range rows {
				rowsSeen++
				if drift[arm].unsteady() || order[arm].unsteady() {
					accused++
				}
			}
		}
		t.Logf("%+v: %d of %d", c, accused, rowsSeen)
		// Of a binomial of 1 %: by chance no more than three standard deviations above.
		if most := 0.01*float64(rowsSeen) + 3*math.Sqrt(0.01*float64(rowsSeen)); float64(accused) > most {
			t.Errorf("%d arms, %d blocks, memory %v: %d of %d steady rows are unsteady", c.arms, c.blocks, c.rho, accused, rowsSeen)
		}
	}
	rng := rand.New(rand.NewPCG(22, 1))
	found := 0
	for range runs {
		rows := steadyRows(rng, 3, 7, 16, 0, 0.15)
		drift, order := drifts(false, rows), orders(false, rows)
		if drift["a"].unsteady() || order["a"].unsteady() {
			found++
		}
	}
	t.Logf("found %d of %d", found, runs)
	if found < runs*8/10 {
		t.Errorf("a climb of 15 %% in every block is found in %d of %d runs", found, runs)
	}
}

// TestMemory: slices with a memory are said to have one, others at 1 %.
func TestMemory(t *testing.T) {
	const runs = 200
	rng := rand.New(rand.NewPCG(23, 1))
	for rho, most := range map[float64][2]int{0: {0, 12}, 0.5: {280, 400}} {
		said := 0
		for range runs {
			for _, o := range orders(false, steadyRows(rng, 2, 6, 18, rho, 0)) {
				if o.remembers() {
					said++
				}
			}
		}
		t.Logf("memory %v: %d of %d", rho, said, 2*runs)
		if said < most[0] || said > most[1] {
			t.Errorf("memory %v: %d of %d rows are said to have one", rho, said, 2*runs)
		}
	}
}
