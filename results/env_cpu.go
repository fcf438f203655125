package results

import (
	"slices"
	"strconv"
	"strings"
)

const sysCPU = "sys/devices/system/cpu/"

func (f files) cpu() CPUInfo {
	// Only the first processor's paragraph: they differ in nothing that is kept here.
	info := f.text("proc/cpuinfo")
	first, _, _ := strings.Cut(info, "\n\n")
	flags := field(first, "flags")
	if flags == "" {
		flags = field(first, "Features") // arm64
	}
	words := strings.Fields(flags)
	slices.Sort(words)
	c := CPUInfo{
		Vendor:    field(first, "vendor_id"),
		Model:     field(first, "model name"),
		Family:    field(first, "cpu family"),
		ModelID:   field(first, "model"),
		Stepping:  field(first, "stepping"),
		Microcode: field(first, "microcode"),
		VCPUs:     CPUListLen(f.text(sysCPU + "online")),
		Affinity:  field(f.text("proc/self/status"), "Cpus_allowed_list"),
		Platform:  f.platform(),
		Governor:  f.text(sysCPU + "cpu0/cpufreq/scaling_governor"),
		Boost:     f.boost(),
	}
	if part := field(first, "CPU part"); c.Model == "" && part != "" { // arm64 has numbers for names
		c.Vendor = field(first, "CPU implementer")
		c.Model = "ARM " + c.Vendor + "/" + part
	}
	if len(words) > 0 {
		c.FlagsHash = shortHash(strings.Join(words, " "))
	}
	if c.VCPUs == 0 {
		for line := range strings.Lines(info) {
			if strings.HasPrefix(line, "processor") {
				c.VCPUs++
			}
		}
	}
	_, virtual := slices.BinarySearch(words, "hypervisor")
	c.Hypervisor = f.hypervisor(virtual, c.Platform)
	return c
}

func (f files) platform() string {
	vendor, product := f.text("sys/class/dmi/id/sys_vendor"), f.text("sys/class/dmi/id/product_name")
	return strings.TrimSpace(vendor + " " + product)
}

func (f files) boost() string {
	switch f.text(sysCPU + "cpufreq/boost") {
	case "1":
		return "on"
	case "0":
		return "off"
	}
	switch f.text(sysCPU + "intel_pstate/no_turbo") {
	case "0":
		return "on"
	case "1":
		return "off"
	}
	return ""
}

// A clue names the hypervisor where its text occurs. Cloud vendors are left to the clocksource, because they also rent
// out bare machines under the same name.
var (
	platformClues = [][2]string{
		{"QEMU", "KVM"}, {"KVM", "KVM"}, {"Firecracker", "KVM"}, {"Google Compute Engine", "KVM"}, {"OpenStack", "KVM"},
		{"VMware", "VMware"}, {"VirtualBox", "VirtualBox"}, {"innotek", "VirtualBox"}, {"Xen", "Xen"},
		{"Microsoft Corporation Virtual Machine", "Hyper-V"}, {"Parallels", "Parallels"}, {"bhyve", "bhyve"},
	}
	clockClues = [][2]string{{"kvm-clock", "KVM"}, {"hyperv", "Hyper-V"}, {"xen", "Xen"}}
)

// hypervisor names what the machine runs under. The processor's flag decides whether there is one, where processors
// have that flag; DMI and the clocks on offer say which. A micro-VM has no DMI, so the clocks are often all there is.
func (f files) hypervisor(flag bool, platform string) string {
	if kind := f.text("sys/hypervisor/type"); kind == "xen" {
		return "Xen"
	}
	name := firstClue(platform, platformClues)
	if name == "" {
		name = firstClue(f.text("sys/devices/system/clocksource/clocksource0/available_clocksource"), clockClues)
	}
	if name == "" && strings.Contains(platform, "Amazon EC2") && flag {
		name = "KVM"
	}
	if name == "" && flag {
		name = "unknown"
	}
	return name
}

func firstClue(text string, clues [][2]string) string {
	for _, c := range clues {
		if strings.Contains(text, c[0]) {
			return c[1]
		}
	}
	return ""
}

// CPUListLen counts the processors of a CPU list such as "0-3,8". A list it cannot read has none.
func CPUListLen(list string) int {
	if strings.TrimSpace(list) == "" {
		return 0
	}
	n := 0
	for part := range strings.SplitSeq(list, ",") {
		first, last, ranged := strings.Cut(strings.TrimSpace(part), "-")
		if !ranged {
			last = first
		}
		lo, errLo := strconv.ParseUint(first, 10, 16)
		hi, errHi := strconv.ParseUint(last, 10, 16)
		if errLo != nil || errHi != nil || hi < lo {
			return 0
		}
		n += int(hi-lo) + 1
	}
	return n
}
