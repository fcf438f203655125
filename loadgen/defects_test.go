package loadgen

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/shardlab/shardlab/server/wire"
)

// TestDefectsAreTested: DEFECTS.md has sixteen rows, and every test that they name is there.
func TestDefectsAreTested(t *testing.T) {
	text, err := os.ReadFile("DEFECTS.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z/]+)\\.(Test[A-Z][A-Za-z0-9]*)`")
	defined := map[string]string{} // the sources of a directory's tests
	rows := 0
	for line := range strings.Lines(string(text)) {
		row := regexp.MustCompile(`^\| (\d+) \|`).FindStringSubmatch(line)
		tests := named.FindAllStringSubmatch(line, -1)
		if row != nil {
			if rows++; row[1] != fmt.Sprint(rows) || len(tests) == 0 {
				t.Errorf("row %s, the %dth, names %d tests", row[1], rows, len(tests))
			}
		}
		for _, x := range tests {
			if _, ok := defined[x[1]]; !ok {
				files, _ := filepath.Glob(filepath.Join("..", x[1], "*_test.go"))
				for _, f := range files {
					source, err := os.ReadFile(f)
					if err != nil {
						t.Fatal(err)
					}
					defined[x[1]] += string(source)
				}
			}
			if !strings.Contains(defined[x[1]], "func "+x[2]+"(t *testing.T)") {
				t.Errorf("there is no test %s in %s", x[2], x[1])
			}
		}
	}
	if rows != 16 {
		t.Errorf("%d rows, want 16", rows)
	}
}

// TestEachReplyOfAPipelineHasItsOwnTime: eight requests leave in one write and are answered one a millisecond. None is recorded with
// less than its own reply took.
func TestEachReplyOfAPipelineHasItsOwnTime(t *testing.T) {
	const n, service = 8, time.Millisecond
	w := testWorkload
	w.Mix = []OpShare{{Get, 1}}
	server := newQueueServer(t, w, service)
	times := append(make([]int64, n), int64(time.Hour))
	load := Load{Mode: Open, Connections: 1, Rate: 1000, Arrival: Arrival{Law: Listed, Times: times}, Drain: 20 * time.Second}
	s := connect(t, newTestPool(t, 1), Target{Addr: server.addr, Responder: true}, w, load)
	r := run(t, s, Window{Measure: 50 * time.Millisecond})
	if reconcile(t, r); r.Total() != n {
		t.Fatalf("%d answered, want %d", r.Total(), n)
	}
	i := int64(0)
	for _, bar := range r.Service[Get].Distribution() {
		for range bar.Count {
			if i++; bar.To < i*int64(service) {
				t.Errorf("reply %d is recorded with %v", i, time.Duration(bar.To))
			}
		}
	}
}

// TestLowRatesAreExact: no rate is rounded to a whole number of anything, and none is too low.
func TestLowRatesAreExact(t *testing.T) {
	const seconds = 400
	for _, rate := range []float64{0.5, 75, 333.25, 1250} {
		for _, law := range []ArrivalLaw{Evenly, Poisson} {
			load := Load{Mode: Open, Connections: 80, Rate: rate, Arrival: Arrival{Law: law}}
			if err := load.check(); err != nil {
				t.Fatal(err)
			}
			n := 0.0
			for a := newArrivals(2, load); a.next() < seconds*1e9; n++ {
			}
			if want := rate * seconds; law == Evenly && n != want || math.Abs(n-want) > 4*math.Sqrt(want) {
				t.Errorf("%g/s, %v: %.0f arrivals in %d s, want %.0f", rate, law, n, seconds, want)
			}
		}
	}
}

// TestLeadInIsPaced: load before the window is the schedule's too. There is no burst of what was to be done meanwhile, and what falls due
// in the window is all that counts.
func TestLeadInIsPaced(t *testing.T) {
	server := newMapServer(t, func(uint64, [][]byte) ([]byte, bool) { return nil, false })
	const lead, window = 200 * time.Millisecond, 100 * time.Millisecond
	load := Load{Mode: Open, Connections: 4, Rate: 2000, Drain: 20 * time.Second}
	s := connect(t, newTestPool(t, 2), Target{Addr: server.addr}, testWorkload, load)
	r := run(t, s, Window{Lead: lead, Measure: window})
	reconcile(t, r)
	before, within := uint64(0), uint64(0)
	for a := newArrivals(testWorkload.Seed, load); ; {
		switch at := time.Duration(a.next()); {
		case at < lead:
			before++
			continue
		case at < lead+window:
			within++
			continue
		}
		break
	}
	if r.Intended != within || server.requests.Load() != before+within {
		t.Errorf("%d due in the window and %d requests in all, want %d and %d", r.Intended, server.requests.Load(), within, before+within)
	}
}

// TestHotPathSharesNothing: the files that an operation goes through have no lock, no channel and no goroutine.
func TestHotPathSharesNothing(t *testing.T) {
	for _, file := range []string{"share.go", "open.go", "closed.go", "judge.go", "record.go", "plan.go", "conn.go", "choice.go", "backlog.go",
		"gaps.go", "poller.go", "spin.go", "timeout.go", "arrivals.go", "value.go", "request.go"} {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			what := ""
			switch x := n.(type) {
			case *ast.SendStmt, *ast.SelectStmt, *ast.GoStmt:
				what = fmt.Sprintf("%T", x)
			case *ast.UnaryExpr:
				if x.Op == token.ARROW {
					what = "a receive"
				}
			case *ast.SelectorExpr:
				if pkg, ok := x.X.(*ast.Ident); ok && pkg.Name == "sync" || x.Sel.Name == "Lock" || x.Sel.Name == "RLock" {
					what = x.Sel.Name
				}
			}
			if what != "" {
				t.Errorf("%s has %s", file, what)
			}
			return true
		})
	}
}

// TestExtremesReportWhatWasDone: however rate, threads, connections and window go together, no more replies are reported than the server
// gave, and they are reported of no other time than they took.
func TestExtremesReportWhatWasDone(t *testing.T) {
	for _, c := range []struct {
		workers int
		load    Load
		window  time.Duration
	}{
		{4, Load{Mode: Open, Connections: 1, Rate: 1}, time.Millisecond},
		{4, Load{Mode: Open, Connections: 9, Rate: 3e8, InFlight: 2, Backlog: 10}, 2 * time.Millisecond},
		{3, Load{Mode: Open, Connections: 100, Rate: 50}, 50 * time.Millisecond},
		{4, Load{Connections: 1, Pipeline: 1}, time.Microsecond},
		{1, Load{Connections: 50, Pipeline: 100}, 20 * time.Millisecond},
	} {
		server := newMapServer(t, func(uint64, [][]byte) ([]byte, bool) { return nil, false })
		c.load.Drain = 20 * time.Second
		s := connect(t, newTestPool(t, c.workers), Target{Addr: server.addr}, testWorkload, c.load)
		from := time.Now()
		r := run(t, s, Window{Measure: c.window})
		took := time.Since(from)
		reconcile(t, r)
		if seen := server.requests.Load(); r.Replies > seen || r.Sent > seen || r.Dur > took || r.Dur < 0 {
			t.Errorf("%+v: %d replies to %d sent in %v; the server saw %d in less than %v", c.load, r.Replies, r.Sent, r.Dur, seen, took)
		}
	}
}

// slow is a server in the process that keeps its caller for a while.
type slow struct{ null Executor }

func (s slow) Exec(b *wire.Batch) error {
	for until := clock() + int64(200*time.Microsecond); clock() < until; {
	}
	return s.null.Exec(b)
}

func (s slow) Close() {}

// TestOwnDelayIsInResponseTime: a client that cannot send when it should, because it is at work, has the delay in response time. Response
// is lateness and service together, operation by operation, and so on average.
func TestOwnDelayIsInResponseTime(t *testing.T) {
	null := Null(testWorkload)
	target := Target{InProcess: func() Executor { return slow{null()} }, Responder: true}
	load := Load{Mode: Open, Connections: 16, Rate: 4000, Drain: 20 * time.Second} // at 80 % of what it can do
	s := connect(t, newTestPool(t, 1), target, testWorkload, load)
	r := run(t, s, Window{Measure: 200 * time.Millisecond})
	if reconcile(t, r); r.Total() != r.Intended || r.Total() < 400 {
		t.Fatalf("%d of %d answered", r.Total(), r.Intended)
	}
	mean := func(hists *[NumOps]*hdrhistogram.Histogram) (sum float64) {
		for _, h := range hists {
			if h != nil {
				sum += h.Mean() * float64(h.TotalCount()) / float64(r.Total())
			}
		}
		return sum
	}
	response, service, late := mean(&r.Response), mean(&r.Service), r.Lateness.Mean()
	if math.Abs(response/(service+late)-1) > 0.005 || late < 50e3 {
		t.Errorf("response takes %.0f ns on average, service %.0f after a delay of %.0f", response, service, late)
	}
}

// TestDrainIsNotInTheRate: what comes after the window, while slow connections finish, makes it no longer.
func TestDrainIsNotInTheRate(t *testing.T) {
	const window, stall = 60 * time.Millisecond, 300 * time.Millisecond
	for _, load := range []Load{{Connections: 4, Pipeline: 2}, {Mode: Open, Connections: 4, Rate: 2000}} {
		server := newMapServer(t, func(n uint64, _ [][]byte) ([]byte, bool) {
			if n == 40 {
				<-time.After(stall)
			}
			return nil, false
		})
		load.Drain = 20 * time.Second
		s := connect(t, newTestPool(t, 2), Target{Addr: server.addr}, testWorkload, load)
		var cut []uint64
		from := time.Now()
		r := run(t, s, Window{Measure: window, Every: window, Observe: func(v Interval) { cut = append(cut, v.Replies) }})
		if took := time.Since(from); took < stall {
			t.Fatalf("the run took %v, less than its slowest request", took)
		}
		reconcile(t, r)
		if r.Dur > window+stall/2 {
			t.Errorf("%v: a window of %v counts as %v", load.Mode, window, r.Dur)
		}
		if last := len(cut) - 1; cut[last] != 0 || r.Replies >= server.requests.Load() {
			t.Errorf("%v: %d replies in the window, %d after it; the server gave %d", load.Mode, r.Replies, cut[last], server.requests.Load())
		}
	}
}

// TestHistogramsAreMergedNotPercentiles: the percentile of several workers is that of all their samples, which no mean of theirs is.
func TestHistogramsAreMergedNotPercentiles(t *testing.T) {
	p, err := newPlan(testWorkload)
	if err != nil {
		t.Fatal(err)
	}
	quick, slow := newRecorder(p, Open), newRecorder(p, Open)
	var all []int64
	for i := range int64(1000) {
		quick.response[Get].add(1000 + i)
		all = append(all, 1000+i)
		if i%10 == 0 {
			slow.response[Get].add(1e6 + i)
			all = append(all, 1e6+i)
		}
	}
	quick.finish()
	slow.finish()
	quick.merge(&slow)
	slices.Sort(all)
	for _, q := range []float64{0.5, 0.9, 0.95, 0.99} {
		got, want := float64(quick.response[Get].hist.ValueAtQuantile(100*q)), quantileOf(all, q)
		if math.Abs(got/want-1) > 0.002 {
			t.Errorf("p%g of all is %.0f, want %.0f", 100*q, got, want)
		}
	}
}
