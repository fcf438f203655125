package loadgen

import (
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// startRedis starts a redis-server on a socket of its own.
func startRedis(t *testing.T) (addr string, cmd *exec.Cmd) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	cmd = startProgram(t, path, "redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no")
	return "unix:" + path, cmd
}

// TestStopDrill freezes a server with SIGSTOP for a second at 1,000 operations a second. About a thousand fall due meanwhile, and
// wait 500 ms on average: response time has them all. Where a connection has one request in flight, as with a client that
// waits for its replies, service time has ten of them, one a connection. Where requests are sent when they are due, service
// time has them too, because they have been sent.
func TestStopDrill(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 5 s")
	}
	const (
		rate        = 1000
		connections = 10
		slow        = int64(50 * time.Millisecond) // a busy machine delays requests, too; hardly by so much
	)
	addr, server := startRedis(t)
	for _, inFlight := range []int{1, 0} {
		load := Load{Mode: Open, Connections: connections, Rate: rate, InFlight: inFlight, Drain: 20 * time.Second}
		s := connect(t, newTestPool(t, 1), Target{Addr: addr}, testWorkload, load)
		if err := s.Preload(t.Context()); err != nil {
			t.Fatal(err)
		}
		var frozen time.Duration
		r := run(t, s, Window{Measure: 2 * time.Second, Every: 200 * time.Millisecond, Observe: func(Interval) {
			if frozen > 0 {
				return
			}
			server.Process.Signal(syscall.SIGSTOP)
			from := clock()
			<-time.After(time.Second)
			server.Process.Signal(syscall.SIGCONT)
			frozen = time.Duration(clock() - from)
		}})
		if r.Intended != r.Total()+r.Errors+r.Unsent+r.InFlight || r.Unsent+r.InFlight > 0 {
			t.Errorf("does not reconcile: %+v", r)
		}
		response, mean := delayed(&r.Response, slow)
		service, _ := delayed(&r.Service, slow)
		want := rate * (frozen - time.Duration(slow)).Seconds()
		t.Logf("frozen for %v, in flight %d: %d delayed by more than %v in response time, %v on average; %d in service time",
			frozen, inFlight, response, time.Duration(slow), mean, service)
		if float64(response) < 0.85*want || float64(response) > 1.3*want {
			t.Errorf("%d delayed samples in response time, want about %.0f", response, want)
		}
		if half := (frozen + time.Duration(slow)) / 2; mean < half*8/10 || mean > half*12/10 {
			t.Errorf("they are %v late on average, want about %v", mean, half)
		}
		if inFlight == 1 && (service < 1 || service > 5*connections) {
			t.Errorf("%d delayed samples in service time, want one a connection", service)
		}
		if inFlight == 0 && service < response*8/10 {
			t.Errorf("%d delayed samples in service time, %d in response time: they were sent when due", service, response)
		}
	}
}

// delayed returns how many entries are larger than slow, and their mean.
func delayed(hists *[NumOps]*hdrhistogram.Histogram, slow int64) (n uint64, mean time.Duration) {
	sum := 0.0
	for _, h := range hists {
		if h == nil { // an operation that the mix does not have
			continue
		}
		for _, bar := range h.Distribution() {
			if bar.From > slow {
				n += uint64(bar.Count)
				sum += float64(bar.Count) * float64(bar.From)
			}
		}
	}
	return n, time.Duration(sum / float64(max(n, 1)))
}
