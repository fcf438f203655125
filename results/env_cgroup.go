package results

import (
	"path"
	"strconv"
	"strings"
)

// noMemoryLimit: version 1 says "unlimited" as the largest multiple of the page size.
const noMemoryLimit = 1 << 60

// cgroup finds the limits in force. A group is bound by those above it, so each hierarchy is walked to its root;
// within a container the path in /proc may name folders that cannot be seen, and only the root remains.
func (f files) cgroup() Cgroup {
	var g Cgroup
	for line := range strings.Lines(f.text("proc/self/cgroup")) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		controllers, group := parts[1], path.Clean("/"+parts[2])
		if controllers == "" {
			f.limitsV2(&g, group)
			continue
		}
		for c := range strings.SplitSeq(controllers, ",") {
			f.limitsV1(&g, c, controllers, group)
		}
	}
	return g
}

func (f files) limitsV2(g *Cgroup, group string) {
	for _, mount := range []string{"sys/fs/cgroup", "sys/fs/cgroup/unified"} {
		if f.text(mount+"/cgroup.controllers") == "" {
			continue // not a version 2 root, or one without controllers
		}
		if strings.Contains(" "+f.text(mount+"/cgroup.controllers")+" ", " cpu ") {
			g.Version = 2
		}
		for dir := range ancestors(mount, group) {
			g.tightenCPU(f.text(dir + "/cpu.max"))
			g.tightenMemory(f.integer(dir + "/memory.max"))
		}
	}
}

func (f files) limitsV1(g *Cgroup, controller, mounted, group string) {
	switch controller {
	case "cpu":
		g.Version = 1
		for dir := range ancestors(f.mountV1(controller, mounted), group) {
			g.tightenCPU(f.text(dir+"/cpu.cfs_quota_us") + " " + f.text(dir+"/cpu.cfs_period_us"))
		}
	case "memory":
		for dir := range ancestors(f.mountV1(controller, mounted), group) {
			g.tightenMemory(f.integer(dir + "/memory.limit_in_bytes"))
		}
	}
}

// mountV1 is where a controller is mounted: by all names that share the hierarchy, or by its own.
func (f files) mountV1(controller, mounted string) string {
	if dir := "sys/fs/cgroup/" + mounted; len(f.names(dir)) > 0 {
		return dir
	}
	return "sys/fs/cgroup/" + controller
}

// ancestors yields the group's folder and those above it, up to the mount.
func ancestors(mount, group string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for ; group != "/"; group = path.Dir(group) {
			if !yield(path.Join(mount, group)) {
				return
			}
		}
		yield(mount)
	}
}

// tightenCPU takes "quota period" in microseconds; a quota of "max" or -1 is none.
func (g *Cgroup) tightenCPU(text string) {
	quota, period, _ := strings.Cut(text, " ")
	q, errQ := strconv.ParseInt(quota, 10, 64)
	p, errP := strconv.ParseInt(period, 10, 64)
	if errQ != nil || errP != nil || q <= 0 || p <= 0 {
		return
	}
	if cpus := float64(q) / float64(p); g.CPUMax == 0 || cpus < g.CPUMax {
		g.CPUMax = cpus
	}
}

func (g *Cgroup) tightenMemory(bytes int64) {
	if bytes > 0 && bytes < noMemoryLimit && (g.MemoryMax == 0 || bytes < g.MemoryMax) {
		g.MemoryMax = bytes
	}
}
