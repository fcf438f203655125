package loadgen

import (
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// queueWait returns the probability that a customer of an M/D/1 queue waits no longer than x before it is served, all in units of
// the service time (Erlang's formula).
func queueWait(load, x float64) float64 {
	sum, factorial := 0.0, 1.0
	for k := 0.0; k <= x; k++ {
		if k > 0 {
			factorial *= k
		}
		sum += math.Pow(-load*(x-k), k) / factorial * math.Exp(load*(x-k))
	}
	return (1 - load) * sum
}

// queueQuantile inverts it, and adds the service.
func queueQuantile(load, q float64) float64 {
	low, high := 0.0, 20.0
	for high-low > 1e-6 {
		if mid := (low + high) / 2; queueWait(load, mid) < q {
			low = mid
		} else {
			high = mid
		}
	}
	return low + 1
}

// queued returns the response times of arrivals at a queue with one server and constant service, sorted.
func queued(due []int64, service int64) []int64 {
	var times []int64
	free := int64(math.MinInt64)
	for _, t := range due {
		free = max(t, free) + service
		times = append(times, free-t)
	}
	slices.Sort(times)
	return times
}

func quantileOf(sorted []int64, q float64) float64 {
	return float64(sorted[int(q*float64(len(sorted)))])
}

// TestArrivalsMakeTheQueueOfTheory: the arrivals of the schedule, put through a queue, wait as M/D/1 says.
func TestArrivalsMakeTheQueueOfTheory(t *testing.T) {
	const service = int64(1e6)
	for _, load := range []float64{0.3, 0.6, 0.8} {
		a := poisson(12, load*1e9/float64(service))
		due := make([]int64, 1_000_000)
		for i := range due {
			due[i] = a.next()
		}
		times := queued(due, service)
		for _, q := range []float64{0.5, 0.9, 0.99} {
			got, want := quantileOf(times, q)/float64(service), queueQuantile(load, q)
			if math.Abs(got/want-1) > 0.03 {
				t.Errorf("load %g: p%g is %.3f services, want %.3f", load, 100*q, got, want)
			}
		}
	}
}

// queueServer answers the requests of all its connections in the order in which it has read them, one every service time at most.
type queueServer struct {
	*spinServer
	late atomic.Int64 // the most that a reply was sent after its time since it was last set, ns
}

func newQueueServer(t *testing.T, w Workload, service time.Duration) *queueServer {
	t.Helper()
	type waiting struct {
		fd int
		at int64 // when its reply is to be sent
	}
	var queue []waiting
	free := int64(0)
	reply := cannedReply(RESP, Get, make([]byte, w.ValueSize))
	s := &queueServer{}
	s.spinServer = newSpinServer(t, w, func() {
		for now := clock(); len(queue) > 0 && queue[0].at <= now; queue = queue[1:] {
			if late := now - queue[0].at; late > s.late.Load() {
				s.late.Store(late)
			}
			send(queue[0].fd, reply)
		}
	}, func(fd int, _ []byte) {
		free = max(clock(), free) + int64(service)
		queue = append(queue, waiting{fd, free})
	})
	return s
}

// TestPercentilesAreThoseOfTheory drives a server that is an M/D/1 queue and holds the percentiles of the load against what that queue
// makes of the arrivals that were due, which is the theory's without the chance in a sample. Windows in which the machine held up the
// server or the client by more than the difference that is looked for say nothing, and what it did to the others may add up in the queue:
// then other windows are asked. A percentile that is wrong is wrong in all of them.
func TestPercentilesAreThoseOfTheory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds, and a processor")
	}
	const load, service = 0.7, 2 * time.Millisecond
	const window, attempts = time.Second, 12
	w := testWorkload
	w.Mix = []OpShare{{Get, 1}}
	server := newQueueServer(t, w, service)
	plan := Load{Mode: Open, Connections: 4, Rate: load * 1e9 / float64(service), Drain: 20 * time.Second, Spin: 200 * time.Microsecond}
	s := connect(t, newTestPool(t, 1), Target{Addr: server.addr, Responder: true}, w, plan)
	schedule := newArrivals(w.Seed, plan)
	var due []int64
	sum := newHistogram()
	const enough = 3 // windows
	good, agree := 0, false
	for tried := 0; tried < attempts && !agree; tried++ {
		schedule.restart()
		var of []int64
		for at := schedule.next(); at < int64(window); at = schedule.next() {
			of = append(of, at)
		}
		server.late.Store(0)
		r := run(t, s, Window{Measure: window})
		reconcile(t, r)
		if r.Total() != uint64(len(of)) {
			t.Fatalf("%d answered, %d due", r.Total(), len(of))
		}
		// A client that is held up is late with what falls due; both are within 5 % of the shortest response.
		if held := max(server.late.Load(), r.Lateness.ValueAtPercentile(99)); held > int64(service)/20 {
			t.Logf("the machine held the server or the client up by %v", time.Duration(held))
			continue
		}
		good++
		sum.Merge(r.Response[Get])
		// Windows do not overlap: each begins with an empty queue.
		offset := int64(good) * 100 * int64(time.Second)
		for _, at := range of {
			due = append(due, offset+at)
		}
		if good%enough > 0 {
			continue
		}
		agree = true
		times := queued(due, int64(service))
		for _, q := range []float64{0.5, 0.9, 0.99} {
			got, want := float64(sum.ValueAtQuantile(100*q)), quantileOf(times, q)
			theory := queueQuantile(load, q) * float64(service)
			t.Logf("p%g: measured %v, a queue of these arrivals %v, M/D/1 %v", 100*q, time.Duration(got), time.Duration(want), time.Duration(theory))
			agree = agree && math.Abs(got/want-1) <= 0.05
		}
		sum.Reset()
		due = due[:0]
	}
	switch {
	case good < enough:
		t.Skip("the machine is too busy to tell")
	case !agree:
		t.Error("a percentile differs by more than 5 % from the queue's, in all windows")
	}
}
