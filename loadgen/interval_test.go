package loadgen

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestIntervalsAddUp: nothing is in two intervals of a window, and nothing in none.
func TestIntervalsAddUp(t *testing.T) {
	server := newMapServer(t, nil)
	for _, load := range []Load{
		{Mode: Open, Connections: 6, Rate: 5000}, {Mode: Closed, Connections: 3, Pipeline: 2},
	} {
		t.Run(load.Mode.String(), func(t *testing.T) {
			s := connect(t, newTestPool(t, 3), Target{Addr: server.addr}, testWorkload, load)
			const every, windows = 20 * time.Millisecond, 2
			for range windows {
				var sum Result
				service := newHistogram()
				intervals, tails := 0, 0
				r := run(t, s, Window{Lead: 5 * time.Millisecond, Measure: 90 * time.Millisecond, Every: every,
					Observe: func(v Interval) {
						if tails > 0 {
							t.Error("an interval after the tail")
						}
						if v.Tail {
							tails++
						}
						intervals++
						sum.Dur += v.Dur * time.Duration(b2i(!v.Tail))
						sum.Intended += v.Intended
						sum.Replies += v.Replies
						sum.BytesOut += v.BytesOut
						sum.Late += v.Late
						for op, n := range v.Ops {
							sum.Ops[op] += n
							if h := v.Service[op]; h != nil {
								service.Merge(h)
							}
						}
					}})
				if tails != 1 || intervals < 2 {
					t.Errorf("%d intervals, %d of them the tail", intervals, tails)
				}
				if sum.Ops != r.Ops || sum.Replies != r.Replies || sum.Intended != r.Intended || sum.Late != r.Late ||
					sum.BytesOut != r.BytesOut || r.Total() == 0 {
					t.Errorf("intervals add up to %+v, the window is %+v", sum, r)
				}
				if d := (sum.Dur - r.Dur).Abs(); d > time.Microsecond {
					t.Errorf("intervals last %v, the window %v", sum.Dur, r.Dur)
				}
				whole := newHistogram()
				for op := range r.Service {
					if h := r.Service[op]; h != nil {
						whole.Merge(h)
					}
				}
				if !service.Equals(whole) {
					t.Error("the intervals' histograms do not add up to the window's")
				}
			}
		})
	}
}

func b2i(b bool) int { return map[bool]int{true: 1}[b] }

// TestHaltEndsTheWindow: what was measured is kept, and reconciles.
func TestHaltEndsTheWindow(t *testing.T) {
	server := newMapServer(t, nil)
	for _, load := range []Load{
		{Mode: Open, Connections: 4, Rate: 2000}, {Mode: Closed, Connections: 2, Pipeline: 1},
	} {
		s := connect(t, newTestPool(t, 2), Target{Addr: server.addr}, testWorkload, load)
		var seen uint64
		r := run(t, s, Window{Measure: time.Hour, Every: 10 * time.Millisecond, Observe: func(v Interval) {
			seen += v.Total()
			s.Halt()
		}})
		if r.Total() == 0 || seen != r.Total() || r.Dur > time.Minute {
			t.Errorf("%v: %d operations seen, %d in all, in %v", load.Mode, seen, r.Total(), r.Dur)
		}
		if load.Mode == Open && r.Intended != r.Total()+r.Errors+r.InFlight+r.Unsent {
			t.Errorf("does not reconcile: %+v", r)
		}
		// A window that is halted before it begins has nothing.
		r = run(t, s, Window{Lead: time.Hour, Measure: time.Hour, Every: time.Second})
		if r.Dur != 0 || r.Replies != 0 {
			t.Errorf("%v: a halted session measured %d replies in %v", load.Mode, r.Replies, r.Dur)
		}
	}
}

// TestPreloadProvesMembership: a server that counts right and has lost keys is found out.
func TestPreloadProvesMembership(t *testing.T) {
	lose := func(n uint64, args [][]byte) ([]byte, bool) {
		return []byte("$-1\r\n"), strings.EqualFold(string(args[0]), "GET") && n%100 == 7
	}
	wrong := func(n uint64, args [][]byte) ([]byte, bool) {
		value := strings.Repeat("x", testWorkload.ValueSize)
		return fmt.Appendf(nil, "$%d\r\n%s\r\n", len(value), value), strings.EqualFold(string(args[0]), "GET")
	}
	for _, c := range []struct {
		hook func(uint64, [][]byte) ([]byte, bool)
		want string
	}{{lose, "are gone after they were set"}, {wrong, "hold another value"}} {
		server := newMapServer(t, c.hook)
		s := connect(t, newTestPool(t, 2), Target{Addr: server.addr, Occupied: true}, testWorkload,
			Load{Mode: Closed, Connections: 3, Pipeline: 1})
		if err := s.Preload(context.Background()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	small := testWorkload
	small.MayBeGone = true
	s := connect(t, newTestPool(t, 2), Target{Addr: newMapServer(t, lose).addr, Occupied: true}, small,
		Load{Mode: Closed, Connections: 3, Pipeline: 1})
	if err := s.Preload(t.Context()); err != nil || s.Preloaded() >= small.Keys || s.Preloaded() < small.Keys*9/10 {
		t.Errorf("a store that is too small, on purpose: %d of %d keys: %v", s.Preloaded(), small.Keys, err)
	}
}

// TestUnixSocket: the load and the control commands.
func TestUnixSocket(t *testing.T) {
	server := newMapServer(t, nil)
	path := filepath.Join(t.TempDir(), "s")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	server.done.Go(func() { server.acceptFrom(ln) })
	s := connect(t, newTestPool(t, 1), Target{Addr: "unix:" + path}, testWorkload, Load{Mode: Closed, Connections: 3, Pipeline: 2})
	if err := s.Preload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := run(t, s, Window{Measure: 20 * time.Millisecond}); r.Total() == 0 || r.Misses+r.Errors > 0 {
		t.Errorf("%+v", r)
	}
	ln.Close()
}
