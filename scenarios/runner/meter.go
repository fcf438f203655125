package runner

import (
	"bytes"
	"fmt"
	"os"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"

	"github.com/shardlab/shardlab/results"
)

// meter reads what befalls the load generator while it is at work: what would make it, and not the server, the limit.
type meter struct {
	threads  []string // schedstat of each load thread
	throttle *results.Throttle
	gc       []metrics.Sample
}

func newMeter(threads []int) *meter {
	m := &meter{throttle: results.NewThrottle(), gc: []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}}}
	for _, id := range threads {
		m.threads = append(m.threads, fmt.Sprintf("/proc/self/task/%d/schedstat", id))
	}
	return m
}

// meterReading is where the meter stood at one time.
type meterReading struct {
	at                 time.Time
	gc                 int64 // ns
	waits, runs        []int64
	periods, throttled int64
	drops              int64
}

// read takes about 50 µs.
func (m *meter) read() meterReading {
	r := meterReading{at: time.Now()}
	if metrics.Read(m.gc); m.gc[0].Value.Kind() == metrics.KindFloat64 {
		r.gc = int64(m.gc[0].Value.Float64() * 1e9)
	}
	for _, name := range m.threads {
		wait, runs := schedstat(name)
		r.waits, r.runs = append(r.waits, wait), append(r.runs, runs)
	}
	r.periods, r.throttled = m.throttle.Read()
	r.drops = listenDrops("/proc/net/netstat")
	return r
}

// fill notes in the row what came between two readings.
func (before *meterReading) fill(row *results.Slice, after *meterReading) {
	row.Visit, row.ClientGC = after.at.Sub(before.at).Nanoseconds(), after.gc-before.gc
	for i, wait := range after.waits {
		if w := wait - before.waits[i]; w >= row.ClientWait {
			row.ClientWait, row.ClientRuns = w, after.runs[i]-before.runs[i]
		}
	}
	row.ThrottledPeriods, row.Throttled = after.periods-before.periods, after.throttled-before.throttled
	row.ListenDrops = after.drops - before.drops
}

// schedstat reads for how long a thread has waited on a run queue, in ns, and how often it was run (sched-stats.rst). Kernels
// without the counters have zeros.
func schedstat(name string) (wait, runs int64) {
	text, err := os.ReadFile(name)
	f := bytes.Fields(text)
	if err != nil || len(f) < 3 {
		return 0, 0
	}
	wait, _ = strconv.ParseInt(string(f[1]), 10, 64)
	runs, _ = strconv.ParseInt(string(f[2]), 10, 64)
	return wait, runs
}

// listenDrops is how many connections this machine has turned away because a listen queue was full: two lines for each group of
// counters, their names and their values.
func listenDrops(name string) int64 {
	text, err := os.ReadFile(name)
	if err != nil {
		return 0
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] != "TcpExt:" {
			continue
		}
		if names == nil {
			names = f
			continue
		}
		for i := range min(len(names), len(f)) {
			if names[i] == "ListenDrops" {
				n, _ := strconv.ParseInt(f[i], 10, 64)
				return n
			}
		}
	}
	return 0
}
