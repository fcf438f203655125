package gate

import (
	"math"
	"testing"

	"golang.org/x/perf/benchmath"

	"github.com/shardlab/shardlab/results"
)

// What benchstat finds in a gate's lines are the medians of the verdict's rows: whatever look a row was decided at, measured once or
// twice, void blocks among them.
func TestBenchHasTheMediansOfTheRows(t *testing.T) {
	check := func(name string, m made, change func(*results.Slice), wantN ...int) {
		t.Helper()
		lines, trials := m.run()
		for i := range lines {
			change(&lines[i])
		}
		plan := threePrimaries()
		v, err := Judge(plan, "", lines, trials)
		if err != nil {
			t.Fatal(err)
		}
		values := map[string]map[string][]float64{}
		for _, r := range Bench(plan, lines, trials) {
			if values[r.Arm] == nil {
				values[r.Arm] = map[string][]float64{}
			}
			if r.Count == 0 || len(r.Values) == 0 {
				t.Errorf("%s: an empty line: %+v", name, r)
			}
			for _, x := range r.Values {
				values[r.Arm][x.Unit] = append(values[r.Arm][x.Unit], x.Value)
			}
		}
		median := func(x []float64) float64 {
			return benchmath.AssumeNothing.Summary(benchmath.NewSample(x, &benchmath.DefaultThresholds), 0.95).Center
		}
		for i, r := range v.Rows {
			m, _ := find(r.Metric)
			base, head := values[Base][m.bench], values[Head][m.bench]
			if len(base) != r.N || len(head) != r.N || r.N != wantN[i] {
				t.Errorf("%s, %s: %d and %d lines of %d blocks, want %d", name, r.Metric, len(base), len(head), r.N, wantN[i])
			}
			if math.Abs(median(base)/r.BaseValue-1) > 1e-9 || math.Abs(median(head)/r.HeadValue-1) > 1e-9 {
				t.Errorf("%s, %s: medians %g and %g, the row says %g and %g", name, r.Metric, median(base), median(head), r.BaseValue, r.HeadValue)
			}
		}
	}
	nothing := func(*results.Slice) {}
	m := usual()
	m.blocks = 10
	check("passed at the first look", m, nothing, 6, 6, 6)
	m = usual()
	m.head = 0.07
	check("regressed, measured again", m, nothing, 6, 6, 6)
	m = usual()
	check("a void block, and a p50 that takes longer", m, func(s *results.Slice) {
		if s.Arm == Base && s.Block == 2 && s.Slice < 5 {
			s.Valid, s.Why = false, "steal: x"
		}
		if s.Arm == Head {
			s.Response.P50 = int64(float64(s.Response.P50) * math.Exp(-0.02+0.08*float64(s.Block%2)))
		}
	}, 5, 5, 23)
}
