package runner

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// usage is what the kernel says a process has used so far.
type usage struct {
	user, sys       int64 // nanoseconds, in steps of a clock tick
	rss             int64 // bytes resident now
	voluntary       int64 // context switches of all its threads
	involuntary     int64
	minorPageFaults int64
}

// clockTick is USER_HZ, which Linux has fixed at 100 on every architecture that Go runs on.
const clockTick = 1_000_000_000 / 100

// cpuClock returns the clock of the CPU time of a whole process, in nanoseconds. The id is the kernel's encoding of
// "process pid, scheduler clock" (clock_getcpuclockid(3)).
func cpuClock(pid int) func() int64 {
	id := int32(^pid<<3 | 2)
	return func() int64 {
		var ts unix.Timespec
		if unix.ClockGettime(id, &ts) != nil {
			return 0 // the process has ended: its slice will fail by itself
		}
		return ts.Nano()
	}
}

func readUsage(pid int) (usage, error) {
	var u usage
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	// The name in parentheses may hold anything; fields count from behind its end (proc(5): field 3 comes first).
	f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	field := func(n int) int64 {
		v, _ := strconv.ParseInt(f[n-3], 10, 64)
		return v
	}
	u.minorPageFaults = field(10)
	u.user, u.sys = field(14)*clockTick, field(15)*clockTick
	u.rss = field(24) * int64(os.Getpagesize())
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return u, err
	}
	for _, t := range tasks { // status counts switches for each thread alone
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", pid, t.Name()))
		if err != nil {
			continue // a thread that has just ended
		}
		u.voluntary += statusField(status, "voluntary_ctxt_switches:")
		u.involuntary += statusField(status, "nonvoluntary_ctxt_switches:")
	}
	return u, nil
}

func statusField(status []byte, name string) int64 {
	for line := range bytes.Lines(status) {
		if rest, ok := bytes.CutPrefix(line, []byte(name)); ok {
			n, _ := strconv.ParseInt(string(bytes.TrimSpace(rest)), 10, 64)
			return n
		}
	}
	return 0
}

// stealTicks is the time, in clock ticks, that the hypervisor has given to others while one of these processors wanted to
// run.
func stealTicks(cpus []int) (ticks int64) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(stat)) {
		f := strings.Fields(line)
		if len(f) < 9 || !strings.HasPrefix(f[0], "cpu") {
			continue
		}
		if cpu, err := strconv.Atoi(f[0][len("cpu"):]); err == nil && slices.Contains(cpus, cpu) {
			n, _ := strconv.ParseInt(f[8], 10, 64)
			ticks += n
		}
	}
	return ticks
}
