package results

import "testing"

func TestCgroupLimits(t *testing.T) {
	check := func(name string, want Cgroup, tree map[string]string) {
		t.Helper()
		if got := (files{textFS(tree)}).cgroup(); got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	check("no control groups", Cgroup{}, nil)
	check("version 2, the tightest of the group and those above", Cgroup{Version: 2, CPUMax: 1.5, MemoryMax: 1 << 30},
		map[string]string{
			"proc/self/cgroup":                     "0::/a/b\n",
			"sys/fs/cgroup/cgroup.controllers":     "cpuset cpu memory\n",
			"sys/fs/cgroup/a/b/cpu.max":            "200000 100000\n",
			"sys/fs/cgroup/a/cpu.max":              "150000 100000\n",
			"sys/fs/cgroup/a/b/memory.max":         "1073741824\n",
			"sys/fs/cgroup/a/memory.max":           "max\n",
			"sys/fs/cgroup/elsewhere/cpu.max":      "1000 100000\n",
			"sys/fs/cgroup/cpu.pressure":           "",
			"sys/fs/cgroup/a/b/cgroup.controllers": "",
		})
	check("version 2 without limits", Cgroup{Version: 2}, map[string]string{
		"proc/self/cgroup":                 "0::/\n",
		"sys/fs/cgroup/cgroup.controllers": "cpu memory\n",
		"sys/fs/cgroup/cpu.max":            "max 100000\n",
	})
	check("a container that sees only its root", Cgroup{Version: 2, CPUMax: 0.5}, map[string]string{
		"proc/self/cgroup":                 "0::/system.slice/docker-1.scope\n",
		"sys/fs/cgroup/cgroup.controllers": "cpu memory\n",
		"sys/fs/cgroup/cpu.max":            "50000 100000\n",
	})
	check("a path out of the mount", Cgroup{Version: 2, CPUMax: 0.5}, map[string]string{
		"proc/self/cgroup":                 "0::/../../other\n",
		"sys/fs/cgroup/cgroup.controllers": "cpu memory\n",
		"sys/fs/cgroup/cpu.max":            "50000 100000\n",
	})
	check("version 1, controllers mounted together", Cgroup{Version: 1, CPUMax: 2, MemoryMax: 4096}, map[string]string{
		"proc/self/cgroup": "4:memory:/m\n2:cpu,cpuacct:/c\n0::/\nnonsense\n",
		"sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us":  "200000\n",
		"sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us": "100000\n",
		"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us":    "-1\n",
		"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us":   "100000\n",
		"sys/fs/cgroup/memory/m/memory.limit_in_bytes":  "4096\n",
		"sys/fs/cgroup/memory/memory.limit_in_bytes":    "9223372036854771712\n",
	})
	check("both versions, cpu in the first", Cgroup{Version: 1}, map[string]string{
		"proc/self/cgroup":                         "1:cpu:/\n0::/\n",
		"sys/fs/cgroup/cpu/cpu.cfs_quota_us":       "-1\n",
		"sys/fs/cgroup/cpu/cpu.cfs_period_us":      "100000\n",
		"sys/fs/cgroup/unified/cgroup.controllers": "rdma\n",
	})
}
