package topologies

import (
	"strings"
	"testing"
	"time"

	"github.com/shardlab/shardlab/server"
	"github.com/shardlab/shardlab/server/wire"
)

func TestParseInjection(t *testing.T) {
	for _, text := range []string{"cpu=5%", "cpu=5%/echo", "alloc=1", "lock=10us", "stall=20ms@0.1%"} {
		if _, err := ParseInjection(text); err != nil {
			t.Error(err)
		}
	}
	for text, want := range map[string]string{"": "have cpu=5%", "cpu": "not a share", "cpu=5": "not a share", "cpu=0%": "not a share",
		"alloc=0": "out of range", "alloc=x": "invalid syntax", "lock=-1us": "out of range", "stall=1h@1%": "out of range", "stall=1ms": "not a share",
		"nosuch=1": "have cpu=5%"} {
		if _, err := ParseInjection(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// answering executes all that it gets, or only the first request of a batch at a time.
type answering struct{ slowly bool }

func (answering) Close() error                             { return nil }
func (a answering) NewSession(server.Place) server.Session { return answeringSession{a} }

type answeringSession struct{ answering }

func (s answeringSession) Exec(b *wire.Batch) bool {
	if s.slowly && b.Next+1 < len(b.Reqs) {
		b.Next++
		return false
	}
	b.Next = len(b.Reqs)
	return true
}

func (answeringSession) Close() {}

// Each request is made worse once, however often its batch is executed, and only those of the command that is named.
func TestInjectionIsOncePerRequest(t *testing.T) {
	request := func(words ...string) (r wire.Request) {
		for _, w := range words {
			r.Args = append(r.Args, []byte(w))
		}
		return r
	}
	check := func(text string, slowly bool, want int) {
		t.Helper()
		in, err := ParseInjection(text)
		if err != nil {
			t.Fatal(err)
		}
		s := in.around(answering{slowly}).NewSession(server.Place{})
		b := &wire.Batch{Reqs: []wire.Request{request("GET", "a"), request("get", "b"), request("SET", "c", "d")}}
		got := testing.AllocsPerRun(100, func() {
			for b.Next = 0; !s.Exec(b); {
			}
		})
		if got != float64(want) {
			t.Errorf("%s: %g allocations, want %d", text, got, want)
		}
	}
	check("alloc=1", false, 3)
	check("alloc=2", false, 6)
	check("alloc=1", true, 3)
	check("alloc=1/GET", true, 2)
	check("alloc=1/ECHO", false, 0)
	check("stall=1ns@100%", false, 0)
}

// A share of the CPU time that an operation takes is added to it, within a tenth.
func TestInjectedCPUIsAShare(t *testing.T) {
	const own = 2000 // turns of an operation
	took := func(share float64) time.Duration {
		m := burnMeter{perNS: spinsPerNS()}
		const warm, all = 10 * lookEvery, 20 * lookEvery
		var start int64
		for i := range all {
			if i == warm {
				start = processCPU()
			}
			spin(own)
			m.operations(1, 1, share)
		}
		return time.Duration(processCPU() - start)
	}
	if share := float64(took(0.5)) / float64(took(1e-9)); share < 1.3 || share > 1.7 {
		t.Errorf("with half as much added an operation takes %.2f times as long", share)
	}
}
