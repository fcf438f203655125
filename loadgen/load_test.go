package loadgen

import (
	"math"
	"strings"
	"testing"
)

func TestLoadCheck(t *testing.T) {
	check := func(want string, l Load) {
		t.Helper()
		err := l.check()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%+v: error %v, want %q", l, err, want)
		}
	}
	check("", Load{Connections: 1, Pipeline: 1})
	check("", Load{Mode: Open, Connections: 1, Rate: 0.1})
	check("0 connections", Load{Pipeline: 1})
	check("pipeline of 0", Load{Connections: 1})
	check("64000000 in flight", Load{Connections: 1000, Pipeline: 64000})
	check("drain of -1ns", Load{Connections: 1, Pipeline: 1, Drain: -1})
	check("rate of 0/s", Load{Mode: Open, Connections: 1})
	check("rate of NaN/s", Load{Mode: Open, Connections: 1, Rate: math.NaN()})
	check("-1 in flight", Load{Mode: Open, Connections: 1, Rate: 1, InFlight: -1})
	check("unknown mode 7", Load{Mode: 7, Connections: 1})
	l := Load{Mode: Open, Connections: 10_000, Rate: 1e5}.withDefaults()
	if l.InFlight != 419 || l.Backlog != 200_000 {
		t.Errorf("defaults %+v", l)
	}
}
