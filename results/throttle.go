package results

import (
	"os"
	"path"
	"strconv"
	"strings"
)

// Throttle counts for how long the CPU quotas of this process's control groups have held back what is in them.
type Throttle struct {
	f     files
	stats []string // cpu.stat of the group and of those above it, where a quota can be
}

// NewThrottle finds the groups. The servers that this process starts are in the same ones.
func NewThrottle() *Throttle { return newThrottle(files{os.DirFS("/")}) }

func newThrottle(f files) *Throttle {
	t := &Throttle{f: f}
	for line := range strings.Lines(f.text("proc/self/cgroup")) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		mounts := []string{"sys/fs/cgroup", "sys/fs/cgroup/unified"}
		if controllers := parts[1]; controllers != "" {
			if !strings.Contains(","+controllers+",", ",cpu,") {
				continue
			}
			mounts = []string{f.mountV1("cpu", controllers)}
		}
		for _, mount := range mounts {
			for dir := range ancestors(mount, path.Clean("/"+parts[2])) {
				if name := dir + "/cpu.stat"; strings.Contains(f.text(name), "nr_throttled ") {
					t.stats = append(t.stats, name)
				}
			}
		}
	}
	return t
}

// Read returns in how many periods a quota was used up, and for how long, in nanoseconds of all processors together, something waited for
// the next one; since the groups were made.
func (t *Throttle) Read() (periods, ns int64) {
	for _, name := range t.stats {
		for line := range strings.Lines(t.f.text(name)) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
			n, _ := strconv.ParseInt(value, 10, 64)
			switch key {
			case "nr_throttled":
				periods += n
			case "throttled_usec": // version 2
				ns += n * 1000
			case "throttled_time": // version 1
				ns += n
			}
		}
	}
	return periods, ns
}
