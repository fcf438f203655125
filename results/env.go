package results

import (
	"io/fs"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// Environment is the fingerprint of the machine and of this process's runtime settings at one moment. What the machine
// does not tell is the zero value: a missing file is never an error. Switches whose zero would be a claim
// ("0" means off) are kept as the kernel's own text, where "" is unknown.
type Environment struct {
	Time   time.Time  `json:"time"`
	OS     string     `json:"os"`   // GOOS
	Arch   string     `json:"arch"` // GOARCH
	CPU    CPUInfo    `json:"cpu"`
	Cgroup Cgroup     `json:"cgroup"`
	Kernel Kernel     `json:"kernel"`
	Memory MemoryInfo `json:"memory"`
	Go     GoRuntime  `json:"go"`
	Limits Limits     `json:"limits"`
	Load   Load       `json:"load"`
}

// CPUInfo says which processors there are and how they are run.
type CPUInfo struct {
	Vendor     string `json:"vendor,omitempty"`
	Model      string `json:"model,omitempty"` // the model name, as the processor gives it
	Family     string `json:"family,omitempty"`
	ModelID    string `json:"model_id,omitempty"`
	Stepping   string `json:"stepping,omitempty"`
	Microcode  string `json:"microcode,omitempty"`
	FlagsHash  string `json:"flags_hash,omitempty"` // of the sorted feature flags of the first processor
	VCPUs      int    `json:"vcpus"`                // online
	Affinity   string `json:"affinity,omitempty"`   // of this process, a CPU list as in "0-3,8"
	Hypervisor string `json:"hypervisor,omitempty"` // "" on bare metal, "unknown" where only the fact is known
	Platform   string `json:"platform,omitempty"`   // DMI vendor and product
	Governor   string `json:"governor,omitempty"`
	Boost      string `json:"boost,omitempty"` // "on" or "off"
}

// Cgroup holds the tightest limits of the process's control group and of the groups above it.
type Cgroup struct {
	Version   int     `json:"version,omitempty"`    // 1 or 2; of the hierarchy that has the cpu controller
	CPUMax    float64 `json:"cpu_max,omitempty"`    // processors' worth of time; 0 is no limit
	MemoryMax int64   `json:"memory_max,omitempty"` // bytes; 0 is no limit
}

// Kernel says what the operating system is set to.
type Kernel struct {
	Release         string `json:"release,omitempty"`
	Clocksource     string `json:"clocksource,omitempty"`
	MitigationsHash string `json:"mitigations_hash,omitempty"` // of every "name: state" of sysfs's vulnerabilities
	ASLR            string `json:"aslr,omitempty"`             // randomize_va_space: "0", "1" or "2"
	Somaxconn       int    `json:"somaxconn,omitempty"`
}

// MemoryInfo is the machine's memory.
type MemoryInfo struct {
	Total     int64  `json:"total,omitempty"` // bytes
	NUMANodes int    `json:"numa_nodes,omitempty"`
	THP       string `json:"thp,omitempty"` // transparent huge pages: "always", "madvise" or "never"
}

// GoRuntime holds the settings in force in this process. Children inherit them through their environment.
type GoRuntime struct {
	Version    string `json:"version"`
	GOMAXPROCS int    `json:"gomaxprocs"`
	GOGC       string `json:"gogc"`                 // a percentage, or "off"
	GOMEMLIMIT int64  `json:"gomemlimit,omitempty"` // bytes; 0 is no limit
	GODEBUG    string `json:"godebug,omitempty"`
	GOAMD64    string `json:"goamd64,omitempty"` // "" on other architectures
}

// Limits are this process's. The Go runtime raises its own soft limit of open files when it starts, and gives children
// the one it found.
type Limits struct {
	OpenFilesSoft int64 `json:"open_files_soft,omitempty"` // ulimit -n; -1 is unlimited
	OpenFilesHard int64 `json:"open_files_hard,omitempty"`
}

// Load is what the machine has been doing: the load averages, and ticks of all processors together since it started.
// The difference of two Loads is what happened between them.
type Load struct {
	Avg1    float64 `json:"avg1"`
	Avg5    float64 `json:"avg5"`
	Avg15   float64 `json:"avg15"`
	User    int64   `json:"user_ticks"`
	Nice    int64   `json:"nice_ticks"`
	System  int64   `json:"system_ticks"`
	Idle    int64   `json:"idle_ticks"`
	IOWait  int64   `json:"iowait_ticks"`
	IRQ     int64   `json:"irq_ticks"`
	SoftIRQ int64   `json:"softirq_ticks"`
	Steal   int64   `json:"steal_ticks"` // taken by the hypervisor while a processor wanted to run
}

// Capture reads the fingerprint of this machine and process. It takes a few milliseconds and never fails.
func Capture() Environment {
	e := captureFrom(os.DirFS("/"))
	e.Time = time.Now().UTC().Round(0)
	return e
}

// captureFrom reads from root, which stands for "/". Only the Go runtime's own settings come from elsewhere.
func captureFrom(root fs.FS) Environment {
	f := files{root}
	return Environment{
		OS:     runtime.GOOS,
		Arch:   runtime.GOARCH,
		CPU:    f.cpu(),
		Cgroup: f.cgroup(),
		Kernel: f.kernel(),
		Memory: f.memory(),
		Go:     goRuntime(),
		Limits: f.limits(),
		Load:   f.load(),
	}
}

func goRuntime() GoRuntime {
	g := GoRuntime{
		Version:    runtime.Version(),
		GOMAXPROCS: runtime.GOMAXPROCS(0),
		GODEBUG:    os.Getenv("GODEBUG"),
	}
	// The metrics know the value in force, which a call at run time may have moved away from the variable.
	samples := []metrics.Sample{{Name: "/gc/gogc:percent"}, {Name: "/gc/gomemlimit:bytes"}}
	metrics.Read(samples)
	if v := samples[0].Value; v.Kind() == metrics.KindUint64 {
		g.GOGC = "off"
		if v.Uint64() <= math.MaxInt32 { // off is -1, seen unsigned
			g.GOGC = strconv.FormatUint(v.Uint64(), 10)
		}
	}
	if v := samples[1].Value; v.Kind() == metrics.KindUint64 && v.Uint64() < math.MaxInt64 {
		g.GOMEMLIMIT = int64(v.Uint64())
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		g.GOAMD64 = buildSetting(info, "GOAMD64")
	}
	return g
}

// files reads small text files of one tree; what cannot be read is empty.
type files struct{ fs.FS }

// text is the file's content without surrounding space.
func (f files) text(name string) string {
	b, err := fs.ReadFile(f.FS, name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// integer is the file's content as a number, or 0.
func (f files) integer(name string) int64 {
	n, err := strconv.ParseInt(f.text(name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// names lists a folder in order of name.
func (f files) names(dir string) []string {
	entries, err := fs.ReadDir(f.FS, dir)
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// field finds the value of the first "key: value" line of text.
func field(text, key string) string {
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// entry finds the rest of the first line of text that starts with key and a blank.
func entry(text, key string) string {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, key); ok && strings.TrimLeft(rest, " \t") != rest {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}
