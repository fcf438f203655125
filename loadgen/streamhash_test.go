package loadgen

import (
	"testing"
	"time"
)

func TestStreamHash(t *testing.T) {
	hash := func(change func(w *Workload, l *Load)) string {
		t.Helper()
		w, l := testWorkload, Load{Mode: Open, Connections: 2, Pipeline: 1, Rate: 1000}
		change(&w, &l)
		h, err := StreamHash(w, l)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	base := hash(func(*Workload, *Load) {})
	// Published results carry it: it must not change unnoticed.
	if want := "66be5769ecc6666a"; base != want {
		t.Errorf("hash %s, want %s", base, want)
	}
	if hash(func(_ *Workload, l *Load) { l.Pipeline, l.InFlight = 5, 5 }) != base {
		t.Error("how operations are sent changes which they are")
	}
	seen := map[string]string{base: "base"}
	for name, change := range map[string]func(*Workload, *Load){
		"seed":         func(w *Workload, _ *Load) { w.Seed++ },
		"keys":         func(w *Workload, _ *Load) { w.Keys++ },
		"key size":     func(w *Workload, _ *Load) { w.KeySize++ },
		"key law":      func(w *Workload, _ *Load) { w.KeyLaw = Law{Min: 15, Max: 16} },
		"value size":   func(w *Workload, _ *Load) { w.ValueSize++ },
		"mix":          func(w *Workload, _ *Load) { w.Mix = []OpShare{{Get, 1}} },
		"distribution": func(w *Workload, _ *Load) { w.Distribution, w.Zipf = Zipf, 1 },
		"connections":  func(_ *Workload, l *Load) { l.Connections++ },
		"rate":         func(_ *Workload, l *Load) { l.Rate++ },
		"evenly":       func(_ *Workload, l *Load) { l.Arrival.Law = Evenly },
		"bursts": func(_ *Workload, l *Load) {
			l.Arrival = Arrival{Law: Bursts, On: time.Second, Off: time.Second, Share: 0.9}
		},
		"their length": func(_ *Workload, l *Load) {
			l.Arrival = Arrival{Law: Bursts, On: 2 * time.Second, Off: 2 * time.Second, Share: 0.9}
		},
		"times":        func(_ *Workload, l *Load) { l.Arrival = Arrival{Law: Listed, Times: []int64{0, 1e6, 2e6}} },
		"other times":  func(_ *Workload, l *Load) { l.Arrival = Arrival{Law: Listed, Times: []int64{0, 1e6, 3e6}} },
		"speed":        func(_ *Workload, l *Load) { l.Arrival = Arrival{Law: Listed, Times: []int64{0, 1e6, 2e6}, Speed: 3} },
		"mode":         func(_ *Workload, l *Load) { l.Mode = Closed },
		"large values": func(w *Workload, _ *Load) { w.ValueSize = 1 << 20 },
	} {
		h := hash(change)
		if other, dup := seen[h]; dup {
			t.Errorf("%s and %s have the same hash", name, other)
		}
		seen[h] = name
	}
	if _, err := StreamHash(Workload{}, Load{}); err == nil {
		t.Error("a workload without keys has a hash")
	}
	if _, err := StreamHash(testWorkload, Load{}); err == nil {
		t.Error("a load without connections has a hash")
	}
}
