package loadgen

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestWait holds what is returned, and that a wait does not end before its time but for the part that is rounded off.
func TestWait(t *testing.T) {
	for _, old := range []bool{false, true} {
		var p poller
		if err := p.open(); err != nil {
			t.Fatal(err)
		}
		p.noPwait2 = old
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.add(pair[0], 7); err != nil {
			t.Fatal(err)
		}
		if n, err := p.wait(0); n != 1 || err != nil { // it can be written to
			t.Fatalf("%d events, %v", n, err)
		}
		for _, timeout := range []int64{-5, 0, 1000, 300_000} {
			from := clock()
			n, err := p.wait(timeout)
			if n != 0 || err != nil {
				t.Errorf("old %v: %d events, %v", old, n, err)
			}
			if took := clock() - from; took < timeout {
				t.Errorf("old %v: waited %d of %d ns", old, took, timeout)
			}
		}
		unix.Write(pair[1], []byte("x"))
		for _, timeout := range []time.Duration{0, time.Second, time.Hour} {
			n, err := p.wait(int64(timeout))
			if timeout == 0 && (n != 1 || p.events[0].Fd != 7 || p.events[0].Events&unix.EPOLLIN == 0) {
				t.Errorf("%d events, %v: %v", n, err, p.events[0])
			}
			unix.Write(pair[1], []byte("x")) // another edge
		}
		unix.Close(pair[0])
		unix.Close(pair[1])
		p.close()
		p.close()
	}
}
