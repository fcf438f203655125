package loadgen

import (
	"math"
	"strings"
	"testing"
	"time"
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
	law := func(a Arrival) Load { return Load{Mode: Open, Connections: 1, Rate: 100, Arrival: a} }
	check("", law(Arrival{Law: Evenly}))
	check("", law(Arrival{Law: Bursts, On: time.Second, Off: 9 * time.Second, Share: 0.1}))
	check("bursts of 0s, 1s apart; use", law(Arrival{Law: Bursts, Off: time.Second, Share: 0.5}))
	check("0.09 of the arrivals in bursts that take 0.1 of", law(Arrival{Law: Bursts, On: time.Second, Off: 9 * time.Second, Share: 0.09}))
	check("would be empty at 100/s", law(Arrival{Law: Bursts, On: time.Microsecond, Off: time.Microsecond, Share: 1}))
	check("", law(Arrival{Law: Listed, Times: []int64{3, 3, 4}}))
	check("1 times at speed 0", law(Arrival{Law: Listed, Times: []int64{3}}))
	check("2 times at speed 0", law(Arrival{Law: Listed, Times: []int64{3, 3}}))
	check("2 times at speed -1", law(Arrival{Law: Listed, Times: []int64{3, 4}, Speed: -1}))
	check("2 times at speed 0; use two at least, ascending", law(Arrival{Law: Listed, Times: []int64{4, 3}}))
	check("unknown arrival law 9", law(Arrival{Law: 9}))
	check("", Load{Mode: Open, Connections: 1, Rate: 1, Spin: time.Second})
	check("timeout of -1ns", Load{Connections: 1, Pipeline: 1, Timeout: -1})
	check("timeout of 1m0.000000001s", Load{Connections: 1, Pipeline: 1, Timeout: MaxLatency + 1})
	check("spinning for -1ns in a loop that is open", Load{Mode: Open, Connections: 1, Rate: 1, Spin: -1})
	check("spinning for 1ns in a loop that is closed", Load{Connections: 1, Pipeline: 1, Spin: 1})
	check("unknown mode 7", Load{Mode: 7, Connections: 1})
	l := Load{Mode: Open, Connections: 10_000, Rate: 1e5}.withDefaults()
	if l.InFlight != 419 || l.Backlog != 200_000 {
		t.Errorf("defaults %+v", l)
	}
}
