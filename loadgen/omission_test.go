package loadgen

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// TestStallIsNotOmitted freezes the server for a while in an open loop. A client that waited for replies before it
// started its clock would see one slow request; here every arrival that fell due meanwhile must be as late as it was.
func TestStallIsNotOmitted(t *testing.T) {
	const (
		rate     = 4000
		stall    = 200 * time.Millisecond
		inFlight = 8
	)
	var stalled atomic.Int64
	server := newMapServer(t, func(n uint64, _ [][]byte) ([]byte, bool) {
		if n == 200 { // some 50 ms into the window
			from := clock()
			<-time.After(stall)
			stalled.Store(clock() - from)
		}
		return nil, false
	})
	load := Load{Mode: Open, Connections: 1, Rate: rate, InFlight: inFlight, Drain: 20 * time.Second}
	s := connect(t, newTestPool(t, 1), Target{Addr: server.addr}, testWorkload, load)
	r := run(t, s, Window{Measure: 400 * time.Millisecond})
	if r.Intended == 0 || r.Intended != r.Total() {
		t.Fatalf("intended %d, answered %d: %+v", r.Intended, r.Total(), r)
	}
	longResponse, longService := uint64(0), uint64(0)
	for _, op := range []Op{Get, Set} {
		longResponse += countAbove(r.Response[op], int64(stall/2))
		longService += countAbove(r.Service[op], int64(stall/2))
	}
	// In the first half of the stall 400 arrivals are expected, with a standard deviation of 20. Each waits for
	// another half at least. Of the requests only those in flight do.
	if longResponse < 300 {
		t.Errorf("%d responses took longer than %v, want about 400 or more", longResponse, stall/2)
	}
	if longService < 1 || longService*4 > longResponse {
		t.Errorf("%d of them in service, want no more than %d in flight", longService, inFlight)
	}
	if r.Late < 300 || uint64(r.Lateness.TotalCount()) != r.Total() {
		t.Errorf("%d late of %d recorded, want 300 of %d", r.Late, r.Lateness.TotalCount(), r.Total())
	}
	if max := r.Response[Get].Max(); max < stalled.Load()*9/10 {
		t.Errorf("the longest response took %v of a stall of %v", time.Duration(max), time.Duration(stalled.Load()))
	}
}

// countAbove returns how many entries of h are larger than v.
func countAbove(h *hdrhistogram.Histogram, v int64) uint64 {
	n := int64(0)
	for _, bar := range h.Distribution() {
		if bar.From > v {
			n += bar.Count
		}
	}
	return uint64(n)
}

// TestStallAtTheEndOfAWindowIsNotForgotten: in a closed loop too, a request that was sent in the window is recorded with
// the time it took, although its reply comes after the window.
func TestStallAtTheEndOfAWindowIsNotForgotten(t *testing.T) {
	const window, stall = 50 * time.Millisecond, 200 * time.Millisecond
	server := newMapServer(t, func(n uint64, _ [][]byte) ([]byte, bool) {
		if n%100 == 0 {
			<-time.After(stall) // longer than the window: no reply to these can come within it
		}
		return nil, false
	})
	load := Load{Mode: Closed, Connections: 4, Pipeline: 1, Drain: 20 * time.Second}
	s := connect(t, newTestPool(t, 1), Target{Addr: server.addr}, testWorkload, load)
	r := run(t, s, Window{Measure: window})
	if r.InFlight != 0 {
		t.Fatalf("%d requests without a reply", r.InFlight)
	}
	longest := max(r.Response[Get].Max(), r.Response[Set].Max())
	if longest < int64(stall) {
		t.Errorf("the longest response took %v; some took %v", time.Duration(longest), stall)
	}
}
