package loadgen

import (
	"math"
	"testing"
	"time"
)

// TestRampFollowsTheLine holds the arrivals of a ramp against the integral of its rate: as distances, and in number.
func TestRampFollowsTheLine(t *testing.T) {
	const lead, length = 0.2, 1.0 // s
	for _, c := range []struct{ from, to float64 }{{1000, 19_000}, {19_000, 1000}, {10_000, 10_000}, {5000, 5001}} {
		for _, law := range []ArrivalLaw{Poisson, Evenly} {
			l := Load{Mode: Open, Connections: 1, Rate: c.from, RateTo: c.to, Arrival: Arrival{Law: law}}
			a := newArrivals(7, l)
			a.span(&l, &edges{lead: 100, start: 100 + lead*1e9, end: 100 + (lead+length)*1e9})
			integral := func(ns float64) float64 {
				s := ns / 1e9
				if s <= lead {
					return c.from * s
				}
				x := s - lead
				return c.from*s + (c.to-c.from)/length*x*x/2
			}
			all := integral((lead + length) * 1e9)
			var due []float64
			for last := int64(-1); ; {
				next := a.next()
				if next < last {
					t.Fatalf("%v to %v, %v: %d is due after %d", c.from, c.to, law, next, last)
				}
				if last = next; next >= (lead+length)*1e9 {
					break
				}
				due = append(due, float64(next))
			}
			n := float64(len(due))
			d := kolmogorovSmirnov(due, func(x float64) float64 { return integral(x) / all })
			if law == Poisson && d > 1.95 || law == Evenly && d > 2/math.Sqrt(n) {
				t.Errorf("%v to %v, %v: Kolmogorov–Smirnov √n·D = %.3f", c.from, c.to, law, d)
			}
			if off := math.Abs(n - all); law == Poisson && off > 4*math.Sqrt(all) || law == Evenly && off > 1 {
				t.Errorf("%v to %v, %v: %v arrivals, want %.1f", c.from, c.to, law, n, all)
			}
		}
	}
}

// TestStaircase: only active connections send, however many there are, and what they send goes on where it was.
func TestStaircase(t *testing.T) {
	for _, load := range []Load{{Connections: 7, Pipeline: 2}, {Mode: Open, Connections: 7, Rate: 4000, Drain: 20 * time.Second}} {
		server := newMapServer(t, nil)
		s := connect(t, newTestPool(t, 2), Target{Addr: server.addr}, testWorkload, load)
		window := Window{Measure: 50 * time.Millisecond}
		senders := map[int]bool{}
		for _, active := range []int{1, 4, 2, 3} {
			before := make([]uint64, 0, 7)
			load.Active = active
			if err := s.Shape(load); err != nil {
				t.Fatal(err)
			}
			for _, sh := range s.shares {
				for i := range sh.conns {
					before = append(before, sh.conns[i].replies)
				}
			}
			if r := run(t, s, window); r.Total() == 0 || r.Total()+r.Unsent != max(r.Intended, r.Total()) {
				t.Errorf("%v loop, %d active: %+v", load.Mode, active, r)
			}
			sent := 0
			for _, sh := range s.shares {
				for i := range sh.conns {
					if c := &sh.conns[i]; c.replies > before[0] {
						sent++
						senders[c.id] = true
						if client := int(sh.client(uint32(i))); client >= active {
							t.Errorf("%v loop: client %d of %d active ones sent", load.Mode, client, active)
						}
					}
					before = before[1:]
				}
			}
			if sent != active {
				t.Errorf("%v loop: %d sent, want %d", load.Mode, sent, active)
			}
		}
		if streams := server.streams(); len(streams) != 4 || len(senders) != 4 {
			t.Errorf("%v loop: the server was sent something on %d connections, want 4", load.Mode, len(streams))
		}
	}
}

// TestChurnLosesNothing renews connections under load: every request has its reply, on the connection it was sent on.
func TestChurnLosesNothing(t *testing.T) {
	for _, load := range []Load{
		{Connections: 5, Pipeline: 4, Churn: 400},
		{Mode: Open, Connections: 5, Rate: 4000, Churn: 400},
		{Connections: 3, Pipeline: 1, Churn: 400, Active: 1},
	} {
		load.Drain = 20 * time.Second
		server := newMapServer(t, nil)
		s := connect(t, newTestPool(t, 2), Target{Addr: server.addr}, testWorkload, load)
		if err := s.Preload(t.Context()); err != nil {
			t.Fatal(err)
		}
		var renewed uint64
		for range 3 {
			r := run(t, s, Window{Lead: 5 * time.Millisecond, Measure: 200 * time.Millisecond})
			if r.Total() == 0 || r.Sent != r.Total() || r.Errors+r.Misses+r.Corrupt+r.Unsent+r.InFlight+uint64(r.Owed) != 0 {
				t.Errorf("%v loop: %+v", load.Mode, r)
			}
			if load.Mode == Open && r.Intended != r.Total() {
				t.Errorf("%d of %d arrivals were answered", r.Total(), r.Intended)
			}
			if r.Reconnects == 0 || r.Reconnects > 100 || uint64(r.Connect.TotalCount()) != r.Reconnects {
				t.Errorf("%v loop: %d connections opened anew, %d times of it; want 80", load.Mode, r.Reconnects, r.Connect.TotalCount())
			}
			renewed += r.Reconnects
		}
		s.Close()
		server.close()
		if made := uint64(len(server.conns)); made < renewed+uint64(load.Connections) {
			t.Errorf("%v loop: the server saw %d connections, after %d were opened anew", load.Mode, made, renewed)
		}
	}
}

// TestChurnWithShardPorts: a client leaves all of its addresses, and comes back to all.
func TestChurnWithShardPorts(t *testing.T) {
	servers := []*mapServer{newMapServer(t, nil), newMapServer(t, nil)}
	target := Target{
		Addr: servers[0].addr, ShardAddrs: []string{servers[0].addr, servers[1].addr},
		Route: func(key []byte) int { return int(key[len(key)-1]) % 2 }, Occupied: true,
	}
	s := connect(t, newTestPool(t, 1), target, testWorkload, Load{Connections: 3, Pipeline: 4, Churn: 300, Drain: 20 * time.Second})
	if err := s.Preload(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := run(t, s, Window{Measure: 300 * time.Millisecond})
	if r.Total() == 0 || r.Sent != r.Total() || r.Misses+r.Corrupt+r.Errors != 0 || r.Reconnects < 2 {
		t.Errorf("%+v", r)
	}
}

func TestShapeRefuses(t *testing.T) {
	server := newMapServer(t, nil)
	open := Load{Mode: Open, Connections: 4, Rate: 1000}
	s := connect(t, newTestPool(t, 1), Target{Addr: server.addr}, testWorkload, open)
	for _, change := range []func(*Load){
		func(l *Load) { l.Mode, l.Pipeline = Closed, 1 },
		func(l *Load) { l.Connections = 5 },
		func(l *Load) { l.Active = 5 },
		func(l *Load) { l.Active = -1 },
		func(l *Load) { l.Churn = 10 }, // was not connected to
		func(l *Load) { l.Churn = math.NaN() },
		func(l *Load) { l.RateTo = -1 },
		func(l *Load) {
			l.RateTo, l.Arrival = 2000, Arrival{Law: Bursts, On: time.Second, Off: time.Second, Share: 0.9}
		},
	} {
		l := open
		change(&l)
		if err := s.Shape(l); err == nil {
			t.Errorf("%+v was taken", l)
		}
	}
	if err := s.Shape(Load{Mode: Open, Connections: 4, Rate: 5000, RateTo: 100, Active: 2}); err != nil {
		t.Error(err)
	}
}

// TestOtherValuesAreGood: two sessions write values of different sizes to the same keys, and each knows the other's.
func TestOtherValuesAreGood(t *testing.T) {
	server := newMapServer(t, nil)
	p := newTestPool(t, 1)
	small, large := testWorkload, testWorkload
	large.ValueSize, large.Seed = 3*small.ValueSize, 99
	large.ValueLaw = Law{}
	small.OtherValues, large.OtherValues = []Law{large.valueLaw()}, []Law{small.valueLaw()}
	a := connect(t, p, Target{Addr: server.addr}, small, Load{Connections: 2, Pipeline: 4})
	b := connect(t, p, Target{Addr: server.addr}, large, Load{Connections: 2, Pipeline: 4})
	if err := a.Preload(t.Context()); err != nil {
		t.Fatal(err)
	}
	window := Window{Measure: 100 * time.Millisecond}
	for _, r := range runTogether(t, p, Job{a, window}, Job{b, window}) {
		if r.Checked == 0 || r.Corrupt+r.Misses+r.Errors != 0 {
			t.Errorf("%+v", r)
		}
	}
	alone := small
	alone.OtherValues = nil
	if r := run(t, connect(t, p, Target{Addr: server.addr}, alone, Load{Connections: 2, Pipeline: 4}), window); r.Corrupt == 0 {
		t.Error("values of a size that nobody writes were taken for good")
	}
}
