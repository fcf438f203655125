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

// TestETCKeepsItsLaws: the sizes of fb-etc have the means of the laws that they stand for, and as many small values.
func TestETCKeepsItsLaws(t *testing.T) {
	w := workloadOf(t, "preset: fb-etc")
	mean := func(l *Law, most int) (mean, share float64) {
		sum, part, all := 0.0, 0.0, 0.0
		for i, n := range l.Values {
			all += l.Weights[i]
			if n <= most {
				sum, part = sum+float64(n)*l.Weights[i], part+l.Weights[i]
			}
		}
		return sum / part, part / all
	}
	const location, scale, shape = 30.7984, 8.20449, 0.078688
	keys := location + scale*(math.Gamma(1-shape)-1)/shape
	if got, _ := mean(w.KeyLaw, 1e9); math.Abs(got/keys-1) > 0.01 {
		t.Errorf("keys of %v bytes, want %v", got, keys)
	}
	// What is left of a generalised Pareto law beyond 15 has the mean 15 + (scale + shape·15)/(1 - shape).
	small, share := mean(w.ValueLaw, 14)
	tail := 15 + (214.476+0.348238*15)/(1-0.348238)
	if got, _ := mean(w.ValueLaw, 1e9); math.Abs(share-0.44155) > 1e-4 || math.Abs(got/(share*small+(1-share)*tail)-1) > 0.01 {
		t.Errorf("%v of the values are small, all are of %v bytes; want 0.44155, and %v", share, got, share*small+(1-share)*tail)
	}
}
