package scenarios

import (
	"math"
	"testing"
)

func workloadOf(t *testing.T, keys string) Workload {
	t.Helper()
	return mustParse(t, "name: x\narms: [shared]\nworkload: {"+keys+"}\n").Points[0].Workload
}

// TestEveryPresetIsAWorkload: each resolves, and what is written beside it wins.
func TestEveryPresetIsAWorkload(t *testing.T) {
	for _, p := range Presets() {
		w := workloadOf(t, "preset: "+p.Name)
		if w.Preset != p.Name || w.Distribution == Uniform || len(w.Mix) == 0 {
			t.Errorf("%s: %+v", p.Name, w)
		}
		w = workloadOf(t, "preset: "+p.Name+", mix: {get: 1}, distribution: uniform, keys: 5k, value_size: 10")
		if w.TTL != nil || w.KeysPerOp != 0 || w.Zipf != 0 || w.Scramble || w.Keys != 5000 || w.ValueSize != 10 || len(w.Mix) != 1 {
			t.Errorf("%s, overridden: %+v", p.Name, w)
		}
	}
	s := mustParse(t, "name: x\narms: [shared]\nworkload: {preset: [ycsb-a, ycsb-c]}\n")
	if a, c := s.Points[0].Workload.Mix, s.Points[1].Workload.Mix; len(a) != 2 || len(c) != 1 {
		t.Errorf("a sweep of presets has the mixes %v and %v", a, c)
	}
	if got := workloadOf(t, "preset: ycsb-b").Mix[0].Share; math.Abs(got-0.95) > 1e-9 {
		t.Errorf("ycsb-b reads with %v of its operations", got)
	}
}

// TestETCKeepsItsMean: the sizes of fb-etc have the mean of the law that they stand for, 15 + 214.476/(1-0.348238).
func TestETCKeepsItsMean(t *testing.T) {
	law := workloadOf(t, "preset: fb-etc").ValueLaw
	sum, all := 0.0, 0.0
	for i, n := range law.Values {
		sum += float64(n) * law.Weights[i]
		all += law.Weights[i]
	}
	if want := 15 + 214.476/(1-0.348238); math.Abs(sum/all/want-1) > 0.01 {
		t.Errorf("mean %v, want %v", sum/all, want)
	}
}
