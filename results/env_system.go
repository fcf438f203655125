package results

import (
	"strconv"
	"strings"
)

func (f files) kernel() Kernel {
	k := Kernel{
		Release:     f.text("proc/sys/kernel/osrelease"),
		Clocksource: f.text("sys/devices/system/clocksource/clocksource0/current_clocksource"),
		ASLR:        f.text("proc/sys/kernel/randomize_va_space"),
		Somaxconn:   int(f.integer("proc/sys/net/core/somaxconn")),
	}
	var states strings.Builder
	for _, name := range f.names(sysCPU + "vulnerabilities") {
		states.WriteString(name + ": " + f.text(sysCPU+"vulnerabilities/"+name) + "\n")
	}
	if states.Len() > 0 {
		k.MitigationsHash = shortHash(states.String())
	}
	return k
}

func (f files) memory() MemoryInfo {
	var m MemoryInfo
	if kb, ok := strings.CutSuffix(field(f.text("proc/meminfo"), "MemTotal"), " kB"); ok {
		if n, err := strconv.ParseInt(strings.TrimSpace(kb), 10, 64); err == nil {
			m.Total = n << 10
		}
	}
	for _, name := range f.names("sys/devices/system/node") {
		digits, ok := strings.CutPrefix(name, "node")
		if _, err := strconv.ParseUint(digits, 10, 16); ok && err == nil {
			m.NUMANodes++
		}
	}
	// The choice in force is the one in brackets: "always [madvise] never".
	_, rest, _ := strings.Cut(f.text("sys/kernel/mm/transparent_hugepage/enabled"), "[")
	m.THP, _, _ = strings.Cut(rest, "]")
	return m
}

func (f files) limits() Limits {
	soft, hard, _ := strings.Cut(entry(f.text("proc/self/limits"), "Max open files"), " ")
	hard, _, _ = strings.Cut(strings.TrimSpace(hard), " ")
	return Limits{OpenFilesSoft: limit(soft), OpenFilesHard: limit(hard)}
}

func limit(s string) int64 {
	if s == "unlimited" {
		return -1
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (f files) load() Load {
	var l Load
	avgs := strings.Fields(f.text("proc/loadavg"))
	for i, p := range []*float64{&l.Avg1, &l.Avg5, &l.Avg15} {
		if i < len(avgs) {
			*p = finite(avgs[i])
		}
	}
	ticks := strings.Fields(entry(f.text("proc/stat"), "cpu"))
	columns := []*int64{&l.User, &l.Nice, &l.System, &l.Idle, &l.IOWait, &l.IRQ, &l.SoftIRQ, &l.Steal}
	for i, p := range columns {
		if i < len(ticks) {
			*p = limit(ticks[i])
		}
	}
	return l
}

// finite parses a plain decimal; what JSON could not carry is 0.
func finite(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v-v != 0 {
		return 0
	}
	return v
}
