package runner

import "testing"

// TestCeilingIsSharedByPointsAlike: which keys are asked for does not count, all else does.
func TestCeilingIsSharedByPointsAlike(t *testing.T) {
	key := func(text string) string {
		t.Helper()
		p := point{Point: pointWith(t, text)}
		return p.ceilingKey()
	}
	const base = "workload: {keys: 1000, distribution: zipfian}\nload: {connections: 5}"
	for text, same := range map[string]bool{
		"workload: {keys: 2000, distribution: zipfian, zipf: 1.2}\nload: {connections: 5}":             true,
		"workload: {keys: 1000, distribution: uniform}\nload: {connections: 5}":                        false,
		"workload: {keys: 1000, distribution: zipfian, value_size: 100}\nload: {connections: 5}":       false,
		"workload: {keys: 1000, distribution: zipfian, mix: {get: 1}}\nload: {connections: 5}":         false,
		"workload: {keys: 1000, distribution: zipfian}\nload: {connections: 6}":                        false,
		"workload: {keys: 1000, distribution: zipfian}\nload: {connections: 5, pipeline: 2}":           false,
		"workload: {keys: 1000, distribution: zipfian}\nload: {connections: 5, protocol: scnp}":        false,
		"workload: {keys: 1000, distribution: zipfian}\nload: {connections: 5, via: in-process}":       false,
		"workload: {keys: 1000, distribution: zipfian}\nload: {connections: 5}\nsettings: {shards: 4}": true,
	} {
		if (key(text) == key(base)) != same {
			t.Errorf("%q and %q: same ceiling is %v", text, base, !same)
		}
	}
}
