package results

import "testing"

func TestThrottle(t *testing.T) {
	check := func(name string, periods, ns int64, tree map[string]string) {
		t.Helper()
		if p, n := newThrottle(files{textFS(tree)}).Read(); p != periods || n != ns {
			t.Errorf("%s: %d periods, %d ns, want %d, %d", name, p, n, periods, ns)
		}
	}
	check("no control groups", 0, 0, nil)
	check("version 2, the group and those above", 7, 1_500_000, map[string]string{
		"proc/self/cgroup":           "0::/a/b\n",
		"sys/fs/cgroup/a/b/cpu.stat": "usage_usec 9\nnr_periods 100\nnr_throttled 5\nthrottled_usec 1000\n",
		"sys/fs/cgroup/a/cpu.stat":   "usage_usec 9\nnr_periods 100\nnr_throttled 2\nthrottled_usec 500\n",
		"sys/fs/cgroup/cpu.stat":     "usage_usec 9\n",
	})
	check("version 1", 3, 77, map[string]string{
		"proc/self/cgroup":                      "3:cpuset:/x\n2:cpu,cpuacct:/d\n1:memory:/d\n",
		"sys/fs/cgroup/cpu,cpuacct/d/cpu.stat":  "nr_periods 10\nnr_throttled 3\nthrottled_time 77\n",
		"sys/fs/cgroup/cpu,cpuacct/notify":      "",
		"sys/fs/cgroup/memory/d/cpu.stat":       "nr_throttled 9\n",
		"sys/fs/cgroup/cpu,cpuacct/dx/cpu.stat": "nr_throttled 9\n",
	})
	if p, n := NewThrottle().Read(); p < 0 || n < 0 {
		t.Errorf("here: %d, %d", p, n)
	}
}
