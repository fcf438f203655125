package scenarios

import (
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestLaws(t *testing.T) {
	for text, want := range map[string]Law{
		"64..1KiB":                            {Min: 64, Max: 1024},
		`"lognormal(100, 1)"`:                 {Min: 1, Max: 5460, Median: 100, Sigma: 1},
		`"lognormal(100, 1, 2KiB)"`:           {Min: 1, Max: 2048, Median: 100, Sigma: 1},
		`"weights(1KiB: 1, 64: 9, 100: 0.5)"`: {Min: 64, Max: 1024, Values: []int{1024, 64, 100}, Weights: []float64{1, 9, 0.5}},
		"file(testdata/sizes.txt)":            {Min: 32, Max: 4096, Values: []int{32, 4096}, Weights: []float64{9, 1}},
	} {
		s := mustParse(t, "name: x\narms: [shared]\nworkload: {value_size: "+text+"}\n")
		w := s.Points[0].Workload
		want.Text = strings.Trim(text, `"`)
		if w.ValueLaw == nil || !reflect.DeepEqual(*w.ValueLaw, want) || w.ValueSize != want.Max {
			t.Errorf("%s: %+v of at most %d", text, w.ValueLaw, w.ValueSize)
		}
	}
	if w := mustParse(t, "name: x\narms: [shared]\nworkload: {value_size: 64..64}\n").Points[0].Workload; w.ValueLaw != nil || w.ValueSize != 64 {
		t.Errorf("one size is a law: %+v", w.ValueLaw)
	}
	s := mustParse(t, "name: x\narms: [shared]\nworkload: {value_size: [64, 64..128]}\n")
	if s.Points[1].Label != "value_size=64..128" {
		t.Errorf("a swept law is called %q", s.Points[1].Label)
	}
}

func TestKeyLaws(t *testing.T) {
	for text, want := range map[string]Law{
		"16..64":                  {Min: 16, Max: 64},
		`"lognormal(30, 1, 250)"`: {Min: 6, Max: 250, Median: 30, Sigma: 1},
		`"weights(20: 1, 64: 9)"`: {Min: 20, Max: 64, Values: []int{20, 64}, Weights: []float64{1, 9}},
	} {
		w := mustParse(t, "name: x\narms: [shared]\nworkload: {keys: 10k, key_size: "+text+"}\n").Points[0].Workload
		want.Text = strings.Trim(text, `"`)
		if w.KeyLaw == nil || !reflect.DeepEqual(*w.KeyLaw, want) || w.KeySize != want.Max {
			t.Errorf("%s: %+v of at most %d", text, w.KeyLaw, w.KeySize)
		}
	}
	if w := mustParse(t, "name: x\narms: [shared]\nworkload: {key_size: 24..24}\n").Points[0].Workload; w.KeyLaw != nil || w.KeySize != 24 {
		t.Errorf("one size is a law: %+v", w.KeyLaw)
	}
}

// TestMixOfEverything: operations and commands, with what they need, in the order of results.
func TestMixOfEverything(t *testing.T) {
	s := mustParse(t, `
name: x
arms: [shared]
workload:
  mix: {"HSET h:{key} f {value}": 1, setex: 2, mget: 3, get: 4}
  ttl: "weights(1s: 1, 1m: 9)"
  cross_share: 0.1
`)
	w := s.Points[0].Workload
	want := []OpShare{{"GET", 0.4}, {"MGET", 0.3}, {"SETEX", 0.2}, {"HSET h:{key} f {value}", 0.1}}
	if !reflect.DeepEqual(w.Mix, want) || w.KeysPerOp != 10 || w.SkewShards != 16 || w.TTL.Max != 60_000 || w.TTL.Min != 1000 {
		t.Errorf("%+v, ttl %+v", w, w.TTL)
	}
	if math.Abs(*w.CrossShare-0.1) > 1e-9 {
		t.Errorf("cross_share %v", *w.CrossShare)
	}
}
