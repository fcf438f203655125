package results

import "testing"

func TestHypervisor(t *testing.T) {
	check := func(want string, flag bool, vendor, product, clocks string) {
		t.Helper()
		f := files{textFS(map[string]string{
			"sys/class/dmi/id/sys_vendor":                                       vendor,
			"sys/class/dmi/id/product_name":                                     product,
			"sys/devices/system/clocksource/clocksource0/available_clocksource": clocks,
		})}
		if got := f.hypervisor(flag, f.platform()); got != want {
			t.Errorf("%q %q, clocks %q, flag %v: got %q, want %q", vendor, product, clocks, flag, got, want)
		}
	}
	check("", false, "Dell Inc.", "PowerEdge R650", "tsc hpet acpi_pm")
	check("", false, "Amazon EC2", "m7i.metal-24xl", "tsc hpet")
	check("KVM", true, "Amazon EC2", "m7i.large", "tsc kvm-clock")
	check("KVM", true, "Amazon EC2", "t4g.micro", "arch_sys_counter")
	check("KVM", true, "QEMU", "Standard PC (Q35 + ICH9, 2009)", "tsc")
	check("KVM", false, "QEMU", "KVM Virtual Machine", "arch_sys_counter") // arm64 has no flag
	check("KVM", true, "", "", "tsc kvm-clock")
	check("Hyper-V", true, "Microsoft Corporation", "Virtual Machine", "hyperv_clocksource_tsc_page")
	check("VMware", true, "VMware, Inc.", "VMware7,1", "tsc")
	check("unknown", true, "", "", "tsc")

	xen := files{textFS(map[string]string{"sys/hypervisor/type": "xen\n"})}
	if got := xen.hypervisor(true, ""); got != "Xen" {
		t.Errorf("sys/hypervisor/type xen: got %q", got)
	}
}

func TestARMHasNumbersForNames(t *testing.T) {
	f := files{textFS(map[string]string{
		"proc/cpuinfo": "processor\t: 0\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n\n" +
			"processor\t: 1\nCPU part\t: 0xd0c\n",
	})}
	c := f.cpu()
	if c.Model != "ARM 0x41/0xd0c" || c.VCPUs != 2 || c.FlagsHash != shortHash("asimd fp") {
		t.Errorf("got %+v", c)
	}
}

func TestBoost(t *testing.T) {
	check := func(want, file, text string) {
		t.Helper()
		if got := (files{textFS(map[string]string{file: text})}).boost(); got != want {
			t.Errorf("%s %q: got %q, want %q", file, text, got, want)
		}
	}
	check("on", sysCPU+"cpufreq/boost", "1")
	check("off", sysCPU+"cpufreq/boost", "0")
	check("on", sysCPU+"intel_pstate/no_turbo", "0\n")
	check("off", sysCPU+"intel_pstate/no_turbo", "1\n")
	check("", "elsewhere", "1")
}

func TestCPUListLen(t *testing.T) {
	check := func(list string, want int) {
		t.Helper()
		if got := CPUListLen(list); got != want {
			t.Errorf("%q: got %d, want %d", list, got, want)
		}
	}
	check("0", 1)
	check("0-3", 4)
	check("0-3,8", 5)
	check("0-3, 8-9\n", 6)
	check("", 0)
	check("3-0", 0)
	check("-1", 0)
	check("a-b", 0)
	check("0-99999999999", 0)
}
