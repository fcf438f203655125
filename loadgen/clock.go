package loadgen

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// epoch anchors the package's clock, and is what Monotonic was then.
var (
	epoch          = time.Now()
	epochMonotonic = Monotonic()
)

// Monotonic reads the machine's monotonic clock, in ns.
func Monotonic() int64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) != nil {
		panic("bug: no monotonic clock")
	}
	return ts.Nano()
}

// sinceEpoch returns a time on Monotonic's scale on that of clock.
func sinceEpoch(monotonic int64) int64 { return monotonic - epochMonotonic }

// clock returns monotonic nanoseconds since epoch. time.Since reads the monotonic clock only: 27 ns, where time.Now
// takes 49.
func clock() int64 { return int64(time.Since(epoch)) }

// threadCPU returns the CPU time of the calling thread in ns.
func threadCPU() int64 {
	var ts unix.Timespec
	unix.RawSyscall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_THREAD_CPUTIME_ID, uintptr(unsafe.Pointer(&ts)), 0)
	return ts.Nano()
}
