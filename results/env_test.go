package results

import (
	"encoding/json"
	"testing"
	"testing/fstest"
)

func textFS(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

// epyc is a small KVM guest, cut down to the files that are read.
func epyc() map[string]string {
	return map[string]string{
		"proc/cpuinfo": "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\n" +
			"model name\t: AMD EPYC\nstepping\t: 1\nmicrocode\t: 0x1000065\nflags\t\t: fpu sse hypervisor avx2\n\n" +
			"processor\t: 1\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC\n",
		"proc/self/status":                           "Name:\tx\nCpus_allowed:\t3\nCpus_allowed_list:\t0-1\n",
		"proc/self/limits":                           "Limit\tSoft Limit\nMax open files       1024     unlimited    files\n",
		"proc/self/cgroup":                           "0::/user/job\n",
		"proc/sys/kernel/osrelease":                  "6.18.44-generic\n",
		"proc/sys/net/core/somaxconn":                "4096\n",
		"proc/loadavg":                               "0.61 1.15 0.70 2/102 12754\n",
		"proc/stat":                                  "cpu  47995 1 14052 463949 537 2 2870 297 0 0\ncpu0 2 0 1\n",
		"proc/meminfo":                               "MemTotal:       24684084 kB\nMemFree:        100 kB\n",
		"sys/fs/cgroup/user/job/x":                   "",
		sysCPU + "online":                            "0-1\n",
		sysCPU + "cpufreq/boost":                     "1\n",
		sysCPU + "vulnerabilities/mds":               "Not affected\n",
		sysCPU + "cpu0/cpufreq/scaling_governor":     "performance\n",
		"proc/sys/kernel/randomize_va_space":         "2\n",
		"sys/devices/system/node/node0/x":            "",
		"sys/devices/system/node/node1/x":            "",
		"sys/devices/system/node/has_cpu":            "0\n",
		"sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
		"sys/devices/system/clocksource/clocksource0/current_clocksource":   "tsc\n",
		"sys/devices/system/clocksource/clocksource0/available_clocksource": "tsc kvm-clock \n",
	}
}

func TestEnvironmentIsReadFromProcAndSys(t *testing.T) {
	got := captureFrom(textFS(epyc()))
	got.Go = GoRuntime{} // of this process, not of the tree
	want := Environment{
		OS: got.OS, Arch: got.Arch,
		CPU: CPUInfo{Vendor: "AuthenticAMD", Model: "AMD EPYC", Family: "25", ModelID: "17", Stepping: "1",
			Microcode: "0x1000065", FlagsHash: shortHash("avx2 fpu hypervisor sse"), VCPUs: 2, Affinity: "0-1",
			Hypervisor: "KVM", Governor: "performance", Boost: "on"},
		Kernel: Kernel{Release: "6.18.44-generic", Clocksource: "tsc", ASLR: "2", Somaxconn: 4096,
			MitigationsHash: shortHash("mds: Not affected\n")},
		Memory: MemoryInfo{Total: 24684084 << 10, NUMANodes: 2, THP: "madvise"},
		Limits: Limits{OpenFilesSoft: 1024, OpenFilesHard: -1},
		Load: Load{Avg1: 0.61, Avg5: 1.15, Avg15: 0.70, User: 47995, Nice: 1, System: 14052, Idle: 463949,
			IOWait: 537, IRQ: 2, SoftIRQ: 2870, Steal: 297},
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestNothingToReadIsZero(t *testing.T) {
	got := captureFrom(fstest.MapFS{})
	got.Go, got.OS, got.Arch = GoRuntime{}, "", ""
	if got != (Environment{}) {
		t.Errorf("got %+v, want zero", got)
	}
}

func TestNonsenseIsNoFigure(t *testing.T) {
	fsys := epyc()
	for name := range fsys {
		fsys[name] = "\x00: NaN [ - inf\n"
	}
	fsys["proc/loadavg"] = "NaN Inf 1e999"
	if _, err := json.Marshal(captureFrom(textFS(fsys))); err != nil {
		t.Errorf("not fit for a manifest: %v", err)
	}
}

func TestCaptureKnowsThisProcess(t *testing.T) {
	e := Capture()
	if e.Time.IsZero() || e.Go.Version == "" || e.Go.GOMAXPROCS < 1 || e.Go.GOGC == "" {
		t.Errorf("missing from %+v", e)
	}
	t.Setenv("GODEBUG", "madvdontneed=1")
	if got := Capture().Go.GODEBUG; got != "madvdontneed=1" {
		t.Errorf("GODEBUG is %q", got)
	}
}
