package runner

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/shardlab/shardlab/results"
)

func TestListenDrops(t *testing.T) {
	check := func(text string, want int64) {
		t.Helper()
		name := filepath.Join(t.TempDir(), "netstat")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := listenDrops(name); got != want {
			t.Errorf("%q: %d drops, want %d", text, got, want)
		}
	}
	check("TcpExt: SyncookiesSent ListenOverflows ListenDrops X\nTcpExt: 1 2 37 4\nIpExt: InOctets\nIpExt: 5\n", 37)
	check("IpExt: ListenDrops\nIpExt: 5\n", 0)
	check("TcpExt: A ListenDrops\nTcpExt: 1\n", 0)
	check("", 0)
	if listenDrops("/nowhere") != 0 {
		t.Error("drops of a file that is not there")
	}
}

// TestMeter: of two threads it is the one that waited longer that counts, and what is read of a live thread grows.
func TestMeter(t *testing.T) {
	before := meterReading{gc: 5, waits: []int64{10, 20}, runs: []int64{1, 2}, periods: 3, throttled: 100, drops: 1}
	after := meterReading{gc: 9, waits: []int64{50, 22}, runs: []int64{7, 9}, periods: 4, throttled: 160, drops: 3}
	var row results.Slice
	before.fill(&row, &after)
	want := results.Slice{ClientGC: 4, ClientWait: 40, ClientRuns: 6, ThrottledPeriods: 1, Throttled: 60, ListenDrops: 2}
	if row.ClientGC != want.ClientGC || row.ClientWait != want.ClientWait || row.ClientRuns != want.ClientRuns ||
		row.ThrottledPeriods != want.ThrottledPeriods || row.Throttled != want.Throttled || row.ListenDrops != want.ListenDrops {
		t.Errorf("%+v, want %+v", row, want)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	m := newMeter([]int{unix.Gettid()})
	first := m.read()
	runtime.GC()
	last := m.read()
	if last.gc <= first.gc {
		t.Errorf("the collector took %d ns and after another cycle %d", first.gc, last.gc)
	}
	if _, err := os.Stat(m.threads[0]); err == nil && last.runs[0] < first.runs[0] {
		t.Errorf("runs %d, then %d", first.runs[0], last.runs[0])
	}
}
