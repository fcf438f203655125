package runner

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/shardlab/shardlab/loadgen"
	"github.com/shardlab/shardlab/results"
	"github.com/shardlab/shardlab/scenarios"
	"github.com/shardlab/shardlab/topologies"
)

// openHost serves a topology with clients inside, which the test's runner tells what to do.
func openHost(t *testing.T, topology string) *child {
	t.Helper()
	in, err := topologies.Open(topologies.Config{Topology: topology, Shards: 4, Workers: 1, Bind: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := net.Pipe()
	ended := make(chan error)
	go func() { ended <- Host(t.Context(), in, theirs) }()
	t.Cleanup(func() {
		ours.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		in.Shutdown(context.Background())
	})
	return &child{addr: in.Addr().String(), host: ours}
}

func pointOf(t *testing.T, load string) scenarios.Point {
	t.Helper()
	return pointWith(t, "workload: {keys: 1000, mix: {get: 8, set: 2, mget: 1}, distribution: popularity, "+
		"popularity: ../testdata/weights.txt}\nload: {"+load+"}")
}

// pointWith is the only point of a scenario of one topology.
func pointWith(t *testing.T, text string) scenarios.Point {
	t.Helper()
	s, err := scenarios.Parse("x.yaml", []byte("name: x\narms: [shared]\n"+text+"\n"), scenarios.Names{})
	if err != nil {
		t.Fatal(err)
	}
	return s.Points[0]
}

// TestHostedClients: clients in the process of every topology preload, are told to run windows, and find nothing wrong; what they
// saw arrives whole.
func TestHostedClients(t *testing.T) {
	for _, topology := range topologies.All() {
		for _, load := range []string{"via: in-process, connections: 5, pipeline: 8", "via: in-process, connections: 5, mode: open, rate: 5k"} {
			t.Run(topology.Name+"/"+load, func(t *testing.T) {
				p := pointOf(t, load)
				h, err := openHosted(t.Context(), openHost(t, topology.Name), newHostLoad(3, p, []int{-1, -1}))
				if err != nil {
					t.Fatal(err)
				}
				defer h.Close()
				if err := h.Preload(t.Context()); err != nil {
					t.Fatal(err)
				}
				var replies uint64
				tails := 0
				r, err := h.Run(t.Context(), loadgen.Window{Lead: time.Millisecond, Measure: 40 * time.Millisecond, Every: 10 * time.Millisecond,
					Observe: func(v loadgen.Interval) {
						replies += v.Replies
						if v.Tail {
							tails++
						}
					}})
				if err != nil {
					t.Fatal(err)
				}
				var recorded int64
				for _, x := range r.Response {
					if x != nil {
						recorded += x.TotalCount()
					}
				}
				if r.Total() == 0 || uint64(recorded) != r.Total() || r.Errors+r.Misses+r.Corrupt+r.InFlight+r.Unsent > 0 || replies != r.Replies ||
					tails != 1 || r.ServerCPU <= 0 || h.Sockets() != 5 || !topology.Responder && r.Checked == 0 && r.Total() > 1000 {
					t.Errorf("%d recorded, %d in intervals, %d tails: %+v", recorded, replies, tails, r)
				}
				if !topology.Responder {
					if n, err := h.Do(t.Context(), "DBSIZE"); n.Int != 1000 || err != nil {
						t.Errorf("%d keys, %v", n.Int, err)
					}
				}
			})
		}
	}
}

// TestHostedErrors: what goes wrong inside is said outside, and who has given up waits no longer.
func TestHostedErrors(t *testing.T) {
	c := openHost(t, "shared")
	h := &hosted{Control: loadgen.NewControl(c.addr, loadgen.RESP), conn: c.host, orders: json.NewEncoder(c.host), reports: json.NewDecoder(c.host)}
	defer h.Close()
	if _, err := h.ask(t.Context(), hostOrder{Preload: true}, nil); err == nil || !strings.Contains(err.Error(), "connect comes first") {
		t.Errorf("%v", err)
	}
	if _, err := h.ask(t.Context(), hostOrder{Connect: &hostLoad{Point: pointOf(t, "via: in-process"), CPUs: []int{-1}}}, nil); err == nil {
		t.Error("weights that are missing go unnoticed")
	}
	p := pointOf(t, "via: in-process")
	if _, err := h.ask(t.Context(), hostOrder{Connect: newHostLoad(1, p, []int{-1})}, nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("enough")
	time.AfterFunc(5*time.Millisecond, func() { cancel(stop) })
	if _, err := h.Run(ctx, loadgen.Window{Measure: time.Hour}); !errors.Is(err, stop) {
		t.Errorf("%v, want %v", err, stop)
	}
}

// TestHostGetsTheWholePoint: what the JSON of a point leaves out travels beside it.
func TestHostGetsTheWholePoint(t *testing.T) {
	hidden := 0
	var fill func(v reflect.Value)
	fill = func(v reflect.Value) {
		for i := range v.NumField() {
			switch f := v.Field(i); {
			case v.Type().Field(i).Tag.Get("json") == "-":
				f.Set(reflect.MakeSlice(f.Type(), 1, 1)) // all are slices
				hidden++
			case f.Kind() == reflect.Struct:
				fill(f)
			}
		}
	}
	var p scenarios.Point
	fill(reflect.ValueOf(&p).Elem())
	zero := 0.0
	p.Workload.CrossShare = &zero // which is not nil
	b, err := json.Marshal(newHostLoad(1, p, nil))
	if err != nil || hidden == 0 {
		t.Fatal(hidden, err)
	}
	var got hostLoad
	if err := json.Unmarshal(b, &got); err != nil || !reflect.DeepEqual(got.point(), p) {
		t.Errorf("%v: %+v is not %+v", err, got.point(), p)
	}
}

// TestMixedClients: sockets and clients inside share one load on one store, in one window; both read what the other writes, and
// nothing wrong.
func TestMixedClients(t *testing.T) {
	for _, topology := range []string{"shared", "shard-arc", "multi-direct", "thread-local", "routed", "engine"} {
		for _, load := range []string{"connections: 6, pipeline: 4", "connections: 6, mode: open, rate: 8k"} {
			t.Run(topology+"/"+load, func(t *testing.T) {
				c := openHost(t, topology)
				pool, err := loadgen.NewPool([]int{-1})
				if err != nil {
					t.Fatal(err)
				}
				defer pool.Close()
				pt, err := newPoint(3, pointOf(t, "via: mixed, in_process_share: 0.3, "+load))
				if err != nil {
					t.Fatal(err)
				}
				b := &block{r: &run{pool: pool, cpus: split{server: []int{-1}}}, point: &pt}
				m, err := b.connectMixed(t.Context(), &visitor{arm: &arm{}, child: c})
				if err != nil {
					t.Fatal(err)
				}
				defer m.Close()
				if err := m.Preload(t.Context()); err != nil {
					t.Fatal(err)
				}
				const measure = 40 * time.Millisecond
				r, err := m.Run(t.Context(), loadgen.Window{Lead: time.Millisecond, Measure: measure, ServerCPU: cpuClock(os.Getpid())})
				if err != nil {
					t.Fatal(err)
				}
				outside, inside := m.last[0], m.last[1]
				if outside.Total() == 0 || inside.Total() == 0 || r.Total() != outside.Total()+inside.Total() || r.Replies != outside.Replies+inside.Replies ||
					r.Errors+r.Misses+r.Corrupt+r.InFlight+r.Unsent > 0 || outside.Sockets != 4 || inside.Sockets != 2 || m.Sockets() != 6 || r.ServerCPU <= 0 {
					t.Errorf("%+v\nand %+v\nare %+v", outside, inside, r)
				}
				if n := merged(&r.Names, &r.Response).TotalCount(); uint64(n) != r.Total() {
					t.Errorf("%d recorded of %d", n, r.Total())
				}
				if pt.load.Mode == loadgen.Open && math.Abs(float64(inside.Intended)/float64(r.Intended)-1.0/3) > 0.1 {
					t.Errorf("%d of %d arrivals inside, want a third: two clients of six", inside.Intended, r.Intended)
				}
			})
		}
	}
}

// TestMixedWindowsApart: a sum of windows that were not at the same time is shorter, so that it is void. One of windows that are a
// little apart is as long as they are, whatever the wall clock says.
func TestMixedWindowsApart(t *testing.T) {
	const planned = 50 * time.Millisecond
	m := mixed{last: [2]*loadgen.Result{{Began: 30e6, Dur: planned}, {Began: 20e6, Dur: planned}}}
	row := results.Slice{Dur: m.sum(planned).Dur.Nanoseconds()}
	if why := whyVoid(&row, planned); !strings.Contains(why, "measured 40ms") {
		t.Errorf("void for %q", why)
	}
	m.last[0].Began, m.last[0].Start, m.last[0].Dur = 22e6, time.Now(), planned+2*time.Millisecond
	if got := m.sum(planned).Dur; got != planned+time.Millisecond {
		t.Errorf("windows 2 ms apart are %v together", got)
	}
	m.last[0].Began = 1e9
	if got := m.sum(planned).Dur; got != 0 {
		t.Errorf("windows a second apart are %v together", got)
	}
}

// TestClientsInsideDoNotAllocate: neither they nor the session that executes what they hand over allocate per operation.
func TestClientsInsideDoNotAllocate(t *testing.T) {
	for _, topology := range []string{"shared", "shard-arc", "multi-direct", "thread-local"} {
		in, err := topologies.Open(topologies.Config{Topology: topology, Shards: 4, Workers: 1, Bind: "127.0.0.1:0"})
		if err != nil {
			t.Fatal(err)
		}
		defer in.Shutdown(t.Context())
		pool, err := loadgen.NewPool([]int{-1})
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		w := loadgen.Workload{Keys: 1000, KeySize: 16, ValueSize: 64, Mix: []loadgen.OpShare{{Op: loadgen.Get, Share: 9}, {Op: loadgen.Set, Share: 1}}}
		s, err := pool.Connect(t.Context(), loadgen.Target{InProcess: func() loadgen.Executor { return in.NewCaller() }}, w,
			loadgen.Load{Connections: 4, Pipeline: 16})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.Preload(t.Context()); err != nil {
			t.Fatal(err)
		}
		least := math.Inf(1)
		for range 6 { // buffers find their size in the first
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r, err := s.Run(t.Context(), loadgen.Window{Measure: 20 * time.Millisecond})
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Fatal(err)
			}
			if r.Replies > 1000 {
				least = min(least, float64(after.Mallocs-before.Mallocs)/float64(r.Replies))
			}
		}
		if least > 0.1 && !math.IsInf(least, 1) {
			t.Errorf("%s: %.2f objects an operation", topology, least)
		}
	}
}

// TestMixedPartsHaveTheLawsAllowance: what either kind of clients gets is as dispersed as the load's law allows.
func TestMixedPartsHaveTheLawsAllowance(t *testing.T) {
	p, err := newPoint(3, pointOf(t, "via: mixed, in_process_share: 0.5, connections: 8, mode: open, rate: 8k, arrival: bursts"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range p.describeMixed(scenarios.RunPlan{Slice: time.Second}) {
		if d.Dispersion == nil || *d.Dispersion < 2 || d.Arrival != scenarios.Bursts {
			t.Errorf("%q: %+v", d.Label, d)
		}
	}
}
