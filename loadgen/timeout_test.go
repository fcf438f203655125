package loadgen

import (
	"strings"
	"testing"
	"time"
)

// reconcile holds a result's totals against each other, and the histograms against them.
func reconcile(t *testing.T, r *Result) {
	t.Helper()
	if r.Sent != r.Total()+r.Errors+r.TimedOut+r.InFlight {
		t.Errorf("sent %d ≠ %d ok + %d errors + %d timed out + %d in flight", r.Sent, r.Total(), r.Errors, r.TimedOut, r.InFlight)
	}
	if r.Mode == Open && r.Intended != r.Sent+r.Unsent {
		t.Errorf("intended %d ≠ %d sent + %d unsent", r.Intended, r.Sent, r.Unsent)
	}
	response, service := counts(r)
	entries := uint64(0)
	for _, n := range service {
		entries += uint64(n)
	}
	if response != service || entries != r.Total()+r.TimedOut {
		t.Errorf("%d and %d entries in the histograms of %d answered and %d timed out", response, service, r.Total(), r.TimedOut)
	}
}

// TestTimedOutRequestsCountAsTheTimeout: they are in the percentiles, their late replies are dropped, and the session goes on.
func TestTimedOutRequestsCountAsTheTimeout(t *testing.T) {
	const timeout, stall = 20 * time.Millisecond, 100 * time.Millisecond
	for _, load := range []Load{
		{Mode: Closed, Connections: 4, Pipeline: 3},
		{Mode: Open, Connections: 4, Rate: 5000, InFlight: 8},
	} {
		load.Timeout, load.Drain = timeout, 20*time.Second
		server := newMapServer(t, func(n uint64, _ [][]byte) ([]byte, bool) {
			if n == 100 {
				<-time.After(stall)
				return []byte("-ERR nobody sees this\r\n"), true
			}
			return nil, false
		})
		s := connect(t, newTestPool(t, 2), Target{Addr: server.addr}, testWorkload, load)
		r := run(t, s, Window{Measure: 150 * time.Millisecond})
		reconcile(t, r)
		if r.TimedOut == 0 || r.InFlight != 0 || r.Owed != 0 || r.Errors != 0 {
			t.Errorf("%v: %d timed out, %d in flight, %d owed, %d errors: %s", load.Mode, r.TimedOut, r.InFlight, r.Owed, r.Errors, r.FirstError)
		}
		atTimeout, beyond := uint64(0), uint64(0)
		for op, h := range r.Service {
			if h == nil {
				continue
			}
			for _, bar := range h.Distribution() {
				switch {
				case bar.From <= int64(timeout) && bar.To >= int64(timeout):
					atTimeout += uint64(bar.Count)
				case bar.From > int64(timeout):
					beyond += uint64(bar.Count)
				}
			}
			if r.Response[op].Max() < h.Max() {
				t.Errorf("%v: service took %d at most, response %d", load.Mode, h.Max(), r.Response[op].Max())
			}
		}
		if atTimeout < r.TimedOut || beyond > 0 {
			t.Errorf("%v: %d entries at the timeout and %d beyond it, of %d that timed out", load.Mode, atTimeout, beyond, r.TimedOut)
		}
		// The stall held up one connection of the open loop: what fell due behind it waited for more than the timeout.
		if longest := max(r.Response[Get].Max(), r.Response[Set].Max()); load.Mode == Open && longest < int64(stall)*3/4 {
			t.Errorf("the longest response took %v of a stall of %v", time.Duration(longest), stall)
		}
		again := runFor(t, 1, s, Window{Measure: 20 * time.Millisecond})
		if reconcile(t, again); again.Total() == 0 {
			t.Errorf("%v: nothing was answered afterwards", load.Mode)
		}
	}
}

// TestTimeoutsNeedNoReply: what a frozen server never answers has timed out, in the second in which it did, and is not in
// flight.
func TestTimeoutsNeedNoReply(t *testing.T) {
	for _, mode := range []Mode{Closed, Open} {
		frozen := make(chan struct{})
		server := newMapServer(t, func(n uint64, _ [][]byte) ([]byte, bool) {
			if n >= 50 {
				<-frozen
			}
			return nil, false
		})
		load := Load{Mode: mode, Connections: 2, Pipeline: 4, Rate: 20000, InFlight: 16, Backlog: 100}
		load.Timeout, load.Drain = 10*time.Millisecond, 100*time.Millisecond
		s := connect(t, newTestPool(t, 1), Target{Addr: server.addr}, testWorkload, load)
		early, all := uint64(0), uint64(0)
		r := run(t, s, Window{Measure: 200 * time.Millisecond, Every: 50 * time.Millisecond, Observe: func(v Interval) {
			if all += v.TimedOut; !v.Tail {
				early += v.TimedOut
			}
		}})
		reconcile(t, r)
		if r.TimedOut == 0 || r.InFlight != 0 || r.Owed == 0 {
			t.Errorf("%v: %d timed out, %d in flight, %d owed", mode, r.TimedOut, r.InFlight, r.Owed)
		}
		if all != r.TimedOut || early == 0 {
			t.Errorf("%v: %d timed out in the intervals, %d of them before the tail, and %d in all", mode, all, early, r.TimedOut)
		}
		_, err := s.Run(t.Context(), Window{Measure: time.Millisecond})
		if err == nil || !strings.Contains(err.Error(), "still to come") {
			t.Errorf("%v: the next run says %v", mode, err)
		}
		close(frozen)
	}
}
