package scenarios

import (
	"testing"
	"time"
)

func TestOpenLoop(t *testing.T) {
	check := func(load, from string, rate float64, points int) {
		t.Helper()
		s, err := mustParse(t, "name: x\narms: [shared]\n"+load).OpenLoop(from, "")
		if err != nil {
			t.Errorf("%s: %v", load, err)
			return
		}
		p := s.Points[0]
		if p.Load.Mode != Open || p.Load.Rate != rate || p.Load.Pipeline != 0 || len(s.Points) != points {
			t.Errorf("%s: %+v, %d points", load, p.Load, len(s.Points))
		}
	}
	check("", "", 5e3, 1)
	check("load: {pipeline: [1, 16]}", "7k", 7e3, 1)
	check("load: {mode: open, rate: [20k, 40k]}\nworkload: {value_size: [64, 128]}", "", 20e3, 2)
	check("load: {mode: open, rate: 20k}", "1k", 1e3, 1)
	s, err := mustParse(t, "name: x\narms: [shared]\n").OpenLoop("", "1ms")
	if err != nil || s.Points[0].Load.Spin != time.Millisecond {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err = mustParse(t, "name: x\narms: [shared]\n").OpenLoop("", "2s"); err == nil || err.Error() != "--spin 2s: spin: 2s is out of range: 0s to 1s" {
		t.Error(err)
	}
	_, err = mustParse(t, "name: x\narms: [shared]\nload: {connections: [1, 2]}\nrun: {sampling: adaptive, blocks: 7}").OpenLoop("", "")
	if err == nil || err.Error() != "x: run.sampling: adaptive has no meaning for a search, which asks of each arm alone what it can do; use --set run.sampling=even" {
		t.Error(err)
	}
	_, err = mustParse(t, "name: x\narms: [shared]\n").OpenLoop("fast", "")
	if err == nil || err.Error() != `--from fast: rate: "fast" is not a count; write digits, with k, M or G for thousands, millions, billions, as in 100k` {
		t.Error(err)
	}
}
