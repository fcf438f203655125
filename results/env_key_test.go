package results

import "testing"

func TestKeyChangesWithItsSubsetOnly(t *testing.T) {
	base := captureFrom(textFS(epyc()))
	check := func(name string, differs bool, edit func(*Environment)) {
		t.Helper()
		e := base
		edit(&e)
		if e == base {
			t.Fatalf("%s: the edit changed nothing", name)
		}
		if got := e.Key() != base.Key(); got != differs {
			t.Errorf("%s: key differs %v, want %v", name, got, differs)
		}
	}
	check("model", true, func(e *Environment) { e.CPU.Model = "Intel Xeon" })
	check("processors", true, func(e *Environment) { e.CPU.VCPUs++ })
	check("affinity", true, func(e *Environment) { e.CPU.Affinity = "1" })
	check("hypervisor", true, func(e *Environment) { e.CPU.Hypervisor = "" })
	check("kernel minor", true, func(e *Environment) { e.Kernel.Release = "6.19.44-generic" })
	check("go version", true, func(e *Environment) { e.Go.Version = "go1.27" })
	check("GOAMD64", true, func(e *Environment) { e.Go.GOAMD64 = "v9" })
	check("GOMAXPROCS", true, func(e *Environment) { e.Go.GOMAXPROCS++ })

	check("kernel patch", false, func(e *Environment) { e.Kernel.Release = "6.18.45-cloud" })
	check("microcode", false, func(e *Environment) { e.CPU.Microcode = "0x2" })
	check("flags", false, func(e *Environment) { e.CPU.FlagsHash = "x" })
	check("load", false, func(e *Environment) { e.Load.Steal++ })
	check("memory", false, func(e *Environment) { e.Memory.Total++ })
	check("GOGC", false, func(e *Environment) { e.Go.GOGC = "off" })
	check("limits", false, func(e *Environment) { e.Limits.OpenFilesSoft = 1 })
	check("cgroup", false, func(e *Environment) { e.Cgroup.CPUMax = 1 })

	// A value must not slide over into the next part.
	a, b := Environment{}, Environment{}
	a.CPU.Model, b.CPU.Model = `x" vcpus=0 affinity="1`, "x"
	b.CPU.Affinity = "1"
	if a.Key() == b.Key() {
		t.Error("two environments spell the same key")
	}
}

func TestDescribe(t *testing.T) {
	check := func(want string, e Environment) {
		t.Helper()
		if got := e.Describe(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	e := captureFrom(textFS(epyc()))
	e.Go.Version = "go1.26.8"
	check("AMD EPYC, 2 vCPU, KVM, Linux 6.18, go1.26.8", e)
	e.CPU.Hypervisor = ""
	e.CPU.Model = "Intel(R) Xeon(R)  CPU @ 2.20GHz"
	check("Intel Xeon CPU @ 2.20GHz, 2 CPU, Linux 6.18, go1.26.8", e)
	e.CPU.Hypervisor = "unknown"
	e.Kernel.Release = "7.0-rc3"
	e.CPU.Model = ""
	check("2 vCPU, virtual, Linux 7.0, go1.26.8", e)
	check("", Environment{})
}
